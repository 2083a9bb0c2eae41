"""A store that an earlier program made becomes one of today in place: nothing is lost, and an interruption costs nothing."""

import os
import shutil
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from io_managers.store.action_cache import Provenance
from io_managers.store.failures import FailureRecord
from io_managers.store.fingerprint import Action, KeyTemplate
from io_managers.store.refs import Ref
from io_managers.store.repair import repair
from io_managers.store.sqlite.schema import SEALS, TODAY
from io_managers.store.store import Store

ROOT = Path(__file__).parents[3]
TEMPLATE = KeyTemplate("stage", {"version": "1"})
COUNT = 300


def action(number: int) -> Action:
    return TEMPLATE.action({"input": number})


@pytest.fixture
def earlier(tmp_path: Path) -> Path:
    """A store of format 1, without seals, closed."""
    directory = tmp_path / "store"
    store = Store(directory)
    digests = store.commit([(action(i), f"value {i}", Provenance(usd=i)) for i in range(COUNT)]).result()
    store.refs.publish([Ref("stage", f"p{i}", action(i).key, digest) for i, digest in enumerate(digests)])
    store.failures.record([FailureRecord(action(COUNT).key, "stage", "bad", "broken", "fix it", False)])
    store.close()
    with closing(sqlite3.connect(directory / "store.db")) as raw:
        for table, seals in SEALS.items():
            for column in seals:
                raw.execute(f"ALTER TABLE {table} DROP COLUMN {column}")
        raw.execute("ALTER TABLE failures DROP COLUMN settings")
        without_retention(raw)
        raw.execute("PRAGMA user_version = 1")
        raw.commit()
    return directory


def without_retention(raw: sqlite3.Connection) -> None:
    """Take away what bounds a store and erases from it, as in a file from before that."""
    for kind, name in (
        ("TRIGGER", "ref_replaced"),
        ("TRIGGER", "ref_dropped"),
        ("TABLE", "origins"),
        ("INDEX", "actions_age"),
        ("INDEX", "actions_digest"),
        ("INDEX", "refs_action"),
        ("INDEX", "requests_response"),
    ):
        raw.execute(f"DROP {kind} {name}")
    raw.execute("ALTER TABLE actions DROP COLUMN used_on")
    raw.execute("CREATE INDEX actions_stage ON actions (stage)")


def assert_whole(directory: Path) -> None:
    with closing(Store(directory)) as store:
        found = store.actions.lookup(action(i).key for i in range(COUNT))
        assert [store.load(found[action(i).key].content_digest) for i in range(COUNT)] == [
            f"value {i}" for i in range(COUNT)
        ]
        assert [found[action(i).key].provenance.usd for i in range(COUNT)] == list(range(COUNT))
        assert store.actions.parts([action(5).key])[action(5).key] == action(5).parts
        assert len(store.refs.get("stage")) == COUNT
        assert len(store.refs.published("stage", results=True)) == COUNT
        assert store.failures.lookup([action(COUNT).key])
        assert store.verify() == []


def test_everything_of_an_earlier_store_is_found_and_sealed(earlier: Path) -> None:
    assert_whole(earlier)
    with closing(sqlite3.connect(earlier / "store.db")) as raw:
        assert raw.execute("PRAGMA user_version").fetchone() == (2,)
        for table, seals in SEALS.items():
            for column in seals:
                assert raw.execute(f"SELECT count(*) FROM {table} WHERE {column} IS NULL").fetchone() == (0,)


def test_results_of_an_earlier_store_count_as_used_when_it_was_migrated(tmp_path: Path) -> None:
    """Otherwise the first collection would remove everything that is older than a time to live that was just set."""
    directory = tmp_path / "store"
    with closing(Store(directory)) as store:
        store.commit([(action(1), "a value", Provenance())]).result()
    with closing(sqlite3.connect(directory / "store.db")) as raw:
        without_retention(raw)
        raw.execute("UPDATE actions SET created_at = 0")
        raw.commit()
    with closing(Store(directory)) as store:
        ((used_on, today),) = store.database.read(f"SELECT used_on, {TODAY} FROM actions")
        assert used_on == today
        store.commit([(action(2), "another", Provenance())]).result()
        names = "actions_age", "actions_digest", "refs_action", "requests_response", "ref_replaced", "origins"
        for name in names:
            assert store.database.read("SELECT 1 FROM sqlite_master WHERE name = ?", (name,)), name


def test_an_earlier_store_that_was_never_opened_since_can_be_repaired(earlier: Path) -> None:
    assert repair(earlier).actions == COUNT
    assert_whole(earlier)


KILLED = """
import os, signal, sys
from pathlib import Path
from io_managers.store.sqlite import migrations
from io_managers.store.sqlite import seals
from io_managers.store.sqlite.database import Database
count = 0
def killing(*columns):
    global count
    count += 1
    if count == int(sys.argv[2]):
        os.kill(os.getpid(), signal.SIGKILL)
    return 1
register = seals.register
def registered(connection):
    connection.create_function("row_seal", -1, killing, deterministic=True)
import io_managers.store.sqlite.connection as connection
connection.register = registered
Database(Path(sys.argv[1]) / "store.db")
"""


@pytest.mark.integration
@pytest.mark.skipif(os.name == "nt", reason="there is no SIGKILL")
@pytest.mark.parametrize("moment", [1, 500, 3 * COUNT + 1, 4 * COUNT + 1])
def test_a_migration_that_is_killed_begins_again(earlier: Path, moment: int) -> None:
    child = subprocess.run([sys.executable, "-c", KILLED, str(earlier), str(moment)], cwd=ROOT, check=False)
    assert child.returncode == -signal.SIGKILL
    assert_whole(earlier)


@pytest.mark.integration
@pytest.mark.skipif(os.name == "nt", reason="no modes of directories here")
def test_an_earlier_store_that_cannot_be_written_is_read_as_it_is(earlier: Path, tmp_path: Path) -> None:
    code = (
        "import sys; sys.path.insert(0, sys.argv[2]); from test_migrations import COUNT, Store, action, Path\n"
        "import os\n"
        "if os.geteuid() == 0: os.setgid(65534); os.setuid(65534)\n"
        "store = Store(Path(sys.argv[1]))\n"
        "assert len(store.actions.existing(action(i).key for i in range(COUNT))) == COUNT\n"
        "assert len(store.actions.lookup([action(1).key])) == len(store.actions.parts([action(1).key])) == 1\n"
        "assert len(store.refs.published('stage', results=True)) == len(store.refs.get('stage')) == COUNT\n"
        "assert store.failures.lookup([action(COUNT).key])\n"
    )
    place = Path("/tmp") / f"seedbank-read-only-{os.getpid()}"
    shutil.copytree(earlier, place)
    try:
        for path in [*place.rglob("*"), place]:
            path.chmod(0o555 if path.is_dir() else 0o444)
        command = [sys.executable, "-c", code, str(place), str(Path(__file__).parent)]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
    finally:
        place.chmod(0o755)
        shutil.rmtree(place)
