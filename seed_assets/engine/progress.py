"""How far a stage has come while it computes, and the line in which people read it.

This module counts nothing itself (stage_watch) and prints nothing (the cli, and Dagster's log of the run).
"""

from dataclasses import dataclass

from io_managers.plain_text import plain
from resources.endpoints.llm import Usage
from resources.wording import duration, shortened

# A terminal that wraps lines has 80 columns; the last one stays free, since some terminals wrap after it.
_COLUMNS = 79
_SHORTEST_NAME = 12


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a stage has come.

    done, total: the units that had to be computed, and how many of them have a result or have failed. name: the unit that was
    finished last. paid: what the run paid in this stage so far. seconds: since the first of them was begun.
    """

    stage: str
    done: int
    total: int
    name: str
    paid: Usage
    seconds: float

    @property
    def seconds_left(self) -> float | None:
        """How long the rest takes at the pace so far; None if nothing is done yet."""
        return self.seconds * (self.total - self.done) / self.done if self.done else None

    def line(self) -> str:
        """The progress in one line that fits into 80 columns: `summaries 40/212  notes/a.md  $0.12, about 11 min left`."""
        begin = f"{self.stage} {self.done:,}/{self.total:,}"
        left = self.seconds_left
        said = [_money(self.paid), f"about {duration(left)} left" if left and self.done < self.total else ""]
        end = ", ".join(filter(None, said))
        room = _COLUMNS - len(begin) - len(end) - (4 if end else 2)
        name = shortened(" ".join(plain(self.name).split()), max(room, _SHORTEST_NAME))
        return "  ".join(filter(None, (begin, name, end)))


def _money(paid: Usage) -> str:
    """What was paid; "" if nothing was."""
    if not paid.usd:
        return "price unknown" if paid.unpriced else ""
    amount = f"${paid.usd:,.2f}" if paid.usd >= 0.01 else f"${paid.usd:.4f}"
    return f"{amount} + unknown" if paid.unpriced else amount
