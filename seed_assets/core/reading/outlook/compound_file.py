"""Compound files (MS-CFB), in which Outlook keeps a mail: their streams by path.

What does not belong here: what a stream means.
"""

import struct
from array import array
from collections.abc import Iterator
from typing import NamedTuple

from resources.errors import DocumentError

SIGNATURE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
# Numbers of sectors and entries from here on stand for "none" or "the end".
_LAST = 0xFFFFFFFA
_ENTRY_BYTES = 128
_STORAGE, _STREAM, _ROOT = 1, 2, 5
# All streams that are read may have so many times the bytes of the file: crafted entries share sectors. A judgement.
_MOST_TIMES = 4


class _Entry(NamedTuple):
    kind: int
    start: int
    size: int


class CompoundFile:
    """The streams of a compound file. Raises DocumentError, also while streams are read, if the file is damaged."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._left_bytes = _MOST_TIMES * len(data)
        try:
            self._open()
        except (struct.error, IndexError, OverflowError, ValueError) as error:
            raise _damaged() from error

    def _open(self) -> None:
        shift, mini_shift = struct.unpack_from("<HH", self._data, 30)
        if not self._data.startswith(SIGNATURE) or shift not in (9, 12) or mini_shift != 6:
            raise _damaged()
        self._sector, self._mini_sector = 1 << shift, 1 << mini_shift
        directory, _, self._cutoff, mini_table = struct.unpack_from("<IIII", self._data, 48)
        self._table = self._sectors_table()
        self._mini_table = _numbers(b"".join(self._blocks(mini_table)))
        self._entries = self._tree(b"".join(self._blocks(directory)))
        root = self._entries[""]
        self._mini_stream = b"".join(self._blocks(root.start))

    def names(self, folder: str) -> list[str]:
        """Return the names of what is directly in a folder, which is "" or ends with a slash."""
        inner = (path[len(folder) :] for path in self._entries if path.startswith(folder) and path != folder)
        return sorted(name for name in inner if name and "/" not in name.rstrip("/"))

    def stream(self, path: str) -> bytes | None:
        """Return the bytes of a stream; None if there is none of this path."""
        entry = self._entries.get(path)
        if entry is None or entry.kind != _STREAM:
            return None
        if entry.size > min(self._left_bytes, len(self._data)):
            raise _damaged()
        self._left_bytes -= entry.size
        if entry.size >= self._cutoff:
            return b"".join(self._blocks(entry.start))[: entry.size]
        places = _chain(self._mini_table, entry.start)
        size = self._mini_sector
        return b"".join(self._mini_stream[place * size : (place + 1) * size] for place in places)[: entry.size]

    def _sectors_table(self) -> "array[int]":
        """Return the table that says which sector follows each sector."""
        (next_part,) = struct.unpack_from("<I", self._data, 68)
        listed = list(struct.unpack_from("<109I", self._data, 76))
        seen: set[int] = set()
        while next_part < _LAST and next_part not in seen:
            seen.add(next_part)
            numbers = _numbers(self._block(next_part))
            listed += numbers[:-1]
            next_part = numbers[-1]
        table = array("I")
        for number in listed:
            if number < _LAST:
                table.extend(_numbers(self._block(number)))
            # A table that describes more than the file has repeats its sectors.
            if len(table) > 2 * len(self._data) // self._sector + self._sector:
                raise _damaged()
        return table

    def _block(self, number: int) -> bytes:
        start = (number + 1) * self._sector
        block = self._data[start : start + self._sector]
        if not block:
            raise _damaged()
        return block.ljust(self._sector, b"\x00")

    def _blocks(self, start: int) -> Iterator[bytes]:
        return map(self._block, _chain(self._table, start))

    def _tree(self, directory: bytes) -> dict[str, _Entry]:
        """Return all entries by path; folders end with a slash, the root is ""."""
        found: dict[str, _Entry] = {}
        waiting = [(0, "")]
        seen: set[int] = set()
        while waiting:
            number, folder = waiting.pop()
            if number in seen or (number + 1) * _ENTRY_BYTES > len(directory):
                continue
            seen.add(number)
            raw = directory[number * _ENTRY_BYTES : (number + 1) * _ENTRY_BYTES]
            name_bytes, kind = struct.unpack_from("<HB", raw, 64)
            left, right, child = struct.unpack_from("<III", raw, 68)
            start, size = struct.unpack_from("<IQ", raw, 116)
            name = raw[: max(min(name_bytes, 64) - 2, 0)].decode("utf-16-le", "replace").replace("/", "_")
            path = "" if kind == _ROOT else f"{folder}{name}/" if kind == _STORAGE else f"{folder}{name}"
            # Files with small sectors use the lower half of the size.
            found[path] = _Entry(kind, start, size if self._sector > 512 else size & 0xFFFFFFFF)
            waiting += [(each, folder) for each in (left, right) if each < _LAST]
            if kind in (_ROOT, _STORAGE) and child < _LAST:
                waiting.append((child, path))
        if "" not in found:
            raise _damaged()
        return found


def _numbers(data: bytes) -> "array[int]":
    return array("I", struct.unpack(f"<{len(data) // 4}I", data[: len(data) // 4 * 4]))


def _chain(table: "array[int]", start: int) -> Iterator[int]:
    """Yield the numbers of the sectors of a stream. Raises DocumentError for a chain that does not end."""
    left = len(table) + 1
    while start < _LAST:
        if start >= len(table) or not left:
            raise _damaged()
        yield start
        start, left = table[start], left - 1


def _damaged() -> DocumentError:
    return DocumentError("the file is damaged or truncated.", "Restore it from its source.")
