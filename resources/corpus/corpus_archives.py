"""Archives whose files are documents of their own: which files they have, with digests, and the bytes of one.

What does not belong here: archives that are one document each, and the kinds of archives (archives).
"""

import hashlib
import threading
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING

from resources.corpus.corpus_errors import too_large
from resources.corpus.corpus_index import SeenEntry
from resources.corpus.document_choice import Ignored
from resources.corpus.formats import format_of
from resources.corpus.skipped_files import SkippedFiles
from resources.errors import DocumentError

if TYPE_CHECKING:
    from resources.corpus.archives.archive import Archive


def entries_of(data: bytes, most_bytes: int) -> tuple[SeenEntry, ...]:
    """Return the files of an archive, sorted by path; those that are documents with their digests.

    most_bytes: larger files are listed without a digest.
    """
    from resources.corpus.archives.opening import opened_archive  # most corpora have no archive

    try:
        archive = opened_archive(data)
        return tuple(_entry(archive, path, file.size_bytes, most_bytes) for path, file in archive.files.items())
    except DocumentError as error:
        return (SeenEntry("", len(data), "", error.reason, error.remedy),)
    # What a crafted archive makes a library raise is known only when it happens.
    except Exception as error:  # noqa: BLE001
        reason = f"the archive cannot be opened: {type(error).__name__}: {' '.join(str(error).split())[:200]}."
        return (SeenEntry("", len(data), "", reason, "Restore it from its source, or list it in .seedbankignore."),)


def are_complete(entries: tuple[SeenEntry, ...], most_bytes: int) -> bool:
    """Whether each file that is a document by now was read, or cannot be: more may be allowed than when it was looked at."""
    return all(
        entry.content_digest or entry.reason or entry.size_bytes > most_bytes or format_of(entry.path) is None
        for entry in entries
    )


def files_inside(
    archive: str, entries: Iterable[SeenEntry], most_bytes: int, ignored: Ignored | None, skipped: SkippedFiles
) -> Iterator[tuple[str, SeenEntry, DocumentError | None]]:
    """Yield (path relative to the corpus, file, why it cannot be read) for each file of an archive that is a document.

    archive: its path relative to the corpus. skipped: where files that are no documents, or are ignored, are counted.
    """
    for entry in entries:
        path = f"{archive}/{entry.path}" if entry.path else archive
        if format_of(path) is None:
            _, dot, suffix = path.rpartition("/")[2].rpartition(".")
            skipped.add_suffix(suffix if dot else "")
        elif ignored is not None and ignored(path):
            skipped.ignored += 1
        elif entry.reason:
            yield path, entry, DocumentError(entry.reason, entry.remedy)
        else:
            yield path, entry, too_large(entry.size_bytes, most_bytes) if entry.size_bytes > most_bytes else None


def _entry(archive: "Archive", path: str, size_bytes: int, most_bytes: int) -> SeenEntry:
    if format_of(path) is None or size_bytes > most_bytes:
        return SeenEntry(path, size_bytes)
    try:
        digest = hashlib.sha256(archive.read(path)).hexdigest()
    except DocumentError as error:
        return SeenEntry(path, size_bytes, "", error.reason, error.remedy)
    return SeenEntry(path, size_bytes, f"sha256:{digest}")


class OpenArchives:
    """Reads files inside archives. The last archive stays open, since its documents are read one after the other."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._key: object = None
        self._archive: Archive | None = None

    def read(self, key: object, load: Callable[[], bytes], entry: str) -> bytes | None:
        """Return the bytes of a file in an archive; None if there is no such file.

        key: names the archive in its present state. load: gives its bytes if it is not the one that is open; its errors are
        raised. Raises DocumentError if the archive cannot be opened or the file not unpacked.
        """
        with self._lock:
            archive = self._opened(key, load)
            return archive.read(entry) if entry in archive.files else None

    def close(self) -> None:
        """Give back the memory of the archive that is open."""
        with self._lock:
            self._key, self._archive = None, None

    def _opened(self, key: object, load: Callable[[], bytes]) -> "Archive":
        from resources.corpus.archives.opening import opened_archive

        if self._archive is None or key != self._key:
            self._key, self._archive = None, None
            # Each file was within the limits of the whole archive when it was looked at.
            self._archive = opened_archive(load(), counted=False)
            self._key = key
        return self._archive
