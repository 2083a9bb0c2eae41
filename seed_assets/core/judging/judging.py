"""Judging whether a text says what its sources say. What belongs here: the protocol of judges, the decision that follows
from a score, and the offline judge. What does not: how it compares a claim with the sources (comparison), judging with a model
(model_judging), and what is done with a text that is not accepted (revision).
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar, Protocol

from io_managers.store.fingerprint import Part
from resources.models.embedder import LocalEmbedder
from seed_assets.core.judging.verdicts import Claim, Decision, SourceText, Verdict
from seed_assets.core.text.text_work import TextWork
from seed_assets.memo.reuse import Reuse

if TYPE_CHECKING:
    from seed_assets.core.judging.signals import Signals

_DECIMALS = 6


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


def verdict_on(
    claims: Sequence[Claim], thresholds: Thresholds, judge: str, *, confidence: float | None = None
) -> Verdict:
    """Return the verdict that follows from judged claims: the share that is supported, rounded, and the decision.

    A text is not judged if all of its claims are copied: the decision is then "copied" instead of "accept", without a score.

    confidence: see Verdict.
    """
    supported = sum(claim.is_supported for claim in claims)
    score = round(supported / len(claims), _DECIMALS) if claims else 1.0
    decision = thresholds.decide(score)
    of_text = [claim for claim in claims if claim.kind == "claim"]
    copied = sum(claim.status == "copied" for claim in of_text) / len(of_text) if of_text else 0.0
    if copied == 1 and decision == "accept":
        return Verdict("copied", None, tuple(claims), judge, copied)
    return Verdict(decision, score, tuple(claims), judge, round(copied, _DECIMALS), confidence)


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

    A claim that stands in a source is copied, and is not judged. Any other claim is supported if the sources are similar to
    it, and if it does not look like a statement of theirs with a fact changed: a number, a name, a negation, a word
    exchanged for its opposite, or any word of a copied piece. It is contradicted if it looks like that and one sentence
    is close to it. In all other cases it is not found. A concept is supported if a sentence contains its words in some
    form, or is about it. The confidence says how faithful texts are whose wording is that close to their sources.

    This judge finds changed details, and texts about something else. A claim that combines the source's own words wrongly
    often counts as supported. A claim in other words, or in another language, is often not found.

    embedder: compares by meaning.
    thresholds: decide between accept, revise and reject.
    work: the workers that compare; None means a thread of this process.
    """

    embedder: LocalEmbedder
    thresholds: Thresholds = Thresholds()
    work: TextWork | None = field(default=None, compare=False, repr=False)

    changes: ClassVar[Mapping[str, str]] = {
        "2": "Claims that are copied from their source are not judged, and other texts have a confidence."
    }

    @property
    def name(self) -> str:
        """The constant name `similarity`."""
        return "similarity"

    @property
    def identity(self) -> Mapping[str, Part]:
        """The method, its version, the thresholds, and the embedder's identity under `embedder.`."""
        own = {"judge": self.name, "version": "2"} | dict(self.thresholds.identity)
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
        from seed_assets.core.judging.claims import claims_of
        from seed_assets.core.judging.comparison import Comparison
        from seed_assets.core.judging.confidence import mean_confidence

        case = Comparison(sources, self.embedder)
        claims = case.claims(claims_of(text))
        judged = [claim.confidence for claim in claims if claim.confidence is not None]
        sure = mean_confidence(judged, sum(claim.status == "copied" for claim in claims))
        if claims:
            claims += [case.concept(name) for concept in concepts if (name := " ".join(concept.split()))]
        return verdict_on(claims, self.thresholds, self.name, confidence=sure)

    def signals(self, texts: Sequence[str], sources: Sequence[SourceText]) -> "list[Signals]":
        """Return the signals of each text, taken as one claim that is not copied.

        The weights of the confidence are learnt from them.
        """
        from seed_assets.core.judging.comparison import Comparison

        return [signals for _, signals in Comparison(sources, self.embedder).weighed(texts)]
