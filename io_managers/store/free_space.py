"""Looks at the free space on the disk of a store: a warning while it gets small, and an error before it is used up."""

import logging
import shutil
import time
from pathlib import Path

from io_managers.store.errors import StoreUnavailableError

logger = logging.getLogger(__name__)

# How often a run looks: it takes microseconds, and a run asks before each of thousands of results.
_LOOK_SECONDS = 1.0


class FreeSpace:
    """The free space on one disk. Threads may share it.

    warn_bytes: with less, a warning is logged once; 0 for never. least_bytes: with less, nothing more may be computed. 64 MB hold
    the values of about 1,000 documents.
    """

    def __init__(self, directory: Path, warn_bytes: int = 0, least_bytes: int = 64 << 20) -> None:
        self.warn_bytes = warn_bytes
        self.least_bytes = least_bytes
        self._directory = directory
        self._looked_at = float("-inf")
        self._found: StoreUnavailableError | None = None
        self._warned = False

    def problem(self, *, now: bool = False) -> StoreUnavailableError | None:
        """The error to raise if too little space is left; None if there is enough. now: look at once."""
        if now or time.monotonic() >= self._looked_at + _LOOK_SECONDS:
            self._looked_at = time.monotonic()
            self._found = self._look()
        return self._found

    def _look(self) -> StoreUnavailableError | None:
        try:
            free_bytes = shutil.disk_usage(self._directory).free
        except OSError:
            return None  # The next commit says what is wrong.
        where = f"{free_bytes / 2**20:,.0f} MB are free on the disk of {self._directory}"
        if free_bytes < self.least_bytes:
            return StoreUnavailableError(
                f"Only {where}, and a run needs at least {self.least_bytes >> 20:,} MB (store.least_free_mb).",
                "Free some space, then run again: all finished work is kept. `seedbank cache gc` shows what can be removed.",
            )
        if free_bytes < self.warn_bytes and not self._warned:
            self._warned = True
            logger.warning(
                f"{where}; with less than {self.least_bytes >> 20:,} MB a run stops. `seedbank cache gc` shows what can be "
                "removed."
            )
        return None
