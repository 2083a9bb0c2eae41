"""The account of a store: by day, stage and model, what was asked, spent, wasted and saved, and how long answers took.

What belongs here: reading the account. SQLite keeps it up to date itself (sqlite.schema), and the single requests are in
request_ledger.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Literal

import msgspec

from io_managers.store.request_ledger import ANSWERED, USABLE, Saving, nearest_rank
from io_managers.store.sqlite.database import Database, Row
from io_managers.store.sqlite.schema import LATENCY_OF, SPENDING_OF

Key = Literal["day", "stage", "model"]
KEYS: tuple[Key, ...] = ("day", "stage", "model")
"""By what an account can be broken down, in this order."""

_DAY_SECONDS = 86_400
_FOR_EVER = 1e12


class Spent(msgspec.Struct, frozen=True):
    """A number of requests and what they cost. usd: without the `unpriced` ones, whose price is unknown."""

    requests: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    usd: float = 0.0
    unpriced: int = 0

    @property
    def tokens(self) -> int:
        """Tokens of prompts and answers."""
        return self.input_tokens + self.output_tokens


class Account(msgspec.Struct, frozen=True):
    """The totals of one day, stage and model; "" for each of these over which they are added up.

    requests: all that were sent; `usd` leaves out the `unpriced` ones, whose price is unknown. latencies: p50, p95 and p99 of
    answered requests, in seconds, to three digits; 0 if there were none. outcomes: the number of requests by outcome. wasted:
    the requests without a usable answer; they are a part of `requests`. saved: what reuse has saved. misses: how many results
    were computed with requests, in whole days, of stages that have published anything.
    """

    day: str
    stage: str
    model: str
    requests: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    usd: float = 0.0
    unpriced: int = 0
    latencies: tuple[float, float, float] = (0.0, 0.0, 0.0)
    outcomes: dict[str, int] = {}
    wasted: Spent = Spent()
    saved: Saving | None = None
    misses: int = 0

    @property
    def hits(self) -> int:
        """How many results were found that had cost something."""
        return self.saved.results if self.saved else 0

    @property
    def hit_rate(self) -> float | None:
        """The share of hits among hits and misses, 0 to 1; None if there were neither."""
        return self.hits / (self.hits + self.misses) if self.hits + self.misses else None


class Accounting:
    """Reads the account of a store."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def accounts(self, since: float = 0.0, by: Sequence[Key] = ("stage", "model")) -> list[Account]:
        """The totals since a time (seconds since 1970; 0 for all), for each value of the keys `by`, sorted by them."""
        if not any(
            self._database.read(f"SELECT EXISTS (SELECT 1 FROM {table})")[0][0] for table in ("requests", "savings")
        ):
            return []
        names = ", ".join(key if key in by else f"'' AS {key}" for key in KEYS)
        groups = ", ".join(by)
        spent: dict[tuple[str, ...], dict[str, Spent]] = {}
        for *name, outcome, requests, asked, answered, usd, unpriced in self._rows(
            since,
            f"SELECT {names}, outcome, SUM(requests), SUM(input_tokens), SUM(output_tokens), TOTAL(usd), SUM(unpriced)",
            "spending",
            SPENDING_OF,
            "true",
            f"GROUP BY {groups}, outcome ORDER BY 5 DESC",
        ):
            spent.setdefault(tuple(name), {})[outcome] = Spent(requests, asked, answered, usd, unpriced)
        latencies: dict[tuple[str, ...], list[tuple[float, int]]] = {}
        for day, stage, model, seconds, count in self._rows(
            since,
            f"SELECT {names}, seconds, SUM(requests)",
            "latencies",
            LATENCY_OF,
            f"outcome = '{ANSWERED}'",
            f"GROUP BY {groups}, seconds",
        ):
            latencies.setdefault((day, stage, model), []).append((seconds, count))
        saved = self._saved(since, names, groups)
        misses = self._misses(since, names, groups)
        return [
            _account(name, spent.get(name, {}), latencies.get(name, []), saved.get(name), misses.get(name, 0))
            for name in sorted(spent.keys() | saved.keys())
        ]

    def _rows(self, since: float, select: str, table: str, of_request: str, where: str, group: str) -> list[Row]:
        """Rows of a table by day. The day in which `since` falls is added up from its single requests."""
        by_day = self._is_by_day()
        if by_day and not since:
            return self._database.read(f"{select} FROM {table} {group}")
        days, parameters = f"SELECT * FROM {table} WHERE day > ?", [_day(since)]
        begin, end = since, _next_midnight(since)
        if not by_day:
            days, parameters, end = f"SELECT {of_request.format('')} FROM requests WHERE false", [], _FOR_EVER
        columns = {
            "spending": "day, stage, model, outcome, requests, input_tokens, output_tokens, usd, unpriced",
            "latencies": "day, stage, model, seconds, requests",
        }[table]
        single = f"SELECT {of_request.format('')} FROM requests WHERE at >= ? AND at < ? AND {where}"
        source = f"WITH found ({columns}) AS ({days} UNION ALL {single})"
        return self._database.read(f"{source} {select} FROM found {group}", (*parameters, begin, end))

    def _saved(self, since: float, names: str, groups: str) -> dict[tuple[str, ...], Saving]:
        rows = self._database.read(
            f"SELECT {names}, SUM(results), SUM(requests), SUM(input_tokens), SUM(output_tokens), TOTAL(usd), SUM(unpriced),"
            " MAX(at) FROM (SELECT *, date(at, 'unixepoch') AS day FROM savings WHERE at >= ?)"
            f" GROUP BY {groups}",
            (since,),
        )
        return {(day, stage, model): Saving(stage, model, *found) for day, stage, model, *found in rows}

    def _misses(self, since: float, names: str, groups: str) -> dict[tuple[str, ...], int]:
        if not self._is_by_day():
            return {}
        # Answers and single vectors are results inside of others, and are never published themselves.
        published = "EXISTS (SELECT 1 FROM refs WHERE refs.stage = computed.stage)"
        rows = self._database.read(
            f"SELECT {names}, SUM(results) FROM computed WHERE day >= ? AND {published} GROUP BY {groups}",
            (_day(since) if since else "",),
        )
        return {tuple(name): count for *name, count in rows}

    def _is_by_day(self) -> bool:
        """Whether the file has the tables by day; a file of an earlier version that cannot be written has none."""
        return bool(self._database.read("SELECT 1 FROM sqlite_master WHERE name = 'computed'"))


