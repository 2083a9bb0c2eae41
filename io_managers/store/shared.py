"""One open store a directory and process: its threads and the IO manager share one writer and one set of leases.

What belongs here: only that.
"""

import threading
from pathlib import Path

from io_managers.store.store import Store

_open: dict[Path, Store] = {}
_lock = threading.Lock()


def shared_store(directory: Path) -> Store:
    """The store of a directory, opened at the first call. Raises as Store does."""
    directory = directory.resolve()
    with _lock:
        if directory not in _open:
            _open[directory] = Store(directory)
        return _open[directory]


def close_shared_store(directory: Path) -> None:
    """Close the store of a directory if it is open; the next call opens it again."""
    with _lock:
        store = _open.pop(directory.resolve(), None)
    if store is not None:
        store.close()
