"""A process that writes rows under the lease of a table and stops itself on the way, as a suspended machine would.

`python -m tests.support.stopped_writer HOME PLACE MOMENT DIGEST`: the process believes that it is in PLACE, so that
others judge it by its heartbeat. It stops by SIGSTOP at MOMENT (one of MOMENTS) of its first attempt. Prints, for each
attempt, what it found written before. What belongs here: the process. What does not: what is expected of it
(test_table_leases).
"""

import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa

from io_managers.store import processes
from io_managers.store.leases import Leases
from resources.tables import lance, lance_rows
from resources.tables.lance import LanceTables
from seed_assets.engine.table_leases import from_scratch, table_held
from tests.resources.tables.test_lance import chunk_rows

MOMENTS = (
    "before the merge",
    "in the merge",
    "before the commit",
    "after the commit",
    "before it deletes",
)
OWNERS = ("a", "b")


def stopping_once() -> Callable[[], None]:
    """What stops this process when it is called for the first time."""
    stopped: list[bool] = []

    def stop() -> None:
        if not stopped:
            stopped.append(True)
            os.kill(os.getpid(), signal.SIGSTOP)

    return stop


def main() -> None:
    """See the module."""
    directory, place, moment, digest = Path(sys.argv[1]), *sys.argv[2:]
    processes.place = lambda: place
    processes.HEARTBEAT_SECONDS = 0.1
    stop = stopping_once()
    merge = lance_rows.merge

    def stopped_merge(opened: Any, spec: Any, rows: pa.Table, owners: Any) -> Any:
        if moment == "before the merge":
            stop()
        if moment == "in the merge":
            # LanceDB has opened the table at its version, and reads the rows that it is to merge.
            def batches() -> Any:
                stop()
                yield from rows.to_batches()

            result = merge(opened, spec, pa.RecordBatchReader.from_batches(rows.schema, batches()), owners)
        else:
            result = merge(opened, spec, rows, owners)
        if moment == "after the commit":
            stop()
        return result

    lance.merge = stopped_merge
    announce = lance.announce

    def stopped_announce(*arguments: Any) -> None:
        announce(*arguments)
        if moment in ("before the commit", "before it deletes"):
            stop()

    lance.announce = stopped_announce
    tables, leases = LanceTables(directory / "lancedb"), Leases(directory / "leases.db")

    def work() -> None:
        with table_held(leases, tables, "chunks") as held:
            found = held.written("chunks", OWNERS)
            print(sorted(set(found.values())), flush=True)
            if moment == "before it deletes":
                held.delete_rows("chunks", OWNERS)
            else:
                held.write("chunks", chunk_rows(OWNERS, digest=digest), OWNERS)

    from_scratch(work)
    leases.close()


if __name__ == "__main__":
    main()
