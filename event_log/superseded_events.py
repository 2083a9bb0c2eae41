"""Finds the superseded events of assets; see superseded for what that means.

What belongs here: the roles of events, by reading only. What does not: runs, checks and ticks (superseded).
"""

import json
import re
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, NamedTuple

import dagster as dg
from dagster._core.assets import AssetDetails
from dagster._core.definitions.assets.graph.base_asset_graph import BaseAssetGraph
from dagster._core.definitions.data_version import (
    DATA_VERSION_TAG,
    SKIP_PARTITION_DATA_VERSION_DEPENDENCY_THRESHOLD,
    get_input_event_pointer_tag,
)
from dagster._core.definitions.partitions.context import partition_loading_context
from dagster._core.instance import RUNLESS_RUN_ID
from dagster._core.storage.event_log.schema import AssetEventTagsTable, AssetKeyTable, SqlEventLogStorageTable
from sqlalchemy import exists, select

from event_log.history_rows import Storages, newest_first

# How many events one statement looks up by their ids; SQLite allows 999 values in a statement at least.
_LOOKED_UP = 500
_EVENTS = SqlEventLogStorageTable.c
_PLANNED = dg.DagsterEventType.ASSET_MATERIALIZATION_PLANNED.value
_VERSIONED = (dg.DagsterEventType.ASSET_MATERIALIZATION.value, dg.DagsterEventType.ASSET_OBSERVATION.value)


class _Event(NamedTuple):
    """An event whose roles newer events have taken.

    event_id: its id. partition, run_id: those that it belongs to, if any. followed_by: the id of the next event of its asset,
    type and partition."""

    event_id: int
    partition: str | None
    run_id: str | None
    followed_by: int


@dataclass(slots=True)
class _Kind:
    """The events of one asset and type.

    superseded: those that are superseded, the newest first. newest: the id of the newest event of each partition. runs: the runs
    of the events that stay."""

    superseded: list[_Event] = field(default_factory=list)
    newest: dict[str | None, int] = field(default_factory=dict)
    runs: set[str | None] = field(default_factory=set)


