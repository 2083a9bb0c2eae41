"""Whether a text says what its sources say. What belongs here: the seam that every judge fills, what its score decides, and
the offline default, which compares. What does not: finding passages (passages), a model's judge (model_judging), what
becomes of a text that falls short (revision).
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal, Protocol

from io_managers.store.fingerprint import Part
from resources.embedder import LocalEmbedder
from seed_assets.core.claims import claims_of
from seed_assets.core.copies import CopiedTexts
from seed_assets.core.evidence import Evidence
from seed_assets.core.passages import Passage
from seed_assets.core.verdicts import Claim, Decision, SourceText, Status, Verdict
from seed_assets.reuse import Reuse

Identity = Mapping[str, Part]

_DECIMALS = 6
# What is less like its source is as like to any other on such matters.
_LIKE = 0.22
# From here on a sentence is about the same, so that a difference contradicts; below, nothing is known.
_CLOSE = 0.5
_ABOUT = 0.5


@dataclass(frozen=True, slots=True)
class Thresholds:
    """From which share of supported claims a text is accepted, and below which it is rejected; between, it is revised.

    Raises ValueError unless 0 <= reject <= accept <= 1.
    """

    accept: float = 0.9
    reject: float = 0.5

    def __post_init__(self) -> None:
        if not 0 <= self.reject <= self.accept <= 1:
            raise ValueError(f"Thresholds have 0 <= reject <= accept <= 1, these are {self.reject} and {self.accept}.")

    @property
    def identity(self) -> Identity:
        """Both, as parts of an action key."""
        return {"accept": float(self.accept), "reject": float(self.reject)}

    def decide(self, score: float) -> Decision:
        """accept from `accept` on, reject below `reject`, else revise."""
        if score >= self.accept:
            return "accept"
        return "reject" if score < self.reject else "revise"


def verdict_on(claims: Sequence[Claim], thresholds: Thresholds, judge: str) -> Verdict:
    """The verdict that follows from judged claims: their supported share, rounded, and what it decides."""
    supported = sum(claim.status == "supported" for claim in claims)
    score = round(supported / len(claims), _DECIMALS) if claims else 1.0
    return Verdict(thresholds.decide(score), score, tuple(claims), judge)


class Judge(Protocol):
    """Says of a text, claim by claim, whether its sources say so."""

    @property
    def identity(self) -> Identity:
        """Everything but the text, the concepts and the sources that decides a verdict: part of its action key."""
        ...

    @property
    def name(self) -> str:
        """Who judges, as verdicts name it."""
        ...

    async def judge(self, text: str, concepts: Sequence[str], sources: Sequence[SourceText], reuse: Reuse) -> Verdict:
        """The verdict on a text and on the concepts that it is said to be about. Raises DocumentError.

        sources: a claim may be supported by any of them. reuse: through which it asks others.
        """
        ...


@dataclass(frozen=True, slots=True)
class SimilarityJudge:
    """Compares each claim with the sources' sentences: no model, no network, the same verdict every time.

    A claim is supported where it is copied from a source; else where the sources are like it in wording and meaning, its
    numbers and names stand where the rest of it is told, and it negates what they negate. It is contradicted where one
    sentence is about the same but for a number, a name or a negation, and not found else. A concept is supported where
    a sentence has its words in some form, or is about it.

    What it finds are changed details, and texts about something else; a claim that puts the source's own words together
    wrongly is supported. What is told in other words, or in another language, is often not found.
    """

    embedder: LocalEmbedder
    thresholds: Thresholds = Thresholds()

    @property
    def name(self) -> str:
        """similarity."""
        return "similarity"

    @property
    def identity(self) -> Identity:
        """The method, its version, the thresholds, and the embedder's identity under `embedder.`."""
        own = {"judge": self.name, "version": "1"} | dict(self.thresholds.identity)
        return own | {f"embedder.{name}": value for name, value in self.embedder.identity.items()}

    async def judge(
        self, text: str, concepts: Sequence[str], sources: Sequence[SourceText], reuse: Reuse | None = None
    ) -> Verdict:
        """As `judge_sync`, on another thread."""
        return await asyncio.to_thread(self.judge_sync, text, concepts, sources)

    def judge_sync(self, text: str, concepts: Sequence[str], sources: Sequence[SourceText]) -> Verdict:
        """The claims in the order of the text, then the concepts. Without any (an empty text), the score is 1."""
        case = _Case(sources, self.embedder)
        claims = [case.claim(claim) for claim in claims_of(text)]
        if claims:
            claims += [case.concept(name) for concept in concepts if (name := " ".join(concept.split()))]
        return verdict_on(claims, self.thresholds, self.name)


class _Case:
    """What one text is judged by."""

    def __init__(self, sources: Sequence[SourceText], embedder: LocalEmbedder) -> None:
        self._sources, self._embedder = sources, embedder
        self._copies = CopiedTexts(sources)

    @cached_property
    def _evidence(self) -> Evidence:
        # Not needed for what is copied, which takes a tenth of the time.
        return Evidence(self._sources, self._embedder)

    def claim(self, text: str) -> Claim:
        copied = self._copies.passage(text)
        if copied is not None:
            return _claim("claim", text, "supported", copied)
        found = self._evidence.weigh(text)
        if found.nearest is None or found.likeness < _LIKE:
            return Claim(text, "not found")
        if not found.doubts:
            return _claim("claim", text, "supported", found.nearest)
        if found.close < _CLOSE:
            return Claim(text, "not found")
        return _claim("claim", text, "contradicted", found.nearest)

    def concept(self, name: str) -> Claim:
        mention = self._copies.mention(name)
        if mention is not None:
            return _claim("concept", name, "supported", mention)
        found = self._evidence.weigh(name)
        if found.nearest is None or found.likeness < _ABOUT:
            return Claim(name, "not found", "concept")
        return _claim("concept", name, "supported", found.nearest)


def _claim(kind: Literal["claim", "concept"], text: str, status: Status, shown: Passage) -> Claim:
    return Claim(text, status, kind, shown.text, shown.document_id, shown.start, shown.end)
