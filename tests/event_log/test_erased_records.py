"""What Dagster's records hold of a document goes, in both databases, and everything else stays."""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from dagster._core.storage.event_log.schema import AssetKeyTable, SqlEventLogStorageTable
from dagster._core.storage.partition_status_cache import get_and_update_asset_status_cache_value
from dagster._core.storage.runs.schema import RunTagsTable
from sqlalchemy import select

from event_log.erasing import Pages, erase
from event_log.superseded import Storages
from io_managers.store.retention.mentions import Mentions
from tests.support.event_logs import new_database

pytestmark = [pytest.mark.integration, pytest.mark.filterwarnings("ignore:Parameter `backfill_policy`")]

NAME = "zqvx/über b.md"
KEYS = ["a.md", NAME, f"x-{NAME}"]
PARTITIONS = dg.DynamicPartitionsDefinition(name="documents")
QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}


@pytest.fixture(scope="module")
def postgres_url() -> Iterator[str]:
    psycopg2 = pytest.importorskip("psycopg2", reason="the extra `postgres` is not installed")
    with ExitStack() as stack:
        try:
            url = stack.enter_context(new_database())
        except psycopg2.OperationalError as error:
            pytest.skip(f"no PostgreSQL: {error}")
        yield url


@pytest.fixture(params=["sqlite", "postgres"])
def instance(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[dg.DagsterInstance]:
    overrides: dict[str, Any] = {"telemetry": {"enabled": False}}
    if request.param == "postgres":
        config = {"postgres_url": request.getfixturevalue("postgres_url")}
        storage = {"module": "event_log.postgres", "class": "PostgresStorage", "config": config}
    else:
        storage = {
            "module": "event_log.sqlite_storage",
            "class": "BatchedSqliteStorage",
            "config": {"base_dir": str(tmp_path)},
        }
    with dg.DagsterInstance.local_temp(str(tmp_path), overrides=overrides | {"storage": {"custom": storage}}) as made:
        made.wipe()
        made.add_dynamic_partitions(
            "documents", [key for key in KEYS if key not in made.get_dynamic_partitions("documents")]
        )
        yield made


def materialize(instance: dg.DagsterInstance, *keys: str, fails: bool = False, number: int = 1) -> str:
    """A run that makes the text of these documents, and a list of all of them."""

    @dg.asset(partitions_def=PARTITIONS, backfill_policy=dg.BackfillPolicy.single_run())
    def text(context: dg.AssetExecutionContext) -> None:
        context.log.info(f"Secret words of {context.partition_keys[-1]}: honey.")
        for key in context.partition_keys:
            shown = dg.AssetMaterialization("text", partition=key, metadata={"preview": f"the preview of {key}"})
            context.log_event(shown)
        if fails:
            raise dg.Failure(f"{context.partition_keys[-1]}: it has no text", allow_retries=False)

    @dg.asset
    def topics(context: dg.AssetExecutionContext) -> None:
        context.add_output_metadata({"members": "a list of members, whatever they are called", "count": number})

    tags = {"dagster/asset_partition_range_start": keys[0], "dagster/asset_partition_range_end": keys[-1]}
    made = dg.materialize([text], instance=instance, tags=tags, run_config=QUIET, raise_on_error=False)
    assert made.success is not fails
    dg.materialize([topics], instance=instance, run_config=QUIET)
    return made.run_id


def texts(instance: dg.DagsterInstance) -> list[str]:
    """Every text of the events, the tags and the copies that Dagster keeps."""
    storages = Storages.of(instance)
    with storages.index() as connection:
        found = [*connection.execute(select(SqlEventLogStorageTable.c.event)).scalars()]
        found += connection.execute(select(AssetKeyTable.c.last_materialization)).scalars()
        found += connection.execute(select(AssetKeyTable.c.cached_status_data)).scalars()
    with storages.runs() as connection:
        found += connection.execute(select(RunTagsTable.c.value)).scalars()
    return [one for one in found if one]


def test_a_document_goes_and_the_others_stay(instance: dg.DagsterInstance) -> None:
    materialize(instance, *KEYS, fails=True)
    run_id = materialize(instance, *KEYS)
    for asset in ("text", "topics"):
        get_and_update_asset_status_cache_value(instance, dg.AssetKey(asset), PARTITIONS if asset == "text" else None)
    mentions = Mentions([NAME])
    copy = instance.get_latest_data_version_record(dg.AssetKey("text"), partition_key=KEYS[2])
    assert any(mentions.in_text(one) for one in texts(instance))
    pages = Pages(now={"topics": {None}})
    planned = erase(instance, mentions, pages, dry_run=True)
    assert any(mentions.in_text(one) for one in texts(instance))
    assert erase(instance, mentions, pages, dry_run=False) == planned > 0

    left = texts(instance)
    assert [one for one in left if mentions.in_text(one)] == []
    assert [one for one in left if "Secret words" in one or "list of members" in one] == []
    assert any("the preview of a.md" in one for one in left)
    made = instance.get_materialized_partitions(dg.AssetKey("text"))
    assert made == {KEYS[0], KEYS[2]}
    assert instance.get_latest_data_version_record(dg.AssetKey("text"), partition_key=KEYS[2]) == copy
    topics = instance.get_latest_materialization_event(dg.AssetKey("topics"))
    assert topics is not None
    assert topics.asset_materialization is not None
    assert {name: one.value for name, one in topics.asset_materialization.metadata.items()} == {"count": 1}
    run = instance.get_run_by_id(run_id)
    assert run is not None
    assert run.is_success
    assert run.tags["dagster/asset_partition_range_start"] == "a.md"
    assert erase(instance, mentions, Pages(), dry_run=False) == 0


def test_more_names_than_one_condition_takes_are_erased_at_once(instance: dg.DagsterInstance) -> None:
    """SQLite refuses a condition of 1,000 parts, and a name with a letter beyond ASCII is looked for in three forms."""
    materialize(instance, *KEYS)
    mentions = Mentions(
        [*(f"über/{number}.md" for number in range(400)), NAME, *(f"{number}.md" for number in range(1_000))]
    )
    planned = erase(instance, mentions, Pages(), dry_run=True)
    assert erase(instance, mentions, Pages(), dry_run=False) == planned > 0
    left = texts(instance)
    assert [one for one in left if mentions.in_text(one)] == []
    assert any("the preview of a.md" in one for one in left)


def test_a_document_whose_name_ends_with_that_of_an_erased_one_stays(instance: dg.DagsterInstance) -> None:
    """What Dagster shows of it would be missing until the next seed, and the range of a run would have another name."""
    other = f"my {NAME}"
    instance.add_dynamic_partitions("documents", [other])
    run_id = materialize(instance, other)
    erase(instance, Mentions([NAME], [*KEYS, other]), Pages(), dry_run=False)
    assert instance.get_materialized_partitions(dg.AssetKey("text")) == {other}
    assert any(f"the preview of {other}" in repr(json.loads(one)) for one in texts(instance) if one[0] == "{")
    run = instance.get_run_by_id(run_id)
    assert run is not None
    assert run.tags["dagster/asset_partition_range_start"] == other


def test_the_files_of_sqlite_hold_nothing_in_their_free_pages(instance: dg.DagsterInstance, tmp_path: Path) -> None:
    materialize(instance, *KEYS)
    files = [path for path in tmp_path.rglob("*.db*") if path.is_file()]
    if not any(b"zqvx" in path.read_bytes() for path in files):
        pytest.skip("the records are in PostgreSQL")
    erase(instance, Mentions([NAME, KEYS[2]]), Pages(), dry_run=False)
    for name in (NAME, KEYS[2]):
        instance.delete_dynamic_partition("documents", name)
    instance.dispose()
    for path in tmp_path.rglob("*.db"):
        with closing(sqlite3.connect(path)) as connection:
            connection.execute("VACUUM")
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    assert [path for path in tmp_path.rglob("*") if path.is_file() and b"zqvx" in path.read_bytes()] == []


def test_only_earlier_results_of_a_page_lose_their_texts(instance: dg.DagsterInstance) -> None:
    """What was published since is not made of the document, and Dagster goes on showing it."""
    materialize(instance, "a.md", number=1)
    materialize(instance, "a.md", number=2)
    erase(instance, Mentions([NAME]), Pages(before={"topics": {None}}), dry_run=False)
    records = instance.fetch_materializations(dg.AssetKey("topics"), limit=10).records
    shown = [set(record.asset_materialization.metadata) for record in records if record.asset_materialization]
    assert shown == [{"members", "count"}, {"count"}]
