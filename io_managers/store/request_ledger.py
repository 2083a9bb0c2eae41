"""The request ledger: one row per attempt to send a request to a model, and what reuse has saved.

Results are recorded as actions. A failed attempt is recorded only here: its reply is stored as a value, but no action refers
to it, so it is never served as a result.
"""

import time
from collections.abc import Iterable, Sequence

import msgspec

from io_managers.store.sqlite.database import Database, Write

ANSWERED = "answered"


class Attempt(msgspec.Struct, frozen=True):
    """One sending of a request.

    action_key: the action that the request belongs to. stage: the stage that pays for it. outcome: `answered`, or the kind
    of failure in a few words. detail: what was found. seconds: from sending to the last byte. usd: the cost; None if the
    price is unknown. response: the content digest of an unusable reply; "" if none is stored.
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
    """What one run saved by reuse. results: how many stored results it used; the other fields are what they had cost."""

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
    """The totals of one stage and model.

    unpriced: requests whose price is unknown; `usd` does not contain them. latencies: p50, p95 and p99 of answered requests,
    in seconds; 0 if there were none. outcomes: the number of attempts by outcome. saved: what reuse has saved.
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
        """The row to commit for an attempt that ended now."""
        return (_ATTEMPT, [(*msgspec.structs.astuple(attempt)[:-1], time.time())])

    def record(self, attempt: Attempt, *others: Write) -> None:
        """Queue an attempt, with other rows that belong to it, without waiting for the commit."""
        self._database.write(self.put(attempt), *others)

    def save(self, savings: Sequence[Saving]) -> None:
        """Record what a run has saved by reuse."""
        if savings:
            now = time.time()
            self._database.write((_SAVING, [(*msgspec.structs.astuple(saving)[:-1], now) for saving in savings]))

    def spent_usd(self, since: float) -> float:
        """Dollars spent by all processes since a time (seconds since 1970); unknown prices count as 0."""
        ((usd,),) = self._database.read("SELECT TOTAL(usd) FROM requests WHERE at >= ?", (since,))
        return usd

    def accounts(self, since: float = 0.0) -> list[Account]:
        """The totals by stage and model since a time (seconds since 1970; 0 for all)."""
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
    """The index of a percentile among `count` sorted values, by the nearest-rank method. share: 0.5 for the median."""
    return max(0, -int(-share * count // 1) - 1)


def percentiles(seconds: Iterable[float]) -> tuple[float, float, float]:
    """p50, p95 and p99 of latencies in seconds, by the nearest-rank method; zeros if there are none."""
    ordered = sorted(seconds)
    if not ordered:
        return 0.0, 0.0, 0.0
    p50, p95, p99 = (ordered[nearest_rank(share, len(ordered))] for share in (0.5, 0.95, 0.99))
    return p50, p95, p99
