"""Which files of a table its newest version needs, so that it can be copied without earlier versions.

LanceDB never changes a file that it has written, and names each by random digits, so links to these files are a copy that nobody
changes. It does not say which files those are, but the newest manifest does, as a message of Protocol Buffers that names the data
files, and another one that holds the ids of the indexes. A file counts as needed if its name, or the id of its index, stands in
one of the two. So a file too many may be copied, and what was copied is opened (`check_copy`) before anything is done with it.
"""

import os
import shutil
import struct
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from resources.tables.lance import LanceTables
from resources.tables.lance_errors import missing, reading
from resources.tables.lance_index_files import LIST
from resources.tables.lance_marker import MARK, newest_manifest

_DATA, _INDEXES, _DELETIONS = "data", "_indices", "_deletions"
# A manifest ends with the place of its message, its version, and this.
_FOOTER = struct.Struct("<QHH4s")
_MAGIC = b"LANC"
_LENGTH_BYTES = 4
# The field of a manifest with the place of the message about the indexes.
_INDEX_SECTION = 6
# Any word will do: a full-text query opens its index, whether or not it finds something.
_WORD = "word"
_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5


def needed_files(folder: Path) -> list[Path]:
    """The files of a table's folder that its newest version needs, with the marks of Seedbank. Raises OSError.

    Deletion files are small, and nothing says which of them are needed, so all of them count. None if there is no table.
    """
    manifest = newest_manifest(folder)
    if manifest is None:
        return []
    named = _named(manifest.read_bytes())
    found = [manifest]
    found += [path for path in _below(folder / _DATA) if path.name.encode() in named]
    found += [
        path for path in _below(folder / _INDEXES) if _id_of(path.relative_to(folder / _INDEXES).parts[0]) in named
    ]
    found += _below(folder / _DELETIONS)
    return found + [folder / name for name in (MARK, LIST) if (folder / name).is_file()]


def copy_newest(tables: LanceTables, table: str, target: Path) -> dict[str, Path]:
    """Link the newest version of a table into another folder of tables, or copy it if the disk is another one.

    The caller holds the lease of the table. Returns the copies by their paths below `target`. Raises OSError, TableMissingError.
    """
    folder = tables.folder(table)
    if tables.version(table) is None:
        raise missing(table, tables.directory)
    copies: dict[str, Path] = {}
    for source in needed_files(folder):
        path = Path(folder.name) / source.relative_to(folder)
        copy = target / path
        copy.parent.mkdir(parents=True, exist_ok=True)
        try:
            os.link(source, copy)
        except OSError:
            shutil.copyfile(source, copy)
        copies[path.as_posix()] = copy
    return copies


def check_copy(tables: LanceTables, table: str) -> None:
    """Open every file of a table's data and indexes. Raises TableReadError, TableSchemaError."""
    import pyarrow as pa

    opened, key = tables.checked(table), tables.specs[table].key
    with reading(table, tables.folder(table)):
        schema = opened.schema
        rows = sum(batch.num_rows for batch in opened.search().select([key]).to_batches())
        if rows != opened.count_rows():
            raise ValueError(f"{rows} rows were read instead of {opened.count_rows()}")
        for index in opened.list_indices():
            # A query is the only thing that fails if a file of an index is missing.
            (column,) = index.columns
            query: Any = (
                opened.search([0.0] * schema.field(column).type.list_size, vector_column_name=column)
                if pa.types.is_fixed_size_list(schema.field(column).type)
                else opened.search(_WORD, query_type="fts", fts_columns=column)
            )
            query.select([key]).limit(1).to_arrow()


def _named(manifest: bytes) -> bytes:
    """The parts of a manifest that name what it needs; all of it if it has another form than known here."""
    try:
        place, _, _, magic = _FOOTER.unpack(manifest[-_FOOTER.size :])
        if magic != _MAGIC:
            return manifest
        message = _message(manifest, place)
        section = next((value for field, value in _fields(message) if field == _INDEX_SECTION), None)
        return message + (_message(manifest, section) if isinstance(section, int) else b"")
    except (struct.error, ValueError, IndexError):
        return manifest


def _message(data: bytes, place: int) -> bytes:
    """The message that begins there with its length. Raises ValueError."""
    start = place + _LENGTH_BYTES
    length = int.from_bytes(data[place:start], "little")
    if start + length > len(data):
        raise ValueError("it is cut off")
    return data[start : start + length]


def _fields(message: bytes) -> Iterator[tuple[int, int | bytes]]:
    """The fields of a message, by number. Raises ValueError, IndexError if it is none."""
    place = 0
    while place < len(message):
        tag, place = _varint(message, place)
        kind = tag & 7
        if kind == _VARINT:
            value, place = _varint(message, place)
            yield tag >> 3, value
            continue
        if kind == _BYTES:
            length, place = _varint(message, place)
        elif kind in (_FIXED64, _FIXED32):
            length = 8 if kind == _FIXED64 else 4
        else:
            raise ValueError(f"{kind} is no kind of field")
        yield tag >> 3, message[place : place + length]
        place += length


def _varint(data: bytes, place: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = data[place]
        value |= (byte & 0x7F) << shift
        shift, place = shift + 7, place + 1
        if byte < 0x80:
            return value, place


def _below(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


def _id_of(name: str) -> bytes:
    try:
        return uuid.UUID(name).bytes
    except ValueError:
        return name.encode()
