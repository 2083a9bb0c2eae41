"""The corpus: document ids, scans that detect changes, and reading documents.

Which files are documents is decided in `document_choice`. How files are found and read is in `folder_files` and `buckets`.
"""

import hashlib
import os
import re
import time
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache, cached_property
from pathlib import Path

from msgspec.structs import replace

from io_managers.plain_text import HIDDEN
from resources.corpus import corpus_index
from resources.corpus.corpus_archives import OpenArchives, are_complete, entries_of, files_inside
from resources.corpus.corpus_errors import ambiguous, changed, too_large, unreadable
from resources.corpus.corpus_files import CorpusFiles, Hashed
from resources.corpus.corpus_index import FileStatus, SeenFile
from resources.corpus.corpus_place import BucketAddress, BucketRules, Place, check_folder
from resources.corpus.corpus_stamp import CorpusStamp
from resources.corpus.document_choice import Ignored
from resources.corpus.folder_files import FolderFiles, digest_of
from resources.corpus.formats import format_of
from resources.corpus.skipped_files import SkippedFiles
from resources.errors import ConfigurationError, DocumentError

# Hashing what was added to a large corpus may take hours. The index is written so often meanwhile: a scan that is killed loses
# no more, and writing it (a tenth of a second for 100,000 files) takes no time that counts.
_INDEX_SECONDS = 30
_DEFAULTS = BucketRules()
# In a row of three or more dots, all but the last two, so that the suffix of a name stays a suffix.
_ESCAPED = re.compile(r"[%,\x00-\x1f\x7f]|\.(?=\.\.)")
# This pattern is slower; it is compiled for the first name that is not ASCII.
_ESCAPED_IN_UNICODE = rf"[%,\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]|\.(?=\.\.)|{HIDDEN}"


def document_id(relative_path: str) -> str:
    """The document's id and partition key: its POSIX path relative to the corpus, in NFC.

    `%`, `,`, control characters, bytes that are not UTF-8 and the first of three dots in a row are percent-escaped, since
    Dagster and its command line split on them. Invisible characters (plain_text.HIDDEN) are escaped as well. Since `%` is
    escaped, different names never have the same id, unless they differ only in normalisation.
    relative_path: as os.fsdecode gives it.
    """
    if relative_path.isascii():
        return _ESCAPED.sub(_escape, relative_path)
    return _escaped_in_unicode().sub(_escape, unicodedata.normalize("NFC", relative_path))


@cache
def _escaped_in_unicode() -> re.Pattern[str]:
    return re.compile(_ESCAPED_IN_UNICODE)


def _escape(match: re.Match[str]) -> str:
    return "".join(f"%{byte:02X}" for byte in os.fsencode(match[0]))


@dataclass(frozen=True, slots=True)
class SourceFile:
    """One document at the last scan. content_digest: the digest of its bytes. format: see formats.format_of.

    relative: the path of its file below the corpus, as os.fsdecode gives it. entry: the path below the archive that this file is,
    and archive: that archive; "" and None for a file of its own.
    """

    document_id: str
    relative: str
    format: str
    size_bytes: int
    content_digest: str
    entry: str = ""
    archive: "SourceFile | None" = field(default=None, compare=False, repr=False)


def _folders_of(name: str) -> Iterator[str]:
    place = name.find("/")
    while place >= 0:
        yield name[:place]
        place = name.find("/", place + 1)


@dataclass(frozen=True, slots=True)
class Scan:
    """The result of one scan of the corpus.

    documents: by id, in the order of their names. problems: by id, the errors of files that cannot be read as documents.
    unreadable: folders that could not be listed, as ids with a slash; documents below them do not count as gone.
    skipped: how many files and folders are not documents, and why.
    stamp: the value of corpus_stamp while nothing changes; "" if the times of a file cannot show changes.
    """

    documents: dict[str, SourceFile] = field(default_factory=dict)
    problems: dict[str, DocumentError] = field(default_factory=dict)
    unreadable: dict[str, DocumentError] = field(default_factory=dict)
    skipped: SkippedFiles = field(default_factory=SkippedFiles)
    stamp: str = field(default="", compare=False)

    def gone(self, known: set[str]) -> set[str]:
        """The known documents that are no longer in the corpus; those inside of an archive with a problem are not gone."""
        absent = known - self.documents.keys() - self.problems.keys()
        absent = {name for name in absent if not any(name.startswith(prefix) for prefix in self.unreadable)}
        return {name for name in absent if not any(above in self.problems for above in _folders_of(name))}


