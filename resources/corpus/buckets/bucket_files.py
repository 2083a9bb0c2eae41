"""The files of a corpus in a bucket: hashed as they are downloaded, several at once, and read from the cache or downloaded again.

A digest is always that of bytes which came with one reply, and it is kept with what this reply says of the object. So an object
that was replaced after it was listed is either seen as it is now, or is not what a reader expects, and no value is made of it.
"""

import hashlib
import time
from collections import deque
from collections.abc import Callable, Collection, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from functools import cached_property, partial

from resources.corpus.buckets.object_cache import ObjectCache
from resources.corpus.buckets.object_listing import ObjectListing, ObjectStatus
from resources.corpus.buckets.object_reader import ObjectReader, ObjectRefusedError
from resources.corpus.corpus_errors import changed, deleted, too_large
from resources.corpus.corpus_files import Hashed
from resources.corpus.corpus_index import FileStatus, SeenFile
from resources.corpus.corpus_place import BucketAddress, BucketRules
from resources.corpus.document_choice import Ignored
from resources.corpus.folder_files import digest_of
from resources.errors import DocumentError


class BucketFiles:
    """See CorpusFiles."""

    def __init__(self, address: BucketAddress, most_bytes: int, rules: BucketRules) -> None:
        """most_bytes: larger objects are not downloaded."""
        self._address = address
        self._most_bytes = most_bytes
        self._rules = rules
        self._cache = ObjectCache(rules.cache, rules.cache_bytes, rules.least_free_bytes)
        self.most_at_once = rules.most_requests

    @cached_property
    def _reader(self) -> ObjectReader:
        return ObjectReader(str(self._address), self._rules.timeout_seconds)

    def ignored(self) -> Ignored | None:
        """See CorpusFiles."""
        return self._reader.ignored()

    def listing(self, ignored: Ignored | None, known: Collection[bytes]) -> ObjectListing:
        """See CorpusFiles."""
        return ObjectListing(self._reader, ignored, known)

    def hashed(self, files: Iterable[tuple[str, FileStatus]]) -> Iterator[Hashed]:
        """See CorpusFiles. Files are yielded in the order in which they are given."""
        waiting: deque[tuple[str, FileStatus, Future[SeenFile | DocumentError | None]]] = deque()
        with self._cache.scanning():
            threads = ThreadPoolExecutor(self._rules.most_requests, "download")
            try:
                for relative, status in files:
                    waiting.append((relative, status, threads.submit(self._seen, relative)))
                    # A few more than are downloaded, so that a large object at the front does not hold up the others.
                    if len(waiting) >= 4 * self._rules.most_requests:
                        yield _finished(*waiting.popleft())
                while waiting:
                    yield _finished(*waiting.popleft())
            finally:
                threads.shutdown(cancel_futures=True)

    def read(self, relative: str, size_bytes: int, content_digest: str) -> bytes | None:
        """See CorpusFiles."""
        data = self._cache.get(content_digest, size_bytes)
        if data is not None:
            return data
        blocks: list[bytes] = []
        seen = self._downloaded(relative, size_bytes, lambda block: blocks.append(bytes(block)))
        if seen is None:
            raise deleted()
        if isinstance(seen, DocumentError):
            raise seen
        return b"".join(blocks) if (seen.size_bytes, seen.content_digest) == (size_bytes, content_digest) else None

    def archive(self, relative: str, size_bytes: int, content_digest: str) -> tuple[object, Callable[[], bytes]]:
        """See CorpusFiles."""
        return (relative, content_digest), partial(self._read_whole, relative, size_bytes, content_digest)

    def written_at(self, relative: str) -> None:
        """See CorpusFiles. An object appears as a whole."""

    def _read_whole(self, relative: str, size_bytes: int, content_digest: str) -> bytes:
        data = self.read(relative, size_bytes, content_digest)
        if data is None:
            raise changed()
        return data

    def _seen(self, relative: str) -> SeenFile | DocumentError | None:
        return self._downloaded(relative, self._most_bytes, lambda block: None)

    def _downloaded(
        self, relative: str, most_bytes: int, take: Callable[[memoryview], object]
    ) -> SeenFile | DocumentError | None:
        """Download an object, give its bytes to `take`, and keep them; None if the object is gone. Raises ConfigurationError."""
        file, hasher = self._cache.new_file(), hashlib.sha256()
        taken = 0

        def write(block: memoryview) -> None:
            nonlocal taken
            taken += len(block)
            hasher.update(block)
            take(block)
            file.write(block)

        hashed_at_ns = time.time_ns()
        try:
            meta = self._reader.download(relative, most_bytes, write)
            if meta["size"] > most_bytes:
                return changed() if most_bytes < self._most_bytes else too_large(meta["size"], self._most_bytes)
            if taken != meta["size"]:
                return changed()
            seen = SeenFile.of(ObjectStatus(meta), hashed_at_ns, digest_of(hasher))
            self._cache.keep(file, seen.content_digest)
            return seen
        except FileNotFoundError:
            return None
        except ObjectRefusedError as error:
            return DocumentError(error.said, error.remedy, transient=True)
        finally:
            file.discard()


def _finished(relative: str, status: FileStatus, future: Future[SeenFile | DocumentError | None]) -> Hashed:
    return relative, status, future.result()
