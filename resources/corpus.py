"""The corpus: a folder of files seen as documents.

What belongs here: which files are documents, what they are called, whether they changed, and reading them. What does
not: what is in them (extraction), and what is done about removed ones (seeding).
"""

import errno
import hashlib
import os
import re
import stat
import time
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from resources.errors import ConfigurationError, DocumentError
from resources.formats import SUFFIXES

IGNORE_FILE = ".seedbankignore"
# A file that changed within this time of being hashed may change again without another time stamp.
_SETTLED_NS = 2_000_000_000
_BLOCK_BYTES = 1 << 20
_ESCAPED = re.compile(r"[%,\x00-\x1f\x7f-\x9f\u2028\u2029\udc80-\udcff]|\.{3,}")


def document_id(relative_path: str) -> str:
    """The document's name and partition key: its NFC-normalised POSIX path relative to the corpus root.

    `%`, `,`, control characters, bytes that are not UTF-8 and runs of three dots or more are percent-escaped, since
    Dagster and its command line split on them; `%` being among them, two different names (but for normalisation) never
    give one id. `relative_path` is as os.fsdecode gives it.
    """
    return _ESCAPED.sub(_escape, unicodedata.normalize("NFC", relative_path))


def _escape(match: re.Match[str]) -> str:
    return "".join(f"%{byte:02X}" for byte in match[0].encode("utf-8", "surrogateescape"))


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
    skipped: files that are no documents (suffix, hidden, ignored, links that are not followed).
    """

    documents: dict[str, SourceFile] = field(default_factory=dict)
    problems: dict[str, DocumentError] = field(default_factory=dict)
    unreadable: dict[str, DocumentError] = field(default_factory=dict)
    skipped: int = 0

    def gone(self, known: set[str]) -> set[str]:
        """Those of the known documents that are not in the corpus any more."""
        absent = known - self.documents.keys() - self.problems.keys()
        return {name for name in absent if not any(name.startswith(prefix) for prefix in self.unreadable)}


class _Seen(msgspec.Struct, array_like=True, frozen=True):
    size_bytes: int
    mtime_ns: int
    ctime_ns: int
    inode: int
    content_digest: str
    hashed_at_ns: int


class Corpus:
    """A folder of documents, and the memory of what its files were when they were last hashed."""

    def __init__(self, root: Path, index: Path, max_document_bytes: int) -> None:
        """`index` is the file that remembers digests by size, times and inode; it may be deleted at any time."""
        self.root = root
        self._index = index
        self._max_document_bytes = max_document_bytes

    def scan(self, *, verify: bool = False) -> Scan:
        """Every document, with the digest of its bytes; unchanged files are recognised without reading them.

        With `verify` every file is read. Raises ConfigurationError where the folder is missing or cannot be listed.
        """
        if not self.root.is_dir():
            raise ConfigurationError(
                f"There is no corpus folder {self.root}. Give one with --corpus DIR or SEEDBANK_CORPUS."
            )
        seen = {} if verify else self._load_index()
        now_seen: dict[str, _Seen] = {}
        names: dict[str, list[str]] = {}
        found: dict[str, SourceFile | DocumentError] = {}
        documents: dict[str, SourceFile] = {}
        problems: dict[str, DocumentError] = {}
        walk = _Walk(self.root, self._ignored())
        for relative, status in walk.files():
            name = document_id(relative)
            names.setdefault(name, []).append(relative)
            path = self.root / relative
            try:
                digest = self._digest(relative, path, status, seen, now_seen)
            except DocumentError as problem:
                found[name] = problem
            else:
                suffix = path.suffix.lower()
                found[name] = SourceFile(name, path, SUFFIXES[suffix], status.st_size, digest)
        for name in sorted(found):
            entry = found[name]
            if len(names[name]) > 1:
                entry = DocumentError(
                    f"{len(names[name])} files have this name once it is normalised: {', '.join(map(ascii, names[name]))}.",
                    "Rename all but one of them.",
                )
            if isinstance(entry, DocumentError):
                problems[name] = entry
            else:
                documents[name] = entry
        if now_seen != seen:
            self._save_index(now_seen)
        return Scan(documents, problems, walk.unreadable, walk.skipped)

    def read(self, source: SourceFile) -> bytes:
        """The bytes of a document, certainly those of its digest.

        Raises DocumentError (transient) where the file is gone, unreadable or has changed since it was scanned.
        """
        try:
            data = source.path.read_bytes()
        except FileNotFoundError as error:
            raise DocumentError(
                "the file was deleted during the run.", "Nothing to do: the next run takes note.", transient=True
            ) from error
        except OSError as error:
            raise _unreadable(error) from error
        if "sha256:" + hashlib.sha256(data).hexdigest() != source.content_digest:
            raise DocumentError(
                "the file was changed during the run.", "Run again when it is no longer written to.", transient=True
            )
        return data

    def _digest(
        self, relative: str, path: Path, status: os.stat_result, seen: dict[str, _Seen], now_seen: dict[str, _Seen]
    ) -> str:
        if status.st_size > self._max_document_bytes:
            raise DocumentError(
                f"the file has {status.st_size / 2**20:,.0f} MB, more than the {self._max_document_bytes >> 20} allowed.",
                "Split it, list it in .seedbankignore, or raise max_document_mb (SEEDBANK_MAX_DOCUMENT_MB).",
            )
        before = seen.get(relative)
        stamp = (status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino)
        changed_ns = max(status.st_mtime_ns, status.st_ctime_ns)
        unchanged = before is not None and msgspec.structs.astuple(before)[:4] == stamp
        if before is not None and unchanged and changed_ns + _SETTLED_NS < before.hashed_at_ns:
            now_seen[relative] = before
            return before.content_digest
        hashed_at_ns = time.time_ns()
        hasher = hashlib.sha256()
        try:
            with path.open("rb") as file:
                while block := file.read(_BLOCK_BYTES):
                    hasher.update(block)
                after = os.fstat(file.fileno())
        except FileNotFoundError as error:
            raise DocumentError(
                "the file was deleted during the run.", "Nothing to do: the next run takes note.", transient=True
            ) from error
        except OSError as error:
            raise _unreadable(error) from error
        if (after.st_size, after.st_mtime_ns) != stamp[:2]:
            raise DocumentError(
                "the file was changed during the run.", "Run again when it is no longer written to.", transient=True
            )
        digest = "sha256:" + hasher.hexdigest()
        now_seen[relative] = _Seen(*stamp, digest, hashed_at_ns)
        return digest

    def _ignored(self) -> "Ignored | None":
        try:
            lines = (self.root / IGNORE_FILE).read_text().splitlines()
        except FileNotFoundError:
            return None
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigurationError(f"{self.root / IGNORE_FILE} cannot be read: {error}.") from error
        return Ignored(lines)

    def _load_index(self) -> dict[str, _Seen]:
        try:
            return msgspec.msgpack.decode(self._index.read_bytes(), type=dict[str, _Seen])
        except (OSError, msgspec.MsgspecError):  # only a memory: without it every file is read
            return {}

    def _save_index(self, seen: dict[str, _Seen]) -> None:
        # A name with undecodable bytes is no msgpack text; its file is read each time.
        plain = {name: entry for name, entry in seen.items() if name.isprintable() or _encodable(name)}
        temporary = self._index.with_suffix(f".{os.getpid()}")
        try:
            self._index.parent.mkdir(parents=True, exist_ok=True)
            temporary.write_bytes(msgspec.msgpack.encode(plain))
            temporary.replace(self._index)
        except OSError:  # a read-only home is reported by whoever has to write there
            temporary.unlink(missing_ok=True)


class Ignored:
    """The patterns of `.seedbankignore`, with the syntax of .gitignore."""

    def __init__(self, lines: list[str]) -> None:
        from pathspec import GitIgnoreSpec

        self._spec = GitIgnoreSpec.from_lines(lines)

    def __call__(self, relative: str) -> bool:
        return self._spec.match_file(relative)


class _Walk:
    def __init__(self, root: Path, ignored: Ignored | None) -> None:
        self._root = root
        self._real_root = root.resolve()
        self._ignored = ignored
        self.skipped = 0
        self.unreadable: dict[str, DocumentError] = {}

    def files(self, below: str = "") -> Iterator[tuple[str, os.stat_result]]:
        """(path relative to the root, status) of every file with a supported suffix."""
        try:
            entries = sorted(os.scandir(self._root / below), key=lambda entry: entry.name)
        except OSError as error:
            if not below:
                raise ConfigurationError(
                    f"The corpus folder {self._root} cannot be listed: {error.strerror}. Mend its permissions."
                ) from error
            self.unreadable[document_id(below) + "/"] = _unreadable(error)
            return
        for entry in entries:
            relative = f"{below}/{entry.name}" if below else entry.name
            if entry.name.startswith("."):
                self.skipped += entry.name != IGNORE_FILE
                continue
            if entry.is_dir(follow_symlinks=False):
                if self._ignored is None or not self._ignored(relative + "/"):
                    yield from self.files(relative)
                continue
            status = self._status(entry, relative)
            if status is None:
                self.skipped += 1
            else:
                yield relative, status

    def _status(self, entry: os.DirEntry[str], relative: str) -> os.stat_result | None:
        """The status of a document; None for what is no document."""
        if Path(entry.name).suffix.lower() not in SUFFIXES or (self._ignored and self._ignored(relative)):
            return None
        try:
            # A link is a document where it leads to a file of this corpus; a link out of it, to a folder or in a
            # circle is not followed.
            if entry.is_symlink() and not Path(entry.path).resolve().is_relative_to(self._real_root):
                return None
            status = entry.stat()
        except (OSError, RuntimeError):
            return None
        return status if stat.S_ISREG(status.st_mode) else None


def _unreadable(error: OSError) -> DocumentError:
    denied = error.errno in (errno.EACCES, errno.EPERM)
    return DocumentError(
        f"it cannot be read: {error.strerror or error}.",
        "Make it readable for this user (chmod +r)."
        if denied
        else "Check the disk or the share it is on, then run again.",
        transient=True,
    )


def _encodable(name: str) -> bool:
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True
