"""What may still be spent, asked before each request.

What belongs here: limits in dollars, and what is spent and promised against them. What does not: prices, and stopping
(the runner).
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from resources.errors import ConfigurationError, StoppedError

_DAY_SECONDS = 86_400
# How often a request that only fits when others turn out cheaper than promised looks again.
_LOOK_SECONDS = 0.05


class Budget:
    """The limits of one run. Nothing is sent that could overspend them: a request's most possible cost has to fit.

    run_usd: of this run; None for no limit. period_usd: of all runs of the home in the last `period_days` days.
    """

    def __init__(
        self,
        run_usd: float | None = None,
        *,
        period_usd: float | None = None,
        period_days: float = 1.0,
        spent_since: Callable[[float], float] = lambda since: 0.0,
    ) -> None:
        self._run_usd = run_usd
        self._period_usd = period_usd
        self._period_seconds = period_days * _DAY_SECONDS
        self._spent_since = spent_since
        self._before = self._in_period() if period_usd is not None else 0.0
        self._spent = 0.0
        self._promised = 0.0
        # Why a request was refused; "" while none was.
        self.refused = ""

    @property
    def limited(self) -> bool:
        """Whether there is any limit."""
        return self._run_usd is not None or self._period_usd is not None

    def spend(self, usd: float) -> None:
        """So much was spent."""
        self._spent += usd

    def spent_reason(self, charged_usd: float = 0.0) -> str:
        """Why nothing more may be begun; "" while it may. charged_usd: spent in this run, promised or not."""
        if self._run_usd is not None and charged_usd >= self._run_usd:
            return f"the budget of ${self._run_usd:g} is spent"
        return self.refused

    @asynccontextmanager
    async def promise(self, usd: float | None) -> AsyncIterator[None]:
        """Hold back the most that a request can cost while it is under way.

        Raises StoppedError where it does not fit, ConfigurationError where there is a limit and the price is unknown.
        """
        if usd is None and self.limited:
            raise ConfigurationError(
                "A budget is set, and the price of the model is unknown, so it could not be kept. Name a file with its price "
                "in `prices` (docs/models.md), or set no budget (`budget`, --max-cost)."
            )
        usd = usd or 0.0
        while self._refusal(self._promised + usd):
            # Others may turn out cheaper than was promised for them.
            if alone := self._refusal(usd):
                self.refused = alone
                raise StoppedError(alone)
            await asyncio.sleep(_LOOK_SECONDS)
        self._promised += usd
        try:
            yield
        finally:
            self._promised -= usd

    def _refusal(self, usd: float) -> str:
        if self._run_usd is not None and self._spent + usd > self._run_usd:
            return (
                f"the budget of ${self._run_usd:g} does not cover the next request "
                f"(${self._spent:.4f} spent, up to ${usd:.4f} more)"
            )
        if self._period_usd is not None:
            spent = max(self._in_period(), self._before + self._spent)
            if spent + usd > self._period_usd:
                return (
                    f"the budget of ${self._period_usd:g} in {self._period_seconds / _DAY_SECONDS:g} days does not cover "
                    f"the next request (${spent:.4f} spent, up to ${usd:.4f} more)"
                )
        return ""

    def _in_period(self) -> float:
        return self._spent_since(time.time() - self._period_seconds)
