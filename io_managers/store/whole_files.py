"""Atomic writes of files, and cache files with a checksum ("memories").

A file is written under a temporary name in its own directory, flushed and renamed, and its directory is flushed. A memory is
such a file with a checksum: it may be deleted at any time, and a damaged one is ignored. The module must be fast to import,
since `seedbank seed` with nothing to do uses it.
"""

import hashlib
import os
import stat

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pathlib import Path
    from typing import BinaryIO

_CHECKSUM_BYTES = hashlib.sha256().digest_size


def write_whole(path: "Path | str", data: bytes | str, *, mode: int | None = None) -> None:
    """Write or replace a file atomically: other processes see the old content or the new one, even after a power failure.

    Text is written as UTF-8, and missing directories are created. mode: the permissions of the file; None for the usual ones of
    a new file. Raises OSError; no temporary file is left then.
    """
    directory, name = os.path.split(os.fspath(path))
    temporary = os.path.join(directory, f".{name}.{os.getpid()}-{os.urandom(4).hex()}")
    try:
        os.makedirs(directory or ".", exist_ok=True)
        with open(temporary, "xb") as file:
            file.write(data.encode() if isinstance(data, str) else data)
            file.flush()
            if mode is not None:
                os.fchmod(file.fileno(), mode)
            _flush(file.fileno())
        os.replace(temporary, path)
    except OSError:
        try:  # noqa: SIM105 (contextlib takes time to import at the start of a command)
            os.unlink(temporary)
        except OSError:
            pass  # The first error says what is wrong.
        raise
    flush_directory(directory or ".")


def flush_directory(directory: "Path | str") -> None:
    """Make creations and renames in a directory durable. Raises OSError."""
    if os.name == "nt":  # Windows cannot open directories, and NTFS journals renames
        return
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_memory(path: "Path | str", data: bytes) -> None:
    """Write a memory: a file with a checksum, as `write_whole` does. Raises OSError."""
    write_whole(path, hashlib.sha256(data).digest() + data)


def read_memory(path: "Path | str") -> bytes | None:
    """The data of a memory; None if the file is missing, is damaged, or belongs to another user.

    After a power failure a file may have its length but not its content. The file of another user is not trusted, since it
    would decide which work is skipped.
    """
    try:
        with open_regular(path) as file:
            if hasattr(os, "geteuid") and os.fstat(file.fileno()).st_uid != os.geteuid():
                return None
            found = file.read()
    except OSError:
        return None
    checksum, data = found[:_CHECKSUM_BYTES], found[_CHECKSUM_BYTES:]
    return data if hashlib.sha256(data).digest() == checksum else None


def open_regular(path: "Path | str") -> "BinaryIO":
    """Open a regular file for reading, without a buffer. Raises OSError as `open` does, and for anything but a regular file.

    This never blocks, even if another process has replaced the file by a named pipe, which `open` would wait for.
    """
    descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise OSError(f"{path} is not a regular file")
        return os.fdopen(descriptor, "rb", buffering=0)
    except BaseException:
        os.close(descriptor)
        raise


def _flush(descriptor: int) -> None:
    try:
        import fcntl

        # On macOS a plain fsync leaves the bytes in the cache of the drive.
        full_flush = fcntl.F_FULLFSYNC  # pyright: ignore[reportAttributeAccessIssue] - not on Linux
    except (ImportError, AttributeError):
        os.fsync(descriptor)
    else:
        fcntl.fcntl(descriptor, full_flush)
