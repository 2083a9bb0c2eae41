"""The partitions: one per document, added and removed as documents come and go, and one per cluster type.

This module has the definitions, and the rule that a run names its partitions. Seeding and automation add and remove partitions.
"""

from collections.abc import Sequence

import dagster as dg

from seed_assets.graph.stage import Units

DOCUMENTS = dg.DynamicPartitionsDefinition(name=Units.DOCUMENTS.value)
PARTITION_TAG = "dagster/partition"
RANGE_START_TAG = "dagster/asset_partition_range_start"
RANGE_END_TAG = "dagster/asset_partition_range_end"


def cluster_types(types: Sequence[str]) -> dg.StaticPartitionsDefinition:
    """One partition per cluster type."""
    return dg.StaticPartitionsDefinition(list(types))


class PartitionedRun(dg.ConfigurableResource):
    """Refuses runs of partitioned assets that name no partitions, some of which Dagster would let succeed without any work.

    Every asset with partitions requires it, so that such a run fails before its first step.
    """

    def setup_for_execution(self, context: dg.InitResourceContext) -> None:
        """Raises Failure that says which tags are needed."""
        tags = context.run.tags if context.run else {}
        if PARTITION_TAG not in tags and not {RANGE_START_TAG, RANGE_END_TAG} <= tags.keys():
            raise dg.Failure(
                description=(
                    "This run materializes assets that have a partition a document, or a cluster type, and names none. "
                    "Materialize partitions in the UI, say --partition or --partition-range on the command line, or give the "
                    f"run the tag {PARTITION_TAG}, or both {RANGE_START_TAG} and {RANGE_END_TAG}. `seedbank seed` does so "
                    "by itself."
                ),
                allow_retries=False,
            )
