"""The corpus: a folder of files seen as documents.

What belongs here: what documents are called, whether they changed, and reading them. What does not: which files are
documents (corpus_walk), what is in them (extraction), and what is done about removed ones (seeding).
"""

import errno
import hashlib
import os
import re
import time
import unicodedata
from dataclasses import dataclass, field
from pathlib import Path

from resources import corpus_index
from resources.corpus_index import Seen
from resources.corpus_walk import Walk, read_ignored
from resources.errors import ConfigurationError, DocumentError
from resources.formats import SUFFIXES
from resources.regular_files import open_regular

_BLOCK_BYTES = 1 << 20
# Of three dots or more, all but the last two: a name's suffix stays one.
_ESCAPED = re.compile(r"[%,\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]|\.(?=\.\.)")


def document_id(relative_path: str) -> str:
    """The document's name and partition key: its NFC-normalised POSIX path relative to the corpus root.

    `%`, `,`, control characters, bytes that are not UTF-8 and the first of three dots in a row are percent-escaped,
    since Dagster and its command line split on them; `%` being among them, two different names (but for normalisation)
    never give one id. `relative_path` is as os.fsdecode gives it.
    """
    return _ESCAPED.sub(_escape, unicodedata.normalize("NFC", relative_path))


def _escape(match: re.Match[str]) -> str:
    return "".join(f"%{byte:02X}" for byte in os.fsencode(match[0]))


@dataclass(frozen=True, slots=True)
class SourceFile:
    """One document as it was last seen. content_digest: of its bytes. format: a value of SUFFIXES."""

    document_id: str
    path: Path
    format: str
    size_bytes: int
    content_digest: str


@dataclass(frozen=True, slots=True)
class Scan:
    """One look at the corpus.

    documents: by id, in the order of their names. problems: by id, what is wrong with a file that cannot be a source.
    unreadable: by id and a slash, folders that could not be listed; what was known below them is not gone.
    skipped: files and folders that are no documents (suffix, hidden, ignored, links that are not followed).
    """

    documents: dict[str, SourceFile] = field(default_factory=dict)
    problems: dict[str, DocumentError] = field(default_factory=dict)
    unreadable: dict[str, DocumentError] = field(default_factory=dict)
    skipped: int = 0

    def gone(self, known: set[str]) -> set[str]:
        """Those of the known documents that are not in the corpus any more."""
        absent = known - self.documents.keys() - self.problems.keys()
        return {name for name in absent if not any(name.startswith(prefix) for prefix in self.unreadable)}


