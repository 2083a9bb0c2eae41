"""The IO manager of all stages; other assets may use it as well. It maps Dagster's asset keys and partitions to the store.

A stage hands over results that are committed already, so that only their refs have to be published. Any other asset, in any
Dagster project, returns its value (see store.codecs for the types); with several partitions in one run it returns
`{partition: value}`, and with one partition either the value or `{partition: value}`. Each partition of it gets the digest of its
value as its data version, so that Dagster calls nothing stale because an equal value was made once more.

Values are verified when they are opened. The one partition that a partitioned run needs is loaded as its value. Several, or those
of an asset without partitions, are a lazy mapping by partition (StoredValues, which as an annotation always gives the mapping;
annotate `dict` to load all of them at once). A partition that was never recorded is absent from the mapping; one that was
recorded but is missing in the store raises MissingObjectError.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, get_args, get_origin

import dagster as dg

from io_managers.partition_events import (
    PartitionVersion,
    add_partition_metadata,
    set_partition_versions,
    shown_metadata,
)
from io_managers.store.action_cache import Provenance
from io_managers.store.codecs.codecs import encode
from io_managers.store.errors import StoreError
from io_managers.store.fingerprint import Action, KeyTemplate, content_digest, encode_part
from io_managers.store.refs import Ref
from io_managers.store.shared import shared_store
from io_managers.store.store import Store
from io_managers.store.values import CommittedResults, Result, StoredValues


def result_metadata(result: Result) -> dict[str, Any]:
    """The metadata that a partition's page shows for its result; latencies are those of its own requests."""
    provenance = result.provenance
    metadata: dict[str, Any] = {
        "content_digest": result.content_digest,
        "reused": result.reused,
        "seconds": provenance.seconds,
    }
    if provenance.preview:
        metadata["preview"] = provenance.preview
    if provenance.warnings:
        metadata["warnings"] = "\n".join(provenance.warnings)
    if result.reason:
        metadata["computed_because"] = result.reason
    if provenance.latencies and not result.reused:
        names = ("latency_p50_seconds", "latency_p95_seconds", "latency_p99_seconds")
        metadata |= dict(zip(names, provenance.latencies, strict=True))
    if provenance.model:
        metadata["model"] = provenance.model
    if provenance.requests and not result.reused:
        metadata |= {
            "requests": provenance.requests,
            "input_tokens": provenance.input_tokens,
            "output_tokens": provenance.output_tokens,
            "usd": "unknown" if provenance.unpriced else provenance.usd,
        }
    # What was found inside of a computed result did not have to be paid again, and nothing at all of a reused one.
    paid = int(result.reused)
    saved = {
        "requests_saved": provenance.reused_requests + paid * provenance.requests,
        "input_tokens_saved": provenance.reused_input_tokens + paid * provenance.input_tokens,
        "output_tokens_saved": provenance.reused_output_tokens + paid * provenance.output_tokens,
    }
    if any(saved.values()):
        unpriced = provenance.reused_unpriced + paid * provenance.unpriced
        usd = provenance.reused_usd + paid * provenance.usd
        metadata |= saved | {"usd_saved": "unknown" if unpriced else usd}
    return metadata


def publish(store: Store, results: CommittedResults, run_id: str) -> None:
    """Publish the refs of all results in one transaction."""
    store.refs.publish(
        [
            Ref(results.stage, partition, result.action_key, result.content_digest, run_id, result.state)
            for partition, result in results.items()
        ]
    )


def data_version(results: Mapping[str, Result]) -> dg.DataVersion:
    """The data version that Dagster gives to all partitions of a run. It differs whenever the results differ."""
    pairs = sorted((partition, result.content_digest) for partition, result in results.items())
    return dg.DataVersion(content_digest(encode_part(pairs)))


