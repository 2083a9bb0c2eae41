"""Failed attempts: reading the reply of a refusal, and the errors that it becomes.

The kinds of failures are in `failure_kinds`, delays are read in `waits`, and requests are sent in `endpoint`.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import msgspec

from resources.endpoints.failure_kinds import FailureRule
from resources.endpoints.failure_rules import REFUSED, SERVER_FAULT, rule_of
from resources.endpoints.llm import EndpointError, PermanentLLMError, error_text
from resources.endpoints.waits import wait_asked

if TYPE_CHECKING:
    import httpx2

# The deciding words stand at the beginning; the page of a firewall may be long. A judgement.
_MOST_CHARACTERS = 8_000
_TAGS = re.compile(r"<(?:script|style)\b.{0,4000}?</(?:script|style)>|<[^<>]{0,1000}>", re.DOTALL | re.IGNORECASE)
# Fields that hold error codes, and fields that hold messages, in the replies of the servers that failure_rules names.
_NAMES = ("code", "type", "status", "error_type", "error_code", "param", "reason", "quotaId")
_WORDS = (
    "message",
    "msg",
    "error",
    "detail",
    "title",
    "reason",
    "quotaId",
    "innererror",
    "error_description",
    "errors",
    # The reply of another provider behind a gateway.
    "raw",
)
_NESTED = ("error", "innererror", "details", "detail", "errors", "violations", "metadata", "message")
_MOST_DEPTH = 6


class AttemptError(Exception):
    """One attempt failed.

    outcome: the kind of failure in one or two words, for the request ledger. detail: what was found. status: the HTTP
    status; None without a reply. wait_seconds: how long the server asks to wait. rule: the failure it was recognised as.
    """

    def __init__(
        self,
        outcome: str,
        detail: str,
        status: int | None = None,
        wait_seconds: float = 0.0,
        rule: FailureRule = SERVER_FAULT,
    ) -> None:
        super().__init__(f"{outcome}: {detail}")
        self.outcome = outcome
        self.detail = detail
        self.status = status
        self.wait_seconds = wait_seconds
        self.rule = rule


@dataclass(frozen=True, slots=True)
class ErrorReply:
    """The content of an error reply."""

    codes: frozenset[str]
    """The error codes, in lower case."""
    message: str
    """The messages, in lower case."""
    body: Any
    """The decoded JSON; None if the reply is not JSON."""


def read_error(text: str) -> ErrorReply:
    """Read an error reply: its codes and messages if it is JSON, or the words of a page.

    Parts of the request that a validator sends back are not read, since they are not the server's own words.
    """
    try:
        body = msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        body = None
    if not isinstance(body, dict | list):
        return ErrorReply(frozenset(), " ".join(_TAGS.sub(" ", text[:_MOST_CHARACTERS]).lower().split()), None)
    codes: set[str] = set()
    words: list[str] = []
    inner: list[Any] = []
    for name, value in _fields(body, 0):
        if name in _NAMES and isinstance(value, str | int) and not isinstance(value, bool):
            codes.add(str(value).lower())
        if name == "loc" and isinstance(value, list):
            # The place where a validator found the error: the name of a parameter.
            words += [str(place) for place in value[:8] if isinstance(place, str)]
        if name in _WORDS and isinstance(value, str):
            words.append(value)
            # Gateways pass on another server's error as text.
            if value.lstrip().startswith("{"):
                passed_on = read_error(value[:_MOST_CHARACTERS])
                codes |= passed_on.codes
                inner.append(passed_on.body)
    return ErrorReply(frozenset(codes), " ".join(words)[:_MOST_CHARACTERS].lower(), [body, *inner])


def _fields(value: Any, depth: int) -> Iterator[tuple[str, Any]]:
    if depth > _MOST_DEPTH:
        return
    if isinstance(value, list):
        for item in value[:32]:
            if isinstance(item, str):
                yield "message", item
            else:
                yield from _fields(item, depth + 1)
    elif isinstance(value, dict):
        for name, item in list(value.items())[:64]:
            yield str(name), item
            if isinstance(item, dict | list) and name in _NESTED:
                yield from _fields(item, depth + 1)


def refusal(response: "httpx2.Response", text: str, location: str, now: float) -> AttemptError:
    """The failure that an error status or a redirect means. text, location: from the reply, with secrets removed."""
    said = read_error(text)
    status = response.status_code
    detail = f"HTTP {status}: {error_text(text) or 'empty reply'}"
    if response.is_redirect:
        detail += f" (redirects to {location or 'no address'})"
    rule = rule_of(status, said.codes, said.message)
    wait = wait_asked(response.headers, said.body, said.message if said.body is None else text, now)
    return AttemptError(f"HTTP {status}", detail, status, wait, rule)


def hidden_refusal(body: Any, text: str, headers: Mapping[str, str], now: float) -> AttemptError | None:
    """The failure in a reply with status 200, as gateways send it with the real status as a code in the JSON.

    body: the reply's JSON. text: the reply, with secrets removed. None if it holds no error, or none that a rule fits.
    """
    if (
        not isinstance(body, dict)
        or body.keys() & {"choices", "data", "embeddings"}
        or isinstance(body.get("message"), dict)
    ):
        return None
    error = body if body.get("object") == "error" else body.get("error")
    if not isinstance(error, dict | str) or not error:
        return None
    named = error if isinstance(error, dict) else body
    status = next((int(found) for name in ("code", "status") if (found := str(named.get(name))).isdecimal()), 0)
    said = read_error(text)
    rule = rule_of(status if 400 <= status <= 599 else 400, said.codes, said.message)
    if not 400 <= status <= 599:
        if rule is REFUSED:
            return None
        status = 400
    wait = wait_asked(headers, said.body, text, now)
    return AttemptError(f"HTTP {status}", f"HTTP 200 with error {status}: {error_text(text)}", status, wait, rule)


def refused_all(name: str, failed: AttemptError, *, of_vectors: bool) -> EndpointError:
    """The error for a refusal of every request: because of the key, the account, the address, the model or a setting."""
    remedy = _remedy(failed, of_vectors)
    if failed.rule.first_step == "probe":
        remedy = "All requests are refused: check that the key may use this model and that this IP address is allowed."
    elif failed.rule.kind in ("document", "setting"):
        remedy = f"All requests are refused, so no document is at fault. {remedy}"
    return EndpointError(f"{name} refuses requests: {failed.detail}.", f"{remedy} Then run again.")


def refused_this(name: str, failed: AttemptError, *, of_vectors: bool, settings: str) -> PermanentLLMError:
    """The error for a request that the endpoint would refuse again. settings: a digest of the settings that shaped it."""
    return PermanentLLMError(
        f"{name} refused the request: {failed.detail}.",
        f"{_remedy(failed, of_vectors)} The request is repeated when a setting of `[{'embeddings' if of_vectors else 'llm'}]` "
        "changes, or with --retry-failed.",
        settings=settings,
    )


def exhausted_wait(name: str, failed: AttemptError) -> EndpointError:
    """The error for a server that asks for a longer wait than this process is willing to make."""
    return EndpointError(
        f"{name} asks to wait {failed.wait_seconds:,.0f} s: {failed.detail}.",
        "Run again after that time: only unfinished work is sent.",
    )


def _remedy(failed: AttemptError, of_vectors: bool) -> str:
    return (of_vectors and failed.rule.vectors) or failed.rule.remedy
