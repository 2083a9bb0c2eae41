"""Interfaces and values for requests to models, shared by all providers, and the errors:

DocumentError
  TransientLLMError     the endpoint failed this request; the next run sends it again
    EndpointError       the endpoint as a whole fails; no further request of this stage is sent to it
  PermanentLLMError     the same request would be refused again; recorded as permanent until its settings change
  InvalidOutputError    the model answered twice, but not in the required form; recorded as permanent, unless the endpoint
                        had an outage at that time

HTTP is in `endpoint`, the formats of the providers are in `openai_api` and `ollama_api`, and prompts and schemas are in
`seed_assets`.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from io_managers.store.batches.batch_records import KeptReply
from io_managers.store.request_ledger import Attempt
from resources.errors import DocumentError

OutputMode = Literal["json_schema", "json_object", "prompt"]
"""How a server is made to answer in a given shape: it enforces the schema, it enforces JSON, or only the prompt asks for it."""

OUTPUT_MODES: tuple[OutputMode, ...] = ("json_schema", "json_object", "prompt")
"""All output modes, the most reliable first."""


class TransientLLMError(DocumentError):
    """The endpoint did not answer this request; sending it again later can help."""

    def __init__(self, reason: str, remedy: str) -> None:
        super().__init__(reason, remedy, transient=True)


class EndpointError(TransientLLMError):
    """The endpoint fails for every request: it is down, or it refuses the key, the model or the address."""


class PermanentLLMError(DocumentError):
    """The endpoint refused this request and would refuse it again.

    settings: a digest of the settings that shaped the request; when they change, it is sent again.
    """

    def __init__(self, reason: str, remedy: str, *, settings: str = "") -> None:
        super().__init__(reason, remedy, settings=settings)


class InvalidOutputError(DocumentError):
    """The model's answer is not usable, even after the model was shown what was wrong with it.

    settings: see PermanentLLMError. outage_check: tells whether an outage of the endpoint explains the wrong answer;
    None if it cannot.
    """

    def __init__(
        self, reason: str, remedy: str, *, settings: str = "", outage_check: "OutageCheck | None" = None
    ) -> None:
        super().__init__(reason, remedy, settings=settings)
        self.outage_check = outage_check
        self.look_again()

    def look_again(self) -> bool:
        """Whether an outage explains the wrong answer, by what is known now; if so, the error becomes transient."""
        if not self.transient and self.outage_check is not None and self.outage_check.is_passing():
            self.transient = True
            self.remedy = "The endpoint failed other requests at that time, too. Run again to repeat the request."
        return self.transient


class UnusableReplyError(Exception):
    """A reply that cannot be used.

    outcome: the kind of failure in one or two words, for the request ledger. detail: what was found.
    again: what can help: "send" (send the request again; the endpoint is at fault), "correct" (show the model what is
    wrong), or "no" (nothing).
    """

    def __init__(self, outcome: str, detail: str, again: Literal["send", "correct", "no"]) -> None:
        super().__init__(f"{outcome}: {detail}")
        self.outcome = outcome
        self.detail = detail
        self.again: Literal["send", "correct", "no"] = again


@dataclass(frozen=True, slots=True)
class Turn:
    """One message of a conversation."""

    role: Literal["system", "user", "assistant"]
    """Who speaks, in the terms of OpenAI's and Ollama's APIs."""
    text: str
    """What is said."""


@dataclass(frozen=True, slots=True)
class Schema:
    """A JSON schema that an answer must satisfy."""

    name: str
    """Letters and underscores only, as OpenAI's API requires."""
    json: Mapping[str, Any]
    """The schema itself."""


@dataclass(frozen=True, slots=True)
class Tokens:
    """The tokens of a request: an estimate before it is sent, the server's count after."""

    input: int
    """Tokens of the prompt."""
    output: int = 0
    """Tokens of the answer."""


@dataclass(slots=True)
class Usage:
    """The cost of requests, added up."""

    requests: int = 0
    """How many requests were sent."""
    input_tokens: int = 0
    """Tokens of all prompts."""
    output_tokens: int = 0
    """Tokens of all answers."""
    usd: float = 0.0
    """Dollars, without the requests whose price is unknown."""
    unpriced: int = 0
    """How many requests have an unknown price."""
    model: str = ""
    """The model of the last request that was added."""

    @property
    def tokens(self) -> int:
        """Tokens of all prompts and answers."""
        return self.input_tokens + self.output_tokens

    def add(self, other: "Usage") -> None:
        """Add another usage to this one."""
        self.requests += other.requests
        self.input_tokens += other.input_tokens
        self.output_tokens += other.output_tokens
        self.usd += other.usd
        self.unpriced += other.unpriced
        self.model = other.model or self.model


