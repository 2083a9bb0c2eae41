"""What fails, fails alone: a table, a document, a stored value; the next seed pays only for what was never finished.

What belongs here: faults of tables, of documents and of the store in a seed, by count of the calls of each stage's own
function. What does not: kills and two seeds at once, and what each broken file format says.
"""

import json
import random
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import dagster as dg
import lancedb
import pyarrow as pa
import pytest
from dagster._core.storage.partition_status_cache import AssetPartitionStatus
from typer.testing import CliRunner

from cli.main import app
from event_log.home import open_instance
from io_managers.store.errors import StoreUnavailableError
from io_managers.store.store import Store
from resources.errors import ConfigurationError
from resources.settings.config import PROJECT_ROOT
from resources.tables.lance_errors import TableWriteError, write_error
from resources.tables.lance_schema import TABLES as TABLE_SPECS
from seed_assets.orchestration.partitions import DOCUMENTS as PARTITIONS
from seed_assets.seeding.seeding import SeedOptions
from tests.conftest import DOCUMENTS
from tests.support.pipelines import (
    DIMENSIONS,
    EVERY_STAGE,
    SINKS,
    SOURCES,
    TABLES,
    BrokenTables,
    Seeded,
    World,
    essay,
    refusal,
)

pytestmark = pytest.mark.slow

N = len(DOCUMENTS)
MATERIALIZED, FAILED = AssetPartitionStatus.MATERIALIZED, AssetPartitionStatus.FAILED


@contextmanager
def dagster_of(home: Path) -> Iterator[dg.DagsterInstance]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SEEDBANK_HOME", str(home))
        with open_instance() as instance:
            yield instance


def dagster_says(home: Path, stage: str) -> dict[str, AssetPartitionStatus | None]:
    """What Dagster shows for each partition of a stage; None where it never was tried."""
    with dagster_of(home) as instance:
        keys = instance.get_dynamic_partitions(PARTITIONS.name or "")
        found = instance.get_status_by_partition(dg.AssetKey(stage), keys, PARTITIONS)
    return dict.fromkeys(keys) | dict(found or {})


def failed_steps(home: Path, seeded: Seeded) -> list[str]:
    with dagster_of(home) as instance:
        return [
            entry.dagster_event.step_key or ""
            for run in seeded.report.runs
            for entry in instance.all_logs(run, of_type=dg.DagsterEventType.STEP_FAILURE)
            if entry.dagster_event
        ]


def put_foreign_documents(world: World) -> None:
    """A table `documents` with one column of the wrong type."""
    schema = TABLE_SPECS["documents"].schema(DIMENSIONS)
    place = schema.get_field_index("n_characters")
    lancedb.connect(world.home / "lancedb").create_table(
        "documents", schema=schema.set(place, pa.field("n_characters", pa.string(), False)), mode="overwrite"
    )


@pytest.mark.integration
def test_a_column_of_the_wrong_type_fails_one_table_and_costs_no_stage(empty_world: World) -> None:
    world = empty_world
    put_foreign_documents(world)

    broken = world.seed()

    assert broken.report.exit_code == 1
    assert failed_steps(world.home, broken) == ["lance_documents"]
    assert broken.failed() == {("", "lance_documents")}
    (failure,) = broken.report.failures
    assert "n_characters" in failure.reason
    assert "string" in failure.reason
    assert "--rebuild-sink" in failure.remedy
    assert {name: broken.calls.get(name) for name in SOURCES} == dict.fromkeys(SOURCES, N)
    assert world.documents_in("chunks") == world.documents_in("concepts") == set(DOCUMENTS)
    for stage in (*SOURCES, "lance_chunks", "lance_concepts"):
        assert set(dagster_says(world.home, stage).values()) == {MATERIALIZED}, stage
    assert set(dagster_says(world.home, "lance_documents").values()) == {FAILED}
    states = world.plan().states()
    assert {state for by_stage in states.values() for state in by_stage.values()} == {"current", "failed"}
    assert {by_stage["lance_documents"] for by_stage in states.values()} == {"failed"}

    still = world.seed()

    assert failed_steps(world.home, still) == ["lance_documents"]
    assert set(still.calls) <= {"lance_documents"}

    repaired = world.seed(SeedOptions(rebuild_sink=True))

    assert repaired.report.exit_code == 0
    assert repaired.calls == {**dict.fromkeys(SINKS, N), "search_index": 1}
    assert repaired.embedded == []
    assert world.all_states() == {"current"}
    assert world.documents_in("documents") == set(DOCUMENTS)


