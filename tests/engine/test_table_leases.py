"""A writer that is stopped until it has lost its lease, and goes on: whatever it was about to do, no row is wrong or double.

Real processes and SIGSTOP. What belongs here: what a lease is worth for a table. What does not: leases as such
(store/test_leases), tables with one writer (test_lance).
"""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from io_managers.store import processes
from io_managers.store.errors import LeaseBusyError, LeaseLostError
from io_managers.store.holders import Waiting
from io_managers.store.leases import Leases
from resources.tables.lance import LanceTables
from resources.tables.lance_errors import TableWriteError
from resources.tables.lance_rows import merge
from resources.tables.lance_schema import TABLES
from seed_assets.engine.table_leases import table_held
from tests.resources.tables.test_lance import chunk_rows, keys
from tests.support.stopped_writer import MOMENTS, OWNERS

ROOT = Path(__file__).resolve().parents[2]
EVERY_KEY = ["a#0", "a#1", "b#0", "b#1"]
ELSEWHERE = "other-host 0b1c pid:[1]"


@pytest.fixture
def tables(tmp_path: Path) -> LanceTables:
    """The tables of a home."""
    return LanceTables(tmp_path / "lancedb")


@pytest.fixture
def leases(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Leases]:
    """The leases of the home, of this process, that takes another for dead after a second."""
    monkeypatch.setattr(processes, "EXPIRY_SECONDS", 1.0)
    opened = Leases(tmp_path / "leases.db")
    yield opened
    opened.close()


@pytest.fixture
def writer(tmp_path: Path) -> Iterator[Callable[[str], subprocess.Popen[str]]]:
    """Starts a process that stops itself at a moment of its write, and waits until it has stopped."""
    children: list[subprocess.Popen[str]] = []

    def start(moment: str, place: str = ELSEWHERE) -> subprocess.Popen[str]:
        arguments = [str(tmp_path), place, moment, "stale"]
        child = subprocess.Popen(
            [sys.executable, "-m", "tests.support.stopped_writer", *arguments],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            text=True,
        )
        children.append(child)
        stopped = os.waitid(os.P_PID, child.pid, os.WSTOPPED | os.WEXITED | os.WNOWAIT)
        assert stopped is not None
        assert stopped.si_code == os.CLD_STOPPED
        return child

    yield start
    for child in children:
        child.kill()
        child.communicate()


def goes_on(child: subprocess.Popen[str]) -> list[str]:
    """Wake the process; what it found written at the beginning of each of its attempts."""
    os.kill(child.pid, signal.SIGCONT)
    output, _ = child.communicate(timeout=300)
    assert child.returncode == 0
    return output.splitlines()


@pytest.mark.integration
@pytest.mark.parametrize(
    ("moment", "before"),
    [*((moment, moment == "before it deletes") for moment in MOMENTS), ("in the merge", True)],
    ids=lambda value: value if isinstance(value, str) else "rows that were there" if value else "new rows",
)
def test_a_writer_that_lost_its_lease_looks_again(
    tables: LanceTables,
    leases: Leases,
    writer: Callable[[str], subprocess.Popen[str]],
    moment: str,
    before: bool,
) -> None:
    """Before, it merged on: every row was there twice, every later seed said that all was well."""
    with table_held(leases, tables, "chunks") as held:
        held.write("chunks", chunk_rows(["other", *(OWNERS if before else ())], digest="before"), ["other", *OWNERS])
    child = writer(moment)
    with table_held(leases, tables, "chunks") as held:
        held.write("chunks", chunk_rows(["other", *OWNERS], digest="newer"), ["other", *OWNERS])
    attempts = goes_on(child)
    assert attempts == ["['before']" if before else "[]", "['newer']"]
    rows = tables.read("chunks")
    expected = ["other#0", "other#1"]
    if moment != "before it deletes":
        expected = [*EVERY_KEY, *expected]
        assert set(tables.written("chunks", OWNERS).values()) == {"stale"}
    assert rows["chunk_id"].to_pylist() == expected
    assert tables.written("chunks", ["other"]) == {"other": "newer"}
    assert tables.state("chunks") is not None


@pytest.mark.integration
@pytest.mark.parametrize("moment", ["in the merge", "after the commit"])
def test_a_stopped_writer_of_this_place_keeps_its_lease(
    tables: LanceTables, leases: Leases, writer: Callable[[str, str], subprocess.Popen[str]], moment: str
) -> None:
    """It is there, and a process that waits learns how to go on; it was not killed, so nothing is taken from it."""
    child = writer(moment, processes.place())
    with (
        pytest.raises(LeaseBusyError, match=rf"process {child.pid} .*kill -CONT {child.pid}"),
        table_held(leases, tables, "chunks", Waiting(patience_seconds=2.0)),
    ):
        pass
    assert goes_on(child) == ["[]"]
    with table_held(leases, tables, "chunks"):
        assert keys(tables) == EVERY_KEY


