"""Asking a model: what is asked, what comes back, who pays, and what can go wrong.

What belongs here: the seams and values that every provider shares, and the errors, named after what to do:

DocumentError
  TransientLLMError     the endpoint failed this request; the next run may ask again
    EndpointError       the endpoint as a whole: nothing more is asked of it in this stage
  PermanentLLMError     the same request would be refused again; it is remembered
  InvalidOutputError    the model answered, but not what was asked, twice; it is remembered

What does not: HTTP (endpoint), a provider's own words (openai_api, ollama_api), prompts and schemas (seed_assets).
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from io_managers.store.request_ledger import Attempt
from resources.errors import DocumentError

Rung = Literal["json_schema", "json_object", "prompt"]
"""How a structured answer is asked for, best first: the server keeps to the schema, to JSON, or is only told."""

RUNGS: tuple[Rung, ...] = ("json_schema", "json_object", "prompt")


class TransientLLMError(DocumentError):
    """The endpoint did not answer this request; asking again later can help."""

    def __init__(self, reason: str, remedy: str) -> None:
        super().__init__(reason, remedy, transient=True)


class EndpointError(TransientLLMError):
    """The endpoint answers nobody: it is down, or refuses the key, the model or the address."""


class PermanentLLMError(DocumentError):
    """The endpoint refused this very request."""

    def __init__(self, reason: str, remedy: str) -> None:
        super().__init__(reason, remedy)


class InvalidOutputError(DocumentError):
    """What the model answered is not usable, even after it was shown what was wrong."""

    def __init__(self, reason: str, remedy: str) -> None:
        super().__init__(reason, remedy)


class UnusableReplyError(Exception):
    """A reply that cannot be used. outcome: which kind, in a word or two, for the accounts; detail: what was found.

    again: what may help: "send" the same once more (the endpoint's fault), "correct" (tell the model), or "no".
    """

    def __init__(self, outcome: str, detail: str, again: Literal["send", "correct", "no"]) -> None:
        super().__init__(f"{outcome}: {detail}")
        self.outcome = outcome
        self.detail = detail
        self.again: Literal["send", "correct", "no"] = again


@dataclass(frozen=True, slots=True)
class Turn:
    """One message. role: system, user or assistant."""

    role: Literal["system", "user", "assistant"]
    text: str


@dataclass(frozen=True, slots=True)
class Schema:
    """A JSON schema that an answer must have. name: letters and underscores, as servers ask for."""

    name: str
    json: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Tokens:
    """Tokens of a request and of its answer; estimated before, counted by the server after."""

    input: int
    output: int = 0


@dataclass(slots=True)
class Usage:
    """What was paid while something was computed. unpriced: requests whose price is unknown, which `usd` leaves out."""

    requests: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    usd: float = 0.0
    unpriced: int = 0
    model: str = ""

    @property
    def tokens(self) -> int:
        """Of what was asked and of what was answered."""
        return self.input_tokens + self.output_tokens

    def add(self, other: "Usage") -> None:
        """Count another one in."""
        self.requests += other.requests
        self.input_tokens += other.input_tokens
        self.output_tokens += other.output_tokens
        self.usd += other.usd
        self.unpriced += other.unpriced
        self.model = other.model or self.model


@dataclass(frozen=True, slots=True)
class Reply:
    """What a model answered. model: who says to have answered. tokens: None where the server did not count."""

    text: str
    model: str
    tokens: Tokens | None


class Price(Protocol):
    """What a model costs."""

    def usd(self, tokens: Tokens) -> float | None:
        """Dollars for so many tokens; None where the price is unknown."""
        ...


class Payer(Protocol):
    """Who pays for requests and keeps the accounts (seed_assets.reuse)."""

    @property
    def limited(self) -> bool:
        """Whether there is a budget."""
        ...

    def stop_reason(self) -> str:
        """Why no request may be sent any more; "" while it may."""
        ...

    def promise(self, usd: float | None) -> AbstractAsyncContextManager[None]:
        """Hold back the most that a request can cost. Raises StoppedError where the budget does not cover it."""
        ...

    def attempted(
        self, attempt: Attempt, *, reply: bytes = b"", usable: bool, give_back: Callable[[], None] = lambda: None
    ) -> None:
        """A request came to its end; `reply` is kept where it is not usable.

        give_back: to be called once, when the answer cannot be lost any more; it lets another request be sent.
        """
        ...


def error_text(text: str, most: int = 300) -> str:
    """A server's words in one line, short enough for a message."""
    line = " ".join(text.split())
    return line if len(line) <= most else line[:most] + "..."


def described(turns: Sequence[Turn]) -> list[dict[str, str]]:
    """Messages as every provider takes them."""
    return [{"role": turn.role, "content": turn.text} for turn in turns]
