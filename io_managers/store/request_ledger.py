"""The request ledger: one row per attempt to send a request to a model, and what reuse has saved.

Results are recorded as actions. A failed attempt is recorded only here: its reply is stored as a value, but no action refers
to it, so it is never served as a result.
"""

import time
from collections.abc import Iterable, Sequence

import msgspec

from io_managers.store.sqlite.database import Database, Write

ANSWERED = "answered"
ANSWERED_IN_BATCH = "answered in a batch"
"""The outcome of an answer that came in a batch of the provider, at the price of batches, and whose latency says nothing."""
USABLE = (ANSWERED, ANSWERED_IN_BATCH)
NEWEST = 100_000
"""How many requests are compared with each other when it is looked for answers that were paid for again."""


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
    """What reuse saved.

    results: how many whole results of documents, clusters or the corpus were found. The other fields are what they had cost, and
    what had been paid for answers that were found while other results were computed.
    """

    stage: str
    model: str
    results: int
    requests: int
    input_tokens: int
    output_tokens: int
    usd: float
    unpriced: int = 0
    at: float = 0.0


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

    def has_any(self) -> bool:
        """Whether any request was ever sent."""
        return bool(self._database.read("SELECT EXISTS (SELECT 1 FROM requests)")[0][0])

    def answered_for(self, stages: Sequence[str]) -> set[str]:
        """The keys of all requests that these stages have paid for."""
        wanted = msgspec.json.encode(list(stages)).decode()
        rows = self._database.read(
            "SELECT DISTINCT action_key FROM requests WHERE stage IN (SELECT value FROM json_each(?))", (wanted,)
        )
        return {row[0] for row in rows}

    def answered_again(self) -> dict[str, int]:
        """By stage, how many of the newest requests were answered although the same action had been answered before.

        It looks at NEWEST requests, so that it takes a tenth of a second at most.
        """
        rows = self._database.read(
            "SELECT stage, SUM(answers - 1) FROM (SELECT stage, COUNT(*) AS answers FROM requests WHERE outcome IN (?, ?)"
            " AND rowid > (SELECT MAX(rowid) FROM requests) - ? GROUP BY stage, action_key HAVING COUNT(*) > 1) GROUP BY stage"
            " ORDER BY stage",
            (*USABLE, NEWEST),
        )
        return dict(rows)

    def spent_usd(self, since: float) -> float:
        """Dollars spent by all processes since a time (seconds since 1970); unknown prices count as 0."""
        ((usd,),) = self._database.read("SELECT TOTAL(usd) FROM requests WHERE at >= ?", (since,))
        return usd


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
