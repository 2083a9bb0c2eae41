"""The account of a store: by day, stage and model, what was asked, spent, wasted and saved, hits and misses, and latencies."""

import os
import random
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from io_managers.store.account import KEYS, Account
from io_managers.store.action_cache import Provenance
from io_managers.store.fingerprint import KeyTemplate
from io_managers.store.refs import Ref
from io_managers.store.repair import repair
from io_managers.store.request_ledger import Attempt, Saving, percentiles
from io_managers.store.sqlite.schema import ACCOUNT_TABLES
from io_managers.store.store import Store

DAY = 86_400
NOON = 20_000 * DAY + DAY / 2
TABLES = ("spending", "latencies", "computed")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = Store(tmp_path / "store")
    yield opened
    opened.close()


def write(store: Store, *attempts: Attempt, at: float) -> None:
    """Record requests that ended at a time."""
    store.database.write(
        *(
            ("INSERT INTO requests VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", [(*_fields(attempt), at)])
            for attempt in attempts
        )
    ).result()


def _fields(attempt: Attempt) -> tuple[object, ...]:
    return tuple(getattr(attempt, name) for name in Attempt.__struct_fields__[:-1])


def filled(store: Store) -> list[tuple[float, Attempt]]:
    """Three days of requests to two models for two stages, of which some cannot be used and some have no known price."""
    chance = random.Random(3)
    found: list[tuple[float, Attempt]] = []
    for number in range(200):
        attempt = Attempt(
            f"key {number}",
            chance.choice(["summaries", "judgements"]),
            chance.choice(["a", "b"]),
            chance.choice(["answered", "answered", "answered", "wrong shape", "timeout"]),
            seconds=chance.randrange(1, 900) / 100,
            input_tokens=chance.randrange(1000),
            output_tokens=chance.randrange(100),
            usd=chance.choice([0.25, 0.125, None]),
        )
        at = NOON + chance.randrange(3) * DAY + chance.randrange(-10_000, 10_000)
        write(store, attempt, at=at)
        found.append((at, attempt))
    return found


def expected(attempts: list[tuple[float, Attempt]], since: float, keys: tuple[str, ...]) -> list[Account]:
    """The account, added up from the single requests in the plainest way."""
    groups: dict[tuple[str, ...], list[Attempt]] = {}
    for at, attempt in attempts:
        if at >= since:
            whole = {
                "day": datetime.fromtimestamp(at, UTC).date().isoformat(),
                "stage": attempt.stage,
                "model": attempt.model,
            }
            groups.setdefault(tuple(whole[key] if key in keys else "" for key in KEYS), []).append(attempt)
    return [_account(name, group) for name, group in sorted(groups.items())]


def _account(name: tuple[str, ...], group: list[Attempt]) -> Account:
    wasted = [attempt for attempt in group if attempt.outcome != "answered"]
    return Account(
        name[0],
        name[1],
        name[2],
        requests=len(group),
        input_tokens=sum(attempt.input_tokens for attempt in group),
        output_tokens=sum(attempt.output_tokens for attempt in group),
        usd=sum(attempt.usd or 0.0 for attempt in group),
        unpriced=sum(attempt.usd is None for attempt in group),
        latencies=percentiles(attempt.seconds for attempt in group if attempt.outcome == "answered"),
        outcomes={outcome: sum(a.outcome == outcome for a in group) for outcome in {a.outcome for a in group}},
        wasted=type(Account("", "", "").wasted)(
            len(wasted),
            sum(attempt.input_tokens for attempt in wasted),
            sum(attempt.output_tokens for attempt in wasted),
            sum(attempt.usd or 0.0 for attempt in wasted),
            sum(attempt.usd is None for attempt in wasted),
        ),
    )


@pytest.mark.parametrize("keys", [("stage", "model"), ("day",), ("stage",), ("model",), KEYS])
def test_the_account_is_the_sum_of_its_requests(store: Store, keys: tuple[str, ...]) -> None:
    """Sums that are kept beside the rows must not differ from them, and a part of a day is not the whole day."""
    attempts = filled(store)
    for since in (0.0, NOON + 1000, NOON + DAY, NOON + 2 * DAY - 3000, NOON + 9 * DAY):
        assert store.account.accounts(since, keys) == expected(attempts, since, keys), since  # type: ignore[arg-type]


