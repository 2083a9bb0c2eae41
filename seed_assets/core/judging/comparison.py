"""Comparing one claim or concept with its sources. What belongs here: the status that follows from the evidence. What does not:
the evidence (evidence, copied_wording), its weights (confidence), and the verdict on the whole text (judging).
"""

from collections.abc import Sequence
from functools import cached_property
from typing import Literal

from resources.models.embedder import LocalEmbedder
from seed_assets.core.judging.confidence import confidence, is_altered
from seed_assets.core.judging.copied_wording import copied_wording
from seed_assets.core.judging.copies import CopiedTexts
from seed_assets.core.judging.evidence import ClaimEvidence, Evidence
from seed_assets.core.judging.passages import SourcePassage
from seed_assets.core.judging.signals import Signals, signals_of
from seed_assets.core.judging.verdicts import Claim, SourceText, Status

# The numbers were chosen by judgement; docs/benchmarks.md (Judges) shows how the judge performs with them.
# A claim that is less similar to its source is as similar to any other text about such matters.
_LIKE = 0.22
# From here on a sentence makes the same statement, so that a difference is a contradiction; below, nothing is known.
_CLOSE = 0.5
# A concept is supported if the sources are at least so similar to it.
_ABOUT = 0.5


class Comparison:
    """The sources that one text is judged against."""

    def __init__(self, sources: Sequence[SourceText], embedder: LocalEmbedder) -> None:
        self._sources, self._embedder = sources, embedder
        self._copies = CopiedTexts(sources)

    @cached_property
    def _evidence(self) -> Evidence:
        # It is built only when it is needed: a text that is copied takes a tenth of the time without it.
        return Evidence(self._sources, self._embedder)

    def claims(self, texts: Sequence[str]) -> list[Claim]:
        """Return the judged claims, one for each text in order."""
        copies = {text: self._copies.passage(text) for text in texts}
        others = [text for text, copied in copies.items() if copied is None]
        judged = dict(zip(others, map(_judged, others, self.weighed(others)), strict=True))
        return [
            judged[text] if copied is None else _claim("claim", text, "copied", copied)
            for text in texts
            for copied in (copies[text],)
        ]

    def weighed(self, texts: Sequence[str]) -> list[tuple[ClaimEvidence, Signals]]:
        """Return the evidence on claims that are not copied, and their signals."""
        if not texts:
            return []
        wordings = copied_wording(texts, (source.text for source in self._sources))
        evidence = [self._evidence.weigh(text) for text in texts]
        return [(found, signals_of(found, wordings[text])) for text, found in zip(texts, evidence, strict=True)]

    def concept(self, name: str) -> Claim:
        """Return the judged concept."""
        mention = self._copies.mention(name)
        if mention is not None:
            return _claim("concept", name, "supported", mention)
        found = self._evidence.weigh(name)
        if found.nearest is None or found.likeness < _ABOUT:
            return Claim(name, "not found", "concept")
        return _claim("concept", name, "supported", found.nearest)


def _judged(text: str, weighed: tuple[ClaimEvidence, Signals]) -> Claim:
    found, signals = weighed
    sure = confidence(signals)
    if found.nearest is None or found.likeness < _LIKE:
        return Claim(text, "not found", confidence=sure)
    if not is_altered(signals):
        return _claim("claim", text, "supported", found.nearest, sure)
    if found.close < _CLOSE:
        return Claim(text, "not found", confidence=sure)
    return _claim("claim", text, "contradicted", found.nearest, sure)


def _claim(
    kind: Literal["claim", "concept"], text: str, status: Status, shown: SourcePassage, sure: float | None = None
) -> Claim:
    return Claim(text, status, kind, shown.text, shown.document_id, shown.start, shown.end, sure)
