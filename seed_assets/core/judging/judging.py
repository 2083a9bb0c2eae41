"""Judging whether a text says what its sources say. What belongs here: the protocol of judges, the decision that follows
from a score, and the offline judge, which compares texts. What does not: finding passages (passages), judging with a model
(model_judging), and what is done with a text that is not accepted (revision).
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal, Protocol

from io_managers.store.fingerprint import Part
from resources.models.embedder import LocalEmbedder
from seed_assets.core.judging.claims import claims_of
from seed_assets.core.judging.copies import CopiedTexts
from seed_assets.core.judging.evidence import Evidence
from seed_assets.core.judging.passages import SourcePassage
from seed_assets.core.judging.verdicts import Claim, Decision, SourceText, Status, Verdict
from seed_assets.core.text.text_work import TextWork
from seed_assets.memo.reuse import Reuse

# The numbers were chosen by judgement; docs/benchmarks.md (Judges) shows how the judge performs with them.
_DECIMALS = 6
# A claim that is less similar to its source is as similar to any other text about such matters.
_LIKE = 0.22
# From here on a sentence makes the same statement, so that a difference is a contradiction; below, nothing is known.
_CLOSE = 0.5
# A concept is supported if the sources are at least so similar to it.
_ABOUT = 0.5


@dataclass(frozen=True, slots=True)
class Thresholds:
    """The scores that decide what happens to a text; one between them is revised.

    accept: the text is accepted from this score on.
    reject: the text is rejected below this score.

    Both were chosen by judgement. Raises ValueError unless 0 <= reject <= accept <= 1.
    """

    accept: float = 0.9
    reject: float = 0.5

    def __post_init__(self) -> None:
        if not 0 <= self.reject <= self.accept <= 1:
            raise ValueError(
                f"Thresholds must satisfy 0 <= reject <= accept <= 1, but reject is {self.reject} and accept {self.accept}."
            )

    @property
    def identity(self) -> Mapping[str, Part]:
        """Both thresholds, as parts of an action key."""
        return {"accept": float(self.accept), "reject": float(self.reject)}

    def decide(self, score: float) -> Decision:
        """Return "accept" from `accept` on, "reject" below `reject`, and "revise" between them."""
        if score >= self.accept:
            return "accept"
        return "reject" if score < self.reject else "revise"


def verdict_on(claims: Sequence[Claim], thresholds: Thresholds, judge: str) -> Verdict:
    """Return the verdict that follows from judged claims: the share that is supported, rounded, and the decision."""
    supported = sum(claim.status == "supported" for claim in claims)
    score = round(supported / len(claims), _DECIMALS) if claims else 1.0
    return Verdict(thresholds.decide(score), score, tuple(claims), judge)


class Judge(Protocol):
    """Decides claim by claim whether the sources of a text support it."""

    @property
    def identity(self) -> Mapping[str, Part]:
        """Everything that decides a verdict besides the text, the concepts and the sources; part of its action key."""
        ...

    @property
    def name(self) -> str:
        """The name of the judge, as verdicts give it."""
        ...

    async def judge(self, text: str, concepts: Sequence[str], sources: Sequence[SourceText], reuse: Reuse) -> Verdict:
        """Return the verdict on a text and on the concepts that were found in it. Raises DocumentError.

        sources: a claim may be supported by any of them.
        reuse: requests go through it, so that each request is an action.
        """
        ...


@dataclass(frozen=True, slots=True)
class SimilarityJudge:
    """Compares each claim with the sentences of the sources, without a model or a network; it is deterministic.

    A claim is supported if it is copied from a source. It is also supported if the sources are similar to it in wording and
    meaning, its numbers and names stand near the rest of it, and both agree in what they negate. It is contradicted if
    one sentence says the same except for a number, a name or a negation. In all other cases it is not found. A concept
    is supported if a sentence contains its words in some form, or is about it.

    This judge finds changed details, and texts about something else. A claim that combines the source's own words wrongly
    counts as supported. A claim in other words, or in another language, is often not found.

    embedder: compares by meaning.
    thresholds: decide between accept, revise and reject.
    work: the workers that compare; None means a thread of this process.
    """

    embedder: LocalEmbedder
    thresholds: Thresholds = Thresholds()
    work: TextWork | None = field(default=None, compare=False, repr=False)

    @property
    def name(self) -> str:
        """The constant name `similarity`."""
        return "similarity"

    @property
    def identity(self) -> Mapping[str, Part]:
        """The method, its version, the thresholds, and the embedder's identity under `embedder.`."""
        own = {"judge": self.name, "version": "1"} | dict(self.thresholds.identity)
        return own | {f"embedder.{name}": value for name, value in self.embedder.identity.items()}

    async def judge(
        self, text: str, concepts: Sequence[str], sources: Sequence[SourceText], reuse: Reuse | None = None
    ) -> Verdict:
        """Do what `judge_sync` does, in a worker or a thread; see `work`."""
        if self.work is None:
            return await asyncio.to_thread(self.judge_sync, text, concepts, sources)
        limits = self.thresholds.accept, self.thresholds.reject
        return await self.work.run("verdict", *limits, text, list(concepts), list(sources))

    def judge_sync(self, text: str, concepts: Sequence[str], sources: Sequence[SourceText]) -> Verdict:
        """Return a verdict on the claims in the order of the text, then the concepts; an empty text has the score 1."""
        case = _Case(sources, self.embedder)
        claims = [case.claim(claim) for claim in claims_of(text)]
        if claims:
            claims += [case.concept(name) for concept in concepts if (name := " ".join(concept.split()))]
        return verdict_on(claims, self.thresholds, self.name)


class _Case:
    """The sources that one text is judged against."""

    def __init__(self, sources: Sequence[SourceText], embedder: LocalEmbedder) -> None:
        self._sources, self._embedder = sources, embedder
        self._copies = CopiedTexts(sources)

    @cached_property
    def _evidence(self) -> Evidence:
        # It is built only when it is needed: a text that is copied takes a tenth of the time without it.
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


def _claim(kind: Literal["claim", "concept"], text: str, status: Status, shown: SourcePassage) -> Claim:
    return Claim(text, status, kind, shown.text, shown.document_id, shown.start, shown.end)