def in_the_way(world: World) -> None:
    """Whatever the rights of the one who runs the tests, no folder can be made where a file is."""
    folder = world.home / "lancedb" / "documents.lance"
    shutil.rmtree(folder)
    folder.write_text("no table")


def full_disk(world: World) -> None:
    error = OSError(28, "No space left on device")
    folder = world.home / "lancedb" / "documents.lance"
    world.tables = BrokenTables(world.home / "lancedb", {"documents": write_error("documents", folder, error)})


def locked(world: World) -> None:
    error = TableWriteError("documents", "another writer holds the table.", "Run again when it is done.")
    world.tables = BrokenTables(world.home / "lancedb", {"documents": error})


@pytest.mark.integration
@pytest.mark.parametrize(
    ("breaking", "said"),
    [(in_the_way, "documents.lance"), (full_disk, "space"), (locked, "another writer")],
    ids=["folder that cannot be written", "full disk", "lock"],
)
def test_a_table_that_cannot_be_written_is_written_once_it_can_and_nothing_else_is_done(
    world: World, breaking: object, said: str
) -> None:
    assert callable(breaking)
    world.write("reefs/new.txt", essay("anemones"))
    breaking(world)

    broken = world.seed()

    assert broken.report.exit_code == 1
    assert failed_steps(world.home, broken) == ["lance_documents"]
    assert broken.failed() == {("", "lance_documents")}
    assert said in broken.report.failures[0].reason
    assert broken.report.failures[0].remedy
    assert {name: broken.calls.get(name) for name in SOURCES} == dict.fromkeys(SOURCES, 1)
    assert "reefs/new.txt" in world.documents_in("chunks") & world.documents_in("concepts")
    assert dagster_says(world.home, "summaries")["reefs/new.txt"] == MATERIALIZED
    assert dagster_says(world.home, "lance_documents")["reefs/new.txt"] == FAILED

    in_place = world.home / "lancedb" / "documents.lance"
    if in_place.is_file():
        in_place.unlink()
    world.tables = None
    repaired = world.seed()

    lost = N + 1 if breaking is in_the_way else 1
    assert repaired.report.exit_code == 0
    assert repaired.calls == {"lance_documents": lost, "search_index": 1}
    assert repaired.computed == repaired.calls
    assert world.documents_in("documents") == {*DOCUMENTS, "reefs/new.txt"}
    assert world.all_states() == {"current"}


@pytest.mark.parametrize(("table", "indexed"), [("concepts", {}), ("chunks", {"search_index": 1})])
def test_a_missing_table_is_written_again_from_the_store(world: World, table: str, indexed: dict[str, int]) -> None:
    before = world.rows(table)
    shutil.rmtree(world.home / "lancedb" / f"{table}.lance")
    assert {states[f"lance_{table}"] for states in world.plan().states().values()} == {"stale"}

    seeded = world.seed()

    assert seeded.report.exit_code == 0
    assert seeded.calls == {f"lance_{table}": N, **indexed}
    assert world.all_states() == {"current"}
    assert world.rows(table) == before


BROKEN = {
    "broken/empty.txt": b"",
    "broken/binary.txt": bytes(range(256)) * 20,
    "broken/cut.pdf": b"%PDF-1.7\n1 0 obj\n<< /Type /Catalog",
    "broken/no archive.docx": b"PK\x03\x04 and nothing more",
    "broken/blank.md": b" \n\t\n \n",
}