@dataclass(frozen=True, slots=True)
class ModelReply:
    """The answer of a model, in the same form for all providers."""

    text: str
    """The text of the answer."""
    model: str
    """The model that answered, as the server names it."""
    tokens: Tokens | None
    """The server's count; None if it gives none."""
    ended: bool = True
    """Whether the server confirms that the answer is complete. If not, it is accepted only if it is complete JSON."""
    cached_tokens: int = 0
    """Tokens that the server read from its prompt cache; they may be missing in `tokens`."""


class Price(Protocol):
    """The price of a model."""

    def usd(self, tokens: Tokens) -> float | None:
        """The price of these tokens in dollars; None if it is unknown."""
        ...


class OutageCheck(Protocol):
    """Tells whether an outage explains a wrong answer (implemented in resources.endpoints.endpoint_health)."""

    def is_passing(self) -> bool:
        """Whether an outage of the endpoint explains it, by what is known now."""
        ...


class BatchTerms(Protocol):
    """What an endpoint knows of the batches of its server (implemented in resources.batches.batch_access)."""

    @property
    def name(self) -> str:
        """The model and its server, for messages."""
        ...

    @property
    def price(self) -> Price:
        """The price of requests in a batch."""
        ...


class Unsent(Protocol):
    """A request that was not sent yet; see ModelRequest."""

    path: str
    body: Mapping[str, Any]
    most: Callable[[], Tokens]


class BatchedRequests(Protocol):
    """The requests of one run that a provider answers in batches (implemented in resources.batches.stage_batches)."""

    def turn(
        self, terms: BatchTerms, request: Unsent, costs: "RequestCosts"
    ) -> AbstractAsyncContextManager[KeptReply | None]:
        """The reply that a batch gave to the request of an action; None if the body has to send it alone.

        Raises WaitingError if the request is in a batch, or was added to one now.
        """
        ...

    async def again(self, terms: BatchTerms, request: Unsent, costs: "RequestCosts", reply: KeptReply) -> None:
        """Add a request to another batch, because the server failed it in this one. Raises WaitingError.

        It returns if the request was in too many batches already.
        """
        ...

    def recorded(self, action_key: str) -> None:
        """Drop a reply that is no answer, and that the account has."""
        ...


class RequestCosts(Protocol):
    """Checks the budget before a request and records its cost after it (implemented in seed_assets.memo.cost_context).

    stage: the one that pays. action_key: of the action that the request is a part of. outer_key: of the stage's own action, in
    which that one is needed. batched: the requests of the run that are in batches; None if there are none.
    """

    stage: str
    action_key: str
    outer_key: str
    unit: str

    @property
    def batched(self) -> BatchedRequests | None:
        """See the class."""
        ...

    def promise(self, usd: float) -> None:
        """Count the most that a request in a batch can cost as spent by this run; a negative amount takes that back."""
        ...

    @property
    def limited(self) -> bool:
        """Whether there is a budget."""
        ...

    def stop_reason(self) -> str:
        """Why no further request may be sent; "" if requests may be sent."""
        ...

    def reserve(self, usd: float | None) -> AbstractAsyncContextManager[None]:
        """Reserve the most that a request can cost. Raises StoppedError if the budget does not cover it."""
        ...

    def attempted(
        self,
        attempt: Attempt,
        *,
        reply: bytes = b"",
        usable: bool,
        give_back: Callable[[], None] = lambda: None,
        promised: bool = False,
    ) -> None:
        """Record a request that has ended; `reply` is stored if it is not `usable`.

        give_back: frees the request's concurrency slot. Call it once, when the answer is durable. promised: the request was in a
        batch, so that the run which submitted it has counted its cost.
        """
        ...


def error_text(text: str, most: int = 300) -> str:
    """A server's message on one line, cut to `most` characters."""
    line = " ".join(text.split())
    return line if len(line) <= most else line[:most] + "..."


def described(turns: Sequence[Turn]) -> list[dict[str, str]]:
    """Messages in the JSON form that all providers accept."""
    return [{"role": turn.role, "content": turn.text} for turn in turns]
