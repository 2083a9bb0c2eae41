"""One open store per directory and process, so that its threads and the IO manager share one writer and its leases."""

import threading
from pathlib import Path

from io_managers.store.store import Store

_open: dict[Path, Store] = {}
_lock = threading.Lock()


def shared_store(directory: Path) -> Store:
    """The store of a directory, opened at the first call. It raises the same errors as Store."""
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