@pytest.mark.integration
def test_broken_documents_stop_no_other_and_stay_named_without_a_run(tmp_path: Path, own_environment: None) -> None:
    """The command itself, on the sample corpus and the real pipeline."""
    corpus, home = tmp_path / "corpus", tmp_path / "home"
    shutil.copytree(PROJECT_ROOT / "sample_corpus", corpus)
    for name, data in BROKEN.items():
        (corpus / name).parent.mkdir(exist_ok=True)
        (corpus / name).write_bytes(data)
    where = ["--corpus", str(corpus), "--home", str(home), "--json"]
    runner = CliRunner()

    result = runner.invoke(app, ["seed", *where])

    seeded = json.loads(result.stdout)
    assert (result.exit_code, seeded["exit_code"]) == (1, 1)
    assert {(failure["document"], failure["stage"]) for failure in seeded["failures"]} == {
        (name, "extracted_text") for name in BROKEN
    }
    assert all(failure["reason"] and failure["remedy"] for failure in seeded["failures"])
    sound = seeded["stages"]["extracted_text"]["documents"] - len(BROKEN)
    assert sound == len([path for path in (PROJECT_ROOT / "sample_corpus").rglob("*.*") if path.suffix])
    made = {name: stage["computed"] + stage["reused"] for name, stage in seeded["stages"].items()}
    assert {name: made[name] for name in EVERY_STAGE} == dict.fromkeys(EVERY_STAGE, sound)
    assert made["search_index"] == made["categories"] == 1
    assert seeded["stages"]["extracted_text"]["failed"] == len(BROKEN)
    # One finds what is broken, one does the rest; clusters, the corpus, who stands where.
    assert len(seeded["runs"]) == 5
    tables = lancedb.connect(home / "lancedb")
    for table in TABLES:
        rows = tables.open_table(table).search().select(["document_id"]).to_list()
        assert len({row["document_id"] for row in rows}) == sound
    for stage in SOURCES + SINKS:
        shown = dagster_says(home, stage)
        assert {name for name, status in shown.items() if status == MATERIALIZED} == shown.keys() - BROKEN.keys()
        assert {shown[name] for name in BROKEN} <= {FAILED, None}

    looked = runner.invoke(app, ["status", *where])
    status = json.loads(looked.stdout)
    assert looked.exit_code == 1
    assert {failure["document"] for failure in status["failures"]} == set(BROKEN)
    for name in BROKEN:
        assert status["documents"][name]["extracted_text"] == "failed"
        assert {status["documents"][name][stage] for stage in (*SOURCES[1:], *SINKS)} == {"blocked"}
    assert status["counts"]["lance_documents"] == {
        "waiting": 0,
        "current": sound,
        "stale": 0,
        "failed": 0,
        "blocked": len(BROKEN),
        "missing": 0,
    }

    again = runner.invoke(app, ["seed", *where])
    repeated = json.loads(again.stdout)
    assert (again.exit_code, repeated["runs"]) == (1, [])
    assert repeated["failures"] == seeded["failures"]

    (corpus / "broken/cut.pdf").write_bytes((corpus / "volcanoes/monitoring.pdf").read_bytes() + b"\n% another\n")
    repaired = runner.invoke(app, ["seed", *where])
    report = json.loads(repaired.stdout)
    assert repaired.exit_code == 1
    assert {failure["document"] for failure in report["failures"]} == BROKEN.keys() - {"broken/cut.pdf"}
    assert report["stages"]["extracted_text"]["computed"] == 1
    assert {report["stages"][sink]["computed"] for sink in SINKS} == {1}
    rows = tables.open_table("documents").search().select(["document_id"]).to_list()
    assert "broken/cut.pdf" in {row["document_id"] for row in rows}


@pytest.mark.integration
def test_a_broken_document_that_is_removed_leaves_its_partition_and_its_name(empty_world: World) -> None:
    world = empty_world
    world.write("broken/empty.txt", b"")
    assert world.seed().failed() == {("broken/empty.txt", "extracted_text")}
    assert "broken/empty.txt" in dagster_says(world.home, "extracted_text")

    (world.corpus / "broken/empty.txt").unlink()
    assert world.seed().report.exit_code == 0
    world.write("reefs/new.txt", essay("anemones"))
    world.seed()

    assert dagster_says(world.home, "extracted_text").keys() == {*DOCUMENTS, "reefs/new.txt"}


@pytest.mark.integration
def test_a_document_that_one_stage_refuses_is_remembered_until_it_is_retried_or_changes(empty_world: World) -> None:
    world = empty_world
    world.summarizer.failing = {"corals": refusal()}

    first = world.seed()

    assert first.report.exit_code == 1
    assert first.failed() == {("reefs/corals.txt", "summaries")}
    (failure,) = first.report.failures
    assert (failure.reason, failure.remedy) == ("the model refused.", "Ask another one.")
    assert first.calls["summaries"] == N
    assert {name: first.calls[name] for name in SINKS} == {
        "lance_documents": N - 1,
        "lance_chunks": N,
        "lance_concepts": N,
        "lance_judgements": N - 1,
    }
    assert world.documents_in("documents") == set(DOCUMENTS) - {"reefs/corals.txt"}
    assert world.documents_in("chunks") == set(DOCUMENTS)
    assert world.states("reefs/corals.txt") == {
        **dict.fromkeys((*SOURCES, *SINKS), "current"),
        "summaries": "failed",
        "judgements": "blocked",
        "lance_documents": "blocked",
        "lance_judgements": "blocked",
    }
    assert dagster_says(world.home, "summaries")["reefs/corals.txt"] == FAILED
    assert dagster_says(world.home, "summaries")["reefs/fish.txt"] == MATERIALIZED

    again = world.seed()
    assert (again.report.exit_code, again.report.runs, again.calls) == (1, [], {})
    assert again.failed() == first.failed()

    refused = world.seed(retry_failed=True)
    assert refused.report.exit_code == 1
    assert refused.calls == {"summaries": 1}

    world.summarizer.failing = {}
    retried = world.seed(retry_failed=True)
    assert retried.report.exit_code == 0
    assert retried.calls == dict.fromkeys(
        ("summaries", "judgements", "lance_documents", "lance_judgements", "search_index"), 1
    )
    assert world.all_states() == {"current"}


