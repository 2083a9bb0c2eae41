"""The partitions: one a document, added and removed as documents come and go.

What belongs here: the definition, and the rule that a run says which documents it is for. What does not: when partitions
are added (seeding).
"""

import dagster as dg

DOCUMENTS = dg.DynamicPartitionsDefinition(name="documents")
PARTITION_TAG = "dagster/partition"
RANGE_START_TAG = "dagster/asset_partition_range_start"
RANGE_END_TAG = "dagster/asset_partition_range_end"


class DocumentsRun(dg.ConfigurableResource):
    """Refuses runs of document assets that name no documents: Dagster would let some of them succeed for nothing.

    Every asset with a partition a document requires it, so that such a run fails before its first step.
    """

    def setup_for_execution(self, context: dg.InitResourceContext) -> None:
        """Raises Failure that says which tags are needed."""
        tags = context.run.tags if context.run else {}
        if PARTITION_TAG not in tags and not {RANGE_START_TAG, RANGE_END_TAG} <= tags.keys():
            raise dg.Failure(
                description=(
                    "This run materializes assets that have a partition a document, and names no documents. Materialize "
                    "partitions in the UI, say --partition or --partition-range on the command line, or give the run the "
                    f"tag {PARTITION_TAG}, or both {RANGE_START_TAG} and {RANGE_END_TAG}. `seedbank seed` does so by itself."
                ),
                allow_retries=False,
            )
