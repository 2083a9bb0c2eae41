"""The circuit breaker of an endpoint: it counts consecutive failures and then stops requests to the endpoint."""

import time

from resources.endpoints.endpoint_errors import AttemptError
from resources.endpoints.llm import EndpointError

FAILURES_TO_OPEN = 5
"""After so many consecutive failures, each after its retries, requests are stopped for a while (a judgement)."""
REFUSALS_TO_PROBE = 5
"""After so many consecutive refusals a harmless request shows whether the endpoint refuses everything (a judgement)."""
OPEN_SECONDS = 30.0
"""How long requests are stopped after FAILURES_TO_OPEN failures (a judgement)."""


class CircuitBreaker:
    """The circuit breaker of one endpoint. name: the endpoint's name in messages."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._failures_in_a_row = 0
        self._refusals_in_a_row = 0
        self._refused: EndpointError | None = None
        self._down: EndpointError | None = None
        self._down_until = 0.0

    def check(self) -> None:
        """Raise the EndpointError for which requests are stopped, if they are."""
        if self._refused is not None:
            raise self._refused
        if self._down is not None:
            if time.monotonic() < self._down_until:
                raise self._down
            # The breaker is half-open now: one more failure opens it again.
            self._down, self._failures_in_a_row = None, FAILURES_TO_OPEN - 1

    def reset(self) -> None:
        """Forget earlier failures and refusals, since a request was answered."""
        self._failures_in_a_row = self._refusals_in_a_row = 0

    def open_for_good(self, error: EndpointError) -> EndpointError:
        """Stop all requests of this process, since every request is refused. Returns `error`."""
        self._refused = error
        return error

    def open_for(self, error: EndpointError, seconds: float) -> EndpointError:
        """Stop all requests for some seconds. Returns `error`."""
        self._down, self._down_until = error, time.monotonic() + seconds
        return error

    def count_refusal(self) -> bool:
        """Count a refusal. True after REFUSALS_TO_PROBE in a row, which means that every request may be refused."""
        self._refusals_in_a_row += 1
        return self._refusals_in_a_row >= REFUSALS_TO_PROBE

    def reset_refusals(self) -> None:
        """Forget earlier refusals, since the endpoint answers other requests."""
        self._refusals_in_a_row = 0

    def count_failure(self, failed: AttemptError) -> None:
        """Count a request that failed after all retries, through the endpoint's fault."""
        self._failures_in_a_row += 1
        if self._failures_in_a_row >= FAILURES_TO_OPEN:
            error = EndpointError(
                f"{self._name} failed {self._failures_in_a_row} requests in a row, the last with {failed.outcome}: "
                f"{failed.detail}. Nothing more is sent to it for now.",
                "Check that the server is up and accepts this machine, then run again: only unfinished work is sent.",
            )
            self.open_for(error, OPEN_SECONDS)
