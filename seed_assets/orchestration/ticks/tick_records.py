"""Dagster's records as a tick of the automation looks at them. A seed looks at them in another way (seeding.seed_records)."""

from collections.abc import Sequence

import dagster as dg
from dagster._core.definitions.assets.graph.base_asset_graph import BaseAssetGraph

from seed_assets.orchestration.corpus_records import corpus_out_of_sync
from seed_assets.orchestration.document_partitions import DocumentPartitions
from seed_assets.planning.phases import OutOfSync
from seed_assets.planning.plan import Plan
from seed_assets.session.session import Session


class RecordsOfTick:
    """Dagster's records, as a tick looks at them. It implements phases.Records. known: documents with a partition."""

    def __init__(
        self,
        session: Session,
        partitions: DocumentPartitions,
        known: Sequence[str],
        instance: dg.DagsterInstance | None = None,
        graph: BaseAssetGraph | None = None,
    ) -> None:
        """graph: of all assets; without it and the instance, only documents are looked at."""
        self._session = session
        self._partitions = partitions
        self._known = known
        self._instance = instance
        self._graph = graph

    def documents(self, plan: Plan, stages: Sequence[str]) -> dict[str, list[str]]:
        """See phases.Records. Nothing is compared if the records are known to be in sync."""
        placing = {stage.name for stage in self._session.pipeline.placing_stages}
        unknown = not plan.placed and not placing.isdisjoint(stages)
        if unknown or self._session.home.synced_digest() == plan.digest():
            return {}
        return self._partitions.shown_otherwise(plan, stages, self._known)

    def corpus(self, plan: Plan) -> OutOfSync:
        """See phases.Records."""
        if self._instance is None or self._graph is None:
            return OutOfSync([], [])
        return corpus_out_of_sync(self._instance, self._graph, self._session.pipeline, plan)
