"""Removes failed attempts from Dagster's records, for partitions that were only blocked by a failure before them.

What belongs here: taking such attempts out of the index of asset events. What does not: which partitions these are.

Dagster calls a partition failed when the last run that should have made it failed, even if the run never reached it. With one
document that cannot be read, every asset after its text stays failed for good. When the attempt is removed, the partition is
again as it was before: missing, or materialized from an earlier text of the document. The log of the run itself stays.
"""

from collections.abc import Collection

from dagster import AssetKey, DagsterEventType, DagsterInstance
from dagster._core.storage.event_log.schema import SqlEventLogStorageTable
from dagster._core.storage.event_log.sql_event_log import SqlEventLogStorage
from sqlalchemy import delete, func, select

# How many partitions one statement names; SQLite allows 999 values in a statement at least.
_AT_ONCE = 500


def forget_attempts(instance: DagsterInstance, asset: str, partitions: Collection[str]) -> bool:
    """Remove the last attempts to make these partitions of an asset, if they did not make them.

    No run may be making them meanwhile. Returns False if the event log is not in SQL; then the partitions stay failed.
    """
    storage, key = instance.event_log_storage, AssetKey(asset)
    if not isinstance(storage, SqlEventLogStorage):
        return False
    attempts = storage.get_latest_asset_partition_materialization_attempts_without_materializations(key)
    found = sorted((event_id, partition) for partition, (_, event_id) in attempts.items() if partition in partitions)
    events, made = SqlEventLogStorageTable.c, SqlEventLogStorageTable.alias("made").c
    latest_made = (
        select(func.coalesce(func.max(made.id), 0))
        .where(
            made.asset_key == events.asset_key,
            made.partition == events.partition,
            made.dagster_event_type == DagsterEventType.ASSET_MATERIALIZATION.value,
        )
        .correlate(SqlEventLogStorageTable)
        .scalar_subquery()
    )
    for start in range(0, len(found), _AT_ONCE):
        part = found[start : start + _AT_ONCE]
        with storage.index_connection() as connection:
            connection.execute(
                delete(SqlEventLogStorageTable).where(
                    events.asset_key == key.to_string(),
                    events.dagster_event_type == DagsterEventType.ASSET_MATERIALIZATION_PLANNED.value,
                    events.partition.in_([partition for _, partition in part]),
                    events.id > latest_made,
                    # An attempt that began after the attempts were read stays.
                    events.id <= part[-1][0],
                )
            )
    if found:
        storage.wipe_asset_cached_status(key)
    return True
