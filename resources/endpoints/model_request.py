"""A request to a model's server and its parsed reply, for every provider. Requests are sent in `endpoint`."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from resources.endpoints.llm import Tokens

if TYPE_CHECKING:
    import httpx2


class Sender(Protocol):
    """Sends the requests of one provider, within one event loop."""

    async def post(self, path: str, body: Mapping[str, Any]) -> "httpx2.Response":
        """Send a request and return the whole reply, also if its status is an error."""
        ...


@dataclass(frozen=True, slots=True)
class ParsedReply:
    """The content of a reply."""

    value: Any
    """The result that a ReplyParser made of the reply."""
    tokens: Tokens | None
    """The server's count; None if it gives none."""


ReplyParser = Callable[[Any], ParsedReply]
"""Parses the decoded JSON of a reply. Raises UnusableReplyError."""


@dataclass(slots=True)
class ModelRequest:
    """One request."""

    path: str
    """The path below the endpoint's address."""
    body: Mapping[str, Any]
    """The JSON to send."""
    most: Callable[[], Tokens]
    """Counts the most tokens that the request can use. It takes milliseconds and is called only if a limit needs it."""
    harmless: Mapping[str, Any]
    """The body of a short request that no content filter refuses; it shows whether the endpoint answers at all."""
    question: object = None
    """Identifies what is asked; the attempts and corrections for one question share it."""
    final: bool = True
    """Whether a refusal is final; False if another output mode is tried after it."""
    sent: int = 0
    """How often the request was sent so far."""
