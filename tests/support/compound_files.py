"""Compound files and mails of Outlook in them, written part by part. What does not belong here: what a mail says."""

import struct
from collections.abc import Mapping

_NONE, _END, _TABLE = 0xFFFFFFFF, 0xFFFFFFFE, 0xFFFFFFFD
_SECTOR, _MINI, _CUTOFF = 512, 64, 4096


def compound_file(streams: Mapping[str, bytes]) -> bytes:
    """A compound file of these streams, by path; large ones have sectors of their own, small ones share."""
    sectors: list[bytes] = []
    table: list[int] = []
    mini: list[bytes] = []
    mini_table: list[int] = []

    def placed(data: bytes, size: int, into: list[bytes], chain: list[int]) -> int:
        first = len(into)
        pieces = [data[at : at + size].ljust(size, b"\x00") for at in range(0, len(data), size)]
        into += pieces
        chain += [first + number + 1 for number in range(len(pieces) - 1)] + [_END] * bool(pieces)
        return first if pieces else _END

    places = {
        path: placed(data, _SECTOR, sectors, table) if len(data) >= _CUTOFF else placed(data, _MINI, mini, mini_table)
        for path, data in streams.items()
    }
    folders = {""} | {path[: at + 1] for path in streams for at, sign in enumerate(path) if sign == "/"}
    names = ["", *sorted([*(folders - {""}), *streams])]
    number_of = {name: number for number, name in enumerate(names)}

    def entry(name: str) -> bytes:
        siblings = sorted(each for each in names if each and above(each) == above(name))
        after = siblings[siblings.index(name) + 1 :] if name else []
        inner = sorted(each for each in names if each and above(each) == name) if name in folders else []
        kind = 5 if not name else 1 if name in folders else 2
        shown = ("Root Entry" if not name else name.rstrip("/").rpartition("/")[2]).encode("utf-16-le")
        start, size = (
            (mini_start, len(mini) * _MINI) if not name else (places.get(name, 0), len(streams.get(name, b"")))
        )
        return (
            shown.ljust(64, b"\x00") + struct.pack("<HBB", len(shown) + 2, kind, 1)
            + struct.pack("<III", _NONE, number_of[after[0]] if after else _NONE, number_of[inner[0]] if inner else _NONE)
            + bytes(36) + struct.pack("<IQ", start, size)
        )  # fmt: skip

    def above(name: str) -> str:
        parent = name.rstrip("/").rpartition("/")[0]
        return f"{parent}/" if parent else ""

    mini_start = placed(b"".join(mini), _SECTOR, sectors, table)
    mini_table_start = placed(struct.pack(f"<{len(mini_table)}I", *mini_table), _SECTOR, sectors, table)
    directory = placed(b"".join(map(entry, names)), _SECTOR, sectors, table)
    count = 1
    while (len(table) + count) * 4 > count * _SECTOR:
        count += 1
    assert count <= 109
    first = len(table)
    table += [_TABLE] * count
    table += [_NONE] * (count * _SECTOR // 4 - len(table))
    sectors += [struct.pack("<128I", *table[at * 128 : at * 128 + 128]) for at in range(count)]
    header = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(16) + struct.pack("<HHHHH", 0x3E, 3, 0xFFFE, 9, 6) + bytes(6)
    header += struct.pack("<IIIII", 0, count, directory, 0, _CUTOFF)
    header += struct.pack("<IIII", mini_table_start, (len(mini_table) + 127) // 128, _END, 0)
    header += struct.pack("<109I", *(first + at if at < count else _NONE for at in range(109)))
    return header + b"".join(sectors)


def properties(fixed: Mapping[int, int], head: int) -> bytes:
    """A stream of properties of fixed length. head: the length of its header, which differs by folder."""
    return bytes(head) + b"".join(struct.pack("<IIQ", tag, 6, value) for tag, value in fixed.items())


def wide(texts: Mapping[str, str], folder: str = "") -> dict[str, bytes]:
    """Streams of properties that are texts, by tag."""
    return {f"{folder}__substg1.0_{tag}001F": text.encode("utf-16-le") for tag, text in texts.items()}