def test_a_passing_failure_is_tried_again_by_the_next_seed(empty_world: World) -> None:
    world = empty_world
    world.summarizer.failing = {"corals": refusal("the model timed out.", transient=True)}
    first = world.seed()
    assert first.report.exit_code == 1
    assert first.failed() == {("reefs/corals.txt", "summaries")}
    assert first.calls["summaries"] == N

    world.summarizer.failing = {}
    second = world.seed()

    assert second.report.exit_code == 0
    assert second.calls == dict.fromkeys(
        ("summaries", "judgements", "lance_documents", "lance_judgements", "search_index"), 1
    )


def test_a_fault_in_a_stage_s_code_fails_its_documents_and_not_the_run(
    empty_world: World, caplog: pytest.LogCaptureFixture
) -> None:
    world = empty_world
    world.summarizer.failing = {"corals": ZeroDivisionError("division by zero")}

    seeded = world.seed()

    assert seeded.failed() == {("reefs/corals.txt", "summaries")}
    assert "ZeroDivisionError: division by zero" in seeded.report.failures[0].reason
    assert "Traceback" in caplog.text
    assert world.documents_in("documents") == set(DOCUMENTS) - {"reefs/corals.txt"}


@pytest.mark.integration
@pytest.mark.parametrize(
    "fault",
    [
        ConfigurationError("The model needs a key. Set SEEDBANK_LLM__API_KEY."),
        StoreUnavailableError("The store cannot be used: the disk is full. Free some space, then run again."),
    ],
    ids=["configuration", "store"],
)
def test_a_fault_of_all_documents_stops_a_stage_in_its_own_words_and_finishes_what_is_in_flight(
    empty_world: World, fault: Exception
) -> None:
    world = empty_world
    world.summarizer.failing = {"corals": fault}

    stopped = world.seed()

    assert stopped.report.exit_code == 1
    assert failed_steps(world.home, stopped) == ["summaries"]
    (failure,) = stopped.report.failures
    assert (failure.document, failure.stage) == ("", "summaries")
    assert str(fault) in failure.reason
    assert stopped.calls["summaries"] == N
    assert stopped.report.stages["summaries"].computed == N - 1

    world.summarizer.failing = {}
    repaired = world.seed()

    assert repaired.report.exit_code == 0
    assert repaired.calls["summaries"] == 1
    assert {name: repaired.calls.get(name, 0) for name in SOURCES if name != "summaries"} == {
        name: N - stopped.calls.get(name, 0) for name in SOURCES if name != "summaries"
    }
    assert world.all_states() == {"current"}


@pytest.mark.integration
def test_indexes_that_cannot_be_made_fail_alone(world: World) -> None:
    world.write("reefs/new.txt", essay("anemones"))
    world.tables = BrokenTables(
        world.home / "lancedb", {"index of chunks": TableWriteError("chunks", "the disk is full.", "Free some space.")}
    )

    broken = world.seed()

    assert broken.report.exit_code == 1
    assert failed_steps(world.home, broken) == ["search_index"]
    assert broken.failed() == {("", "search_index")}
    assert broken.report.failures[0].remedy == "Free some space."
    assert "reefs/new.txt" in world.documents_in("documents")

    world.tables = None
    repaired = world.seed()

    assert (repaired.report.exit_code, repaired.calls) == (0, {"search_index": 1})


@pytest.mark.parametrize("table", TABLES)
def test_rows_that_cannot_be_removed_now_are_removed_by_the_next_seed(world: World, table: str) -> None:
    (world.corpus / "reefs/corals.txt").unlink()
    world.write("reefs/new.txt", essay("anemones"))
    world.tables = BrokenTables(
        world.home / "lancedb", {f"removal from {table}": TableWriteError(table, "the disk is full.", "Free some.")}
    )

    broken = world.seed()

    # The table of chunks bears the name of a stage, which has no part in this.
    assert broken.report.exit_code == 1
    assert broken.failed() == {("", f"removal from {table}")}
    assert "reefs/corals.txt" in world.documents_in(table)
    assert {name: broken.calls.get(name) for name in SOURCES} == dict.fromkeys(SOURCES, 1)
    assert all("reefs/new.txt" in world.documents_in(name) for name in TABLES)

    world.tables = None
    repaired = world.seed()

    assert (repaired.report.exit_code, repaired.report.removed) == (0, 1)
    assert repaired.calls == {"search_index": 1}
    assert all(world.documents_in(name) == {*DOCUMENTS, "reefs/new.txt"} - {"reefs/corals.txt"} for name in TABLES)


