"""One model endpoint: requests under its limits, retried here and nowhere else, and given up together.

What belongs here: what holds for each request of any provider. What does not: what is in a request (openai_api,
ollama_api), the HTTP client's guards (guarded_http), how limits are shared by processes (limits), how failures are told
(endpoint_errors).

A request that the endpoint fails (408, 409, 429, 5xx, no reply in time, a broken connection, a reply that is no JSON) is
sent again up to three times. A server's Retry-After, or its word that nothing is left of a limit, holds all requests back. When
_MOST_FAILURES requests in a row have failed for good, nothing is sent for _COOLING_SECONDS.
"""

import asyncio
import logging
import random
import time
import traceback
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

import msgspec

from io_managers.store.request_ledger import ANSWERED, Attempt
from resources.endpoint_errors import (
    AttemptError,
    exhausted_wait,
    is_refusal_of_all,
    refused_all,
    refused_this,
    retry_after,
    wait_told,
)
from resources.errors import ConfigurationError, DocumentError, StoppedError
from resources.guarded_http import ReplyTooLargeError, RequestsForbiddenError, open_client
from resources.limits import Limits
from resources.llm import EndpointError, Payer, Price, Tokens, TransientLLMError, UnusableReplyError, error_text

if TYPE_CHECKING:
    import httpx2

logger = logging.getLogger(__name__)

RETRIES = 3
_FIRST_BACKOFF_SECONDS = 0.5
# A server that asks for a longer wait is not waited for: the next run asks again.
_LONGEST_WAIT_SECONDS = 300.0
_MOST_FAILURES = 5
_COOLING_SECONDS = 30.0
# Of a reply that is not usable so much is kept, to be looked at by people.
_MOST_KEPT_BYTES = 64 << 10
_AGAIN = frozenset({408, 409, 429})

T = TypeVar("T")


class Sender(Protocol):
    """How one provider's requests are sent; of one event loop."""

    async def post(self, path: str, body: Mapping[str, Any]) -> "httpx2.Response":
        """The whole reply, whatever its status."""
        ...


@dataclass(frozen=True, slots=True)
class Answer:
    """What the reader of a reply makes of it. tokens: None where the server did not count."""

    value: Any
    tokens: Tokens | None


Read = Callable[[Any], Answer]
"""Makes an answer of a reply's JSON. Raises UnusableReplyError."""


