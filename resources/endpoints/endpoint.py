"""One model endpoint: it sends requests under its limits and is the only place that retries them.

Here is what all requests of all providers have in common. The content of requests is in `openai_api` and `ollama_api`, the
HTTP client in `guarded_http`, limits shared by processes in `limits`, the reading of a reply in `reply_reading`, the kinds of
failures in `failure_kinds`, and their wording in `endpoint_errors`.

A transient failure is retried up to three times, with backoff; a model that is still loading is waited for up to
_LOADING_SECONDS. If a server asks for a wait, or reports that a limit is used up, all requests wait. After several
consecutive failures a circuit breaker stops requests for a while. A refusal does not count against the endpoint unless all
requests are refused, which a harmless request finds out.
"""

import asyncio
import logging
import random
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import msgspec

from io_managers.store.batches.batch_records import KeptReply
from io_managers.store.request_ledger import ANSWERED, ANSWERED_IN_BATCH, Attempt
from resources.endpoints.circuit_breaker import CircuitBreaker
from resources.endpoints.endpoint_errors import (
    AttemptError,
    exhausted_wait,
    refused_all,
    refused_this,
)
from resources.endpoints.endpoint_health import EndpointHealth
from resources.endpoints.llm import (
    BatchTerms,
    Price,
    RequestCosts,
    Tokens,
    TransientLLMError,
    UnusableReplyError,
)
from resources.endpoints.model_list import listed_models
from resources.endpoints.model_request import ModelRequest, ParsedReply, ReplyParser, Sender
from resources.endpoints.reply_reading import ReplyReader, reported_tokens
from resources.endpoints.waits import limit_wait
from resources.endpoints.wire_faults import WireError, final_error
from resources.errors import ConfigurationError, DocumentError, StoppedError
from resources.limits.limits import Limits
from resources.settings.request_settings import RequestSettings
from resources.wire.guarded_http import RequestsForbiddenError, open_client

if TYPE_CHECKING:
    import httpx2

logger = logging.getLogger(__name__)

RETRIES = 3
"""How often a request is repeated after a transient failure (a judgement)."""
# The backoff before the first retry; it doubles each time (a judgement).
_FIRST_BACKOFF_SECONDS = 0.5
# If a server asks for a longer wait, the stage ends, and the next run sends the request again (a judgement).
_LONGEST_WAIT_SECONDS = 300.0
# Loading a model of 70 billion parameters from a disk takes one or two minutes.
_LOADING_SECONDS = 120.0
_LOADING_POLL_SECONDS = 5.0

# After these first steps the same request is sent again in another form.
_RETRIED_DIFFERENTLY = ("other parameter name", "omit parameter")


