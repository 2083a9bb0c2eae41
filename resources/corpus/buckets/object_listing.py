"""A listing of a bucket as a corpus: which objects are documents, and whether the listing is complete.

Objects are listed as they are sorted, a page at a time. Names that the library refuses (with an empty part between two slashes,
`.` or `..` as a part, or a control character) end such a listing, so it begins again folder by folder, and leaves out the
folders with such names. The module must be fast to import, since a seed with nothing to do lists the bucket.
"""

import hashlib
import os

from resources.corpus.buckets.object_reader import UnnamedError
from resources.corpus.document_choice import DocumentChoice, Ignored, wrong

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from datetime import datetime

    from obstore import ObjectMeta

    from resources.corpus.buckets.object_reader import ObjectReader
    from resources.errors import DocumentError

# Object stores refuse requests of a clock that is a quarter of an hour off, so their clocks differ from ours by less.
_SKEW_NS = 15 * 60 * 1_000_000_000
# A listing that lacks objects which exist lacks the end of the bucket or a page of it, so that looking at a few shows it.
_MOST_LOOKED_UP = 100
_RENAME = "Rename or remove the object; until then no document of its folder is read. Nothing is taken out for it."


class ObjectStatus:
    """What a listing says of an object, in the form of the status of a file (corpus_index.FileStatus).

    st_mtime_ns: when it was last modified, by the clock of the store, which counts in seconds. st_ino: a digest of the ETag,
    which is another one for other bytes. st_ctime_ns: 0; without an ETag the time from which on the object certainly does not
    change with the same time of modification.
    """

    __slots__ = ("st_ctime_ns", "st_dev", "st_ino", "st_mtime_ns", "st_size")

    def __init__(self, meta: "ObjectMeta") -> None:
        tag = meta["e_tag"]
        self.st_size: int = meta["size"]
        self.st_mtime_ns = _nanoseconds(meta["last_modified"])
        self.st_ino = int.from_bytes(hashlib.sha256(tag.encode()).digest()[:8], "big") >> 1 if tag else 0
        self.st_ctime_ns = 0 if tag else self.st_mtime_ns + _SKEW_NS
        self.st_dev = 0


class ObjectListing:
    """See corpus_files.Listing."""

    def __init__(self, reader: "ObjectReader", ignored: Ignored | None, known: "Collection[bytes]" = ()) -> None:
        """known: the names of objects that were there before."""
        self._reader = reader
        self._ignored = ignored
        self._missing = set(known)
        self._begin()

    def _begin(self) -> None:
        self._choice = DocumentChoice(self._ignored)
        self._folders: dict[str, bool] = {"": True}
        self.skipped = self._choice.skipped
        self.unreadable: dict[str, DocumentError] = {}

    def files(self) -> "Iterator[tuple[str, ObjectStatus]]":
        """See Listing. An object may be yielded twice. Raises ConfigurationError, also if objects that exist were not listed."""
        try:
            for meta in self._reader.objects():
                if (found := self._document(meta)) is not None:
                    yield found
        except UnnamedError:
            self._begin()
            yield from self._by_folder()
        self._check_complete()

    def _by_folder(self) -> "Iterator[tuple[str, ObjectStatus]]":
        folders = [""]
        while folders:
            below = folders.pop()
            try:
                found, objects = self._reader.folder(below)
            except UnnamedError as error:
                if not below:
                    raise wrong(
                        f"The corpus {self._reader.address} cannot be listed: {error.said}. {_RENAME}"
                    ) from error
                from resources.errors import DocumentError

                self.unreadable[below] = DocumentError(f"it cannot be listed: {error.said}.", _RENAME, transient=True)
                continue
            folders += [folder for folder in reversed(found) if self._is_part(folder)]
            for meta in objects:
                if (document := self._document(meta)) is not None:
                    yield document

    def _document(self, meta: "ObjectMeta") -> tuple[str, ObjectStatus] | None:
        """An object that is a document; None for any other, which is counted."""
        relative = meta["path"]
        self._missing.discard(os.fsencode(relative))
        folder, _, name = relative.rpartition("/")
        # Programs that show a bucket as folders make empty objects for them, with names that end with a slash.
        if not name or (not meta["size"] and "." not in name) or not self._is_part(folder):
            return None
        if self._choice.is_hidden(name, relative) or not self._choice.takes_file(name, relative):
            return None
        return relative, ObjectStatus(meta)

    def _is_part(self, folder: str) -> bool:
        """Whether the objects below a folder may be documents; each folder is looked at once, after the folders above it."""
        known = self._folders.get(folder)
        if known is not None:
            return known
        place = folder.find("/")
        ends = []
        while place >= 0:
            ends.append(place)
            place = folder.find("/", place + 1)
        above = ""
        for end in (*ends, len(folder)):
            one = folder[:end]
            if one not in self._folders:
                name = one.rpartition("/")[2]
                self._folders[one] = (
                    self._folders[above] and not self._choice.is_hidden(name, one) and self._choice.takes_folder(one)
                )
            above = one
        return self._folders[folder]

    def _check_complete(self) -> None:
        """Raise ConfigurationError if objects that were there before exist, but were not listed: a server may leave out pages."""
        # Folders that could not be listed, and those that need not be where the listing went folder by folder.
        left_out = (*self.unreadable, *(folder for folder, is_part in self._folders.items() if not is_part))
        below = tuple(f"{folder}/" for folder in left_out)
        missing = [name for name in sorted(map(os.fsdecode, self._missing)) if not name.startswith(below)]
        if not missing:
            return
        from concurrent.futures import ThreadPoolExecutor

        looked_up = missing[:: -(-len(missing) // _MOST_LOOKED_UP)]
        with ThreadPoolExecutor(min(8, len(looked_up))) as threads:
            there = [
                name
                for name, found in zip(looked_up, threads.map(self._reader.exists, looked_up), strict=True)
                if found
            ]
        if there:
            raise wrong(
                f"The listing of {self._reader.address} is not complete: it leaves out objects that exist, such as {there[0]}. "
                "Run again; if that does not help, the object store is at fault. Nothing was changed."
            )


def _nanoseconds(time: "datetime") -> int:
    return round(time.timestamp() * 1_000_000) * 1_000