def _account(
    name: tuple[str, ...],
    spent: Mapping[str, Spent],
    latencies: Sequence[tuple[float, int]],
    saved: Saving | None,
    misses: int,
) -> Account:
    every = _sum(spent.values())
    day, stage, model = name
    return Account(
        day,
        stage,
        model,
        every.requests,
        every.input_tokens,
        every.output_tokens,
        every.usd,
        every.unpriced,
        latencies=_percentiles(latencies),
        outcomes={outcome: found.requests for outcome, found in spent.items()},
        wasted=_sum(found for outcome, found in spent.items() if outcome not in USABLE),
        saved=saved,
        misses=misses,
    )


def _sum(spent: Iterable[Spent]) -> Spent:
    found: list[Any] = [msgspec.structs.astuple(each) for each in spent]
    return Spent(*(sum(column) for column in zip(*found, strict=True))) if found else Spent()


def _percentiles(latencies: Sequence[tuple[float, int]]) -> tuple[float, float, float]:
    """p50, p95 and p99 by the nearest-rank method. latencies: (seconds, how many answers took that long)."""
    latencies = sorted(latencies)
    total = sum(count for _, count in latencies)
    found = [0.0, 0.0, 0.0]
    for place, share in enumerate((0.5, 0.95, 0.99) if total else ()):
        rank, passed = nearest_rank(share, total), 0
        for seconds, count in latencies:
            passed += count
            if passed > rank:
                found[place] = seconds
                break
    return found[0], found[1], found[2]


def _day(at: float) -> str:
    """The day of a time in UTC, as 2026-01-31; a time too far in the past or future is the first or last day."""
    return datetime.fromtimestamp(min(max(at, 0.0), _FOR_EVER / 10), UTC).date().isoformat()


def _next_midnight(at: float) -> float:
    return (at // _DAY_SECONDS + 1) * _DAY_SECONDS
