"""Verdicts as they are shown: each claim with its passage.

What belongs here: their types, and the sentence that sums a verdict up. What does not: judging (seed_assets.core.judging).
"""

from dataclasses import dataclass

from resources.wording import counted
from seed_assets.core.judging.verdicts import Claim, Judgement, Verdict


@dataclass(frozen=True, slots=True)
class ShownClaim:
    """One claim of a summary, or one concept.

    kind: "claim" or "concept". status, passage_beside: see Claim. passage: the words of the document that support or contradict
    it; "" if there are none. document: the document that the passage is from. start, end: where it is in the document's text, in
    characters. confidence: how likely the claim is to be right, 0 to 1; None if it is not known.
    """

    claim: str
    kind: str
    status: str
    passage: str
    passage_beside: str
    document: str
    start: int
    end: int
    confidence: float | None


@dataclass(frozen=True, slots=True)
class ShownVerdict:
    """The verdict on a summary.

    decision: copied, accept, revise or reject. score, copied, confidence: see Verdict. judge: a model, or "similarity". revised:
    whether the summary was written once more.
    """

    decision: str
    score: float | None
    copied: float
    confidence: float | None
    needs_review: bool
    judge: str
    revised: bool
    claims: list[ShownClaim]

    @property
    def sentence(self) -> str:
        """The verdict in one line."""
        of_text = [claim for claim in self.claims if claim.kind == "claim"]
        if self.decision == "copied":
            said = f"copied: {counted(len(of_text), 'claim')} word for word from the source, not judged"
        elif self.score is None:
            said = self.decision
        else:
            said = f"{self.decision}: {self.score:.0%} of {counted(len(self.claims), 'claim')} supported"
        if self.confidence is not None:
            said += f", confidence {self.confidence:.2f} by wording only"
        if self.needs_review:
            said += ", to be reviewed"
        return f"{said} (judged by {self.judge})"


def shown_verdict(judgement: Judgement, document: str = "") -> ShownVerdict:
    """The verdict of a judgement. document: the document whose passages the claims have, unless they name one."""
    verdict: Verdict = judgement.verdict
    return ShownVerdict(
        verdict.decision,
        verdict.score,
        verdict.copied,
        verdict.confidence,
        judgement.needs_review,
        verdict.judge,
        judgement.first is not None,
        [_shown(claim, document) for claim in verdict.claims],
    )


def _shown(claim: Claim, document: str) -> ShownClaim:
    return ShownClaim(
        claim.text,
        claim.kind,
        claim.status,
        claim.passage,
        claim.passage_beside,
        claim.document_id or (document if claim.passage else ""),
        claim.start,
        claim.end,
        claim.confidence,
    )
