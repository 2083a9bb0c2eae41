"""Decides from pairs of measurements whether a figure has become worse.

What belongs here: ratios, their spread, and the rule. What does not: measuring (guard).

The rule: a figure fails if the median of its ratios is at least 1.1, and if so many of its pairs are worse that chance alone
would cause it less than once in twenty. This is a sign test: five of five pairs must be worse, or eight of nine; if there are
fewer than five pairs, all of them and at least two. This is what "beyond its spread" means: on a busy machine the ratios of equal
code lie on both sides of 1, however far from it, and a slow moment changes only one ratio. A figure that fails is measured once
more, and judged by all pairs together.
"""

import math
import statistics
from dataclasses import dataclass
from functools import cached_property
from typing import Any

# People begin to notice a tenth, and a busy machine changes the median of a few pairs by up to that.
WORSE = 1.1
# How often chance alone may make so many pairs worse: the usual 5 % level of tests.
_BY_CHANCE = 0.05
_FEWEST_PAIRS = 2


def needed(pairs: int) -> int:
    """Return how many of so many pairs must be worse for a figure to fail."""
    for least in range(pairs):
        if sum(math.comb(pairs, count) for count in range(least, pairs + 1)) <= _BY_CHANCE * 2**pairs:
            return least
    return max(_FEWEST_PAIRS, pairs)


@dataclass(frozen=True)
class Figure:
    """One figure. pairs: (now, before), each measured side by side. unit: "s" or "MB"."""

    name: str
    unit: str
    pairs: tuple[tuple[float, float], ...]

    @cached_property
    def ratios(self) -> list[float]:
        """The ratio of each pair, now to before; above 1 is worse."""
        return [now / before for now, before in self.pairs]

    @property
    def median(self) -> float:
        """The ratio of the figure, which is the median of its pairs."""
        return statistics.median(self.ratios)

    @property
    def failed(self) -> bool:
        """Whether it is worse by a tenth, beyond its spread."""
        worse = sum(ratio > 1 for ratio in self.ratios)
        return self.median >= WORSE and worse >= needed(len(self.ratios))

    def summary(self) -> dict[str, Any]:
        """Return the figure as a dictionary of numbers."""
        now, before = zip(*self.pairs, strict=True)
        return {
            "now": statistics.median(now),
            "before": statistics.median(before),
            "ratio": self.median,
            "smallest_ratio": min(self.ratios),
            "largest_ratio": max(self.ratios),
            "failed": self.failed,
        }

    def __str__(self) -> str:
        found = self.summary()
        verdict = "worse" if self.failed else ""
        return (
            f"{self.name:54}{found['now']:9.2f}{found['before']:9.2f} {self.unit:3}{self.median:7.2f}"
            f"{found['smallest_ratio']:7.2f} to {found['largest_ratio']:.2f}  {verdict}"
        ).rstrip()


HEADER = f"{'figure':54}{'now':>9}{'before':>9}    {'ratio':>7}{'spread':>14}"
