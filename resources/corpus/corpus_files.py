"""What a corpus needs of the place where its files lie. The implementations are `folder_files` and `buckets.bucket_files`."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from typing import Protocol

from resources.corpus.corpus_index import FileStatus, SeenFile
from resources.corpus.document_choice import Ignored
from resources.corpus.skipped_files import SkippedFiles
from resources.errors import DocumentError

Hashed = tuple[str, FileStatus, SeenFile | DocumentError | None]
"""A file by its path, its status in the listing, and what was seen of it: its error, or None if it was removed meanwhile."""


class Listing(Protocol):
    """One pass over the files of a place."""

    @property
    def skipped(self) -> SkippedFiles:
        """How many files and folders are no documents, so far."""
        ...

    @property
    def unreadable(self) -> Mapping[str, OSError | DocumentError]:
        """The folders that could not be listed, by path relative to the root, with the reason."""
        ...

    def files(self) -> Iterator[tuple[str, FileStatus | OSError]]:
        """Yield (path relative to the root, its status or the error) for each document.

        Raises ConfigurationError if the place cannot be listed as a whole.
        """
        ...


class CorpusFiles(Protocol):
    """The files of a corpus, by their path relative to its root."""

    @property
    def most_at_once(self) -> int:
        """How many files may be read at the same time, because reading one means waiting."""
        ...

    def ignored(self) -> Ignored | None:
        """The patterns of `.seedbankignore`; None if there is none. Raises ConfigurationError if it cannot be read."""
        ...

    def listing(self, ignored: Ignored | None, known: Collection[bytes]) -> Listing:
        """Begin a listing.

        known: the files of the last scan, as the index names them; the listing makes sure that those which are missing are gone.
        """
        ...

    def hashed(self, files: Iterable[tuple[str, FileStatus]]) -> Iterator[Hashed]:
        """Yield what is seen of each file when all its bytes are hashed.

        Raises ConfigurationError if the place as a whole cannot be read any more.
        """
        ...

    def read(self, relative: str, size_bytes: int, content_digest: str) -> bytes | None:
        """The bytes of a file; None if they are not those of this size and digest.

        Raises DocumentError (transient) if the file is gone or unreadable, and ConfigurationError if the place is.
        """
        ...

    def archive(self, relative: str, size_bytes: int, content_digest: str) -> tuple[object, Callable[[], bytes]]:
        """What names an archive in its present state, and what gives its bytes.

        size_bytes, content_digest: as the last scan saw it. Raises DocumentError (transient) if the archive is gone or
        unreadable.
        """
        ...

    def written_at(self, relative: str) -> tuple[int, int] | None:
        """The size of a file and when it was modified, in nanoseconds since 1970, if it may be written to just now; None if
        files of this place appear as a whole. Raises OSError if it is gone or unreadable.
        """
        ...
