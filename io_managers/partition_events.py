"""Records events, metadata and data versions of single partitions in Dagster, for all partitions of a step at once.

A run covers a range of documents. Dagster's public API for one document in it either reads the whole range again at each
call (`add_asset_metadata`) or writes one event at a time (`log_event`). The private API used here sets or writes all of them
at once. It is that of dagster 1.13.27; with a release that lacks it, the public API is used, which records the same and is
only slower. One thing has no public API: a step that succeeds gives all its partitions the same data version. Without the
private API this stays so, and Dagster may show a current partition as stale, but never a stale one as current.

Other private API of Dagster is used in `event_log`, which extends Dagster's storages, and where `seed_assets` reads its
records.
"""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import wraps
from importlib import import_module
from inspect import signature
from typing import Any
from uuid import uuid4
from weakref import WeakKeyDictionary

from dagster import (
    AssetExecutionContext,
    AssetMaterialization,
    AssetObservation,
    DataVersion,
    JsonMetadataValue,
    MarkdownMetadataValue,
    OutputContext,
    TextMetadataValue,
)

from io_managers.plain_text import plain, plain_lines, plain_values

Metadata = Mapping[str, Any]
"""Names to MetadataValues, or to values that Dagster converts to them (str, int, float, bool, list, dict, Path)."""

DATA_VERSION_TAG = "dagster/data_version"
DATA_VERSION_IS_OURS_TAG = "dagster/data_version_is_user_provided"
CODE_VERSION_TAG = "dagster/code_version"
BACKFILL_TAG = "dagster/backfill"


INPUT_VERSION_TAG = "dagster/input_data_version/"
INPUT_POINTER_TAG = "dagster/input_event_pointer/"


@dataclass(frozen=True, slots=True)
class InputVersion:
    """The data version of an input from which one partition was made.

    event_pointer: the id of the event after which Dagster looks for newer versions of that input; None for the newest
    event of the input when the step began.
    """

    data_version: str
    event_pointer: int | None = None


@dataclass(frozen=True, slots=True)
class PartitionVersion:
    """The data version of one partition, and those of its inputs by asset; other inputs have the step's versions.

    code_version: the version of the code that made it; "" for the asset's, which an asset need not have.
    """

    data_version: str
    inputs: Mapping[str, InputVersion] = field(default_factory=dict[str, InputVersion])
    code_version: str = ""


@dataclass(frozen=True, slots=True)
class PartitionRecord:
    """The metadata and the data version of one materialised partition."""

    metadata: Metadata
    version: PartitionVersion


def add_partition_metadata(context: AssetExecutionContext | OutputContext, metadata: Mapping[str, Metadata]) -> None:
    """Give each partition's materialisation its own metadata, in addition to the metadata of the step.

    metadata: by partition key. Call it before the step's output is recorded: in an asset's body, or in an IO
    manager's `handle_output`. Calls add up; a name given again is replaced. The asset must be the only one of its
    step, and every partition one of this run's.
    """
    metadata = {partition: shown_metadata(own) for partition, own in metadata.items()}
    if _set_at_once(context, metadata):
        return
    for partition, own in metadata.items():
        if isinstance(context, AssetExecutionContext):
            context.add_asset_metadata(own, partition_key=partition)
        else:
            # An IO manager has no public API for the metadata of one partition; its page shows observations as well.
            context.log_event(AssetObservation(context.asset_key, partition=partition, metadata=own))


def emit_materializations(
    context: AssetExecutionContext | OutputContext, records: Mapping[str, PartitionRecord]
) -> None:
    """Record these partitions as materialised now, although the step goes on with others, or is about to fail for them.

    records: by partition key. Each event has the partition's own data version and, like the events of a successful step, the
    code version and the versions of the inputs, so that Dagster computes staleness correctly. In a step that succeeds, call
    it only if `can_record_early`: then Dagster does not record these partitions once more at its end. In a step that fails,
    the caller then raises `Failure(allow_retries=False)`, and Dagster shows the run's other partitions of this asset as failed.
    """
    provenance = _provenance_tags(context)
    events = [
        AssetMaterialization(
            context.asset_key,
            partition=partition,
            metadata=shown_metadata(record.metadata),
            tags=_with_version(provenance, record.version),
        )
        for partition, record in records.items()
    ]
    if not _log_as_batch(context, events, "asset_materialization"):
        for event in events:
            context.log_event(event)
    step = _step_of(context)
    if step is not None:
        _RECORDED.setdefault(step, set()).update(records)


