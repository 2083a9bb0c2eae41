"""What can happen to a home: each is a clear error or no error at all, costs nothing that was finished, and can be repaired.

Real processes, as a user starts them. What belongs here: damage to the home as a whole. What does not: the store's and the
tables' own answers to damage (tests/store, test_lance).
"""

import ctypes
import os
import random
import shutil
import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from pathlib import Path

import pytest

from io_managers.store.sqlite.schema import PAGE_BYTES
from tests.support.pipelines import essay
from tests.support.seed_process import (
    SLOW,
    Finished,
    Seed,
    Undisturbed,
    actions,
    committed,
    copy_of,
    dagster_runs,
    rows,
    seed,
    seedbank,
    undisturbed,
)
from tests.support.slow_seed import FREE, GATE

pytestmark = pytest.mark.integration

DOCUMENTS = 24
STAGES = {"extracted_text", "chunks", "embeddings", "summaries", "concepts", "judgements"}
SINKS = {"lance_documents", "lance_chunks", "lance_concepts", "lance_judgements"}
_PR_CAPBSET_DROP, _CAP_DAC_OVERRIDE = 24, 1


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Documents of a few paragraphs; for the tests that change none."""
    folder = tmp_path_factory.mktemp("home-faults") / "corpus"
    folder.mkdir()
    for number in range(DOCUMENTS):
        (folder / f"{number:02}.txt").write_text(essay(f"subject {number}"))
    return folder


@pytest.fixture
def whole(corpus: Path) -> Undisturbed:
    """What a home of that corpus holds."""
    return undisturbed(corpus)


@pytest.fixture
def home(whole: Undisturbed, tmp_path: Path) -> Path:
    """A seeded home, to be damaged."""
    return copy_of(whole, tmp_path / "home")


def assert_nothing_to_do(finished: Finished) -> None:
    assert finished.status == 0, finished.printed()
    assert finished.report["runs"] == []


def assert_as_before(home: Path, whole: Undisturbed) -> None:
    """The home holds what it held before it was damaged."""
    assert actions(home) == whole.actions
    assert all(table.equals(whole.rows[name]) for name, table in rows(home).items())


def drop_override() -> None:
    """In a child: give up root's privilege of writing what is read-only."""
    if os.geteuid() == 0 and ctypes.CDLL(None, use_errno=True).prctl(_PR_CAPBSET_DROP, _CAP_DAC_OVERRIDE, 0, 0, 0):
        raise OSError(ctypes.get_errno(), "prctl")


@pytest.fixture
def read_only_store(home: Path) -> Iterator[Path]:
    """The store of the home, in which nothing can be written by those who obey permissions."""
    try:
        subprocess.run(["true"], preexec_fn=drop_override, check=True)
    except subprocess.SubprocessError:
        pytest.skip("root cannot give up its privilege of writing read-only files here")
    store = home / "store"
    for path in (*store.rglob("*"), store):
        path.chmod(0o555 if path.is_dir() else 0o444)
    yield store
    store.chmod(0o755)
    for path in store.rglob("*"):
        path.chmod(0o755 if path.is_dir() else 0o644)


def test_a_read_only_store_is_named_before_anything_is_done(
    read_only_store: Path, corpus: Path, whole: Undisturbed
) -> None:
    """Found out at the first commit, it would cost the first results."""
    home = read_only_store.parent
    looked = seedbank(home, "status", "--json", before=drop_override)
    assert looked.status == 0, looked.printed()
    refused = seed(home, corpus, "--no-cache", before=drop_override)
    assert refused.status == 1, refused.printed()
    assert str(read_only_store) in refused.errors
    assert "read-only" in refused.errors
    assert "Traceback" not in refused.errors
    assert_as_before(home, whole)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 160 MB that is full when a test fills it."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = shutil.which("mount") and subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=160m", "tmpfs", folder], capture_output=True
    )
    if not mounted or mounted.returncode:
        pytest.skip("a small disk can be mounted by root only")
    yield folder
    subprocess.run(["umount", "-l", folder], check=True)


def fill(disk: Path, but_bytes: int = 0) -> Path:
    """A file that leaves so much space, whatever others write meanwhile."""
    filler = disk / "filler"
    with filler.open("wb", buffering=0) as file, suppress(OSError):
        while shutil.disk_usage(disk).free > but_bytes:
            file.write(bytes(PAGE_BYTES))
    return filler


