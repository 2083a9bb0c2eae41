"""The data versions of partitions, by which Dagster says whether a partition is stale.

This module has the version of each partition that a step has made, and which of its inputs Dagster compares. How versions come
into Dagster's records is in io_managers.partition_events and event_log.staleness.

A partition's data version is the content digest of its result. Dagster compares an input if the digest of the input is in the
result's key. If a corpus input takes only a part of it, Dagster cannot know, and does not compare.
"""

from collections.abc import Mapping, Sequence

from event_log.staleness import BEHIND_ALL_EVENTS, NOT_COMPARED
from io_managers.content_hash import data_version
from io_managers.partition_events import InputVersion, PartitionVersion
from io_managers.store.values import Result, StoredValues
from seed_assets.graph.pipeline import Pipeline
from seed_assets.graph.stage import Stage

_LEFT_OUT = InputVersion(NOT_COMPARED, BEHIND_ALL_EVENTS)


def of_documents(
    pipeline: Pipeline,
    stage: Stage,
    results: Mapping[str, Result],
    inputs: Mapping[str, StoredValues],
    repaired: Mapping[str, Mapping[str, Result]],
) -> dict[str, PartitionVersion]:
    """The versions of documents in one stage.

    inputs: what the step got from the stages before it. repaired: their results that it computed again, by stage.
    """
    left_out = dict.fromkeys(_not_compared(stage, ""), _LEFT_OUT)
    return {
        document: PartitionVersion(
            result.content_digest,
            {**left_out, **_digests(document, inputs, repaired)} if inputs else left_out,
            stage.version,
        )
        for document, result in results.items()
    }


def of_cluster_types(
    pipeline: Pipeline, stage: Stage, results: Mapping[str, Mapping[str, Result]]
) -> dict[str, PartitionVersion]:
    """The versions of cluster types in one stage. results: cluster type -> unit -> result, of the type or its clusters."""
    return {
        cluster_type: PartitionVersion(
            own[cluster_type].content_digest if cluster_type in own else data_version(own).value,
            dict.fromkeys(_not_compared(stage, cluster_type), _LEFT_OUT),
        )
        for cluster_type, own in results.items()
    }


def _digests(
    document: str, inputs: Mapping[str, StoredValues], repaired: Mapping[str, Mapping[str, Result]]
) -> dict[str, InputVersion]:
    found = {name: values.ref(document).content_digest for name, values in inputs.items() if document in values}
    for name, again in repaired.items():
        if name in found and document in again:
            found[name] = again[document].content_digest
    return {name: InputVersion(digest) for name, digest in found.items()}


def _not_compared(stage: Stage, unit: str) -> Sequence[str]:
    """The stages before this one whose digests are not in its keys, or only in part."""
    compared = {*stage.upstream, *stage.works_on}
    for looked_at in stage.corpus_inputs.values():
        if looked_at.compared:
            compared.update(looked_at.over(unit))
    return [name for name in stage.over if name not in compared]
