"""The form of a signed file: one line that names its kind and version, and a MessagePack array of payload, key and signature.

The signature is of the line with the payload, so that a file of one kind or version is never taken for another. Key and signature
are empty if the file is not signed. Nothing of the payload is decoded here.
"""

import msgspec

from io_managers.sharing.segments.signatures import SigningKey, Trust
from io_managers.store.errors import SegmentError

# msgspec raises the second one for a text that is not UTF-8.
UNREADABLE = (msgspec.MsgspecError, UnicodeDecodeError)
_PROGRAM = b"seedbank "
# The longest first line; the kind and the version have about twenty characters.
_LONGEST_LINE = 64


class Signed(msgspec.Struct, frozen=True, array_like=True):
    """What follows the first line. key: the public key; b"" if the file is not signed."""

    payload: bytes
    key: bytes
    signature: bytes


def sealed(kind: str, version: int, payload: bytes, signer: SigningKey | None) -> bytes:
    """The bytes of a signed file. kind: one word. signer: None for a file without a signature."""
    header = _header(kind, version)
    key, signature = (signer.public, signer.sign(header + payload)) if signer else (b"", b"")
    return header + msgspec.msgpack.encode(Signed(payload, key, signature))


def parts_of(data: bytes, kind: str, version: int) -> Signed:
    """The parts of a signed file, whose signature was not looked at. Raises SegmentError."""
    start = _PROGRAM + kind.encode() + b" "
    header, newline, _ = data[:_LONGEST_LINE].partition(b"\n")
    if not newline or not header.startswith(start) or not header[len(start) :].isdigit():
        raise SegmentError(f"It is not {_a(kind)}, or it was cut off.")
    if header + newline != _header(kind, version):
        found = header[len(start) :].decode()
        raise SegmentError(f"Its version is {found}, and this Seedbank reads {version}.", "Update Seedbank.")
    try:
        return msgspec.msgpack.decode(memoryview(data)[len(header) + 1 :], type=Signed)
    except UNREADABLE as error:
        raise SegmentError(f"It is damaged or was cut off: {error}.") from error


def unsealed(data: bytes, kind: str, version: int, trust: Trust) -> bytes:
    """The payload of a signed file, whose signature is right and trusted. Raises SegmentError."""
    found = parts_of(data, kind, version)
    trust.check(_header(kind, version) + found.payload, found.key, found.signature)
    return found.payload


def _header(kind: str, version: int) -> bytes:
    return _PROGRAM + b"%s %d\n" % (kind.encode(), version)


def _a(kind: str) -> str:
    return f"{'an' if kind[0] in 'aeiou' else 'a'} {kind}"
