"""Reading the replies of an endpoint, and the errors and costs that follow from those that are no answers.

What belongs here: what is known of one reply, without the key that it may repeat. What does not: sending requests, and what is
done after a failure (endpoint), the reply of a refusal (endpoint_errors), and answers (the parsers of the providers).
"""

import time
import traceback
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import msgspec

from io_managers.store.request_ledger import Attempt
from resources.endpoints.endpoint_errors import AttemptError, hidden_refusal, refusal
from resources.endpoints.llm import Price, Tokens, UnusableReplyError, error_text
from resources.endpoints.model_request import ParsedReply, ReplyParser
from resources.endpoints.wire_faults import WireError, wire_fault
from resources.errors import ConfigurationError
from resources.wire.guarded_http import ReplyTooLargeError

if TYPE_CHECKING:
    import httpx2

# How much of an unusable reply is stored for people to look at; longer than any reply of the length that we ask for.
_MOST_KEPT_BYTES = 64 << 10


class ReplyReader:
    """Reads the replies of one endpoint."""

    def __init__(
        self,
        name: str,
        url: str,
        secret: str,
        timeout_seconds: float,
        respect_limits: Callable[[Mapping[str, str]], None],
    ) -> None:
        """name, url, secret, timeout_seconds: those of the endpoint. respect_limits: is given the headers of replies that may
        say that a limit is used up.
        """
        self._name = name
        self._url = url
        self._secret = secret
        self._timeout_seconds = timeout_seconds
        self._respect_limits = respect_limits

    def parsed(self, response: "httpx2.Response", read: ReplyParser) -> ParsedReply:
        """Return what `read` makes of a reply. Raises AttemptError, UnusableReplyError, ConfigurationError."""
        if response.is_error or response.is_redirect:
            raise self._failed_status(response)
        self._respect_limits(response.headers)
        decoded = self._decoded(response.content)
        if failed := hidden_refusal(decoded, self._clean(response.text), response.headers, time.time()):
            raise failed
        return read(decoded)

    def failure(self, error: BaseException) -> BaseException:
        """The project's error for an error of sending or reading; the error itself if it is not about the endpoint."""
        import httpx2

        if isinstance(error, UnusableReplyError):
            clean = self._clean(error.detail)
            return error if clean == error.detail else UnusableReplyError(error.outcome, clean, error.again)
        if isinstance(error, AttemptError):
            return error
        causes: list[BaseException] = [error]
        while causes[-1].__cause__ is not None:
            causes.append(causes[-1].__cause__)
        for cause in causes:
            if isinstance(cause, ConfigurationError):
                return cause
            if isinstance(cause, ReplyTooLargeError):
                return AttemptError("reply too large", str(cause))
        if (fault := wire_fault(self._name, self._url, error)) is not None:
            return fault
        if isinstance(error, TimeoutError | httpx2.TimeoutException):
            return AttemptError("timeout", f"no reply within {self._timeout_seconds:g} s")
        if isinstance(error, httpx2.TransportError | OSError):
            return AttemptError("connection", error_text(self._clean(str(causes[-1]) or type(causes[-1]).__name__)))
        return error

    def failed_attempt(
        self, failed: BaseException, seconds: float, reply: bytes, held: Tokens, model: str, price: Price
    ) -> Attempt:
        """Return the row of the ledger for a failure. held: the most tokens that the request could take."""
        if isinstance(failed, UnusableReplyError):
            # The answer has to be paid for, even if the server reports no token counts.
            outcome, detail, tokens = failed.outcome, failed.detail, reported_tokens(reply) or held
        elif isinstance(failed, AttemptError | WireError):
            answered = isinstance(failed, WireError) and failed.answered
            outcome, detail, tokens = failed.outcome, failed.detail, held if answered else Tokens(0)
        elif isinstance(failed, ConfigurationError) and reply:
            # A whole answer that the settings do not fit, such as vectors of another length.
            outcome, detail, tokens = "wrong settings", str(failed), reported_tokens(reply) or held
        else:
            outcome, detail, tokens = "given up", "", Tokens(0)
        # A refusal with an error status costs nothing.
        usd = price.usd(tokens) if tokens.input or tokens.output else 0.0
        return Attempt("", "", model, outcome, self._clean(detail), seconds, tokens.input, tokens.output, usd)

    def kept(self, reply: bytes) -> bytes:
        """Return the part of an unusable reply that is stored for people to look at, without the key."""
        kept = reply[:_MOST_KEPT_BYTES]
        return kept.replace(self._secret.encode(), b"***") if self._secret else kept

    def reveals_secret(self, error: BaseException) -> bool:
        """Whether the traceback of an error shows the key, which a server may have sent back."""
        return bool(self._secret) and self._secret in "".join(traceback.format_exception(error))

    def _failed_status(self, response: "httpx2.Response") -> AttemptError:
        location = self._clean(response.headers.get("location", ""))
        failed = refusal(response, self._clean(response.text), location, time.time())
        if failed.rule.kind in ("document", "setting"):
            self._respect_limits(response.headers)  # other requests go on, so they have to know
        return failed

    def _decoded(self, reply: bytes) -> Any:
        try:
            return msgspec.json.decode(reply)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            shown = error_text(self._clean(reply[:_MOST_KEPT_BYTES].decode("utf-8", "replace")), 120)
            raise UnusableReplyError("no JSON", f"the reply is not JSON: {shown or 'empty'}", "send") from error

    def _clean(self, text: str) -> str:
        return text.replace(self._secret, "***") if self._secret else text


def reported_tokens(reply: bytes) -> Tokens | None:
    """The token counts that the server reports in a reply; None if it reports none."""
    with suppress(msgspec.DecodeError, UnicodeDecodeError, TypeError, ValueError, AttributeError, RecursionError):
        body = msgspec.json.decode(reply)
        usage = body.get("usage") or {}
        tokens = Tokens(
            int(usage.get("prompt_tokens") or body.get("prompt_eval_count") or 0),
            int(usage.get("completion_tokens") or body.get("eval_count") or 0),
        )
        return tokens if tokens.input else None
    return None
