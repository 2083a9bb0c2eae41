"""Looks for words in everything that lies below a folder: files, databases and their free pages, compressed values, tables.

What belongs here: opening all that can hold a text. What does not: which words, and what may hold them (the tests).
"""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path

import lancedb
import zstandard

from io_managers.sharing.segments.segment import decode_segment, rows_of
from io_managers.sharing.segments.signatures import Trust, parse_public

_ZSTD = b"\x28\xb5\x2f\xfd"


def canaries(folder: Path, word: str, public_key: str = "") -> set[str]:
    """Where a word stands below a folder, whatever its case. public_key: of the signer of segments in it."""
    needle = word.lower().encode()
    return {place for place, data in _texts(folder, public_key) if needle in data.lower()}


def _texts(folder: Path, public_key: str) -> Iterator[tuple[str, bytes]]:
    for path in sorted(folder.rglob("*")):
        name = str(path.relative_to(folder))
        yield f"name {name}", name.encode("utf-8", "surrogateescape")
        if not path.is_file():
            continue
        data = path.read_bytes()
        # The raw bytes of a database are also those of its free pages and of its log.
        yield name, data
        yield from ((f"{name}, decompressed", one) for one in _decompressed(data))
        if data.startswith(b"SQLite format 3"):
            yield from _rows(path, name)
        if data.startswith(b"seedbank segment"):
            for block in decode_segment(data, Trust([parse_public(public_key)])).blocks:
                yield name, repr(rows_of(block)).encode()
    for path in sorted(folder.rglob("*.lance")):
        if (path / "_versions").is_dir():
            yield from _versions(path, str(path.relative_to(folder)))


def _decompressed(data: bytes) -> Iterator[bytes]:
    """What every frame of zstandard in some bytes holds; frames begin anywhere, as in a row or between other values."""
    at = data.find(_ZSTD)
    while at >= 0:
        with suppress(zstandard.ZstdError):
            yield zstandard.ZstdDecompressor().decompressobj().decompress(data[at:])
        at = data.find(_ZSTD, at + 1)


def _rows(path: Path, name: str) -> Iterator[tuple[str, bytes]]:
    with closing(sqlite3.connect(path)) as connection:
        connection.text_factory = bytes
        tables = [row[0].decode() for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        for table in tables:
            for row in connection.execute(f'SELECT * FROM "{table}"'):
                for value in row:
                    if isinstance(value, bytes):
                        yield f"{name}, {table}", value
                        yield from ((f"{name}, {table}, decompressed", one) for one in _decompressed(value))


def _versions(path: Path, name: str) -> Iterator[tuple[str, bytes]]:
    table = lancedb.connect(path.parent).open_table(path.stem)
    for version in [one["version"] for one in table.list_versions()]:
        table.checkout(version)
        for batch in table.search().to_batches():
            yield f"{name}, version {version}", repr(batch.to_pylist()).encode()
