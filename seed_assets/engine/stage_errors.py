"""What an error means that a stage's function let through: whose fault it is, and what its reader can do.

What belongs here: errors that no layer below has named. What does not: errors that name their reader's part already
(resources.errors, io_managers.store.errors, resources.tables.lance_errors), and what becomes of a document (runner).

"Fix the stage, raise its version" is advice for those who wrote its code, so it is given for that alone. The rest is of the
machine (memory, files, processes) or of the installation (packages), and the stage's code cannot help it.
"""

import errno
from pathlib import Path

from io_managers.store.errors import StoreError
from resources.errors import ConfigurationError, DocumentError, StoppedError
from resources.memory_errors import is_memory_error, out_of_memory

NAMED = (DocumentError, StoreError, ConfigurationError, StoppedError)
"""Errors that say themselves what to do."""

OF_THE_MACHINE = (ImportError, MemoryError, OSError)
"""Errors that are no fault of a stage's code: a traceback of it would help nobody."""

# What every other document would meet as well, until somebody changes it.
_OF_ALL = {
    errno.ENOSPC: "Make space on that disk",
    errno.EDQUOT: "Raise the quota of that disk, or make space",
    errno.EROFS: "Make that file system writable",
    errno.EIO: "See that the disk is sound",
    errno.EMFILE: "Raise the limit of open files (ulimit -n)",
    errno.ENFILE: "Close other programs: the whole machine has no file left to open",
    errno.ENOMEM: "Free memory, or raise the limit of this process",
    errno.EAGAIN: "Raise the limit of processes (ulimit -u), or end others",
}


def named_error(error: Exception | SystemExit, stage: str) -> Exception:
    """The error to raise for one that a stage's function raised: itself where it says what to do.

    A ConfigurationError ends the stage once, for all documents; a DocumentError fails one, and is tried again.
    """
    if isinstance(error, NAMED):
        return error
    if is_memory_error(error):
        return out_of_memory()
    if isinstance(error, ImportError):
        return ConfigurationError(
            f"{stage} needs a package that is missing or broken: {error}. Run `make setup`, then run again."
        )
    if isinstance(error, OSError):
        return _of_the_machine(error, stage)
    return DocumentError(
        f"the stage's code failed: {type(error).__name__}: {error}.",
        "The log has the traceback. Fix the stage, raise its version and run again.",
        transient=True,
    )


def _of_the_machine(error: OSError, stage: str) -> Exception:
    said = error.strerror or str(error) or type(error).__name__
    where = f" ({Path(error.filename)})" if isinstance(error.filename, str) and error.filename else ""
    if error.errno in _OF_ALL:
        return ConfigurationError(f"{stage} cannot go on: {said}{where}. {_OF_ALL[error.errno]}, then run again.")
    return DocumentError(
        f"the system refused what the stage needs: {said}{where}.",
        "See that it is there and can be used; then run again.",
        transient=True,
    )
