"""Verdicts of judges, as stages store them.

What belongs here: the types. What does not: judging (judging, model_judging) and revising a summary (revision).
"""

from typing import Literal

import msgspec

Status = Literal["copied", "supported", "contradicted", "not found"]
Decision = Literal["copied", "accept", "revise", "reject"]


class SourceText(msgspec.Struct, frozen=True):
    """A document that a text is judged against."""

    document_id: str
    title: str
    text: str


class Claim(msgspec.Struct, frozen=True, omit_defaults=True):
    """A judged claim or concept of a text.

    text: the claim, or the name of the concept.
    status: whether the sources support it; "copied" if it stands in a source, so that there was nothing to judge.
    kind: "claim", or "concept" for a concept that was found in the source.
    passage: the text of the source from `start` to `end` (characters) that supports or contradicts it; "" if there is none.
    document_id: the document that the passage is from.
    confidence: how likely the claim is to be faithful, 0 to 1, by the offline judge; None from a model, of a concept, and if
        the claim is copied.
    """

    text: str
    status: Status
    kind: Literal["claim", "concept"] = "claim"
    passage: str = ""
    document_id: str = ""
    start: int = 0
    end: int = 0
    confidence: float | None = None

    @property
    def passage_beside(self) -> str:
        """The passage as it is shown beside the claim, on one line; "" if it only repeats the claim."""
        passage, claim = " ".join(self.passage.split()), " ".join(self.text.split())
        # It may lack the punctuation at the end of the claim.
        return "" if claim.startswith(passage) and not any(map(str.isalnum, claim[len(passage) :])) else passage

    @property
    def is_supported(self) -> bool:
        """Whether a source says so, in its own words or in others."""
        return self.status in ("copied", "supported")


class Verdict(msgspec.Struct, frozen=True, omit_defaults=True):
    """A judge's verdict on a text.

    decision: what is to be done with the text. "copied" means that it stands in its sources and was not judged; nothing is to
        be done with it.
    score: the number of supported claims divided by that of all claims; 1 if there are none. None if it was not judged.
    claims: the claims in the order of the text, then the concepts.
    judge: the name of the judge: a model, or "similarity".
    copied: the share of the text's claims that are copied from a source, as far as the judge looks for that, 0 to 1.
    confidence: how likely its claims are to be faithful, 0 to 1, by the offline judge; None from a model, and if the text has
        no claim or all of them are copied.
    """

    decision: Decision
    score: float | None
    claims: tuple[Claim, ...]
    judge: str
    copied: float = 0.0
    confidence: float | None = None

    @property
    def is_accepted(self) -> bool:
        """Whether the text may stay as it is."""
        return self.decision in ("copied", "accept")


class Judgement(msgspec.Struct, frozen=True, omit_defaults=True):
    """A summary as it goes to the tables, with its verdict.

    summary: the text that was accepted, or flagged for review.
    verdict: the verdict on this text.
    needs_review: whether a person should look at it.
    title: the title of a cluster's summary; "" for a document.
    first: the verdict on the text before its revision; None if it was not revised.
    """

    summary: str
    verdict: Verdict
    needs_review: bool = False
    title: str = ""
    first: Verdict | None = None
