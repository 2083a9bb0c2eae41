"""The stamp of a corpus: if two stamps are equal, no file was added, removed, renamed, or changed in size or times.

Contents are not read. The module must be fast to import, since a seed with nothing to do needs little else.
"""

import hashlib
import os
from array import array

from resources.corpus.corpus_walk import Walk, read_ignored
from resources.corpus.skipped_files import SkippedFiles

# For one request; without an answer in this time, the seed plans, with the time that is set.
_TIMEOUT_SECONDS = 30.0

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pathlib import Path

    from resources.corpus.buckets.object_listing import ObjectListing
    from resources.corpus.corpus_index import FileStatus


# So many files are added before they are hashed: hashing each by itself takes twice as long.
_PART = 4096


class CorpusStamp:
    """Computes a stamp file by file, in memory that does not grow with their number."""

    def __init__(self) -> None:
        self._hasher = hashlib.sha256()
        self._names: list[str] = []
        self._numbers: list[int] = []

    def add(self, relative: str, status: "FileStatus") -> None:
        """Add one document, in the order of the walk."""
        self._names.append(relative)
        self._numbers += (status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino & 0x7FFFFFFFFFFFFFFF)
        if len(self._names) == _PART:
            self._hash()

    def _hash(self) -> None:
        # No file name contains this character; each name has 32 bytes of numbers.
        self._hasher.update("\0".join([*self._names, ""]).encode("utf-8", "surrogateescape") + b"\0")
        self._hasher.update(array("q", self._numbers).tobytes())
        self._names.clear()
        self._numbers.clear()

    def digest(self, skipped: SkippedFiles) -> str:
        """The stamp of all added documents. skipped: the files that were left out, which a report counts by suffix."""
        self._hash()
        hasher = self._hasher.copy()
        hasher.update(skipped.as_text().encode("utf-8", "surrogateescape"))
        return hasher.hexdigest()


def corpus_stamp(root: "Path | str", left_out: "Path | str") -> str:
    """The current stamp of a folder or a bucket; "" if a part of it cannot be read.

    left_out: see Walk. Raises ConfigurationError like Walk and read_ignored.
    """
    place, stamp = os.fspath(root), CorpusStamp()
    listing = _listing_of_bucket(place) if "://" in place else Walk(place, read_ignored(place), left_out)
    for relative, status in listing.files():
        if isinstance(status, OSError):
            return ""
        stamp.add(relative, status)
    return "" if listing.unreadable else stamp.digest(listing.skipped)


def _listing_of_bucket(address: str) -> "ObjectListing":
    from resources.corpus.buckets.object_listing import ObjectListing
    from resources.corpus.buckets.object_reader import ObjectReader

    reader = ObjectReader(address, _TIMEOUT_SECONDS)
    return ObjectListing(reader, reader.ignored())