class Endpoint:
    """One deployment of one provider, for one kind of use. Not for several event loops at once."""

    def __init__(
        self,
        name: str,
        make_sender: "Callable[[httpx2.AsyncClient], Sender]",
        check_key: Callable[[], None],
        limits: Limits,
        *,
        model: str,
        price: Price,
        timeout_seconds: float,
        in_flight: int,
        secret: str = "",
        tolerates: Callable[[str], bool] = lambda detail: False,
    ) -> None:
        """name: how people know it (a URL without user and password). secret: what must never be told.

        tolerates: whether a refusal with these words says nothing against the endpoint.
        """
        self.name = name
        self.price = price
        self.in_flight = in_flight
        self._model = model
        self._make_sender = make_sender
        self._check_key = check_key
        self._limits = limits
        self._timeout_seconds = timeout_seconds
        self._secret = secret
        self._tolerates = tolerates
        self._retry_seconds = _FIRST_BACKOFF_SECONDS
        self._client: httpx2.AsyncClient | None = None
        self._sender: Sender | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._failures_in_a_row = 0
        self._refused: EndpointError | None = None
        self._down: EndpointError | None = None
        self._down_until = 0.0

    def check_ready(self, *, priced: bool) -> None:
        """Raise ConfigurationError where nothing could be asked: no key, or, if it has to be, no known price."""
        self._check_key()
        if priced and self.price.usd(Tokens(0)) is None:
            raise ConfigurationError(
                f"A budget is set, and the price of {self._model} is unknown, so it could not be kept. Name a file with its "
                "price in `prices` (docs/models.md), or set no budget (`budget`, --max-cost)."
            )

    async def ask(
        self, path: str, body: Mapping[str, Any], most: Callable[[], Tokens], payer: Payer, read: Read
    ) -> Answer:
        """The answer that `read` makes of the reply. most: counts the tokens that it may come to, where anybody asks.

        Raises DocumentError: TransientLLMError, EndpointError, PermanentLLMError; UnusableReplyError where `read` finds
        a fault that is not the endpoint's; StoppedError; ConfigurationError.
        """
        tries = 0
        # Counting takes milliseconds: only where there is a limit.
        counted = most() if payer.limited or self._limits.counts_tokens else None
        while True:
            self._check_up()
            try:
                answer = await self._attempt(path, body, counted, most, payer, read)
            except AttemptError as failed:
                error = self._translated(failed, tries)
                if error is not None:
                    raise error from failed
                await self._back_off(failed, tries, payer)
                tries += 1
            else:
                self._failures_in_a_row = 0
                return answer

    async def _attempt(
        self,
        path: str,
        body: Mapping[str, Any],
        counted: Tokens | None,
        most: Callable[[], Tokens],
        payer: Payer,
        read: Read,
    ) -> Answer:
        """One request, of which the accounts know when this ends, however it ends.

        The place among those in flight that it had goes over to the payer with its answer: another request that is
        sent before the answer is durable would be one more that a kill loses.
        """
        held = counted or Tokens(0)
        async with payer.promise(self.price.usd(held)):
            give_back = await self._limits.take(held.input + held.output, payer.stop_reason)
            try:
                answer, seconds = await self._sent(path, body, held, payer, read)
                # A server that does not say what it counted.
                tokens = answer.tokens or counted or most()
            except BaseException:
                give_back()
                raise
        payer.attempted(
            Attempt("", "", self._model, ANSWERED, "", seconds, tokens.input, tokens.output, self.price.usd(tokens)),
            usable=True,
            give_back=give_back,
        )
        return answer

    async def _sent(
        self, path: str, body: Mapping[str, Any], held: Tokens, payer: Payer, read: Read
    ) -> tuple[Answer, float]:
        """The answer, and how many seconds it took. What fails is accounted for here."""
        if reason := payer.stop_reason():
            raise StoppedError(reason)
        self._check_up()
        sender = self._opened()
        started = time.perf_counter()
        reply = b""
        try:
            async with asyncio.timeout(self._timeout_seconds):
                response = await sender.post(path, body)
            reply = response.content
            seconds = time.perf_counter() - started
            if response.is_error or response.is_redirect:
                raise self._failed_status(response)
            self._heed(response.headers)
            return read(self._decoded(reply)), seconds
        except (Exception, asyncio.CancelledError) as error:
            failed = self._failure(error)
            if not isinstance(failed, RequestsForbiddenError):
                self._account(failed, time.perf_counter() - started, reply, held, payer)
            if isinstance(failed, UnusableReplyError) and failed.again == "send":
                raise AttemptError(failed.outcome, failed.detail) from failed
            if failed is error:
                raise
            # What the server said may hold the key, and a traceback would show it.
            raise failed from (None if self._tells_secret(error) else error)

    def _account(self, failed: BaseException, seconds: float, reply: bytes, held: Tokens, payer: Payer) -> None:
        if isinstance(failed, UnusableReplyError):
            # What was answered is paid for, also where the server does not say what it came to.
            outcome, detail, tokens = failed.outcome, failed.detail, _counted(reply) or held
        elif isinstance(failed, AttemptError):
            outcome, detail, tokens = failed.outcome, failed.detail, Tokens(0)
        else:
            outcome, detail, tokens = "given up", "", Tokens(0)
        # A refusal by status costs nothing.
        usd = self.price.usd(tokens) if tokens.input or tokens.output else 0.0
        payer.attempted(
            Attempt("", "", self._model, outcome, self._clean(detail), seconds, tokens.input, tokens.output, usd),
            reply=self._clean_bytes(reply[:_MOST_KEPT_BYTES]),
            usable=False,
        )

    def _failure(self, error: BaseException) -> BaseException:
        """What became of a request, in our words; the error itself where it is not the endpoint's doing."""
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
        if isinstance(error, TimeoutError | httpx2.TimeoutException):
            return AttemptError("timeout", f"no reply in {self._timeout_seconds:g} s")
        if isinstance(error, httpx2.TransportError | OSError):
            return AttemptError("connection", error_text(self._clean(str(causes[-1]) or type(causes[-1]).__name__)))
        return error

    def _failed_status(self, response: "httpx2.Response") -> AttemptError:
        detail = f"HTTP {response.status_code}: {error_text(self._clean(response.text)) or 'no words'}"
        if response.is_redirect:
            detail += f" (to {self._clean(response.headers.get('location', 'nowhere'))})"
        wait_seconds = retry_after(response.headers, time.time())
        return AttemptError(f"HTTP {response.status_code}", detail, response.status_code, wait_seconds)

    def _translated(self, failed: AttemptError, tries: int) -> DocumentError | None:
        """The error to raise; None where the request is to be sent again."""
        status = failed.status
        if status is not None and is_refusal_of_all(status):
            self._refused = refused_all(self.name, failed)
            return self._refused
        if status is not None and status < 500 and status not in _AGAIN:
            if not self._tolerates(failed.detail):
                self._count_failure(failed)
            return refused_this(self.name, failed)
        if failed.wait_seconds > _LONGEST_WAIT_SECONDS:
            self._down, self._down_until = exhausted_wait(self.name, failed), time.monotonic() + failed.wait_seconds
            return self._down
        if tries < RETRIES:
            return None
        self._count_failure(failed)
        return TransientLLMError(
            f"{self.name} did not answer in {RETRIES + 1} attempts: {failed.outcome}, {failed.detail}.",
            "Run again: only what is unfinished is asked again.",
        )

    def _count_failure(self, failed: AttemptError) -> None:
        self._failures_in_a_row += 1
        if self._failures_in_a_row >= _MOST_FAILURES:
            self._down_until = time.monotonic() + _COOLING_SECONDS
            self._down = EndpointError(
                f"{self.name} failed {self._failures_in_a_row} requests in a row, the last with {failed.outcome}: "
                f"{failed.detail}. Nothing more is sent to it for now.",
                "See that it is up and lets this machine in, then run again: only what is unfinished is asked.",
            )

    def _check_up(self) -> None:
        if self._refused is not None:
            raise self._refused
        if self._down is not None:
            if time.monotonic() < self._down_until:
                raise self._down
            # One more failure brings it down again.
            self._down, self._failures_in_a_row = None, _MOST_FAILURES - 1

    async def _back_off(self, failed: AttemptError, tries: int, payer: Payer) -> None:
        seconds = self._retry_seconds * 2**tries * random.uniform(0.5, 1.5)
        if failed.status == 429 or failed.wait_seconds:
            seconds = max(failed.wait_seconds, seconds)
            self._limits.pause(seconds)
        logger.info("%s: %s, %s; again in %.1f s", self.name, failed.outcome, failed.detail, seconds)
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            if reason := payer.stop_reason():
                raise StoppedError(reason)
            await asyncio.sleep(min(left, 0.2))

    def _heed(self, headers: Mapping[str, str]) -> None:
        """Nothing is left of a limit: wait until the server says that there is."""
        if seconds := wait_told(headers):
            self._limits.pause(min(seconds, _LONGEST_WAIT_SECONDS))

    def _opened(self) -> Sender:
        loop = asyncio.get_running_loop()
        if self._sender is None or self._loop is not loop:
            # A client of a loop that has ended cannot be closed any more; its loop has closed its sockets.
            self._check_key()
            self._client = open_client(timeout_seconds=self._timeout_seconds, connections=self.in_flight)
            self._sender, self._loop = self._make_sender(self._client), loop
        return self._sender

    async def aclose(self) -> None:
        """Close the connections of the running loop."""
        client, own = self._client, self._loop is asyncio.get_running_loop()
        self._client = self._sender = self._loop = None
        if client is not None and own:
            await client.aclose()

    def close(self) -> None:
        """Close what is shared with other processes."""
        self._limits.close()

    def _decoded(self, reply: bytes) -> Any:
        try:
            return msgspec.json.decode(reply)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            shown = error_text(self._clean(reply[:_MOST_KEPT_BYTES].decode("utf-8", "replace")), 120)
            raise UnusableReplyError("no JSON", f"the reply is not JSON: {shown or 'empty'}", "send") from error

    def _tells_secret(self, error: BaseException) -> bool:
        return bool(self._secret) and self._secret in "".join(traceback.format_exception(error))

    def _clean(self, text: str) -> str:
        return text.replace(self._secret, "***") if self._secret else text

    def _clean_bytes(self, data: bytes) -> bytes:
        return data.replace(self._secret.encode(), b"***") if self._secret else data


def _counted(reply: bytes) -> Tokens | None:
    """What the server says that an unusable reply came to; None where it does not say."""
    with suppress(msgspec.DecodeError, UnicodeDecodeError, TypeError, ValueError, AttributeError):
        body = msgspec.json.decode(reply)
        usage = body.get("usage") or {}
        tokens = Tokens(
            int(usage.get("prompt_tokens") or body.get("prompt_eval_count") or 0),
            int(usage.get("completion_tokens") or body.get("eval_count") or 0),
        )
        return tokens if tokens.input else None
    return None
