"""More of what a model server may do: refusals of one setting or one text, drafts, cuts, and counts that are too small.

What belongs here: faults that depend on what was asked, or on what is said. What does not: faults of the wire and of
forms (tests.support.model_faults), serving (tests.support.model_server).
"""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, ClassVar

from tests.support.model_answers import Call, Json, Reply, error, finish
from tests.support.model_faults import Fault


@dataclass(frozen=True, slots=True)
class Says(Fault):
    """The valid content, altered; with that reason for its end ("-": none at all)."""

    change: Callable[[str], str]
    reason: str | None = "stop"
    valid: ClassVar[bool] = False

    def applies(self, call: Call) -> bool:
        return call.is_chat

    def content(self, content: str) -> str:
        return self.change(content)

    def alter(self, call: Call, payload: Json) -> None:
        if self.reason == "-":
            (payload if call.of_ollama else payload["choices"][0]).pop(
                "done_reason" if call.of_ollama else "finish_reason"
            )
        else:
            finish(call, payload, self.reason)  # type: ignore[arg-type]


@dataclass(frozen=True, slots=True)
class Counts(Fault):
    """The valid answer, with another count of what was asked."""

    tokens: int
    more: Json = field(default_factory=dict, hash=False)
    valid: ClassVar[bool] = True

    def alter(self, call: Call, payload: Json) -> None:
        if call.of_ollama:
            payload["prompt_eval_count"] = self.tokens
            payload.update(self.more)
        else:
            payload["usage"]["prompt_tokens"] = self.tokens
            payload["usage"].update(self.more)


@dataclass(frozen=True, slots=True)
class Refuses(Fault):
    """An error with that body, where the call is one of those."""

    status: int
    body: Any
    where: Callable[[Call], bool] = lambda call: True
    media_type: str = "application/json"

    def applies(self, call: Call) -> bool:
        return self.where(call)

    def reply(self, call: Call, reply: Reply) -> Reply:
        raw = self.body if isinstance(self.body, str) else json.dumps(self.body)
        return Reply(raw.encode(), self.status, self.media_type)


@dataclass(frozen=True, slots=True)
class KnowsNot(Fault):
    """400 where the body has that name, in the words of OpenAI's API."""

    name: str
    message: str

    def applies(self, call: Call) -> bool:
        return self.name in call.body

    def reply(self, call: Call, reply: Reply) -> Reply:
        return error(call, 400, self.message, "unsupported_parameter")


def said(call: Call) -> str:
    """Everything that a call says."""
    return "\n".join(call.texts())
