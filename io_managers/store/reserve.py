"""The reserve: files that keep paid answers while the store cannot be written because its disk is full or read-only.

The first reserve file is in the store itself, and its space is allocated before anything is paid for. If that is not
possible, or the disk becomes read-only, a file of this user elsewhere is used, which is found by the path of the store. The
next time the store is opened, it commits the waiting answers. The layout of the files is in `reserve_file`.
"""

import hashlib
import os
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from io_managers.store.errors import StoreUnavailableError
from io_managers.store.reserve_file import ReserveFile

# Enough for about a hundred answers of a model, or a dozen requests for a hundred vectors each.
RESERVE_BYTES = 8 << 20
_NAME = "reserve"


class Reserve:
    """The reserve files of one store. Threads may share it."""

    def __init__(self, directory: Path) -> None:
        """directory: the folder of the store."""
        self._lock = threading.Lock()
        self._places = [ReserveFile(path) for path in reserve_paths(directory)]
        self._own = self._places[0]
        self._prepared: ReserveFile | None = None
        # How many results this process has put into the reserve, and where.
        self.kept = 0
        self.kept_in: set[Path] = set()

    def prepare(self) -> Path:
        """Allocate the space for all answers that can be in flight, and return the file. It is cheap if that was done.

        Raises StoreUnavailableError if no place has the space; then nothing may be paid for.
        """
        with self._lock:
            if self._prepared is None:
                refusals: list[str] = []
                for place in self._places:
                    try:
                        place.prepare(RESERVE_BYTES)
                    except OSError as error:
                        refusals.append(f"{place.path.parent}: {error.strerror}")
                    else:
                        self._prepared = place
                        break
                else:
                    raise StoreUnavailableError(
                        f"There is no place with {RESERVE_BYTES >> 20} MB of free space to keep paid answers in case the disk "
                        f"of the store becomes full ({'; '.join(refusals)}).",
                        "Free some space, then run again. Nothing was sent.",
                    )
            return self._prepared.path

    def is_elsewhere(self) -> Path | None:
        """The reserve file, if it is not in the store; otherwise None."""
        place = self._prepared
        return place.path if place is not None and place is not self._own else None

    def put(self, payload: bytes) -> bool:
        """Keep a commit that the store could not write. False if there is no room for it anywhere; then it is lost."""
        with self._lock:
            for place in self._places:
                with suppress(OSError):
                    if not place.exists():  # it may have been removed since it was prepared
                        place.prepare(RESERVE_BYTES)
                    place.add(payload)
                    self.kept += 1
                    self.kept_in.add(place.path)
                    return True
        return False

    def is_waiting(self) -> bool:
        """Whether any answers wait to be committed."""
        return any(place.holds_records() for place in self._places)

    def take_in(self, take: Callable[[bytes], None]) -> int:
        """Pass each waiting record to `take`, remove them, and return how many there were.

        If `take` raises, all records of that file stay, and the error is raised. Raises StoreUnavailableError if a file
        cannot be read.
        """
        count = 0
        with self._lock:
            for place in self._places:
                if not place.holds_records():
                    continue
                try:
                    with place.taking_out(remove=place is not self._own) as payloads:
                        for payload in payloads:
                            take(payload)
                        count += len(payloads)
                except OSError as error:
                    raise StoreUnavailableError(
                        f"The answers that wait in {place.path} cannot be read: {error.strerror}.",
                        "Make the file readable and writable for this user, then run again.",
                    ) from error
                if place is not self._own and self._prepared is place:
                    self._prepared = None
        return count

    def stop(self) -> None:
        """Tell the other processes of the home that the store cannot be written."""
        for place in self._places:
            place.stop()

    def go_on(self) -> None:
        """Tell the other processes of the home that the store can be written again."""
        for place in self._places:
            place.go_on()

    def is_stopped(self) -> bool:
        """Whether a process of the home could not write the store, and none has written it since."""
        place = self._prepared or self._own
        return place.stopped()

    def kept_words(self) -> str:
        """A sentence about the answers that this process could not commit; "" if there were none."""
        if not self.kept:
            return ""
        what = "1 answer that had come in is" if self.kept == 1 else f"{self.kept} answers that had come in are"
        places = " and ".join(map(str, sorted(self.kept_in)))
        return f"{what} kept in {places}, and the next run commits {'it' if self.kept == 1 else 'them'}."

    def erase(self) -> None:
        """Delete the files that hold no waiting answers: committed ones stay in them until they are overwritten."""
        with self._lock:
            for place in self._places:
                if place.exists() and not place.holds_records():
                    place.close()
                    place.path.unlink(missing_ok=True)
            self._prepared = None

    def close(self) -> None:
        """Close the files."""
        for place in self._places:
            place.close()


def reserve_paths(directory: Path) -> list[Path]:
    """All possible reserve files of the store in a directory, its own first, whether or not they exist."""
    # A file outside of the store is named after a digest of the store's path.
    name = hashlib.sha256(os.path.realpath(directory).encode("utf-8", "surrogateescape")).hexdigest()[:24]
    return [directory / _NAME, *(folder / f"{name}.{_NAME}" for folder in _elsewhere())]


def _elsewhere() -> list[Path]:
    """Other directories of this user: one that survives a restart, and one that always exists."""
    found: list[Path] = []
    state = os.environ.get("XDG_STATE_HOME", "")
    home = os.path.expanduser("~")
    if os.path.isabs(state):
        found.append(Path(state) / "seedbank")
    elif os.path.isabs(home):
        found.append(Path(home) / ".local" / "state" / "seedbank")
    temporary = os.environ.get("TMPDIR") or os.environ.get("TEMP") or "/tmp"
    user = os.geteuid() if hasattr(os, "geteuid") else ""
    found.append(Path(temporary) / f"seedbank-{user}")
    return found
