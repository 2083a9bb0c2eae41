"""The corpus: document ids, scans that detect changes, and reading documents.

Which files are documents is decided in `corpus_walk`.
"""

import hashlib
import os
import re
import time
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from msgspec.structs import replace

from io_managers.plain_text import HIDDEN
from io_managers.store.whole_files import open_regular
from resources.corpus import corpus_index
from resources.corpus.corpus_archives import OpenArchives, are_complete, entries_of, files_inside
from resources.corpus.corpus_errors import ambiguous, changed, deleted, too_large, unreadable
from resources.corpus.corpus_index import SeenFile
from resources.corpus.corpus_stamp import CorpusStamp
from resources.corpus.corpus_walk import Ignored, Walk, read_ignored
from resources.corpus.formats import format_of
from resources.corpus.skipped_files import SkippedFiles
from resources.errors import ConfigurationError, DocumentError

_BLOCK_BYTES = 1 << 20
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

    entry: the path below the archive at `path`; "" for a file of its own.
    """

    document_id: str
    path: Path
    format: str
    size_bytes: int
    content_digest: str
    entry: str = ""


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
    """A folder of documents, and the index with the digests of its files."""

    def __init__(self, root: Path, index: Path, max_document_bytes: int, *, archives_are_folders: bool = False) -> None:
        """index: the file that caches digests by size, times and inode; it may be deleted at any time.

        The folder of the index, which is the home, does not belong to the corpus, even if it lies inside it.

        archives_are_folders: whether the files inside of an archive are documents, and the archive itself is none.
        """
        self._archives_are_folders = archives_are_folders
        self._archives = OpenArchives()
        self.root = root
        self._index = index
        self._max_document_bytes = max_document_bytes

    def scan(self, *, verify: bool = False) -> Scan:
        """Find all documents and the digests of their bytes. Unchanged files are recognised without reading them.

        verify: read every file. Raises ConfigurationError if the folder is missing or cannot be listed.
        """
        check_folder(self.root)
        self._archives.close()
        before = corpus_index.load(self._index)
        seen = {} if verify else before
        now_seen: dict[bytes, SeenFile] = {}
        found: dict[str, list[tuple[str, SourceFile | DocumentError]]] = {}
        ignored = read_ignored(self.root)
        walk = Walk(self.root, ignored, left_out=self._index.parent)
        skipped_inside = SkippedFiles()
        stamp, settled = CorpusStamp(), True
        for relative, status in walk.files():
            name = document_id(relative)
            entry = self._source(name, relative, status, seen, now_seen)
            if isinstance(status, OSError):
                settled = False
            else:
                stamp.add(relative, status)
                known = now_seen.get(_index_key(relative))
                settled = settled and known is not None and known.describes(status)
            if isinstance(entry, SourceFile) and entry.format == "archive" and self._archives_are_folders:
                for inner, one in self._inside(relative, entry, now_seen, ignored, skipped_inside):
                    found.setdefault(document_id(inner), []).append((inner, one))
            elif entry is not None:
                found.setdefault(name, []).append((relative, entry))
        documents: dict[str, SourceFile] = {}
        problems: dict[str, DocumentError] = {}
        for name, entries in sorted(found.items()):
            entry = entries[0][1] if len(entries) == 1 else ambiguous([relative for relative, _ in entries])
            if isinstance(entry, DocumentError):
                problems[name] = entry
            else:
                documents[name] = entry
        if now_seen != before:
            corpus_index.save(self._index, now_seen)
        closed = {document_id(folder) + "/": unreadable(error) for folder, error in walk.unreadable.items()}
        settled = settled and not closed
        now = stamp.digest(walk.skipped) if settled else ""
        return Scan(documents, problems, closed, walk.skipped.with_others(skipped_inside), now)

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

        Raises DocumentError (transient) if the file is gone, is unreadable or has changed since the scan.
        """
        if source.entry:
            return self._read_inside(source)
        self._archives.close()
        try:
            with open_regular(source.path) as file:
                # At most one byte more than expected, since the file may have grown to any length.
                data = file.read(source.size_bytes + 1)
        except FileNotFoundError as error:
            raise deleted() from error
        except OSError as error:
            raise unreadable(error) from error
        if len(data) != source.size_bytes or _digest_of(hashlib.sha256(data)) != source.content_digest:
            # If it has changed without a new modification time, as on some network shares, the next scan must read it.
            corpus_index.forget(self._index, _index_key(str(source.path.relative_to(self.root))))
            raise changed()
        return data

    def _inside(
        self,
        relative: str,
        archive: SourceFile,
        now_seen: dict[bytes, SeenFile],
        ignored: Ignored | None,
        skipped: SkippedFiles,
    ) -> Iterator[tuple[str, SourceFile | DocumentError]]:
        """Yield (path relative to the root, document or its error) for each file inside of an archive."""
        known = now_seen[_index_key(relative)]
        if known.entries is None or not are_complete(known.entries, self._max_document_bytes):
            try:
                data = self.read(archive)
            except DocumentError as error:
                yield relative, error
                return
            known = replace(known, entries=entries_of(data, self._max_document_bytes))
            now_seen[_index_key(relative)] = known
        for path, entry, problem in files_inside(
            relative, known.entries or (), self._max_document_bytes, ignored, skipped
        ):
            yield (
                path,
                problem
                or SourceFile(
                    document_id(path),
                    archive.path,
                    format_of(path) or "",
                    entry.size_bytes,
                    entry.content_digest,
                    entry.path,
                ),
            )

    def _read_inside(self, source: SourceFile) -> bytes:
        try:
            data = self._archives.read(source.path, source.entry, self._max_document_bytes)
        except FileNotFoundError as error:
            raise deleted() from error
        except OSError as error:
            raise unreadable(error) from error
        except DocumentError:  # the scan has read it
            data = None
        if data is None or _digest_of(hashlib.sha256(data)) != source.content_digest:
            corpus_index.forget(self._index, _index_key(str(source.path.relative_to(self.root))))
            raise changed()
        return data

    def _source(
        self,
        name: str,
        relative: str,
        status: os.stat_result | OSError,
        seen: dict[bytes, SeenFile],
        now_seen: dict[bytes, SeenFile],
    ) -> SourceFile | DocumentError | None:
        """One file as a document, or its error; None if it was removed meanwhile."""
        if isinstance(status, OSError):
            return unreadable(status)
        if status.st_size > self._max_document_bytes:
            return too_large(status.st_size, self._max_document_bytes)
        path = self.root / relative
        key = _index_key(relative)
        known = seen.get(key)
        if known is None or not known.describes(status):
            before = known
            try:
                known = self._hash(path, status)
            except FileNotFoundError:
                return None
            except OSError as error:
                return unreadable(error)
            except DocumentError as problem:
                return problem
            if before is not None and before.content_digest == known.content_digest:
                known = replace(known, entries=before.entries)
        now_seen[key] = known
        return SourceFile(name, path, format_of(path.name) or "", known.size_bytes, known.content_digest)

    def _hash(self, path: Path, status: os.stat_result) -> SeenFile:
        """Hash a file in blocks. Raises OSError, and DocumentError if it is being written to."""
        hashed_at_ns = time.time_ns()
        hasher = hashlib.sha256()
        with open_regular(path) as file:
            before = os.fstat(file.fileno())
            # It is another file than the one that was checked, for example a link to somewhere else.
            if (before.st_dev, before.st_ino) != (status.st_dev, status.st_ino):
                raise changed()
            if before.st_size > self._max_document_bytes:
                raise too_large(before.st_size, self._max_document_bytes)
            left = before.st_size + 1
            while left > 0 and (block := file.read(min(left, _BLOCK_BYTES))):
                hasher.update(block)
                left -= len(block)
            after = os.fstat(file.fileno())
        seen = SeenFile.of(before, hashed_at_ns, _digest_of(hasher))
        if left != 1 or seen != SeenFile.of(after, hashed_at_ns, seen.content_digest):
            raise changed()
        return seen


def check_folder(root: Path) -> None:
    """Raise ConfigurationError if the corpus folder does not exist or cannot be reached."""
    try:
        is_folder = root.is_dir()
    except OSError as error:  # this user may not enter a folder above it
        raise ConfigurationError(f"The corpus folder {root} cannot be reached: {error.strerror}.") from error
    if not is_folder:
        found = f"{root} is not a folder." if root.exists() else f"There is no corpus folder {root}."
        raise ConfigurationError(f"{found} Give one with --corpus DIR or SEEDBANK_CORPUS.")


def _index_key(relative: str) -> bytes:
    return os.fsencode(relative)


def _digest_of(hasher: "hashlib._Hash") -> str:
    return f"sha256:{hasher.hexdigest()}"