def can_record_early(context: AssetExecutionContext | OutputContext) -> bool:
    """Whether partitions that were recorded during a step can be left out of what Dagster records at its end."""
    return _step_of(context) is not None and _output_events_are_ours()


def shown_metadata(metadata: Metadata) -> dict[str, Any]:
    """Metadata that is safe to show on Dagster's page: control and invisible characters are removed from all texts in it.

    Text of documents or servers in a MarkdownMetadataValue must have passed through `plain_text.as_markdown` before, since it
    cannot be distinguished from our own Markdown here.
    """
    return {plain(name): _shown(value) for name, value in metadata.items()}


def _shown(value: Any) -> Any:
    if isinstance(value, TextMetadataValue):
        return TextMetadataValue(plain_lines(value.text or ""))
    if isinstance(value, JsonMetadataValue):
        return JsonMetadataValue(plain_values(value.data))
    if isinstance(value, MarkdownMetadataValue):
        return MarkdownMetadataValue(plain_lines(value.md_str or ""))
    return plain_values(value)


@dataclass(frozen=True, slots=True)
class Note:
    """A note for the page of a partition without a result: a line of text, and metadata."""

    description: str
    metadata: Metadata


def emit_notes(context: AssetExecutionContext, notes: Mapping[str, Note]) -> None:
    """Show a note on the pages of partitions that have no result.

    notes: by partition key, "" for an asset without partitions. Dagster shows them in the list of a partition's events, and
    beside its earlier materialisation if there is one. Dagster's list of an asset's events, 100 per page, treats events of
    the same run and millisecond as one, so the first 100 notes get different timestamps.
    """
    events = [
        AssetObservation(
            context.asset_key,
            partition=partition or None,
            description=plain_lines(note.description),
            metadata=shown_metadata(note.metadata),
        )
        for partition, note in notes.items()
    ]
    if not _log_as_batch(context, events, "asset_observation", moments=_LISTED_AT_ONCE):
        for event in events:
            context.log_event(event)


_MILLISECOND = 0.001
# The number of events on one page of Dagster's list.
_LISTED_AT_ONCE = 100


def set_partition_versions(
    context: AssetExecutionContext | OutputContext, versions: Mapping[str, PartitionVersion]
) -> bool:
    """Give each partition's materialisation its own data version instead of the version of the step's output.

    versions: by partition key, "" for an asset without partitions. The event of the last one is recorded last, so that Dagster
    shows its metadata as the asset's latest; otherwise the order of partitions is accidental. Call it in the asset's body or in
    an IO manager. Returns False if this release of Dagster does not allow it; then all partitions have the output's version, and
    Dagster shows some of them as stale although they are current.
    """
    step = _step_of(context)
    if step is None or not _output_events_are_ours():
        return False
    _VERSIONS[step] = dict(versions)
    return True


# The versions of the steps that are running, and the partitions of each that are recorded already.
_VERSIONS: WeakKeyDictionary[Any, dict[str, PartitionVersion]] = WeakKeyDictionary()
_RECORDED: WeakKeyDictionary[Any, set[str]] = WeakKeyDictionary()
_MARK = "_with_partition_versions"


