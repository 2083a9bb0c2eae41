"""What Dagster records of each partition of one step.

Here: every use of a name that is private to Dagster, each with a public way beside it. Not here: what is recorded.

A run covers a range of documents, and Dagster's public ways to say something of one document in it either read the
whole range again at each call (`add_asset_metadata`) or write one event at a time (`log_event`). The private ways
below set or write all of them at once. Their names are those of dagster 1.13.27; a release without them takes the
public way, which records the same and only takes longer.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Any
from uuid import uuid4

from dagster import AssetExecutionContext, AssetMaterialization, AssetObservation, DataVersion, OutputContext

Metadata = Mapping[str, Any]
"""Name to a MetadataValue, or to what Dagster makes one of (str, int, float, bool, list, dict, Path)."""

DATA_VERSION_TAG = "dagster/data_version"
DATA_VERSION_IS_OURS_TAG = "dagster/data_version_is_user_provided"
BACKFILL_TAG = "dagster/backfill"


@dataclass(frozen=True, slots=True)
class PartitionRecord:
    """What one materialised partition says of itself: its metadata and the digest of its value."""

    metadata: Metadata
    data_version: str


def add_partition_metadata(context: AssetExecutionContext | OutputContext, metadata: Mapping[str, Metadata]) -> None:
    """Gives each partition's materialisation its own metadata, beside what the step gives to all of them.

    metadata: by partition key. Call it before the step's output is recorded: in an asset's body, or in an IO
    manager's `handle_output`. Calls add up; a name given again is replaced. The asset must be the only one of its
    step, and every partition one of this run's.
    """
    if _set_at_once(context, metadata):
        return
    for partition, own in metadata.items():
        if isinstance(context, AssetExecutionContext):
            context.add_asset_metadata(own, partition_key=partition)
        else:
            # an IO manager has no public word on one partition's materialisation; its page shows observations too
            context.log_event(AssetObservation(context.asset_key, partition=partition, metadata=own))


def emit_materializations(
    context: AssetExecutionContext | OutputContext, records: Mapping[str, PartitionRecord]
) -> None:
    """Records these partitions as materialised, at once, though the step is about to fail for others.

    records: by partition key. Each event bears the partition's own data version and, as those of a step that
    succeeds, the code version and the versions of the inputs, so that Dagster's staleness stays right. The caller
    then raises `Failure(allow_retries=False)`: Dagster shows the run's other partitions of this asset as failed. Not
    for a step that will succeed, which records its partitions itself.
    """
    provenance = _provenance_tags(context)
    events = [
        AssetMaterialization(
            context.asset_key,
            partition=partition,
            metadata=dict(record.metadata),
            tags={
                **provenance,
                DATA_VERSION_TAG: record.data_version,
                DATA_VERSION_IS_OURS_TAG: "true",
            },
        )
        for partition, record in records.items()
    ]
    if not _log_as_batch(context, events):
        for event in events:
            context.log_event(event)


def _private(module: str, name: str) -> Any:
    """A private thing of this Dagster, or None where it is not there."""
    try:
        return getattr(import_module(module), name, None)
    except ImportError:
        return None


def _step_of(context: AssetExecutionContext | OutputContext) -> Any:
    if isinstance(context, AssetExecutionContext):
        return getattr(context, "get_step_execution_context", lambda: None)()
    return getattr(context, "step_context", None)


def _set_at_once(context: AssetExecutionContext | OutputContext, metadata: Mapping[str, Metadata]) -> bool:
    """The metadata of a step as one new record: each `add_asset_metadata` copies all that was there before."""
    module = "dagster._core.execution.context.metadata_logging"
    handle_of = _private(module, "AssetMetadataHandle")
    accumulator = _private(module, "OutputMetadataAccumulator")
    step = _step_of(context)
    present = getattr(getattr(step, "_metadata_accumulator", None), "per_output_metadata", None)
    if handle_of is None or accumulator is None or present is None:
        return False
    added = dict(present)
    for partition, own in metadata.items():
        handle = handle_of(asset_key=context.asset_key, partition_key=partition)
        added[handle] = {**added.get(handle, {}), **own}
    step._metadata_accumulator = accumulator(per_output_metadata=added)
    return True


def _log_as_batch(context: AssetExecutionContext | OutputContext, events: Sequence[AssetMaterialization]) -> bool:
    """Events of one batch id are stored together, where the event log can and DAGSTER_EVENT_BATCH_SIZE is set."""
    batch_of = _private("dagster._core.events", "DagsterEventBatchMetadata")
    event_of = getattr(_private("dagster._core.events", "DagsterEvent"), "asset_materialization", None)
    step = _step_of(context)
    if batch_of is None or event_of is None or step is None:
        return False
    batch_id = str(uuid4())
    for position, event in enumerate(events, start=1):
        event_of(step, event, batch_of(batch_id, position == len(events)))  # logs the event that it makes
    return True


def _provenance_tags(context: AssetExecutionContext | OutputContext) -> dict[str, str]:
    """The tags of a step's own materialisations, but for the data version.

    Without them Dagster compares times instead of versions: it may call a partition stale that is not, never the
    other way round.
    """
    module = "dagster._core.execution.plan.execute_step"
    code_version_of = _private(module, "_get_code_version")
    inputs_of = _private(module, "_get_input_provenance_data")
    tags_of = _private(module, "_build_data_version_tags")
    step = _step_of(context)
    # the inputs' versions are read before the body starts, unless the instance has switched that off
    known = getattr(step, "is_external_input_asset_version_info_loaded", False)
    if code_version_of is None or inputs_of is None or tags_of is None or not known:
        return {}
    key = context.asset_key
    tags = tags_of(DataVersion(""), code_version_of(key, step), inputs_of(key, step), True)
    backfill = step.get_tag(BACKFILL_TAG)
    return {**tags, BACKFILL_TAG: backfill} if backfill else tags