def test_a_disk_that_is_nearly_full_is_named_before_anything_is_done(small_disk: Path, corpus: Path) -> None:
    """A run that stops half-way for want of space could have said so at its start."""
    fill(small_disk, but_bytes=10 << 20)
    refused = seed(small_disk / "home", corpus)
    assert refused.status == 1, refused.printed()
    assert "MB are free" in refused.errors
    assert "Traceback" not in refused.errors


def test_a_disk_that_fills_during_a_run_loses_nothing_that_was_finished(
    small_disk: Path, corpus: Path, whole: Undisturbed, tmp_path: Path
) -> None:
    """What is committed before the disk is full stays; with space again the next run goes on from there."""
    home, gate, finished_before = small_disk / "home", tmp_path / "gate", 8
    held = {GATE: str(gate), FREE: str(finished_before)}
    with Seed(home, "seed", "--corpus", str(corpus), program=SLOW, environment=held) as running:
        assert running.wait_until(lambda: committed(home)["summaries"] == finished_before)
        filler = fill(small_disk)
        gate.touch()
        stopped = running.finish()
    assert stopped.status == 1, stopped.printed()
    assert "disk" in stopped.output + stopped.errors
    assert "full" in stopped.output + stopped.errors
    assert "Traceback" not in stopped.output + stopped.errors
    filler.unlink()
    before = actions(home)
    assert before
    finished = seed(home, corpus)
    assert finished.status == 0, finished.printed()
    had = sum(stage == "summaries" for stage in before.values())
    assert finished.computed["summaries"] == DOCUMENTS - had
    assert "extracted_text" not in finished.computed
    assert_as_before(home, whole)
    assert "STARTED" not in dagster_runs(home).values()


def test_a_store_of_a_newer_version_is_left_alone(home: Path, corpus: Path) -> None:
    """An older program could only spoil it."""
    with closing(sqlite3.connect(home / "store" / "store.db")) as database:
        database.execute("PRAGMA user_version = 99")
    before = (home / "store" / "store.db").read_bytes()
    refused = seed(home, corpus)
    assert refused.status == 1, refused.printed()
    assert "Update Seedbank" in refused.errors
    assert (home / "store" / "store.db").read_bytes() == before


def test_values_with_flipped_bits_are_found_set_aside_and_computed_again(
    home: Path, corpus: Path, whole: Undisturbed
) -> None:
    """A disk that forgets a bit must not put a wrong text into the knowledge base."""
    damaged = 3
    with closing(sqlite3.connect(home / "store" / "store.db")) as database:
        digests = database.execute(
            "SELECT content_digest FROM actions WHERE stage = 'judgements' ORDER BY action_key LIMIT ?", (damaged,)
        ).fetchall()
        for (digest,) in digests:
            (data,) = database.execute("SELECT data FROM objects WHERE content_digest = ?", (digest,)).fetchone()
            flipped = bytes([data[0], data[1] ^ 4, *data[2:]])
            database.execute("UPDATE objects SET data = ? WHERE content_digest = ?", (flipped, digest))
        database.commit()
    # Every value is opened to write the tables again.
    finished = seed(home, corpus, "--rebuild-sink")
    assert finished.status == 0, finished.printed()
    assert_as_before(home, whole)
    with closing(sqlite3.connect(home / "store" / "store.db")) as database:
        assert database.execute("SELECT count(*) FROM quarantine").fetchone() == (damaged,)
    assert seedbank(home, "cache", "verify").status == 0
    assert_nothing_to_do(seed(home, corpus))