def _output_events_are_ours() -> bool:
    """Patch Dagster so that the events of a step's output have the versions that were set for that step.

    Events of partitions that are recorded already are left out.
    """
    module, name = "dagster._core.execution.plan.execute_step", "_get_output_asset_events"
    events_of: Callable[..., Iterator[Any]] | None = _private(module, name)
    if events_of is None or "step_context" not in signature(events_of).parameters:
        return False
    if hasattr(events_of, _MARK):
        return True
    arguments = signature(events_of)

    @wraps(events_of)
    def with_versions(*args: Any, **kwargs: Any) -> Iterator[Any]:
        step = arguments.bind(*args, **kwargs).arguments["step_context"]
        versions, recorded = _VERSIONS.get(step, {}), _RECORDED.get(step, ())
        last = next(reversed(versions), None) if versions else None
        held: list[Any] = []
        for event in events_of(*args, **kwargs):
            if event.partition in recorded:
                continue
            own = versions.get(event.partition or "")
            if own is None or not isinstance(event, AssetMaterialization):
                yield event
                continue
            event = event._replace(tags=_with_version(event.tags or {}, own))
            if (event.partition or "") == last:
                held.append(event)
            else:
                yield event
        yield from held

    setattr(with_versions, _MARK, True)
    setattr(import_module(module), name, with_versions)
    return True


def _with_version(tags: Mapping[str, str], version: PartitionVersion) -> dict[str, str]:
    """The tags of a step's materialisation, with the versions of one partition."""
    own = {**tags, DATA_VERSION_TAG: version.data_version, DATA_VERSION_IS_OURS_TAG: "true"}
    if version.code_version and CODE_VERSION_TAG in own:
        own[CODE_VERSION_TAG] = version.code_version
    for name, seen in version.inputs.items():
        if INPUT_VERSION_TAG + name in own:  # if the step has none, Dagster compares times
            own[INPUT_VERSION_TAG + name] = seen.data_version
            if seen.event_pointer is not None:
                own[INPUT_POINTER_TAG + name] = str(seen.event_pointer)
    return own


def _private(module: str, name: str) -> Any:
    """A private name of a Dagster module, or None if this release does not have it."""
    try:
        return getattr(import_module(module), name, None)
    except ImportError:
        return None


def _step_of(context: AssetExecutionContext | OutputContext) -> Any:
    if isinstance(context, AssetExecutionContext):
        return getattr(context, "get_step_execution_context", lambda: None)()
    return getattr(context, "_step_context", None)


def _set_at_once(context: AssetExecutionContext | OutputContext, metadata: Mapping[str, Metadata]) -> bool:
    """Set the metadata of all partitions in one step; each `add_asset_metadata` would copy all earlier metadata."""
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


def _log_as_batch(
    context: AssetExecutionContext | OutputContext,
    events: Sequence[AssetMaterialization] | Sequence[AssetObservation],
    kind: str,
    *,
    moments: int = 0,
) -> bool:
    """Store events in one batch, if the event log supports batches and DAGSTER_EVENT_BATCH_SIZE is set.

    moments: how many of the first events get a millisecond of their own.
    """
    batch_of = _private("dagster._core.events", "DagsterEventBatchMetadata")
    event_of = getattr(_private("dagster._core.events", "DagsterEvent"), kind, None)
    step = _step_of(context)
    if batch_of is None or event_of is None or step is None:
        return False
    batch_id = str(uuid4())
    for position, event in enumerate(events, start=1):
        event_of(step, event, batch_of(batch_id, position == len(events)))  # logs the event that it makes
        if position <= moments:
            time.sleep(_MILLISECOND)
    return True


def _provenance_tags(context: AssetExecutionContext | OutputContext) -> dict[str, str]:
    """The tags of a step's own materialisations, except the data version.

    Without them Dagster compares times instead of versions, and may show a current partition as stale, but never a stale
    one as current.
    """
    module = "dagster._core.execution.plan.execute_step"
    code_version_of = _private(module, "_get_code_version")
    inputs_of = _private(module, "_get_input_provenance_data")
    tags_of = _private(module, "_build_data_version_tags")
    step = _step_of(context)
    # Dagster reads the versions of the inputs before the body starts, unless that is switched off for the instance.
    known = getattr(step, "is_external_input_asset_version_info_loaded", False)
    if code_version_of is None or inputs_of is None or tags_of is None or not known:
        return {}
    key = context.asset_key
    tags = tags_of(DataVersion(""), code_version_of(key, step), inputs_of(key, step), True)
    backfill = step.get_tag(BACKFILL_TAG)
    return {**tags, BACKFILL_TAG: backfill} if backfill else tags