class Endpoint:
    """One deployment of one provider, for chat or for vectors. One event loop at a time may use it."""

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
        url: str = "",
        secret: str = "",
        settings: RequestSettings | None = None,
        of_vectors: bool = False,
        models_path: str = "/models",
        batch: BatchTerms | None = None,
    ) -> None:
        """name: the endpoint in messages, without user and password. url: its address, which decides whether a proxy is used.
        secret: the API key, which no message may show.

        make_sender: creates the provider's sender for an HTTP client. check_key: raises ConfigurationError if the key, the
        proxy or the certificates cannot be used. settings: digests of the settings that shape requests. of_vectors: whether
        this is an endpoint for vectors, which have settings of their own. models_path: of the list of its models. batch: the
        batches of the server; None if it has none.
        """
        self.name = name
        self.price = price
        self.in_flight = in_flight
        self.model = model
        self.batch = batch
        self._make_sender = make_sender
        self._check_key = check_key
        self._limits = limits
        self._timeout_seconds = timeout_seconds
        self._url = url
        self._secret = secret
        self._replies = ReplyReader(name, url, secret, timeout_seconds, self._respect_limits)
        self.settings = settings or RequestSettings()
        self.health = EndpointHealth()
        self._of_vectors = of_vectors
        self._models_path = models_path
        self._retry_seconds = _FIRST_BACKOFF_SECONDS
        self._client: httpx2.AsyncClient | None = None
        self._sender: Sender | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self.circuit = CircuitBreaker(name)
        self._probing = asyncio.Lock()
        self._logged_loading = False

    async def models(self, seconds: float) -> list[str] | None:
        """The models that the server lists, which costs nothing; see listed_models. Raises ConfigurationError."""
        self._check_key()
        return await listed_models(self.name, self._url, self._secret, self._models_path, seconds)

    def check_ready(self, *, priced: bool) -> None:
        """Raise ConfigurationError if no request could be sent: the key is missing, or the price is unknown (if `priced`)."""
        self._check_key()
        if priced and self.price.usd(Tokens(0)) is None:
            raise ConfigurationError(
                f"A budget is set, but the price of {self.model} is unknown, so the budget could not be kept. Name a file "
                "with its price in `prices` (docs/models.md), or set no budget (`budget`, --max-cost)."
            )

    async def ask(self, request: ModelRequest, costs: RequestCosts, read: ReplyParser) -> ParsedReply:
        """Send a request, with retries, or take its reply from a batch, and return what `read` makes of the reply.

        Raises WaitingError if the request is in a batch; TransientLLMError, EndpointError or PermanentLLMError (all are
        DocumentErrors); UnusableReplyError if `read` finds a fault that is not the endpoint's; StoppedError if the budget or
        the user stops requests; ConfigurationError.
        """
        if costs.batched is None or self.batch is None:
            return await self._ask(request, costs, read)
        async with costs.batched.turn(self.batch, request, costs) as reply:
            if reply is None:
                return await self._ask(request, costs, read)
            return await self._from_batch(self.batch, reply, request, costs, read)

    async def _ask(self, request: ModelRequest, costs: RequestCosts, read: ReplyParser) -> ParsedReply:
        tries, loading_since = 0, 0.0
        request.question = request.question or object()
        # Counting takes milliseconds, so it is done only if a limit needs it.
        counted = request.most() if costs.limited or self._limits.counts_tokens else None
        while True:
            self.circuit.check()
            began = time.monotonic()
            try:
                answer = await self._attempt(request, counted, costs, read)
            except AttemptError as failed:
                if failed.rule.first_step == "wait for model" and not loading_since:
                    loading_since = began
                loads = (
                    failed.rule.first_step == "wait for model" and time.monotonic() - loading_since < _LOADING_SECONDS
                )
                error = None if loads else await self._final_error(failed, tries, began, request, costs)
                if error is not None:
                    raise final_error(failed, error) from failed
                await self._back_off(failed, tries, costs, loads=loads)
                tries += not loads
            except UnusableReplyError as error:
                self.circuit.reset()
                self.health.record(request.question, "wrong" if error.again == "correct" else "answered")
                raise
            else:
                self.circuit.reset()
                self.health.record(request.question, "answered")
                return answer

    async def _attempt(
        self,
        request: ModelRequest,
        counted: Tokens | None,
        costs: RequestCosts,
        read: ReplyParser,
    ) -> ParsedReply:
        """Send a request once. However it ends, `costs` has recorded it when this returns or raises.

        `costs` frees the request's concurrency slot when the answer is durable. If the next request were sent before
        that, a kill could lose more answers than there are slots.
        """
        held = counted or Tokens(0)
        async with costs.reserve(self.price.usd(held)):
            give_back = await self._limits.take(held.input + held.output, costs.stop_reason)
            try:
                answer, seconds = await self._sent(request, held, costs, read)
                # Some servers report no token counts; then the estimate is recorded.
                tokens = answer.tokens or counted or request.most()
            except BaseException:
                give_back()
                raise
        costs.attempted(
            Attempt("", "", self.model, ANSWERED, "", seconds, tokens.input, tokens.output, self.price.usd(tokens)),
            usable=True,
            give_back=give_back,
        )
        return answer

    async def _sent(
        self, request: ModelRequest, held: Tokens, costs: RequestCosts, read: ReplyParser
    ) -> tuple[ParsedReply, float]:
        """The answer and how many seconds it took. Failures are recorded here."""
        if reason := costs.stop_reason():
            raise StoppedError(reason)
        self.circuit.check()
        sender = self._opened()
        request.sent += 1
        started = time.perf_counter()
        reply = b""
        try:
            async with asyncio.timeout(self._timeout_seconds):
                response = await sender.post(request.path, request.body)
            reply = response.content
            seconds = time.perf_counter() - started
            return self._replies.parsed(response, read), seconds
        except (Exception, asyncio.CancelledError) as error:
            failed = self._replies.failure(error)
            if isinstance(failed, WireError):
                self.circuit.open_for_good(failed)  # waiting requests would fail in the same way
            if not isinstance(failed, RequestsForbiddenError):
                attempt = self._replies.failed_attempt(
                    failed, time.perf_counter() - started, reply, held, self.model, self.price
                )
                costs.attempted(attempt, reply=self._replies.kept(reply), usable=False)
            if isinstance(failed, UnusableReplyError) and failed.again == "send":
                raise AttemptError(failed.outcome, failed.detail) from failed
            if failed is error:
                raise
            # A server may send back the key, and a traceback would show it.
            raise failed from (None if self._replies.reveals_secret(error) else error)

    async def _from_batch(
        self, terms: BatchTerms, reply: KeptReply, request: ModelRequest, costs: RequestCosts, read: ReplyParser
    ) -> ParsedReply:
        """What `read` makes of a reply that came in a batch. It counts as an attempt, at the price of batches.

        A reply that is no answer is treated as one that was sent alone, except that the request is not sent again at once if the
        server failed it, but in another batch.
        """
        import httpx2

        assert costs.batched is not None
        began = time.monotonic()
        request.sent += 1
        request.question = request.question or object()
        response = httpx2.Response(reply.status, content=reply.body, headers={"content-type": "application/json"})
        try:
            answer = self._replies.parsed(response, read)
        except (AttemptError, UnusableReplyError, ConfigurationError) as error:
            failed = self._replies.failure(error)
            tokens = Tokens(0) if response.is_error else request.most()
            attempt = self._replies.failed_attempt(failed, 0.0, reply.body, tokens, self.model, terms.price)
            costs.attempted(attempt, reply=self._replies.kept(reply.body), usable=False, promised=True)
            costs.batched.recorded(costs.action_key)
            if isinstance(failed, UnusableReplyError):
                if failed.again != "send":
                    self.health.record(request.question, "wrong" if failed.again == "correct" else "answered")
                    raise failed from (None if self._replies.reveals_secret(error) else error)
                failed = AttemptError(failed.outcome, failed.detail)
            if not isinstance(failed, AttemptError):
                raise failed from (None if self._replies.reveals_secret(error) else error)
            if failed.rule.kind == "passing":
                await costs.batched.again(terms, request, costs, reply)
            refused = await self._final_error(failed, RETRIES, began, request, costs)
            assert refused is not None, "after the last attempt there is an error"
            raise final_error(failed, refused) from failed
        self.health.record(request.question, "answered")
        tokens = answer.tokens or request.most()
        usd = terms.price.usd(tokens)
        costs.attempted(
            Attempt("", "", self.model, ANSWERED_IN_BATCH, "", 0.0, tokens.input, tokens.output, usd),
            usable=True,
            promised=True,
        )
        return answer

    async def _final_error(
        self, failed: AttemptError, tries: int, began: float, request: ModelRequest, costs: RequestCosts
    ) -> DocumentError | None:
        """The error to raise; None if the request is to be sent again."""
        match failed.rule.kind:
            case "account" | "endpoint":
                return self.circuit.open_for_good(refused_all(self.name, failed, of_vectors=self._of_vectors))
            case "document" | "setting":
                return await self._refusal(failed, began, request, costs)
            case "passing":
                return self._given_up(failed, tries, request)

    async def _refusal(
        self, failed: AttemptError, began: float, request: ModelRequest, costs: RequestCosts
    ) -> DocumentError:
        """The error for a refused request, or for all requests if a harmless one is refused as well."""
        # A request that is sent again in another form does not count as refused yet.
        many = (
            (request.final or failed.rule.first_step == "")
            and failed.rule.first_step not in _RETRIED_DIFFERENTLY
            and self.circuit.count_refusal()
        )
        if failed.rule.first_step == "probe" or many:
            async with self._probing:
                self.circuit.check()
                if not self.health.has_answered_since(began) and not await self._answers_probe(request, costs):
                    return self.circuit.open_for_good(refused_all(self.name, failed, of_vectors=self._of_vectors))
            self.circuit.reset_refusals()
        settings = self.settings.account
        return refused_this(self.name, failed, of_vectors=self._of_vectors, settings=settings)

    async def _answers_probe(self, request: ModelRequest, costs: RequestCosts) -> bool:
        """Whether a harmless request is answered. Raises TransientLLMError if that cannot be found out."""
        harmless = ModelRequest(request.path, request.harmless, lambda: Tokens(64, 64), request.harmless, object())

        def read(reply: Any) -> ParsedReply:
            return ParsedReply(reply, reported_tokens(msgspec.json.encode(reply)))

        try:
            await self._attempt(harmless, harmless.most(), costs, read)
        except AttemptError as failed:
            if failed.rule.kind == "passing":
                raise TransientLLMError(
                    f"{self.name} refused a request, and it is not known whether it answers others: {failed.detail}.",
                    "Run again: only unfinished work is sent.",
                ) from failed
            # A server that complains about a parameter has accepted the key and the address.
            return failed.rule.first_step in _RETRIED_DIFFERENTLY
        self.health.record_any_answer()
        return True

    def _given_up(self, failed: AttemptError, tries: int, request: ModelRequest) -> DocumentError | None:
        """The error for a transient failure after the last attempt; None if the request is to be sent again."""
        if failed.status != 429 and not failed.rule.by_chance:
            self.health.record(request.question, "failed")
        if failed.wait_seconds > _LONGEST_WAIT_SECONDS:
            return self.circuit.open_for(exhausted_wait(self.name, failed), failed.wait_seconds)
        if failed.rule.first_step == "wait for model":
            return TransientLLMError(
                f"{self.name} is still loading the model after {_LOADING_SECONDS:.0f} s: {failed.detail}.",
                failed.rule.remedy,
            )
        if tries < RETRIES:
            return None
        if not failed.rule.by_chance:
            self.circuit.count_failure(failed)
        return TransientLLMError(
            f"{self.name} did not answer in {RETRIES + 1} attempts: {failed.outcome}, {failed.detail}.",
            failed.rule.remedy,
        )

    async def _back_off(self, failed: AttemptError, tries: int, costs: RequestCosts, *, loads: bool) -> None:
        seconds = self._retry_seconds * 2**tries * random.uniform(0.5, 1.5)
        if loads:
            seconds = min(max(failed.wait_seconds, 4 * self._retry_seconds), _LOADING_POLL_SECONDS)
            self._limits.pause(seconds)
        elif failed.status == 429 or failed.wait_seconds:
            seconds = max(failed.wait_seconds, seconds)
            self._limits.pause(seconds)
        log = logger.warning if loads and not self._logged_loading else logger.info
        self._logged_loading = self._logged_loading or loads
        log("%s: %s, %s; retrying in %.1f s", self.name, failed.outcome, failed.detail, seconds)
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            if reason := costs.stop_reason():
                raise StoppedError(reason)
            await asyncio.sleep(min(left, 0.2))

    def _respect_limits(self, headers: Mapping[str, str]) -> None:
        """If the server reports that a limit is used up, let all requests wait until it is renewed."""
        if seconds := limit_wait(headers, time.time()):
            self._limits.pause(min(seconds, _LONGEST_WAIT_SECONDS))

    def _opened(self) -> Sender:
        loop = asyncio.get_running_loop()
        if self._sender is None or self._loop is not loop:
            # The client of an ended event loop cannot be closed; the loop has closed its sockets.
            self._check_key()
            self._client = open_client(self._url, timeout_seconds=self._timeout_seconds, connections=self.in_flight)
            self._sender, self._loop, self._probing = self._make_sender(self._client), loop, asyncio.Lock()
        return self._sender

    async def aclose(self) -> None:
        """Close the connections of the running event loop."""
        client, own = self._client, self._loop is asyncio.get_running_loop()
        self._client = self._sender = self._loop = None
        if client is not None and own:
            await client.aclose()

    def close(self) -> None:
        """Close the limits that are shared with other processes."""
        self._limits.close()