def corrupt(world: World, stage: str, document: str) -> None:
    """Flip bits of a stored value, in the middle of it."""
    store = world.store()
    digest = store.refs.get(stage)[document].content_digest
    store.close()
    with sqlite3.connect(world.home / "store" / "store.db") as database:
        (data,) = database.execute("SELECT data FROM objects WHERE content_digest = ?", (digest,)).fetchone()
        place = len(data) // 2
        flipped = data[:place] + bytes([data[place] ^ random.Random(7).randint(1, 255)]) + data[place + 1 :]
        database.execute("UPDATE objects SET data = ? WHERE content_digest = ?", (flipped, digest))
    database.close()


def wrong_in(world: World) -> list[str]:
    store = Store(world.home / "store")
    try:
        return store.verify()
    finally:
        store.close()


def test_a_corrupt_input_is_computed_again_inside_the_step_that_needs_it(world: World) -> None:
    tables = {table: world.rows(table) for table in ("documents", "concepts")}
    corrupt(world, "extracted_text", "reefs/corals.txt")
    world.raise_version("chunks")

    seeded = world.seed()

    # The chunks turn out equal, so nothing after them is computed.
    assert seeded.report.exit_code == 0
    assert seeded.calls == {"chunks": N, "extracted_text": 1}
    assert {table: world.rows(table) for table in tables} == tables
    assert world.all_states() == {"current"}
    assert wrong_in(world) == []
    assert world.seed().report.runs == []


def test_a_corrupt_input_of_a_table_s_rows_is_computed_again_with_the_inputs_it_needs(world: World) -> None:
    before = [(row["chunk_id"], row["text"]) for row in world.rows("chunks")]
    corrupt(world, "chunks", "reefs/corals.txt")
    corrupt(world, "extracted_text", "reefs/corals.txt")
    world.raise_version("lance_chunks")

    seeded = world.seed()

    assert seeded.report.exit_code == 0
    assert seeded.calls == {"lance_chunks": N, "chunks": 1, "extracted_text": 1, "search_index": 1}
    assert [(row["chunk_id"], row["text"]) for row in world.rows("chunks")] == before
    assert world.all_states() == {"current"}
    assert wrong_in(world) == []


def test_a_lost_result_that_comes_out_otherwise_is_what_the_rows_are_made_of(empty_world: World) -> None:
    """A model gives another answer when it is asked again: the row must name what it was made from."""
    world = empty_world
    world.summarizer.numbered = True
    world.seed()
    corrupt(world, "summaries", "reefs/corals.txt")
    corrupt(world, "judgements", "reefs/corals.txt")
    world.raise_version("lance_documents")

    seeded = world.seed()

    assert seeded.report.exit_code == 0
    calls = seeded.calls
    assert (calls["summaries"], calls["judgements"], calls["lance_documents"]) == (1, 1, N)
    summaries = {row["document_id"]: row["summary"] for row in world.rows("documents")}
    assert summaries["reefs/corals.txt"].endswith(f"({N + 1})")
    assert world.all_states() == {"current"}
    assert world.seed().report.runs == []


@pytest.mark.integration
def test_scattered_failures_take_a_bounded_number_of_runs(empty_world: World) -> None:
    """As many runs as cover the documents, once with those that fail and once without, however these lie between them."""
    world = empty_world
    world.settings = {"documents_per_run": 20}
    failing = {f"subject{number:03}x" for number in range(0, 60, 3)}
    for number in range(60):
        world.write(f"many/{number:03}.txt", essay(f"subject{number:03}x", paragraphs=1))
    world.summarizer.failing = {subject: refusal() for subject in failing}

    seeded = world.seed()

    documents = 60 + N
    first_pass, second_pass = -(-documents // 20), -(-(documents - len(failing)) // 20)
    # And clusters, what is made once, and where each stands, of which none has failed.
    assert len(seeded.report.runs) <= first_pass + second_pass + 2 + first_pass
    assert len(seeded.failed()) == len(failing)
    assert len(world.documents_in("documents")) == documents - len(failing)
    assert world.documents_in("chunks") == {*world.plan().documents}  # chunks need no summary
    assert world.seed().report.runs == []
