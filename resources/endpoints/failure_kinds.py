"""The kinds of failed requests, what is done for each, and the rule that recognises one.

The rules themselves are in `failure_rules`, replies are read in `endpoint_errors`, and `endpoint` acts on the result.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

Kind = Literal["document", "setting", "account", "endpoint", "passing"]
"""What is at fault. It decides what happens to the request, to the stage and to later runs (KINDS)."""

FirstStep = Literal["", "next output mode", "other parameter name", "omit parameter", "probe", "wait for model"]
"""What is tried before the failure counts as one (STEPS)."""

KINDS: dict[Kind, tuple[str, str]] = {
    "document": (
        "`document`: the document is at fault",
        "The request is not repeated. The document fails, which is recorded as permanent; the other documents go on.",
    ),
    "setting": (
        "`setting`: a setting is at fault",
        "The request is not repeated. The document fails; it is tried again when a setting of its section has changed.",
    ),
    "account": (
        "`account`: the account is at fault",
        "No more requests are sent, and the stage ends at once. Nothing is recorded as permanent.",
    ),
    "endpoint": (
        "`endpoint`: its key, address or model is wrong",
        "No more requests are sent, and the stage ends at once. Nothing is recorded as permanent.",
    ),
    "passing": (
        "`passing`: the failure is transient",
        "Up to three more attempts, after about 0.5, 1 and 2 s or when the server says so; the next seed tries again.",
    ),
}
"""For each kind: its description, and what is done, both as docs/models.md shows them."""
STEPS: dict[FirstStep, str] = {
    "next output mode": "the next output mode is tried first",
    "other parameter name": "the other name of the limit is tried first, once per process",
    "omit parameter": "the parameter is left out for the rest of the process",
    "probe": "if no request was answered since, a harmless request shows whether all are refused",
    "wait for model": "the request is repeated for up to two minutes",
}
"""For each first step: its description in docs/models.md."""


@dataclass(frozen=True, slots=True)
class FailureRule:
    """Recognises one failure by the status, the error codes and the words of a reply."""

    name: str
    kind: Kind
    remedy: str
    """What the user can do, for requests for texts."""
    statuses: frozenset[int] = frozenset()
    """The HTTP statuses that fit; empty for all."""
    codes: frozenset[str] = frozenset()
    """The error codes that fit, in lower case. With `words`: one of either is enough; if both are empty, all replies fit."""
    words: tuple[str, ...] = ()
    """Parts of the message that fit, in lower case."""
    vectors: str = ""
    """The remedy for requests for vectors, if it is another one."""
    first_step: FirstStep = ""
    """What is tried before the failure counts."""
    by_chance: bool = False
    """Whether repeated failures of this kind are normal and do not count against the endpoint."""
    seen_at: str = ""
    """The servers that are known to reply like this."""

    def fits(self, status: int, codes: Iterable[str], message: str) -> bool:
        """Whether this rule fits a reply; codes and message are in lower case."""
        if self.statuses and status not in self.statuses:
            return False
        if not (self.codes or self.words):
            return True
        return not self.codes.isdisjoint(codes) or any(word in message for word in self.words)
