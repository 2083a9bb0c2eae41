"""Fields of documents that stand in a CSV file beside them.

What belongs here: reading the table, its faults, and what of it decides a result. What does not: fields in the documents
themselves (document_fields), the form of values (field_values).
"""

import csv
import io
import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from types import MappingProxyType
from urllib.parse import unquote

from io_managers.store.fingerprint import content_digest, encode_part
from resources.errors import ConfigurationError, DocumentError
from seed_assets.core.field_values import cleaned_values, field_name
from seed_assets.core.text_decoding import decode_text

DOCUMENT = "document"
"""The column that says which document a row is of: its id, or its file name."""

_DELIMITERS = (",", ";", "\t")
_SEPARATORS = re.compile("[;|]")

Values = Mapping[str, tuple[str, ...]]


class FieldTable:
    """One CSV file: a row a document, a column a field; several values in a cell are separated by `;` or `|`.

    Columns are separated by commas, semicolons or tabs. Rows of the same document are taken together. Nothing is read
    before it is asked for, and the file once. Everything but the constructor raises ConfigurationError, which names the
    file, what is wrong with it and what to do.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    @property
    def fields(self) -> tuple[str, ...]:
        """Names of all columns but `document`, case-folded, sorted."""
        return tuple(sorted(self._columns))

    def values(self, field: str) -> Values:
        """What the table says of each document: sorted values (see cleaned_values); documents without one are left out.

        By what stands in the column `document`, sorted.
        """
        name = field_name(field)
        if name not in self._columns:
            known = ", ".join(self.fields) or "none"
            raise self._wrong(f"has no column {field!r}; its fields are: {known}.", "Add it, or name one of those.")
        return self._columns[name]

    def of(self, field: str, document_id: str) -> tuple[str, ...]:
        """The values of one document: of the row with its id, else of the row with its path or its file name."""
        values = self.values(field)
        name = document_id.rpartition("/")[2]
        # An id escapes characters that people write as they are.
        rows = (document_id, unquote(document_id), name, unquote(name))
        return next((values[row] for row in rows if row in values), ())

    def digest(self, field: str) -> str:
        """Of `values(field)` alone: another column, the order of rows, how cells are quoted change nothing."""
        return content_digest(
            encode_part([[document, list(values)] for document, values in self.values(field).items()])
        )

    @cached_property
    def _columns(self) -> dict[str, Values]:
        rows = self._rows()
        names, place = self._names(rows[0][1] if rows else [])
        found: dict[str, dict[str, list[str]]] = {name: {} for name in names if name and name != DOCUMENT}
        for line, row in rows[1:]:
            if any(cell.strip() for cell in row[len(names) :]):
                raise self._wrong(
                    f"has {len(row)} cells in line {line}, and {len(names)} columns.",
                    "Quote cells that hold the separator of columns.",
                )
            document = unicodedata.normalize("NFC", "".join(row[place : place + 1]).strip())
            if not document:
                raise self._wrong(
                    f"names no document in line {line}.", f"Fill the cell `{DOCUMENT}`, or remove the line."
                )
            for name, cell in zip(names, row, strict=False):
                if name in found:
                    found[name].setdefault(document, []).extend(_SEPARATORS.split(cell))
                elif not name and cell.strip():
                    raise self._wrong(f"has a cell in line {line} whose column has no name.", "Name the column.")
        return {name: _cleaned(documents) for name, documents in found.items()}

    def _names(self, header: Sequence[str]) -> tuple[list[str], int]:
        """(the columns' names, the place of `document`)."""
        names = [field_name(cell) for cell in header]
        if DOCUMENT not in names:
            raise self._wrong(
                f"has no column `{DOCUMENT}` in its first line; found: {', '.join(filter(None, names))[:300] or 'nothing'}.",
                "Name the column that holds the documents' ids or file names so.",
            )
        twice = sorted({name for name in names if name and names.count(name) > 1})
        if twice:
            raise self._wrong(f"has two columns {', '.join(twice)}.", "Rename one of them, or remove it.")
        return names, names.index(DOCUMENT)

    def _rows(self) -> list[tuple[int, list[str]]]:
        """(line that it ends in, cells) of each row that is not blank, the header first."""
        try:
            text, _ = decode_text(self.path.read_bytes())
        except OSError as error:
            raise self._wrong(
                f"cannot be read: {error.strerror or error}.", "Put it there, or name another."
            ) from error
        except DocumentError as error:
            raise self._wrong(f"cannot be read: {error.reason}", "Save it as CSV in UTF-8.") from error
        delimiter = max(_DELIMITERS, key=lambda each: _fitness(text, each))
        reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
        try:
            return [(reader.line_num, row) for row in reader if any(map(str.strip, row))]
        except csv.Error as error:
            raise self._wrong(
                f"is no valid CSV in line {reader.line_num}: {error}.", "Mend it, or save it anew from a spreadsheet."
            ) from error

    def _wrong(self, reason: str, remedy: str) -> ConfigurationError:
        return ConfigurationError(f"The table of fields {self.path} {reason} {remedy}")


def _fitness(text: str, delimiter: str) -> tuple[bool, int]:
    """How well the first line fits a separator of columns; of equals the first is taken."""
    lines = io.StringIO(text.lstrip("\n\r"), newline="")
    try:
        header = next(csv.reader(lines, delimiter=delimiter), [])
    except csv.Error:
        return False, 0
    return DOCUMENT in map(field_name, header), len(header)


def _cleaned(documents: Mapping[str, Iterable[str]]) -> Values:
    found = {document: cleaned_values(cells) for document, cells in sorted(documents.items())}
    return MappingProxyType({document: values for document, values in found.items() if values})
