"""What was asked of paid services, one row an attempt, and what reuse has saved.

What belongs here: keeping account, and the figures that follow from it. What does not: asking, prices, and results,
which are actions. A failed attempt is kept here and never served: its reply is among the values, no action names it.
"""

import time
from collections.abc import Iterable, Sequence

import msgspec

from io_managers.store.database import Database, Write

ANSWERED = "answered"


class Attempt(msgspec.Struct, frozen=True):
    """One request that was sent.

    action_key: what it was to answer. stage: on whose behalf. outcome: `answered`, or in a few words why not; detail:
    what was found. seconds: from sending to the last byte. usd: None where the price is unknown. response: content
    digest of a reply that was not usable, "" where nothing is kept.
    """

    action_key: str
    stage: str
    model: str
    outcome: str
    detail: str = ""
    seconds: float = 0.0
    input_tokens: int = 0
    output_tokens: int = 0
    usd: float | None = 0.0
    response: str = ""
    at: float = 0.0


class Saving(msgspec.Struct, frozen=True):
    """What one run did not have to pay again. results: finished results that it found; the rest is what they had cost."""

    stage: str
    model: str
    results: int
    requests: int
    input_tokens: int
    output_tokens: int
    usd: float
    unpriced: int = 0
    at: float = 0.0


class Account(msgspec.Struct, frozen=True):
    """The figures of one stage and model. unpriced: requests whose price is unknown, which `usd` leaves out.

    latencies: p50, p95 and p99 of answered requests, in seconds; 0 where there were none. outcomes: how often each.
    saved: `results` found again, and what they had cost.
    """

    stage: str
    model: str
    requests: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    usd: float = 0.0
    unpriced: int = 0
    latencies: tuple[float, float, float] = (0.0, 0.0, 0.0)
    outcomes: dict[str, int] = {}
    saved: Saving | None = None


_NOTHING: tuple[int, int, int, float, int] = (0, 0, 0, 0.0, 0)
_ATTEMPT = f"INSERT INTO requests VALUES ({', '.join('?' * len(Attempt.__struct_fields__))})"
_SAVING = f"INSERT INTO savings VALUES ({', '.join('?' * len(Saving.__struct_fields__))})"


class RequestLedger:
    """The tables of attempts and savings."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @staticmethod
    def put(attempt: Attempt) -> Write:
        """The row to commit for an attempt; its time is now."""
        return (_ATTEMPT, [(*msgspec.structs.astuple(attempt)[:-1], time.time())])

    def record(self, attempt: Attempt, *others: Write) -> None:
        """Keep an attempt, with rows that belong to it, soon: nobody has to wait for it."""
        self._database.write(self.put(attempt), *others)

    def save(self, savings: Sequence[Saving]) -> None:
        """Keep what a run has saved."""
        if savings:
            now = time.time()
            self._database.write((_SAVING, [(*msgspec.structs.astuple(saving)[:-1], now) for saving in savings]))

    def spent_usd(self, since: float) -> float:
        """Dollars spent since then (seconds since 1970), by all processes; unknown prices count nothing."""
        ((usd,),) = self._database.read("SELECT TOTAL(usd) FROM requests WHERE at >= ?", (since,))
        return usd

    def accounts(self, since: float = 0.0) -> list[Account]:
        """By stage and model, since then."""
        savings = {
            (saving.stage, saving.model): saving
            for saving in (
                Saving(*row)
                for row in self._database.read(
                    "SELECT stage, model, SUM(results), SUM(requests), SUM(input_tokens), SUM(output_tokens), TOTAL(usd),"
                    " SUM(unpriced), MAX(at) FROM savings WHERE at >= ? GROUP BY stage, model",
                    (since,),
                )
            )
        }
        outcomes: dict[tuple[str, str], dict[str, int]] = {}
        for stage, model, outcome, count in self._database.read(
            "SELECT stage, model, outcome, COUNT(*) FROM requests WHERE at >= ? GROUP BY 1, 2, 3 ORDER BY 4 DESC",
            (since,),
        ):
            outcomes.setdefault((stage, model), {})[outcome] = count
        totals = {
            (stage, model): (count, asked, answered, usd, unpriced)
            for stage, model, count, asked, answered, usd, unpriced in self._database.read(
                "SELECT stage, model, COUNT(*), SUM(input_tokens), SUM(output_tokens), TOTAL(usd), SUM(usd IS NULL)"
                " FROM requests WHERE at >= ? GROUP BY stage, model",
                (since,),
            )
        }
        return [
            Account(
                *name,
                *totals.get(name, _NOTHING),
                latencies=self._latencies(*name, since, outcomes.get(name, {}).get(ANSWERED, 0)),
                outcomes=outcomes.get(name, {}),
                saved=savings.get(name),
            )
            for name in sorted(totals.keys() | savings.keys())
        ]

    def _latencies(self, stage: str, model: str, since: float, count: int) -> tuple[float, float, float]:
        found = [0.0, 0.0, 0.0]
        for place, share in enumerate((0.5, 0.95, 0.99)):
            if count:
                ((found[place],),) = self._database.read(
                    "SELECT seconds FROM requests WHERE stage = ? AND model = ? AND outcome = ? AND at >= ?"
                    " ORDER BY seconds LIMIT 1 OFFSET ?",
                    (stage, model, ANSWERED, since, nearest_rank(share, count)),
                )
        return found[0], found[1], found[2]


def nearest_rank(share: float, count: int) -> int:
    """The place, from 0, of a percentile among `count` sorted figures: the least that so many are not above."""
    return max(0, -int(-share * count // 1) - 1)


def percentiles(seconds: Iterable[float]) -> tuple[float, float, float]:
    """p50, p95, p99 of some latencies, by nearest rank; zeros of none."""
    ordered = sorted(seconds)
    if not ordered:
        return 0.0, 0.0, 0.0
    p50, p95, p99 = (ordered[nearest_rank(share, len(ordered))] for share in (0.5, 0.95, 0.99))
    return p50, p95, p99
