"""Single files that are packed with gzip, bzip2 or xz: unpacking them within limits. What does not belong here: archives."""

import bz2
import gzip
import io
import lzma
import zlib
from collections.abc import Callable, Iterator

from resources.errors import DocumentError

# The limits were chosen by judgement, for documents that are ZIP archives too. What is unpacked has at most 512 MB, and if it has
# more than 16 MB, at most 200 times as many bytes as it had before: bombs reach 1,000.
MOST_BYTES = 512 * 2**20
MOST_RATIO = 200
RATIO_FROM_BYTES = 16 * 2**20
# The strongest usual level of xz takes 65 MB; a file may ask for 4 GB.
_XZ_MEMORY = 256 * 2**20
_BLOCK_BYTES = 1 << 20
_FED_BYTES = 1 << 16
DAMAGE = (OSError, EOFError, ValueError, zlib.error, lzma.LZMAError)
"""What unpacking a damaged file raises."""


def most_bytes(packed_bytes: int) -> int:
    """Return how many bytes so many packed bytes may become."""
    return min(MOST_BYTES, max(RATIO_FROM_BYTES, MOST_RATIO * packed_bytes))


def is_packed(data: bytes) -> bool:
    """Whether a file begins as gzip, bzip2 and xz files do."""
    return _blocks_of(data) is not None


def unpacked(data: bytes) -> bytes:
    """Return what a packed file holds.

    Raises DocumentError if it is damaged, of another kind, or unpacks to more than is allowed.
    """
    blocks = _blocks_of(data)
    if blocks is None:
        raise DocumentError(
            "the file is not packed with gzip, bzip2 or xz, as its name says.", "Give it the suffix of what it is."
        )
    # Its value is given away without a copy of what may be much.
    found = io.BytesIO()
    most = most_bytes(len(data))
    try:
        for block in blocks(data):
            found.write(block)
            if found.tell() > most:
                raise DocumentError(
                    f"the file is packed as bombs are: it unpacks to more than {most >> 20:,} MB.",
                    "Remove it; if it is genuine, unpack it into the folder.",
                )
    except DAMAGE as error:
        reason = str(error).rstrip(".") or "it ends too early"
        raise DocumentError(
            f"the file is damaged or truncated and cannot be unpacked: {reason}.", "Restore it from its source."
        ) from error
    return found.getvalue()


def _blocks_of(data: bytes) -> Callable[[bytes], Iterator[bytes]] | None:
    if data.startswith(b"\x1f\x8b"):
        return _gzip_blocks
    if data.startswith(b"BZh"):
        return _bzip2_blocks
    return _xz_blocks if data.startswith(b"\xfd7zXZ\x00") else None


def _gzip_blocks(data: bytes) -> Iterator[bytes]:
    with gzip.GzipFile(fileobj=io.BytesIO(data)) as file:
        while block := file.read(_BLOCK_BYTES):
            yield block


def _bzip2_blocks(data: bytes) -> Iterator[bytes]:
    with bz2.BZ2File(io.BytesIO(data)) as file:
        while block := file.read(_BLOCK_BYTES):
            yield block


def _xz_blocks(data: bytes) -> Iterator[bytes]:
    """Yield what xz streams hold. The reader of the standard library has no limit of memory."""
    place = 0
    while place < len(data):
        decompressor = lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=_XZ_MEMORY)
        while not decompressor.eof:
            fed = data[place : place + _FED_BYTES] if decompressor.needs_input else b""
            if decompressor.needs_input and not fed:
                raise EOFError("it ends too early")
            place += len(fed)
            yield decompressor.decompress(fed, _BLOCK_BYTES)
        place -= len(decompressor.unused_data)
        while data[place : place + 4] == b"\x00\x00\x00\x00":  # padding between streams
            place += 4
