"""The files of a corpus in a folder."""

import hashlib
import os
import time
from collections.abc import Callable, Collection, Iterable, Iterator
from pathlib import Path

from io_managers.store.whole_files import open_regular
from resources.corpus.corpus_errors import changed, deleted, too_large, unreadable
from resources.corpus.corpus_files import Hashed
from resources.corpus.corpus_index import FileStatus, SeenFile
from resources.corpus.corpus_walk import Walk, read_ignored
from resources.corpus.document_choice import Ignored
from resources.errors import DocumentError

_BLOCK_BYTES = 1 << 20


class FolderFiles:
    """See CorpusFiles."""

    # More threads would wait for Python's lock and hold more memory.
    most_at_once = 1

    def __init__(self, root: Path, left_out: Path, most_bytes: int) -> None:
        """left_out: a folder that does not belong to the corpus (the home). most_bytes: larger files are not hashed."""
        self._root = root
        self._left_out = left_out
        self._most_bytes = most_bytes

    def ignored(self) -> Ignored | None:
        """See CorpusFiles."""
        return read_ignored(self._root)

    def listing(self, ignored: Ignored | None, known: Collection[bytes]) -> Walk:
        """See CorpusFiles. A file that a folder does not list is gone."""
        return Walk(self._root, ignored, self._left_out)

    def hashed(self, files: Iterable[tuple[str, FileStatus]]) -> Iterator[Hashed]:
        """See CorpusFiles."""
        for relative, status in files:
            yield relative, status, self._seen(relative, status)

    def read(self, relative: str, size_bytes: int, content_digest: str) -> bytes | None:
        """See CorpusFiles."""
        try:
            with open_regular(self._root / relative) as file:
                # At most one byte more than expected, since the file may have grown to any length.
                data = file.read(size_bytes + 1)
        except FileNotFoundError as error:
            raise deleted() from error
        except OSError as error:
            raise unreadable(error) from error
        return data if len(data) == size_bytes and digest_of(hashlib.sha256(data)) == content_digest else None

    def archive(self, relative: str, size_bytes: int, content_digest: str) -> tuple[object, Callable[[], bytes]]:
        """See CorpusFiles. Files that are the same in a changed archive can be read still."""
        path = self._root / relative
        try:
            status = path.stat()
        except FileNotFoundError as error:
            raise deleted() from error
        except OSError as error:
            raise unreadable(error) from error
        key = (path, status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino)
        return key, lambda: _beginning(path, self._most_bytes + 1)

    def written_at(self, relative: str) -> tuple[int, int]:
        """See CorpusFiles."""
        status = (self._root / relative).stat()
        return status.st_size, status.st_mtime_ns

    def _seen(self, relative: str, status: FileStatus) -> SeenFile | DocumentError | None:
        try:
            return self._hash(self._root / relative, status)
        except FileNotFoundError:
            return None
        except OSError as error:
            return unreadable(error)
        except DocumentError as problem:
            return problem

    def _hash(self, path: Path, status: FileStatus) -> SeenFile:
        """Hash a file in blocks. Raises OSError, and DocumentError if it is being written to."""
        hashed_at_ns = time.time_ns()
        hasher = hashlib.sha256()
        with open_regular(path) as file:
            before = os.fstat(file.fileno())
            # It is another file than the one that was checked, for example a link to somewhere else.
            if (before.st_dev, before.st_ino) != (status.st_dev, status.st_ino):
                raise changed()
            if before.st_size > self._most_bytes:
                raise too_large(before.st_size, self._most_bytes)
            left = before.st_size + 1
            while left > 0 and (block := file.read(min(left, _BLOCK_BYTES))):
                hasher.update(block)
                left -= len(block)
            after = os.fstat(file.fileno())
        seen = SeenFile.of(before, hashed_at_ns, digest_of(hasher))
        if left != 1 or seen != SeenFile.of(after, hashed_at_ns, seen.content_digest):
            raise changed()
        return seen


def _beginning(path: Path, most_bytes: int) -> bytes:
    with open_regular(path) as file:
        return file.read(most_bytes)


def digest_of(hasher: "hashlib._Hash") -> str:
    """The digest of hashed bytes, as content digests are written."""
    return f"sha256:{hasher.hexdigest()}"
