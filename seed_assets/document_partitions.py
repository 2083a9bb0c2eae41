"""The partitions in Dagster's own records: their order, ranges of them, and what Dagster shows of each.

What belongs here: reading and changing one instance's partitions. What does not: which documents a run has to visit
(work) and running them (dagster_runs, automation).
"""

from collections.abc import Collection, Mapping, Sequence
from collections.abc import Set as AbstractSet

import dagster as dg
from dagster._core.storage.partition_status_cache import AssetPartitionStatus

from event_log.partition_changes import own_partition_changes
from io_managers.store.leases import Leases
from resources.home import Home
from seed_assets.partitions import DOCUMENTS
from seed_assets.planner import Plan
from seed_assets.ranges import cover, in_the_way
from seed_assets.run_records import unfinished_runs

# Whoever changes the partitions holds this lease: adding one that another process adds at the same time is an error.
_LEASE = "partitions"
_NAME = DOCUMENTS.name or ""
# What Dagster calls a partition that the plan calls so; of the others it shows that there is work left.
_SHOWN_AS = {
    "current": AssetPartitionStatus.MATERIALIZED,
    "failed": AssetPartitionStatus.FAILED,
    "blocked": AssetPartitionStatus.FAILED,
}


class DocumentPartitions:
    """One partition a document, in one Dagster instance."""

    def __init__(self, instance: dg.DagsterInstance, leases: Leases, home: Home, longest_range: int) -> None:
        self._instance = instance
        self._leases = leases
        self._home = home
        self._longest = longest_range

    def order(self) -> list[str]:
        """All documents that have a partition, in Dagster's order, whoever added it."""
        return list(self._instance.get_dynamic_partitions(_NAME))

    def add(self, documents: Sequence[str]) -> None:
        """Give each of these documents a partition, at the end of the order, where it has none."""
        with self._leases.hold(_LEASE):
            self._add(documents)

    def remove(self, documents: AbstractSet[str]) -> None:
        """Take the partitions of these documents away."""
        with self._leases.hold(_LEASE):
            self._remove(documents)

    def ranges(self, wanted: AbstractSet[str], avoid: AbstractSet[str]) -> list[tuple[str, str]]:
        """The ranges that cover `wanted` without any of `avoid`.

        Failed documents that would split a range are moved to the end of the order, unless another run may be using it:
        a range cannot skip a key.
        """
        with self._leases.hold(_LEASE):
            order = self.order()
            moved = in_the_way(order, wanted, avoid)
            if moved and not self.in_use():
                order = self._move_to_end(moved)
        return cover(order, wanted, avoid, self._longest)

    def ranges_of_only(self, wanted: AbstractSet[str]) -> list[tuple[str, str]]:
        """The ranges that hold these documents and no others, which are brought together for it where that may be done."""
        with self._leases.hold(_LEASE):
            order = self.order()
            ranges = cover(order, wanted, set(order) - wanted, self._longest)
            if len(ranges) > 1 and len(ranges) > len(wanted) / self._longest + 1 and not self.in_use():
                order = self._move_to_end([document for document in order if document in wanted])
                ranges = cover(order, wanted, set(order) - wanted, self._longest)
        return ranges

    def members(self, first: str, last: str) -> list[str]:
        """The documents of a range; none where one of its ends has no partition any more."""
        order = self.order()
        return order[order.index(first) : order.index(last) + 1] if {first, last} <= set(order) else []

    def in_use(self) -> bool:
        """Whether somebody else may have found ranges in the order as it is, or be about to run them."""
        return bool(unfinished_runs(self._instance)) or self._home.others_running()

    def shown_otherwise(self, plan: Plan, stages: Collection[str], documents: Collection[str]) -> dict[str, list[str]]:
        """Document -> the stages in which Dagster shows another state than the plan, and nothing is to be done.

        Such are left by a run that was killed between publishing and telling Dagster, by a step that failed and took
        those after it along for documents that had nothing to do with it, by records of Dagster that were deleted, and
        by files that never came as far as a run.
        """
        found: dict[str, list[str]] = {}
        for name in stages:
            stage = plan.stages[name]
            expected = {d: _SHOWN_AS[stage.states[d]] for d in documents if stage.states.get(d) in _SHOWN_AS}
            shown = self._shown(name, list(expected))
            for document, status in expected.items():
                found_status = shown.get(document)
                if document in stage.todo or found_status in (status, AssetPartitionStatus.IN_PROGRESS):
                    continue
                found.setdefault(document, []).append(name)
        return found

    def _shown(self, stage: str, documents: Sequence[str]) -> Mapping[str, AssetPartitionStatus | None]:
        if not documents:
            return {}
        return self._instance.get_status_by_partition(dg.AssetKey(stage), documents, DOCUMENTS) or {}

    def _move_to_end(self, documents: Sequence[str]) -> list[str]:
        self._remove(set(documents))
        self._add(documents)
        return self.order()

    def _add(self, documents: Sequence[str]) -> None:
        known = set(self.order())
        missing = [document for document in documents if document not in known]
        if missing:
            with own_partition_changes():
                self._instance.add_dynamic_partitions(_NAME, missing)

    def _remove(self, documents: AbstractSet[str]) -> None:
        with own_partition_changes():
            for document in documents & set(self.order()):
                self._instance.delete_dynamic_partition(_NAME, document)