class Corpus:
    """A folder of documents, and the memory of what its files were when they were last hashed."""

    def __init__(self, root: Path, index: Path, max_document_bytes: int) -> None:
        """`index` is the file that remembers digests by size, times and inode; it may be deleted at any time.

        The folder that it is in, the home, is no part of the corpus, even where it lies inside it.
        """
        self.root = root
        self._index = index
        self._max_document_bytes = max_document_bytes

    def scan(self, *, verify: bool = False) -> Scan:
        """Every document, with the digest of its bytes; unchanged files are recognised without reading them.

        With `verify` every file is read. Raises ConfigurationError where the folder is missing or cannot be listed.
        """
        check_folder(self.root)
        before = corpus_index.load(self._index)
        seen = {} if verify else before
        now_seen: dict[bytes, Seen] = {}
        found: dict[str, list[tuple[str, SourceFile | DocumentError]]] = {}
        walk = Walk(self.root, read_ignored(self.root), left_out=self._index.parent)
        for relative, status in walk.files():
            name = document_id(relative)
            entry = self._source(name, relative, status, seen, now_seen)
            if entry is not None:
                found.setdefault(name, []).append((relative, entry))
        documents: dict[str, SourceFile] = {}
        problems: dict[str, DocumentError] = {}
        for name, entries in sorted(found.items()):
            entry = entries[0][1] if len(entries) == 1 else _ambiguous([relative for relative, _ in entries])
            if isinstance(entry, DocumentError):
                problems[name] = entry
            else:
                documents[name] = entry
        if now_seen != before:
            corpus_index.save(self._index, now_seen)
        unreadable = {document_id(folder) + "/": _unreadable(error) for folder, error in walk.unreadable.items()}
        return Scan(documents, problems, unreadable, walk.skipped)

    def read(self, source: SourceFile) -> bytes:
        """The bytes of a document, certainly those of its digest.

        Raises DocumentError (transient) where the file is gone, unreadable or has changed since it was scanned.
        """
        try:
            with open_regular(source.path) as file:
                # One more than it should have: a file that grew to any length is not read whole.
                data = file.read(source.size_bytes + 1)
        except FileNotFoundError as error:
            raise _deleted() from error
        except OSError as error:
            raise _unreadable(error) from error
        if len(data) != source.size_bytes or _digest_of(hashlib.sha256(data)) != source.content_digest:
            # Should it have changed without another time, as on some network shares, the next run must not believe
            # the memory again.
            corpus_index.forget(self._index, _index_key(str(source.path.relative_to(self.root))))
            raise _changed()
        return data

    def _source(
        self,
        name: str,
        relative: str,
        status: os.stat_result | OSError,
        seen: dict[bytes, Seen],
        now_seen: dict[bytes, Seen],
    ) -> SourceFile | DocumentError | None:
        """One file as a document, or what is wrong with it; None where it is gone meanwhile."""
        if isinstance(status, OSError):
            return _unreadable(status)
        if status.st_size > self._max_document_bytes:
            return self._too_large(status.st_size)
        path = self.root / relative
        key = _index_key(relative)
        known = seen.get(key)
        if known is None or not known.describes(status):
            try:
                known = self._hash(path, status)
            except FileNotFoundError:
                return None
            except OSError as error:
                return _unreadable(error)
            except DocumentError as problem:
                return problem
        now_seen[key] = known
        return SourceFile(name, path, SUFFIXES[path.suffix.lower()], known.size_bytes, known.content_digest)

    def _hash(self, path: Path, status: os.stat_result) -> Seen:
        """A file as it is now, read in blocks. Raises OSError, DocumentError where it is being written to."""
        hashed_at_ns = time.time_ns()
        hasher = hashlib.sha256()
        with open_regular(path) as file:
            before = os.fstat(file.fileno())
            # Another file than the one that was found fit: it may be a link by now, and lead anywhere.
            if (before.st_dev, before.st_ino) != (status.st_dev, status.st_ino):
                raise _changed()
            if before.st_size > self._max_document_bytes:
                raise self._too_large(before.st_size)
            left = before.st_size + 1
            while left > 0 and (block := file.read(min(left, _BLOCK_BYTES))):
                hasher.update(block)
                left -= len(block)
            after = os.fstat(file.fileno())
        seen = Seen.of(before, hashed_at_ns, _digest_of(hasher))
        if left != 1 or seen != Seen.of(after, hashed_at_ns, seen.content_digest):
            raise _changed()
        return seen

    def _too_large(self, size_bytes: int) -> DocumentError:
        return DocumentError(
            f"the file has {size_bytes / 2**20:,.1f} MB, more than the {self._max_document_bytes >> 20} allowed.",
            "Split it, list it in .seedbankignore, or raise max_document_mb (SEEDBANK_MAX_DOCUMENT_MB).",
        )


def check_folder(root: Path) -> None:
    """Raises ConfigurationError where there is no such corpus folder."""
    try:
        is_folder = root.is_dir()
    except OSError as error:  # a folder above it is closed to this user
        raise ConfigurationError(f"The corpus folder {root} cannot be reached: {error.strerror}.") from error
    if not is_folder:
        found = f"{root} is not a folder." if root.exists() else f"There is no corpus folder {root}."
        raise ConfigurationError(f"{found} Give one with --corpus DIR or SEEDBANK_CORPUS.")


def _index_key(relative: str) -> bytes:
    return os.fsencode(relative)


def _digest_of(hasher: "hashlib._Hash") -> str:
    return f"sha256:{hasher.hexdigest()}"


def _ambiguous(names: list[str]) -> DocumentError:
    listed = ", ".join(ascii(name) for name in names)
    return DocumentError(
        f"{len(names)} files have this name once it is normalised: {listed}.", "Rename all but one of them."
    )


def _deleted() -> DocumentError:
    return DocumentError(
        "the file was deleted during the run.", "Nothing to do: the next run takes note.", transient=True
    )


def _changed() -> DocumentError:
    return DocumentError(
        "the file was changed during the run.", "Run again when it is no longer written to.", transient=True
    )


_REMEDIES = {
    errno.EACCES: "Make it and the folders above it readable for this user (chmod +rX).",
    errno.EPERM: "Make it and the folders above it readable for this user (chmod +rX).",
    errno.ENAMETOOLONG: "Move it up: its whole path is longer than the system allows.",
}


def _unreadable(error: OSError) -> DocumentError:
    remedy = _REMEDIES.get(error.errno or 0, "Check the disk or the share it is on, then run again.")
    return DocumentError(f"it cannot be read: {error.strerror or error}.", remedy, transient=True)
