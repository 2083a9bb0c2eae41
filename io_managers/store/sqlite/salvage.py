"""Reads the rows of a damaged SQLite file page by page, by its file format (https://sqlite.org/fileformat.html).

`repair` decides which of the rows are used.

Each page of rows is read independently: the first page and the pages that lead to it may be damaged, and an unreadable row
affects only itself. Rows that SQLite would no longer show (of freed pages) may be among the result.
"""

import os
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from io_managers.store.sqlite.schema import PAGE_BYTES

Value = None | int | float | str | bytes

_TABLE_LEAF, _INDEX_LEAF, _INDEX_INTERIOR = 0x0D, 0x0A, 0x02
_FILE_HEADER_BYTES = 100
_FRAME_HEADER = struct.Struct(">IIII8x")
_LOG_HEADER_BYTES = 32
# The most bytes of a payload that are stored in its page; the rest is in overflow pages.
_MOST_IN_TABLE = PAGE_BYTES - 35
_MOST_IN_INDEX = (PAGE_BYTES - 12) * 64 // 255 - 23
_LEAST = (PAGE_BYTES - 12) * 32 // 255 - 23


def rows(file: BinaryIO, log: Path) -> Iterator[tuple[Value, ...]]:
    """All readable rows of a file and its log, of every table and index, in no particular order. Raises OSError."""
    if not log.exists():
        yield from _Pages(file, None).rows()
        return
    with open(log, "rb") as log_file:
        yield from _Pages(file, log_file).rows()


class _Pages:
    """The newest state of each page."""

    def __init__(self, file: BinaryIO, log: BinaryIO | None) -> None:
        self._file = file
        self._log = log
        self._in_log = _newest_frames(log) if log else {}
        in_file = -(-os.fstat(file.fileno()).st_size // PAGE_BYTES)
        self._count = max(in_file, *self._in_log, 0)

    def page(self, number: int) -> bytes:
        if number in self._in_log and self._log is not None:
            source, offset = self._log, self._in_log[number]
        else:
            source, offset = self._file, (number - 1) * PAGE_BYTES
        source.seek(offset)
        return source.read(PAGE_BYTES).ljust(PAGE_BYTES, b"\0")

    def rows(self) -> Iterator[tuple[Value, ...]]:
        for number in range(1, self._count + 1):
            page = self.page(number)
            header = _FILE_HEADER_BYTES if number == 1 else 0
            kind = page[header]
            if kind not in (_TABLE_LEAF, _INDEX_LEAF, _INDEX_INTERIOR):
                continue
            pointers = header + (12 if kind == _INDEX_INTERIOR else 8)
            for cell in range(int.from_bytes(page[header + 3 : header + 5], "big")):
                at = pointers + 2 * cell
                try:
                    yield self._row(page, kind, int.from_bytes(page[at : at + 2], "big"))
                except (ValueError, IndexError, struct.error, OverflowError):
                    continue

    def _row(self, page: bytes, kind: int, at: int) -> tuple[Value, ...]:
        if kind == _INDEX_INTERIOR:
            at += 4
        size, at = _varint(page, at)
        if kind == _TABLE_LEAF:
            _, at = _varint(page, at)
        return _record(self._payload(page, at, size, _MOST_IN_TABLE if kind == _TABLE_LEAF else _MOST_IN_INDEX))

    def _payload(self, page: bytes, at: int, size: int, most: int) -> bytes:
        if size <= most:
            return page[at : at + size]
        if size > self._count * PAGE_BYTES:
            raise ValueError("longer than the file")
        here = _LEAST + (size - _LEAST) % (PAGE_BYTES - 4)
        here = here if here <= most else _LEAST
        parts, missing = [page[at : at + here]], size - here
        following = int.from_bytes(page[at + here : at + here + 4], "big")
        while missing > 0:
            if not 1 <= following <= self._count:
                raise ValueError("the chain of its pages is broken")
            page = self.page(following)
            following = int.from_bytes(page[:4], "big")
            parts.append(page[4 : 4 + missing])
            missing -= len(parts[-1])
        return b"".join(parts)


def _newest_frames(log: BinaryIO) -> dict[int, int]:
    """The offset of the newest frame of each page in the log, by page number."""
    end = log.seek(0, os.SEEK_END)
    log.seek(16)
    salts = log.read(8)
    found: dict[int, int] = {}
    for offset in range(_LOG_HEADER_BYTES, end - PAGE_BYTES - _FRAME_HEADER.size + 1, PAGE_BYTES + _FRAME_HEADER.size):
        log.seek(offset)
        number, _, *frame_salts = _FRAME_HEADER.unpack(log.read(_FRAME_HEADER.size))
        # Frames from before the last checkpoint may follow the current ones; they have other salts.
        if struct.pack(">II", *frame_salts) == salts and number:
            found[number] = offset + _FRAME_HEADER.size
    return found


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = 0
    for i in range(8):
        value = value << 7 | data[at + i] & 0x7F
        if data[at + i] < 0x80:
            return value, at + i + 1
    return value << 8 | data[at + 8], at + 9


def _record(payload: bytes) -> tuple[Value, ...]:
    header_bytes, at = _varint(payload, 0)
    kinds = []
    while at < header_bytes:
        kind, at = _varint(payload, at)
        kinds.append(kind)
    values: list[Value] = []
    for kind in kinds:
        size = (0, 1, 2, 3, 4, 6, 8, 8, 0, 0)[kind] if kind < 10 else (kind - 12) // 2
        data = payload[at : at + size]
        if len(data) != size or kind in (10, 11):
            raise ValueError("cut off")
        at += size
        match kind:
            case 0:
                values.append(None)
            case 7:
                values.append(struct.unpack(">d", data)[0])
            case 8 | 9:
                values.append(kind - 8)
            case _ if kind < 7:
                values.append(int.from_bytes(data, "big", signed=True))
            case _:
                values.append(data.decode() if kind % 2 else data)
    return tuple(values)