def damage_structure(file: Path) -> None:
    """Turn some pages of a database, but for the first, into noise."""
    noise = random.Random(1)
    pages = file.stat().st_size // PAGE_BYTES
    with file.open("rb+") as opened:
        for page in noise.sample(range(1, pages), max(4, pages // 8)):
            opened.seek(page * PAGE_BYTES)
            opened.write(noise.randbytes(PAGE_BYTES))


def replace_by_noise(file: Path) -> None:
    """Put noise of the same length in its place."""
    file.write_bytes(random.Random(2).randbytes(file.stat().st_size))


@pytest.mark.parametrize("damage", [damage_structure, replace_by_noise])
def test_a_damaged_database_names_the_repair_after_which_the_next_seed_ends_well(
    damage: Callable[[Path], None], home: Path, corpus: Path, whole: Undisturbed
) -> None:
    """Half of a store is worth more than none: what still proves itself is kept, the rest is computed again."""
    damage(home / "store" / "store.db")
    refused = seed(home, corpus, "--verify", "--rebuild-sink")
    assert refused.status == 1, refused.printed()
    assert "seedbank cache repair" in refused.output + refused.errors
    assert "Traceback" not in refused.errors
    repaired = seedbank(home, "cache", "repair", "--json")
    assert repaired.status == 0, repaired.printed()
    kept = committed(home)
    finished = seed(home, corpus)
    assert finished.status == 0, finished.printed()
    for stage in STAGES:
        assert finished.computed.get(stage, 0) == DOCUMENTS - kept[stage]
    # The vectors of single texts are missed by nobody where the document has its own.
    assert {key for key in whole.actions.keys() - actions(home) if whole.actions[key] in STAGES} == set()
    assert all(table.equals(whole.rows[name]) for name, table in rows(home).items())
    assert seedbank(home, "cache", "verify").status == 0


def test_a_home_that_does_not_say_whose_it_is_says_what_to_do(home: Path, corpus: Path, whole: Undisturbed) -> None:
    """The bond is one small file; without it nothing is lost."""
    (home / "home.json").write_bytes(b"\x00\xff not JSON")
    refused = seed(home, corpus)
    assert refused.status == 2, refused.printed()
    assert "home.json" in refused.errors
    assert "delete it and seed again" in refused.errors
    (home / "home.json").unlink()
    assert_nothing_to_do(seed(home, corpus))
    assert_as_before(home, whole)


def test_a_deleted_knowledge_base_comes_back_without_a_computation(
    home: Path, corpus: Path, whole: Undisturbed
) -> None:
    """Rows are made of results, and those are in the store."""
    shutil.rmtree(home / "lancedb")
    finished = seed(home, corpus)
    assert finished.status == 0, finished.printed()
    assert not STAGES & finished.computed.keys()
    assert finished.computed.keys() >= SINKS
    assert_as_before(home, whole)


def test_an_older_copy_of_the_knowledge_base_is_brought_up_to_date(
    home: Path, corpus: Path, tmp_path: Path, whole: Undisturbed
) -> None:
    """A backup of one folder does not go back in time with the others."""
    changed = tmp_path / "corpus"
    shutil.copytree(corpus, changed)
    (changed / "00.txt").write_text(essay("what is new"))
    (changed / "added.txt").write_text(essay("what was added"))
    (changed / "01.txt").unlink()
    older = tmp_path / "older"
    shutil.copytree(home / "lancedb", older)
    assert seed(home, changed, "--rebind").status == 0
    newer = rows(home)
    shutil.rmtree(home / "lancedb")
    older.rename(home / "lancedb")
    finished = seed(home, changed)
    assert finished.status == 0, finished.printed()
    assert not STAGES & finished.computed.keys()
    assert all(table.equals(newer[name]) for name, table in rows(home).items())
    assert_nothing_to_do(seed(home, changed))


def test_without_dagsters_records_only_what_is_new_is_computed(home: Path, corpus: Path, tmp_path: Path) -> None:
    """Dagster's records tell what happened; what is finished is in the store. They are made again, computing nothing."""
    shutil.rmtree(home / "dagster")
    recorded = seed(home, corpus)
    assert recorded.status == 0, recorded.printed()
    assert not any(recorded.computed.values())
    assert_nothing_to_do(seed(home, corpus))
    changed = tmp_path / "corpus"
    shutil.copytree(corpus, changed)
    (changed / "added.txt").write_text(essay("what was added"))
    finished = seed(home, changed, "--rebind")
    assert finished.status == 0, finished.printed()
    of_documents = STAGES | SINKS
    assert {name: count for name, count in finished.computed.items() if name in of_documents} == dict.fromkeys(
        of_documents, 1
    )
    assert set(dagster_runs(home).values()) == {"SUCCESS"}


def test_damaged_records_of_dagster_say_what_to_delete(home: Path, corpus: Path, whole: Undisturbed) -> None:
    """They only tell what happened; a database that cannot be read must not end in a traceback."""
    replace_by_noise(home / "dagster" / "history" / "runs.db")
    assert_nothing_to_do(seed(home, corpus))
    refused = seed(home, corpus, "--rebuild-sink")
    assert refused.status == 1, refused.printed()
    assert str(home / "dagster") in refused.errors
    assert "delete the folder" in refused.errors
    assert "Traceback" not in refused.errors
    shutil.rmtree(home / "dagster")
    finished = seed(home, corpus)
    assert finished.status == 0, finished.printed()
    assert not STAGES & finished.computed.keys()
    assert_as_before(home, whole)


def test_a_damaged_memory_of_the_corpus_costs_only_reading_it(home: Path, corpus: Path, whole: Undisturbed) -> None:
    """It only saves reading files that have not changed."""
    (home / "corpus.index").write_bytes(b"\xff" * 100)
    assert_nothing_to_do(seed(home, corpus))
    assert_as_before(home, whole)
