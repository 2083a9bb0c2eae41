"""What may still be spent, asked before each request.

This module has the limits in dollars, and what is spent and reserved against them. It knows no prices, and it does not stop a
run (runner).
"""

import asyncio
import math
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from resources.errors import ConfigurationError, StoppedError

_DAY_SECONDS = 86_400


class Budget:
    """The limits of one run. No request is sent whose greatest possible cost does not fit into them.

    run_usd: of this run; None for no limit. period_usd: of all runs of the home in the last `period_days` days.
    run_setting: the setting that changes run_usd.
    """

    def __init__(
        self,
        run_usd: float | None = None,
        *,
        period_usd: float | None = None,
        period_days: float = 1.0,
        spent_since: Callable[[float], float] = lambda since: 0.0,
        run_setting: str = "--max-cost",
    ) -> None:
        self._run_usd = run_usd
        self._run_setting = run_setting
        self._period_usd = period_usd
        self._period_seconds = period_days * _DAY_SECONDS
        self._spent_since = spent_since
        self._before = self._in_period() if period_usd is not None else 0.0
        self._spent = 0.0
        # The most that each request under way can cost. They are kept one by one, since rounding errors would stay behind in a
        # running sum.
        self._reserved: list[float] = []
        self._waiting: list[asyncio.Future[None]] = []
        # Why a request was refused; "" while none was.
        self.refused = ""
        # The most that this request can cost, and whether the limit of the period refused it.
        self._refused_usd = 0.0
        self._refused_by_period = False

    @property
    def limited(self) -> bool:
        """Whether there is any limit."""
        return self._run_usd is not None or self._period_usd is not None

    @property
    def spent_usd(self) -> float:
        """What was spent in this run, batches that were sent included."""
        return self._spent

    @property
    def left_usd(self) -> float | None:
        """How many dollars may still be spent, apart from what is reserved; None if there is no limit."""
        left: list[float] = []
        if self._run_usd is not None:
            left.append(self._run_usd - self._spent)
        if self._period_usd is not None:
            left.append(self._period_usd - self._spent_in_period())
        return max(0.0, min(left)) if left else None

    def spend(self, usd: float) -> None:
        """Count what was spent."""
        self._spent += usd

    def spent_reason(self, charged_usd: float = 0.0) -> str:
        """Why nothing more may be begun, "" while it may. charged_usd: what was spent in this run, reserved or not."""
        if self._run_usd is not None and charged_usd >= self._run_usd:
            return f"the budget of ${self._run_usd:g} is spent"
        return self.refused

    @asynccontextmanager
    async def reserve(self, usd: float | None) -> AsyncIterator[None]:
        """Set aside the most that a request can cost while it is under way.

        Raises StoppedError if it does not fit, ConfigurationError if there is a limit and the price is unknown.
        """
        if usd is None and self.limited:
            raise ConfigurationError(
                "A budget is set, and the price of the model is unknown, so it could not be kept. Name a file with its price "
                "in `prices` (docs/models.md), or set no budget (`budget`, --max-cost)."
            )
        usd = usd or 0.0
        # What costs nothing cannot overspend anything.
        while usd and self._refusal(math.fsum(self._reserved) + usd):
            if alone := self._refusal(usd):
                self._refused_usd, self._refused_by_period = usd, not self._exceeds_run(usd)
                self.refused = alone
                raise StoppedError(alone)
            if self._reserved:
                # Requests under way may turn out cheaper than what is set aside for them.
                await self._next_end()
        self._reserved.append(usd)
        try:
            yield
        finally:
            self._reserved.remove(usd)
            waiting, self._waiting = self._waiting, []
            for one in waiting:
                if not one.done():
                    one.set_result(None)

    async def _next_end(self) -> None:
        """Wait until one of this process's requests under way ends. What others spend meanwhile only leaves less room."""
        end = asyncio.get_running_loop().create_future()
        self._waiting.append(end)
        await end

    def remedy(self) -> str:
        """What the user can do after the budget was reached, in a sentence."""
        later = f"run again when less was spent in the last {self._days()}"
        if self._refused_by_period and self._period_usd is not None:
            if self._refused_usd > self._period_usd:
                return f"Raise budget.period_usd: the next request alone may cost ${self._refused_usd:.4f}."
            return f"Raise budget.period_usd, or {later}."
        if self._refused_usd > (self._run_usd or 0.0):
            return f"Raise {self._run_setting}: the next request alone may cost ${self._refused_usd:.4f}."
        if not self._run_usd:
            return f"Raise {self._run_setting}: nothing that costs is done with it."
        if self._exceeds_period(self._refused_usd):
            return f"Raise {self._run_setting} and budget.period_usd, or {later}."
        return f"Run again to go on, with as much for that run, or raise {self._run_setting}."

    def _exceeds_run(self, usd: float) -> bool:
        return self._run_usd is not None and self._spent + usd > self._run_usd

    def _refusal(self, usd: float) -> str:
        if self._exceeds_run(usd):
            return (
                f"the budget of ${self._run_usd:g} does not cover the next request "
                f"(${self._spent:.4f} spent, up to ${usd:.4f} more)"
            )
        if self._exceeds_period(usd):
            return (
                f"the budget of ${self._period_usd:g} in {self._days()} does not cover the next request "
                f"(${self._spent_in_period():.4f} spent, up to ${usd:.4f} more)"
            )
        return ""

    def _exceeds_period(self, usd: float) -> bool:
        return self._period_usd is not None and self._spent_in_period() + usd > self._period_usd

    def _spent_in_period(self) -> float:
        return max(self._in_period(), self._before + self._spent)

    def _days(self) -> str:
        days = self._period_seconds / _DAY_SECONDS
        return f"{days:g} {'day' if days == 1 else 'days'}"

    def _in_period(self) -> float:
        return self._spent_since(time.time() - self._period_seconds)
