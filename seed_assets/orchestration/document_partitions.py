"""The partitions in Dagster's own records: their order, ranges of them, and what Dagster shows of each.

This module reads and changes the partitions of one instance. Which documents a run visits is decided in planning.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import TypeVar

import dagster as dg
from dagster._core.storage.partition_status_cache import AssetPartitionStatus

from event_log.attempts import forget_attempts
from event_log.partition_changes import own_partition_changes
from io_managers.partition_events import DATA_VERSION_TAG
from io_managers.store.errors import LeaseLostError
from io_managers.store.holders import FOR_EVER, Waiting
from io_managers.store.leases import Lease
from io_managers.store.store import Store
from resources.home.home import Home
from seed_assets.orchestration.partitions import DOCUMENTS
from seed_assets.orchestration.run_records import unfinished_runs
from seed_assets.planning.partition_ranges import cover, in_the_way
from seed_assets.planning.plan import Plan

# Every process that changes the partitions holds this lease: two processes that add the same one would get an error.
_LEASE = "partitions"
_Result = TypeVar("_Result")
_NAME = DOCUMENTS.name or ""
# How Dagster shows the states of the plan. A blocked partition is shown as before the failure that blocks it; for the other
# states Dagster shows that work is left.
_SHOWN_AS = {"current": AssetPartitionStatus.MATERIALIZED, "failed": AssetPartitionStatus.FAILED}


class DocumentPartitions:
    """One partition per document, in one Dagster instance."""

    def __init__(
        self,
        instance: dg.DagsterInstance,
        store: Store,
        home: Home,
        longest_range: int,
        waiting: Waiting = FOR_EVER,
        workers: int = 1,
    ) -> None:
        """waiting: how to wait while another process changes partitions, or tables for `remove_documents`.

        workers: how many runs are done at once, for each of which `ranges` gives a range.
        """
        self.waiting = waiting
        self._instance = instance
        self._refs = store.refs
        self._leases = store.leases
        self._home = home
        self._longest = longest_range
        self._workers = workers

    def order(self) -> list[str]:
        """Return all documents that have a partition, in Dagster's order."""
        return list(self._instance.get_dynamic_partitions(_NAME))

    def add(self, documents: Sequence[str]) -> None:
        """Add a partition for each of these documents that has none, at the end of the order."""
        self._held(lambda lease: self._add(documents, lease))

    def remove(self, documents: AbstractSet[str]) -> None:
        """Remove the partitions of these documents."""
        self._held(lambda lease: self._remove(documents, lease))

    def ranges(self, wanted: AbstractSet[str], avoid: AbstractSet[str]) -> list[tuple[str, str]]:
        """The ranges that cover `wanted` without any of `avoid`.

        Failed documents that would split a range are moved to the end of the order, unless another run may be using it:
        a range cannot skip a key.
        """

        def ordered(lease: Lease) -> list[str]:
            order = self.order()
            moved = in_the_way(order, wanted, avoid)
            return self._move_to_end(moved, lease) if moved and not self.in_use() else order

        return cover(self._held(ordered), wanted, avoid, self._longest, workers=self._workers)

    def ranges_of_only(self, wanted: AbstractSet[str]) -> list[tuple[str, str]]:
        """Return the ranges that hold these documents and no others.

        The documents are moved together if no run uses the order.
        """

        def covered(lease: Lease) -> list[tuple[str, str]]:
            order = self.order()
            ranges = cover(order, wanted, set(order) - wanted, self._longest)
            if len(ranges) > 1 and len(ranges) > len(wanted) / self._longest + 1 and not self.in_use():
                order = self._move_to_end([document for document in order if document in wanted], lease)
                ranges = cover(order, wanted, set(order) - wanted, self._longest)
            return ranges

        return self._held(covered)

    def members(self, first: str, last: str) -> list[str]:
        """Return the documents of a range; none if one of its ends has no partition any more."""
        order = self.order()
        return order[order.index(first) : order.index(last) + 1] if {first, last} <= set(order) else []

    def in_use(self) -> bool:
        """Whether another process may use ranges of the present order, or be about to run them."""
        return bool(unfinished_runs(self._instance)) or self._home.others_running()

    def shown_otherwise(self, plan: Plan, stages: Collection[str], documents: Collection[str]) -> dict[str, list[str]]:
        """Return document -> the stages with no work left in which Dagster shows another state than the plan.

        Possible causes: a run was killed between publishing and reporting to Dagster; a step failed, and the steps after it were
        shown as failed for documents that did not fail; records of Dagster were deleted; a file was never in a run; an earlier
        release gave a whole run one data version. After this, documents that are blocked in a stage are no longer shown as
        failed there.
        """
        found: dict[str, list[str]] = {}
        for name in stages:
            stage = plan.stages[name]
            expected = {d: _SHOWN_AS[stage.states[d]] for d in documents if stage.states.get(d) in _SHOWN_AS}
            blocked = [d for d in documents if stage.states.get(d) == "blocked"]
            shown = self._shown(name, [*expected, *blocked])
            in_the_way = {d for d in blocked if shown.get(d) == AssetPartitionStatus.FAILED}
            if in_the_way:
                forget_attempts(self._instance, name, in_the_way)
            versions = self._versions(name, [d for d in expected if stage.states[d] == "current"])
            for document, status in expected.items():
                found_status = shown.get(document)
                if document in stage.todo or found_status == AssetPartitionStatus.IN_PROGRESS:
                    continue
                if found_status != status or not versions.get(document, True):
                    found.setdefault(document, []).append(name)
        return found

    def _versions(self, stage: str, documents: Sequence[str]) -> dict[str, bool]:
        """Document -> whether the data version that Dagster has of it is the digest that is published."""
        if not documents:
            return {}
        tags = self._instance.event_log_storage.get_latest_tags_by_partition(
            dg.AssetKey(stage), dg.DagsterEventType.ASSET_MATERIALIZATION, [DATA_VERSION_TAG]
        )
        refs = self._refs.get(stage, documents)
        return {d: tags.get(d, {}).get(DATA_VERSION_TAG) == refs[d].content_digest for d in documents if d in refs}

    def _shown(self, stage: str, documents: Sequence[str]) -> Mapping[str, AssetPartitionStatus | None]:
        if not documents:
            return {}
        return self._instance.get_status_by_partition(dg.AssetKey(stage), documents, DOCUMENTS) or {}

    def _held(self, work: Callable[[Lease], _Result]) -> _Result:
        """Do work on the partitions while no other process changes them; if the lease is lost, begin again."""
        while True:
            try:
                with self._leases.hold(_LEASE, self.waiting) as lease:
                    return work(lease)
            except LeaseLostError:
                continue

    def _move_to_end(self, documents: Sequence[str], lease: Lease) -> list[str]:
        self._remove(set(documents), lease)
        self._add(documents, lease)
        return self.order()

    def _add(self, documents: Sequence[str], lease: Lease) -> None:
        known = set(self.order())
        missing = [document for document in documents if document not in known]
        if not missing:
            return
        lease.prove()
        with own_partition_changes():
            try:
                self._instance.add_dynamic_partitions(_NAME, missing)
            except Exception:
                # If another process took the lease meanwhile and added them, there is nothing left to do.
                if not set(missing) <= set(self.order()):
                    raise

    def _remove(self, documents: AbstractSet[str], lease: Lease) -> None:
        with own_partition_changes():
            for document in documents & set(self.order()):
                lease.prove()
                self._instance.delete_dynamic_partition(_NAME, document)