class Corpus:
    """A folder or a bucket of documents, and the index with the digests of its files."""

    def __init__(
        self,
        root: Place,
        index: Path,
        max_document_bytes: int,
        *,
        archives_are_folders: bool = False,
        bucket: BucketRules = _DEFAULTS,
    ) -> None:
        """index: the file that caches digests by size, times and inode; it may be deleted at any time.

        The folder of the index, which is the home, does not belong to the corpus, even if it lies inside it.

        archives_are_folders: whether the files inside of an archive are documents, and the archive itself is none. bucket: how an
        object store is used, if the root is in one.
        """
        self._archives_are_folders = archives_are_folders
        self._archives = OpenArchives()
        self.root = root
        self._index = index
        self._max_document_bytes = max_document_bytes
        self._bucket = bucket

    @cached_property
    def _files(self) -> CorpusFiles:
        if not isinstance(self.root, BucketAddress):
            return FolderFiles(self.root, self._index.parent, self._max_document_bytes)
        from resources.corpus.buckets.bucket_files import BucketFiles

        return BucketFiles(self.root, self._max_document_bytes, self._bucket)

    @property
    def most_at_once(self) -> int:
        """How many documents may be read at the same time."""
        return self._files.most_at_once

    def scan(self, *, verify: bool = False) -> Scan:
        """Find all documents and the digests of their bytes. Unchanged files are recognised without reading them.

        verify: read every file. Raises ConfigurationError if the corpus is missing or cannot be listed.
        """
        check_folder(self.root)
        self._archives.close()
        before = corpus_index.load(self._index)
        seen = {} if verify else before
        now_seen: dict[bytes, SeenFile] = {}
        found: dict[str, list[tuple[str, SourceFile | DocumentError]]] = {}
        ignored = self._files.ignored()
        listing = self._files.listing(ignored, before)
        stamp, settled = CorpusStamp(), True
        unknown: dict[str, FileStatus] = {}
        for relative, status in listing.files():
            key = _index_key(relative)
            if isinstance(status, OSError):
                settled = False
                found.setdefault(document_id(relative), []).append((relative, unreadable(status)))
                continue
            stamp.add(relative, status)
            if status.st_size > self._max_document_bytes:
                settled = False
                problem = too_large(status.st_size, self._max_document_bytes)
                found.setdefault(document_id(relative), []).append((relative, problem))
            elif (known := seen.get(key)) is not None and known.describes(status):
                now_seen[key] = known
            elif key not in now_seen:  # an object store may list a name twice
                unknown.setdefault(relative, status)
        for relative, status, outcome in self._hashed(unknown, before, now_seen):
            settled = settled and isinstance(outcome, SeenFile) and outcome.describes(status)
            if isinstance(outcome, DocumentError):
                found.setdefault(document_id(relative), []).append((relative, outcome))
        skipped_inside = SkippedFiles()
        for key, known in now_seen.copy().items():
            relative = os.fsdecode(key)
            name, format = document_id(relative), format_of(relative) or ""
            source = SourceFile(name, relative, format, known.size_bytes, known.content_digest)
            if format == "archive" and self._archives_are_folders:
                for inner, one in self._inside(source, now_seen, ignored, skipped_inside):
                    found.setdefault(document_id(inner), []).append((inner, one))
            else:
                found.setdefault(name, []).append((relative, source))
        documents: dict[str, SourceFile] = {}
        problems: dict[str, DocumentError] = {}
        for name, entries in sorted(found.items()):
            entry = entries[0][1] if len(entries) == 1 else ambiguous(sorted(relative for relative, _ in entries))
            if isinstance(entry, DocumentError):
                problems[name] = entry
            else:
                documents[name] = entry
        folders = tuple(os.fsencode(f"{folder}/") for folder in listing.unreadable)
        # What is in folders that could not be listed is still known when they can be.
        index = (
            {key: known for key, known in before.items() if key.startswith(folders)} | now_seen if folders else now_seen
        )
        if index != before:
            corpus_index.save(self._index, index)
        closed = {
            document_id(folder) + "/": unreadable(error) if isinstance(error, OSError) else error
            for folder, error in listing.unreadable.items()
        }
        now = stamp.digest(listing.skipped) if settled and not closed else ""
        return Scan(documents, problems, closed, listing.skipped.with_others(skipped_inside), now)

    def _hashed(
        self, unknown: Mapping[str, FileStatus], before: Mapping[bytes, SeenFile], now_seen: dict[bytes, SeenFile]
    ) -> Iterator[Hashed]:
        """Hash files, and add those that could be hashed to the index that is being made."""
        written = time.monotonic()
        try:
            for relative, status, outcome in self._files.hashed(unknown.items()):
                if isinstance(outcome, SeenFile):
                    key = _index_key(relative)
                    known = before.get(key)
                    if known is not None and known.content_digest == outcome.content_digest:
                        outcome = replace(outcome, entries=known.entries)
                    now_seen[key] = outcome
                yield relative, status, outcome
                if time.monotonic() - written > _INDEX_SECONDS:
                    corpus_index.save(self._index, {**before, **now_seen})
                    written = time.monotonic()
        except ConfigurationError:
            corpus_index.save(self._index, {**before, **now_seen})
            raise

    def modified_at(self) -> dict[str, float]:
        """When the file of each document was last modified, in seconds since 1970, as the last scan found it.

        A document inside of an archive has the time of the archive. The corpus is not read, and may be gone.
        """
        found: dict[str, float] = {}
        for relative, seen in corpus_index.load(self._index).items():
            name = os.fsdecode(relative)
            inside = (f"{name}/{entry.path}" for entry in seen.entries or () if entry.path)
            found |= dict.fromkeys(map(document_id, (name, *inside)), seen.mtime_ns / 1e9)
        return found

    def read(self, source: SourceFile) -> bytes:
        """The bytes of a document, verified against its digest.

        Raises DocumentError (transient) if the file is gone, is unreadable or has changed since the scan, and ConfigurationError
        if its bucket cannot be read.
        """
        if source.archive is not None:
            data = self._read_inside(source, source.archive)
        else:
            self._archives.close()
            data = self._files.read(source.relative, source.size_bytes, source.content_digest)
        if data is None:
            # If it has changed without a new modification time, as on some network shares, the next scan must read it.
            corpus_index.forget(self._index, _index_key(source.relative))
            raise changed()
        return data

    def written_at(self, source: SourceFile) -> tuple[int, int] | None:
        """The size of a document's file and when it was modified (nanoseconds since 1970); see CorpusFiles. Raises OSError."""
        return self._files.written_at(source.relative)

    def _inside(
        self, archive: SourceFile, now_seen: dict[bytes, SeenFile], ignored: Ignored | None, skipped: SkippedFiles
    ) -> Iterator[tuple[str, SourceFile | DocumentError]]:
        """Yield (path relative to the root, document or its error) for each file inside of an archive."""
        key = _index_key(archive.relative)
        known = now_seen[key]
        if known.entries is None or not are_complete(known.entries, self._max_document_bytes):
            try:
                data = self.read(archive)
            except DocumentError as error:
                yield archive.relative, error
                return
            known = now_seen[key] = replace(known, entries=entries_of(data, self._max_document_bytes))
        for path, entry, problem in files_inside(
            archive.relative, known.entries or (), self._max_document_bytes, ignored, skipped
        ):
            yield (
                path,
                problem
                or SourceFile(
                    document_id(path),
                    archive.relative,
                    format_of(path) or "",
                    entry.size_bytes,
                    entry.content_digest,
                    entry.path,
                    archive,
                ),
            )

    def _read_inside(self, source: SourceFile, archive: SourceFile) -> bytes | None:
        key, load = self._files.archive(archive.relative, archive.size_bytes, archive.content_digest)
        try:
            data = self._archives.read(key, load, source.entry)
        except OSError as error:
            raise unreadable(error) from error
        except DocumentError:  # the scan has read it
            return None
        return data if data is not None and digest_of(hashlib.sha256(data)) == source.content_digest else None


def _index_key(relative: str) -> bytes:
    return os.fsencode(relative)