def test_hits_and_misses_are_results_of_stages_with_a_cost(store: Store) -> None:
    template = KeyTemplate("summaries", {"version": "1"})
    inner = KeyTemplate("model_request", {"version": "1"})
    paid, free = Provenance(requests=1, usd=0.5, model="a"), Provenance(preview='it says "requests": none')
    actions = [template.action({"input": number}) for number in range(6)]
    for action, provenance in zip(actions, [paid, paid, paid, free, free, free], strict=True):
        store.commit([(action, f"value {action.key}", provenance)]).result()
    (digest,) = store.commit([(inner.action({"input": 1}), "an answer", paid)]).result()
    # A question that was asked outside of any stage: the answers inside of stages are no misses of it.
    store.requests.record(Attempt("k", "model_request", "a", "answered", usd=0.5))
    store.refs.publish([Ref("summaries", "a.md", actions[0].key, digest)])
    store.requests.record(Attempt("k", "summaries", "a", "answered", usd=0.5))
    store.requests.save([Saving("summaries", "a", 9, 10, 0, 0, 5.0)])
    store.database.write().result()
    outside, account = store.account.accounts()
    assert (outside.stage, outside.misses, outside.hit_rate) == ("model_request", 0, None)
    assert (account.hits, account.misses, account.hit_rate) == (9, 3, 0.75)
    store.commit([(actions[0], "another value", paid)], replace=True).result()
    assert store.account.accounts()[1].misses == 4  # it was computed twice


def test_there_is_no_hit_rate_where_nothing_was_needed(store: Store) -> None:
    store.requests.record(Attempt("k", "summaries", "a", "timeout"))
    store.database.write().result()
    (account,) = store.account.accounts()
    assert account.hit_rate is None


def without_sums(directory: Path) -> None:
    """Make a store one of an earlier version, which has only the single requests."""
    with closing(sqlite3.connect(directory / "store.db")) as raw:
        for (name,) in raw.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            raw.execute(f"DROP TRIGGER {name}")
        for table in TABLES:
            raw.execute(f"DROP TABLE {table}")
        raw.execute("DROP INDEX actions_age")
        raw.commit()


def test_an_earlier_store_has_the_same_account_once_it_is_opened(store: Store, tmp_path: Path) -> None:
    """Homes from before would begin with an empty account."""
    attempts = filled(store)
    template = KeyTemplate("summaries", {"version": "1"})
    store.commit([(template.action({"input": 1}), "value", Provenance(requests=1, model="a"))]).result()
    before = store.account.accounts(0.0, KEYS)
    store.close()
    without_sums(store.directory)
    with closing(Store(store.directory)) as opened:
        assert opened.account.accounts(0.0, KEYS) == before
        write(opened, Attempt("k", "summaries", "a", "answered", usd=1.0), at=NOON)
        assert sum(found.requests for found in opened.account.accounts()) == len(attempts) + 1


@pytest.mark.skipif(os.geteuid() == 0, reason="nothing is read-only for this user")
def test_an_earlier_store_that_cannot_be_written_has_an_account(store: Store) -> None:
    attempts = filled(store)
    store.close()
    without_sums(store.directory)
    for path in (store.directory, *store.directory.iterdir()):
        path.chmod(0o500)
    with closing(Store(store.directory)) as opened:
        assert opened.account.accounts() == expected(attempts, 0.0, ("stage", "model"))


def test_the_account_without_sums_by_day_is_added_up_from_the_requests(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The form of the test above that can be run by root."""
    attempts = filled(store)
    monkeypatch.setattr(store.account, "_is_by_day", lambda: False)
    assert store.account.accounts(NOON, KEYS) == expected(attempts, NOON, KEYS)


def test_a_repaired_store_has_the_same_account(store: Store) -> None:
    filled(store)
    before = store.account.accounts(0.0, KEYS)
    store.close()
    repair(store.directory)
    with closing(Store(store.directory)) as opened:
        assert opened.account.accounts(0.0, KEYS) == before


def test_the_account_reads_no_single_request(store: Store) -> None:
    """With a million requests it would take seconds."""
    filled(store)
    read: list[str] = []
    store.database._reader.set_trace_callback(read.append)
    store.account.accounts()
    store.account.accounts(0.0, KEYS)
    assert read
    assert {table for table in TABLES if f"CREATE TABLE IF NOT EXISTS {table} " in ACCOUNT_TABLES} == set(TABLES)
    for statement in read:
        plan = " ".join(str(row) for row in store.database.read(f"EXPLAIN QUERY PLAN {statement}"))
        assert "SCAN requests" not in plan or "EXISTS" in statement, statement
        assert "SCAN actions" not in plan, statement


def test_a_request_that_ends_now_is_of_today(store: Store) -> None:
    before = datetime.fromtimestamp(time.time(), UTC).date().isoformat()
    store.requests.record(Attempt("k", "summaries", "a", "answered"))
    store.database.write().result()
    (account,) = store.account.accounts(0.0, ("day",))
    assert account.day in (before, datetime.fromtimestamp(time.time(), UTC).date().isoformat())
