"""What parser pool and parser worker say to each other: length-prefixed frames over pipes. What does not belong here:
the processes at both ends.
"""

import struct
from typing import IO

import msgspec

from resources.errors import DocumentError
from seed_assets.core.extracted_text import ExtractedText

_LENGTH = struct.Struct(">Q")
READY = b"ready"
"""The first frame of a worker, once it is able to parse."""


class Request(msgspec.Struct, array_like=True, frozen=True):
    """One document to parse."""

    format: str
    data: bytes


class Failure(msgspec.Struct, array_like=True, frozen=True):
    """A DocumentError on its way between processes."""

    reason: str
    remedy: str
    transient: bool

    def error(self) -> DocumentError:
        """The DocumentError that it was."""
        return DocumentError(self.reason, self.remedy, transient=self.transient)


class Reply(msgspec.Struct, array_like=True, frozen=True):
    """What became of a request: one of text and failure. retires: the worker takes no further request."""

    text: ExtractedText | None
    failure: Failure | None
    retires: bool = False


def write_frame(stream: IO[bytes], content: bytes) -> None:
    """Writes one frame at once. Raises OSError (BrokenPipeError) where nobody reads any more."""
    stream.write(_LENGTH.pack(len(content)))
    stream.write(content)
    stream.flush()


def read_frame(stream: IO[bytes]) -> bytes | None:
    """The next frame; None where the other side is gone, be it between two frames or inside of one."""
    head = stream.read(_LENGTH.size)
    if len(head) < _LENGTH.size:
        return None
    (length,) = _LENGTH.unpack(head)
    content = stream.read(length)
    return content if len(content) == length else None
