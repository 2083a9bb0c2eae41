"""What judges give: values that stages keep and hand on.

What belongs here: the types. What does not: judging (judging, model_judging) and the walk of a summary that is sent back
(revision).
"""

from typing import Literal

import msgspec

Status = Literal["supported", "contradicted", "not found"]
Decision = Literal["accept", "revise", "reject"]


class SourceText(msgspec.Struct, frozen=True):
    """A document that a text is judged against."""

    document_id: str
    title: str
    text: str


class Claim(msgspec.Struct, frozen=True, omit_defaults=True):
    """One thing that a text says. kind: "claim", or "concept" for a concept that it is said to be about.

    passage: the quotation that shows it, really in the source from `start` to `end` (characters); "" where there is none.
    document_id: whose text is quoted.
    """

    text: str
    status: Status
    kind: Literal["claim", "concept"] = "claim"
    passage: str = ""
    document_id: str = ""
    start: int = 0
    end: int = 0


class Verdict(msgspec.Struct, frozen=True):
    """What a judge says of a text. score: supported claims / all claims, 1 where there are none. judge: who."""

    decision: Decision
    score: float
    claims: tuple[Claim, ...]
    judge: str


class Judgement(msgspec.Struct, frozen=True, omit_defaults=True):
    """A summary as it goes to the tables, and what was found of it.

    summary: the text that was accepted or flagged. title: of a cluster's summary, "" else. first: the verdict on the text
    before it was written once more, None where it was not. needs_review: a person should look; verdict is the last one.
    """

    summary: str
    verdict: Verdict
    needs_review: bool = False
    title: str = ""
    first: Verdict | None = None
