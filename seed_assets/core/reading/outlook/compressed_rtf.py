"""RTF as Outlook compresses it in mails (MS-OXRTFCP). What does not belong here: reading RTF (rtf)."""

import struct

from resources.errors import DocumentError

_COMPRESSED, _UNCOMPRESSED = b"LZFu", b"MELA"
_WINDOW = 4096
# What the format takes to be in front of every text.
_KNOWN = (
    rb"{\rtf1\ansi\mac\deff0\deftab720{\fonttbl;}{\f0\fnil \froman \fswiss \fmodern \fscript \fdecor MS Sans SerifSymbolArial"
    rb"Times New RomanCourier{\colortbl\red0\green0\blue0" + b"\r\n" + rb"\par \pard\plain\f0\fs20\b\i\u\tab\tx"
)
_SHORTEST = 2


def decompressed_rtf(data: bytes) -> bytes:
    """Return the RTF. Raises DocumentError if it is damaged; what was decompressed of a truncated one is returned."""
    if len(data) < 16:
        raise DocumentError("its RTF is damaged.", "Save the mail again.")
    size = struct.unpack_from("<I", data, 4)[0]
    kind = data[8:12]
    if kind == _UNCOMPRESSED:
        return data[16 : 16 + size]
    if kind != _COMPRESSED:
        raise DocumentError("its RTF is compressed in an unknown way.", "Save the mail again.")
    found = bytearray(_KNOWN)
    place = 16
    while place < len(data):
        flags = data[place]
        place += 1
        for bit in range(8):
            if not flags >> bit & 1:
                found += data[place : place + 1]
                place += 1
                continue
            if place + 1 >= len(data):
                place = len(data)
                break
            reference = data[place] << 8 | data[place + 1]
            place += 2
            # The place is one in a window that is written round and round; its own place is the end.
            distance = (len(found) - (reference >> 4)) % _WINDOW
            if distance == 0:
                return bytes(found[len(_KNOWN) :])[:size]
            if distance > len(found):
                raise DocumentError("its RTF is damaged.", "Save the mail again.")
            for _ in range((reference & 0xF) + _SHORTEST):
                found.append(found[-distance])
    return bytes(found[len(_KNOWN) :])[:size]