class ContentHashIOManager(dg.ConfigurableIOManager):
    """Stores outputs by content and verifies what it loads, for assets with and without partitions.

    store_directory: the folder of the store, which is made if it does not exist; that of a home is `<SEEDBANK_HOME>/store`. A
    relative path is relative to the working directory of the run.
    """

    store_directory: str

    def handle_output(self, context: dg.OutputContext, obj: Any) -> None:
        """Publish committed results, or commit a value and publish it.

        Raises UnencodableError for a value that no codec can store, and StoreUnavailableError (both are StoreErrors).
        """
        store = shared_store(Path(self.store_directory))
        if isinstance(obj, CommittedResults):
            results, metadata = obj, {partition: result_metadata(result) for partition, result in obj.items()}
        else:
            results, metadata = _commit(store, _name(context), _partitions(context), obj)
            if context.has_asset_key:
                versions = {partition: PartitionVersion(r.content_digest) for partition, r in results.items()}
                set_partition_versions(context, versions)
        publish(store, results, context.run_id)
        if _partitioned(context):
            add_partition_metadata(context, metadata)
        else:
            for own in metadata.values():
                context.add_output_metadata(shown_metadata(own))

    def load_input(self, context: dg.InputContext) -> Any:
        """The value of one partition, or a lazy mapping of several; None if the input has no partition for this one.

        Raises StoreError if a single partition was never recorded, and MissingObjectError or CorruptObjectError if its
        value is missing or damaged.
        """
        store = shared_store(Path(self.store_directory))
        upstream = context.upstream_output
        name = _name(context) if context.has_asset_key or upstream is None else _name(upstream)
        partitions = _partitions(context)
        wanted = _annotation(context)
        if wanted is StoredValues:
            return store.values(name, partitions)
        if len(partitions) > 1 or (_partitioned(context) and not _in_partitioned_run(context)):
            values = store.values(name, partitions, _value_type(wanted))
            # Dagster accepts only a real dict for a parameter with that annotation.
            return dict(values) if get_origin(wanted) is dict else values
        values = store.values(name, partitions, wanted)
        if not partitions:  # as in Dagster's own IO managers: for the first partition there is none before it
            return None
        (partition,) = partitions
        if partition not in values:
            which = f"{name} of {partition!r}" if partition else name
            raise StoreError(f"{which} was never materialized. Materialize it first.")
        return values[partition]


def _commit(
    store: Store, name: str, partitions: Sequence[str], obj: Any
) -> tuple[CommittedResults, dict[str, dict[str, Any]]]:
    """Commit the values of an asset that is no stage. Returns the results, and the metadata of each partition."""
    values = _by_partition(name, partitions, obj)
    before = store.refs.get(name, partitions)
    template = KeyTemplate(name, {"kind": "asset"})
    sizes: list[int] = []
    finished: list[tuple[Action, Any, Provenance]] = []
    for partition in partitions:
        data = encode(values[partition]).data
        sizes.append(len(data))
        # Nothing is known of what decided the value, so its action is unique to the value itself.
        action = template.action({"partition": partition, "content": content_digest(data)})
        finished.append((action, values[partition], Provenance()))
    results: dict[str, Result] = {}
    metadata: dict[str, dict[str, Any]] = {}
    digests = store.commit(finished).result()
    for partition, (action, _, made), digest, size in zip(partitions, finished, digests, sizes, strict=True):
        results[partition] = Result(partition, action.key, digest, made, "materialized")
        unchanged = partition in before and before[partition].content_digest == digest
        metadata[partition] = {"content_digest": digest, "bytes": size, "unchanged": unchanged}
    return CommittedResults(name, results), metadata


def _by_partition(name: str, partitions: Sequence[str], obj: Any) -> Mapping[str, Any]:
    if list(partitions) == [""]:
        return {"": obj}
    if isinstance(obj, Mapping) and obj.keys() == set(partitions):
        return obj
    if len(partitions) == 1:
        return {partitions[0]: obj}
    found = f"a mapping of {len(obj)} keys" if isinstance(obj, Mapping) else f"a {type(obj).__qualname__}"
    raise StoreError(
        f"{name} was run for {len(partitions)} partitions and returned {found}. Return {{partition: value}} with exactly "
        "the keys of context.partition_keys."
    )


def _partitions(context: dg.OutputContext | dg.InputContext) -> list[str]:
    """The partitions as plain texts, which keys of multi-partitions are not; "" for an asset without partitions."""
    return [str(key) for key in context.asset_partition_keys] if _partitioned(context) else [""]


def _in_partitioned_run(context: dg.InputContext) -> bool:
    """Whether the asset that takes the input is run for partitions. A context without a step is a person's or a test's."""
    if context.has_partition_key or context._step_context is None:
        return True
    return context.step_context.has_partition_key_range


def _annotation(context: dg.InputContext) -> Any:
    try:
        return context.dagster_type.typing_type
    except dg.DagsterInvariantViolationError:  # nothing was said of the type
        return Any


def _partitioned(context: dg.OutputContext | dg.InputContext) -> bool:
    return context.has_asset_key and context.has_asset_partitions


def _name(context: dg.OutputContext | dg.InputContext) -> str:
    if context.has_asset_key:
        return context.asset_key.to_user_string()
    # The inner ops of a graph asset: theirs is the run's alone.
    return "op/" + "/".join(context.get_identifier())


def _value_type(wanted: Any) -> Any:
    arguments = get_args(wanted)
    return arguments[1] if len(arguments) == 2 else Any
