"""An attempt that is forgotten leaves its partition as it was before, and every other as it is; in both databases."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import dagster as dg
import pytest

from event_log.attempts import forget_attempts
from tests.support.event_logs import DATABASES, Database, empty_log

pytestmark = [pytest.mark.integration, pytest.mark.filterwarnings("ignore:Parameter `backfill_policy`")]

KEYS = ["a.md", "b.md", "c.md"]
PARTITIONS = dg.DynamicPartitionsDefinition(name="documents")
RANGE = {"dagster/asset_partition_range_start": KEYS[0], "dagster/asset_partition_range_end": KEYS[-1]}
QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}


@pytest.fixture(scope="module", params=DATABASES)
def empty(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    with ExitStack() as stack:
        yield stack.enter_context(empty_log(request.param, tmp_path_factory.mktemp("attempts")))


@pytest.fixture
def instance(empty: Database, tmp_path: Path) -> Iterator[dg.DagsterInstance]:
    with empty.emptied(tmp_path / "log").opened() as opened:
        opened.add_dynamic_partitions("documents", KEYS)
        yield opened


def run(instance: dg.DagsterInstance, *, fails: bool) -> None:
    """A run of `text` and of what follows from it; where the first fails, nobody comes to the second."""

    @dg.asset(partitions_def=PARTITIONS, backfill_policy=dg.BackfillPolicy.single_run())
    def text() -> None:
        if fails:
            raise dg.Failure("one of them cannot be read", allow_retries=False)

    @dg.asset(partitions_def=PARTITIONS, backfill_policy=dg.BackfillPolicy.single_run(), deps=[text])
    def chunks() -> None: ...

    result = dg.materialize([text, chunks], instance=instance, tags=RANGE, run_config=QUIET, raise_on_error=False)
    assert result.success is not fails


def shown(instance: dg.DagsterInstance, asset: str) -> list[str]:
    statuses = instance.get_status_by_partition(dg.AssetKey(asset), KEYS, PARTITIONS) or {}
    return [found.value if (found := statuses.get(key)) else "" for key in KEYS]


def test_what_was_never_made_is_missing_again(instance: dg.DagsterInstance) -> None:
    """Twice in vain: were only the last attempt forgotten, the one before would show it failed."""
    run(instance, fails=True)
    run(instance, fails=True)
    assert shown(instance, "chunks") == ["FAILED"] * 3

    assert forget_attempts(instance, "chunks", {"b.md"})

    assert shown(instance, "chunks") == ["FAILED", "", "FAILED"]
    assert shown(instance, "text") == ["FAILED"] * 3


def test_what_was_made_before_is_materialized_again_and_its_run_is_known(instance: dg.DagsterInstance) -> None:
    run(instance, fails=False)
    made = instance.get_latest_materialization_event(dg.AssetKey("chunks"))
    run(instance, fails=True)
    assert made is not None

    assert forget_attempts(instance, "chunks", {"a.md", "b.md"})

    assert shown(instance, "chunks") == ["MATERIALIZED", "MATERIALIZED", "FAILED"]
    planned = instance.event_log_storage.get_latest_planned_materialization_info(dg.AssetKey("chunks"), "a.md")
    assert planned is not None
    assert planned.run_id == made.run_id


def test_a_later_attempt_counts(instance: dg.DagsterInstance) -> None:
    run(instance, fails=True)
    assert forget_attempts(instance, "chunks", set(KEYS))
    assert shown(instance, "chunks") == [""] * 3

    run(instance, fails=True)

    assert shown(instance, "chunks") == ["FAILED"] * 3


def test_another_event_log_is_left_alone() -> None:
    with dg.DagsterInstance.ephemeral() as ephemeral:
        ephemeral.add_dynamic_partitions("documents", KEYS)
        run(ephemeral, fails=True)
        forget_attempts(ephemeral, "no such asset", set(KEYS))
        assert shown(ephemeral, "chunks") == ["FAILED"] * 3