class SupersededEvents:
    """The events of assets. Which ones are superseded is worked out when an instance is made."""

    def __init__(self, storages: Storages, graph: BaseAssetGraph, old_runs: set[str], before: datetime) -> None:
        self._storages = storages
        self._graph = graph
        # A run that is not among those read has begun since, so its events stay.
        self._may_go: set[str | None] = {*old_runs, RUNLESS_RUN_ID, None}
        self._before = before
        self._last_planned: dict[str, str | None] = {}
        wiped = self._wiped()
        with storages.index() as connection:
            kinds = connection.execute(
                select(_EVENTS.asset_key, _EVENTS.dagster_event_type).where(_EVENTS.asset_key.is_not(None)).distinct()
            ).all()
        self._kinds: dict[tuple[str, str], _Kind] = {}
        for asset, kind in sorted(kinds, key=lambda key: key[1] != _PLANNED):
            self._kinds[asset, kind] = self._sorted_out(asset, kind, wiped.get(asset))
        for asset, kind in kinds:
            if kind in _VERSIONED:
                self._keep_compared_versions(asset, self._kinds[asset, kind])

    def current_runs(self) -> set[str | None]:
        """Return the runs of the events that stay."""
        return {run_id for kind in self._kinds.values() for run_id in kind.runs}

    def superseded(self, runs_left: set[str]) -> Iterator[int]:
        """Yield the ids of superseded events.

        A run in `runs_left` keeps one event of each asset and type, from which Dagster knows which assets it has made.
        """
        for kind in self._kinds.values():
            runs = set(kind.runs)
            for event in kind.superseded:
                if event.run_id in runs_left and event.run_id not in runs:
                    runs.add(event.run_id)
                else:
                    yield event.event_id

    def _wiped(self) -> dict[str, datetime]:
        with self._storages.index() as connection:
            rows = connection.execute(select(AssetKeyTable.c.asset_key, AssetKeyTable.c.asset_details)).all()
        details = {asset: AssetDetails.from_db_string(text) for asset, text in rows}
        return {
            asset: datetime.fromtimestamp(known.last_wipe_timestamp, UTC).replace(tzinfo=None)
            for asset, known in details.items()
            if known and known.last_wipe_timestamp
        }

    def _sorted_out(self, asset: str, kind: str, wiped: datetime | None) -> _Kind:
        found = _Kind()
        filled: set[tuple[str, str | None]] = set()
        oldest_yet: dict[str | None, int] = {}
        columns: list[Any] = [_EVENTS.id, _EVENTS.partition, _EVENTS.run_id, _EVENTS.timestamp]
        if kind in _VERSIONED:
            tags = AssetEventTagsTable.c
            columns.append(exists().where(tags.event_id == _EVENTS.id, tags.key == DATA_VERSION_TAG).label("versioned"))
        where = [_EVENTS.asset_key == asset, _EVENTS.dagster_event_type == kind]
        for row in newest_first(self._storages.index, SqlEventLogStorageTable, columns, where):
            followed_by = oldest_yet.get(row.partition)
            oldest_yet[row.partition] = row.id
            found.newest.setdefault(row.partition, row.id)
            # Some readers of Dagster skip events from before a wipe, and others do not.
            roles = {("before wipe" if wiped and row.timestamp <= wiped else "after wipe", row.partition)}
            if kind == _PLANNED:
                self._last_planned.setdefault(asset, row.run_id)
            elif kind in _VERSIONED and row.versioned:
                roles.add(("version", row.partition))
            if kind in _VERSIONED and row.run_id == self._last_planned.get(asset):
                # From it Dagster knows that the last planned run has made the asset, even if another run has made it since.
                roles.add(("last planned run", None))
            old = row.timestamp is not None and row.timestamp < self._before
            if old and row.run_id in self._may_go and followed_by is not None and roles <= filled:
                found.superseded.append(_Event(row.id, row.partition, row.run_id, followed_by))
            else:
                found.runs.add(row.run_id)
            if old:
                filled |= roles
        return found

    def _keep_compared_versions(self, asset: str, kind: _Kind) -> None:
        """Keep the events with the data versions that Dagster compares to decide whether something is stale.

        For each asset that it was made from, a materialization points to the newest event of that asset at the time. Dagster
        looks for later events of a partition, and compares their version with that of the last event before them.
        """
        parent = dg.AssetKey.from_db_string(asset)
        by_partition: dict[str, list[_Event]] = defaultdict(list)
        for event in reversed(kind.superseded):
            if event.partition is not None:
                by_partition[event.partition].append(event)
        if not by_partition or parent is None or not self._graph.has(parent):
            return
        compared: dict[int, str | None] = {}
        for child in sorted(self._graph.get(parent).child_keys):
            mapping = self._graph.get_partition_mapping(child, parent)
            same = isinstance(mapping, dg.IdentityPartitionMapping)
            if isinstance(mapping, dg.AllPartitionMapping) and self._has_too_many_partitions(parent):
                continue
            for partition, pointer in self._pointers(child, parent, by_partition if same else None):
                for events in [by_partition[partition]] if same else by_partition.values():
                    position = bisect_right(events, pointer, key=lambda event: event.event_id)
                    if position and events[position - 1].followed_by > pointer:
                        compared[events[position - 1].event_id] = events[position - 1].run_id
        kind.superseded = [event for event in kind.superseded if event.event_id not in compared]
        kind.runs.update(compared.values())

    def _has_too_many_partitions(self, parent: dg.AssetKey) -> bool:
        """Whether an asset has so many partitions that Dagster does not compare their versions."""
        partitions = self._graph.get(parent).partitions_def
        if partitions is None:
            return False
        with partition_loading_context(dynamic_partitions_store=self._storages.instance):
            return partitions.get_num_partitions() >= SKIP_PARTITION_DATA_VERSION_DEPENDENCY_THRESHOLD

    def _pointers(
        self, child: dg.AssetKey, parent: dg.AssetKey, among: Collection[str] | None
    ) -> Iterator[tuple[str, int]]:
        """Yield (partition, event of the parent) for the newest events of the child's partitions.

        among: the partitions to look at; None for all.
        """
        # The events are searched as text, since decoding each of them takes many times as long.
        pointer = re.compile(re.escape(json.dumps(get_input_event_pointer_tag(parent))) + r': "(\d+)"')
        newest = [
            event_id
            for kind in _VERSIONED
            if (of_child := self._kinds.get((child.to_string(), kind)))
            for partition, event_id in of_child.newest.items()
            if among is None or partition in among
        ]
        for start in range(0, len(newest), _LOOKED_UP):
            query = select(_EVENTS.partition, _EVENTS.event).where(_EVENTS.id.in_(newest[start : start + _LOOKED_UP]))
            with self._storages.index() as connection:
                rows = connection.execute(query).all()
            for partition, event in rows:
                for event_id in pointer.findall(event):
                    yield partition, int(event_id)
