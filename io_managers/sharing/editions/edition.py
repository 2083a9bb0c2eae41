"""The format of an edition: which files belong to it, by the digests of their pieces.

```
 editions/<20 digits>          a signed file (segments.signed_files): the files of an edition, and what readers need to know
 pieces/<2 digits>/<62 digits> a piece of a file, as it is; the name is its SHA-256
```

An edition is written once, under a number that no other has, and after all its pieces. So a reader finds it whole or not at all,
and of two writers of one number one fails. Files are cut into pieces, so that memory and the time of a request have a bound, and
that an interrupted transfer goes on where it ended. Every size that decides how much is read has a bound here.
"""

import hashlib
import math
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO

import msgspec

from io_managers.sharing.segments.signatures import SigningKey, Trust
from io_managers.sharing.segments.signed_files import UNREADABLE, sealed, unsealed
from io_managers.store.errors import SegmentError

EDITIONS, PIECES = "editions", "pieces"
LARGEST_BYTES = 64 << 20
"""No edition is larger: 300,000 files, at 200 bytes each."""
PIECE_BYTES = 8 << 20
"""The size of a piece: with 3 MB/s it takes less than three seconds, and eight at once take 64 MB of memory (a judgement)."""
_KIND, _VERSION = "edition", 1
_LARGEST_FILE_BYTES = 1 << 44
_LONGEST_PATH = 400
_LATEST = 1e12
_PATH = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*(?:/[A-Za-z0-9_][A-Za-z0-9_.-]*)*")
_DIGITS = re.compile(r"[0-9a-f]{64}")
_NAME = re.compile(EDITIONS + r"/(\d{20})")


class EditionFile(msgspec.Struct, frozen=True, array_like=True):
    """A file of an edition. path: below the folder of the edition. pieces: the SHA-256 of each piece, in order."""

    path: str
    size_bytes: int
    pieces: tuple[str, ...]

    @property
    def content(self) -> tuple[int, tuple[str, ...]]:
        """What is equal for two files with the same bytes."""
        return self.size_bytes, self.pieces


class Edition(msgspec.Struct, frozen=True):
    """An edition. number: as in its name; each is greater than those before it. published_at: seconds since 1970.

    files: sorted by path. facts: what readers have to know of the files. kept_from: the number of the oldest edition that
    may still be kept anywhere; earlier ones hold what was erased since.
    """

    number: int
    published_at: float
    files: tuple[EditionFile, ...]
    facts: dict[str, Any]
    kept_from: int = 0

    @property
    def pieces(self) -> dict[str, int]:
        """All its pieces with their sizes in bytes."""
        return {digest: size for file in self.files for digest, size in sized_pieces(file)}

    @property
    def size_bytes(self) -> int:
        """The size of all files."""
        return sum(file.size_bytes for file in self.files)


def encode_edition(edition: Edition, signer: SigningKey | None) -> bytes:
    """The bytes of an edition."""
    return sealed(_KIND, _VERSION, msgspec.msgpack.encode(edition), signer)


def decode_edition(data: bytes, name: str, trust: Trust) -> Edition:
    """The edition with this name in the bucket, whose signature is right and trusted. Raises SegmentError."""
    payload = unsealed(data, _KIND, _VERSION, trust)
    try:
        edition = msgspec.msgpack.decode(payload, type=Edition)
    except UNREADABLE as error:
        raise SegmentError(f"Its content cannot be read: {error}.") from error
    if edition_name(edition.number) != name:
        raise SegmentError(f"It is edition {edition.number:,}, which somebody has put under another number.")
    paths = [file.path for file in edition.files]
    if len(set(paths)) < len(paths) or not all(map(_is_possible, edition.files)):
        raise SegmentError("Its content cannot be read: it names a file that no edition can have.")
    if not (math.isfinite(edition.published_at) and 0 <= edition.published_at < _LATEST):
        raise SegmentError("Its content cannot be read: its time is none.")
    return edition


def _is_possible(file: EditionFile) -> bool:
    return bool(
        len(file.path) <= _LONGEST_PATH
        and _PATH.fullmatch(file.path)
        and 0 <= file.size_bytes <= _LARGEST_FILE_BYTES
        and len(file.pieces) == -(-file.size_bytes // PIECE_BYTES)
        and all(map(_DIGITS.fullmatch, file.pieces))
    )


def sized_pieces(file: EditionFile) -> Iterator[tuple[str, int]]:
    """The pieces of a file in order, with their sizes in bytes."""
    for number, digest in enumerate(file.pieces):
        yield digest, min(PIECE_BYTES, file.size_bytes - number * PIECE_BYTES)


def edition_name(number: int) -> str:
    """The name of an edition in the bucket."""
    return f"{EDITIONS}/{number:020d}"


def number_of(name: str) -> int | None:
    """The number of the edition with this name; None if it is no name of an edition."""
    found = _NAME.fullmatch(name)
    return int(found[1]) if found else None


def piece_name(digest: str) -> str:
    """The name of a piece in the bucket."""
    return f"{PIECES}/{digest[:2]}/{digest[2:]}"


def described(path: str, source: Path) -> EditionFile:
    """The entry of a file, which is read once. Raises OSError."""
    size_bytes, digests = 0, list[str]()
    with source.open("rb") as opened:
        for piece in pieces_in(opened):
            size_bytes += len(piece)
            digests.append(piece_digest(piece))
    return EditionFile(path, size_bytes, tuple(digests))


def pieces_in(opened: BinaryIO) -> Iterator[bytes]:
    """The pieces of an open file, in order."""
    while piece := opened.read(PIECE_BYTES):
        yield piece


def piece_digest(data: bytes) -> str:
    """The digest of a piece, 64 hexadecimal digits."""
    return hashlib.sha256(data).hexdigest()


def edition_digest(data: bytes) -> str:
    """The digest of an edition's own bytes, 64 hexadecimal digits."""
    return hashlib.sha256(data).hexdigest()


def described_all(files: Mapping[str, Path]) -> tuple[EditionFile, ...]:
    """The entries of files, sorted by path. Raises OSError."""
    return tuple(described(path, files[path]) for path in sorted(files))