@pytest.mark.integration
def test_a_fence_that_fails_is_run_by_the_next_to_take_the_lease(
    tables: LanceTables,
    leases: Leases,
    writer: Callable[[str], subprocess.Popen[str]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Freed as if nothing was the matter, the lease would go to one that does not know of the stopped writer."""
    tables.write("chunks", chunk_rows(["other"]), ["other"])
    child = writer("in the merge")
    with monkeypatch.context() as patch:
        patch.setattr(
            LanceTables, "fence", lambda *_: (_ for _ in ()).throw(TableWriteError("chunks", "full.", "Wait."))
        )
        with pytest.raises(TableWriteError), table_held(leases, tables, "chunks"):
            pass
    with table_held(leases, tables, "chunks") as held:
        held.write("chunks", chunk_rows(OWNERS, digest="newer"), OWNERS)
    assert goes_on(child) == ["[]", "['newer']"]
    assert keys(tables) == [*EVERY_KEY, "other#0", "other#1"]


@pytest.mark.integration
def test_what_clears_away_dead_owners_leaves_the_fence_to_be_run(
    tables: LanceTables, leases: Leases, writer: Callable[[str], subprocess.Popen[str]], tmp_path: Path
) -> None:
    tables.write("chunks", chunk_rows(["other"]), ["other"])
    child = writer("in the merge")
    leases.take(["something"])
    while len(leases.database.read("SELECT 1 FROM owners")) > 1:
        clearing = Leases(tmp_path / "leases.db")  # a process that starts: it sees the others when it registers
        clearing.take(["another thing"])
        clearing.close()
    with table_held(leases, tables, "chunks") as held:
        held.write("chunks", chunk_rows(OWNERS, digest="newer"), OWNERS)
    assert goes_on(child) == ["[]", "['newer']"]
    assert keys(tables) == [*EVERY_KEY, "other#0", "other#1"]


@pytest.mark.parametrize("known", ["made so", "made by an earlier version"])
def test_two_writers_without_a_lease_leave_no_row_twice(tables: LanceTables, known: str) -> None:
    """Each looked before the other wrote: LanceDB itself notices it, by the key of the table."""
    import lancedb

    if known == "made by an earlier version":
        lancedb.connect(tables.directory).create_table("chunks", schema=TABLES["chunks"].schema(4))
        tables.write("chunks", chunk_rows([]), [])
    tables.write("chunks", chunk_rows(["other"]), ["other"])
    opened = tables.open("chunks")
    tables.write("chunks", chunk_rows(OWNERS, digest="newer"), OWNERS)
    with suppress(RuntimeError):
        merge(opened, TABLES["chunks"], chunk_rows(OWNERS, digest="stale"), OWNERS)
    assert keys(tables) == [*EVERY_KEY, "other#0", "other#1"]


def test_after_a_fence_nothing_is_committed_on_an_older_handle(tables: LanceTables) -> None:
    from lancedb.index import BTree

    tables.write("chunks", chunk_rows(["other"]), ["other"])
    state = tables.state("chunks")
    for begun in (
        lambda opened: merge(opened, TABLES["chunks"], chunk_rows(OWNERS), OWNERS),
        lambda opened: opened.delete("document_id = 'other'"),
        lambda opened: opened.create_index("document_id", config=BTree()),
    ):
        opened = tables.open("chunks")
        tables.fence("chunks")
        with pytest.raises(RuntimeError, match="Restore"):
            begun(opened)
    assert keys(tables) == ["other#0", "other#1"]
    assert state is not None
    assert (tables.state("chunks") or "").partition("@")[0] == state.partition("@")[0]


def test_a_lost_lease_is_named_before_anything_is_written(tables: LanceTables) -> None:
    def lost() -> None:
        raise LeaseLostError("The lease of table chunks was lost.")

    tables.write("chunks", chunk_rows(["other"]), ["other"])
    version = tables.version("chunks")
    held = tables.under(lost)
    for attempt in (
        lambda: held.write("chunks", chunk_rows(OWNERS), OWNERS),
        lambda: held.delete_rows("chunks", ["other"]),
        lambda: held.drop("chunks"),
        lambda: held.maintain("chunks", lambda opened: opened.delete("true")),
    ):
        with pytest.raises(LeaseLostError):
            attempt()
    assert tables.version("chunks") == version
