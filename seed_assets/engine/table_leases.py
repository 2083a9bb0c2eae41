"""A table of the knowledge base while no other process writes it.

This module takes the lease of a table, and says what its holder does if it loses the lease. Leases in general are in
io_managers.store.leases.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from io_managers.store.errors import LeaseLostError
from io_managers.store.holders import FOR_EVER, Waiting
from io_managers.store.leases import Leases
from resources.tables.lance import LanceTables

_Result = TypeVar("_Result")


@contextmanager
def table_held(leases: Leases, tables: LanceTables, table: str, waiting: Waiting = FOR_EVER) -> Iterator[LanceTables]:
    """The tables, while no other process writes this one. Each commit proves the lease.

    If the process that held the lease before did not free it, its later commits are refused. Raises TableWriteError, and
    LeaseBusyError if `waiting` ends the wait; in the body, each commit after the lease was lost raises LeaseLostError.
    """
    name = f"table {table}"
    held = tables.under(lambda: leases.prove(name))
    with leases.hold(name, waiting, lambda: held.fence(table)):
        yield held


def from_scratch(work: Callable[[], _Result]) -> _Result:
    """The result of the work, which is repeated from its beginning whenever it loses its lease."""
    while True:
        try:
            return work()
        except LeaseLostError:
            continue
