"""Fields of documents in a separate CSV file.

What belongs here: reading the table, reporting errors in it, and the digest of a field. What does not: fields in the
documents themselves (document_fields), and the form of values (field_values).
"""

import csv
import io
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from types import MappingProxyType
from urllib.parse import unquote

from io_managers.store.fingerprint import content_digest, encode_part
from resources.errors import ConfigurationError, DocumentError
from seed_assets.core.reading.field_values import cleaned_values, field_name
from seed_assets.core.reading.text.text_decoding import decode_text
from seed_assets.core.text.unicode_forms import normal_form

DOCUMENT = "document"
"""The column that names the document of a row, by its id or its file name."""

_DELIMITERS = (",", ";", "\t")
_SEPARATORS = re.compile("[;|]")

Values = Mapping[str, tuple[str, ...]]


class FieldTable:
    """One CSV file with one row per document and one column per field.

    Several values in a cell are separated by `;` or `|`. Columns are separated by commas, semicolons or tabs. Several rows of
    one document are combined. The file is read once, when it is first needed. Everything except the constructor raises
    ConfigurationError, which names the file, the problem and the remedy.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    @property
    def fields(self) -> tuple[str, ...]:
        """The names of all columns except `document`, case-folded and sorted."""
        return tuple(sorted(self._columns))

    def values(self, field: str) -> Values:
        """Return cell of the column `document` -> sorted values of a field (see cleaned_values), ordered by the cells.

        Documents without a value are omitted.
        """
        name = field_name(field)
        if name not in self._columns:
            known = ", ".join(self.fields) or "none"
            raise self._wrong(f"has no column {field!r}; its fields are: {known}.", "Add it, or name one of those.")
        return self._columns[name]

    def of(self, field: str, document_id: str) -> tuple[str, ...]:
        """Return the values of one document, from the row with its id, its path or its file name, in this order."""
        values = self.values(field)
        name = document_id.rpartition("/")[2]
        # Ids escape some characters, which people write without escapes.
        rows = (document_id, unquote(document_id), name, unquote(name))
        return next((values[row] for row in rows if row in values), ())

    def digest(self, field: str) -> str:
        """Return the digest of `values(field)`; other columns, the order of rows and quoting do not change it."""
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
            document = normal_form("NFC", "".join(row[place : place + 1]).strip())
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
        """Return (the columns' names, the place of the column `document`)."""
        names = [field_name(cell) for cell in header]
        if DOCUMENT not in names:
            raise self._wrong(
                f"has no column `{DOCUMENT}` in its first line; found: {', '.join(filter(None, names))[:300] or 'nothing'}.",
                f"Name the column with the documents' ids or file names `{DOCUMENT}`.",
            )
        twice = sorted(name for name, count in Counter(names).items() if name and count > 1)
        if twice:
            raise self._wrong(f"has two columns {', '.join(twice)}.", "Rename one of them, or remove it.")
        return names, names.index(DOCUMENT)

    def _rows(self) -> list[tuple[int, list[str]]]:
        """Return (the line at which it ends, its cells) for each row that is not blank, the header first."""
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
                f"is not valid CSV in line {reader.line_num}: {error}.",
                "Correct it, or save it again from a spreadsheet.",
            ) from error

    def _wrong(self, reason: str, remedy: str) -> ConfigurationError:
        return ConfigurationError(f"The table of fields {self.path} {reason} {remedy}")


def _fitness(text: str, delimiter: str) -> tuple[bool, int]:
    """Return how well a separator of columns fits the first line; the larger the result, the better."""
    lines = io.StringIO(text.lstrip("\n\r"), newline="")
    try:
        header = next(csv.reader(lines, delimiter=delimiter), [])
    except csv.Error:
        return False, 0
    return DOCUMENT in map(field_name, header), len(header)


def _cleaned(documents: Mapping[str, Iterable[str]]) -> Values:
    found = {document: cleaned_values(cells) for document, cells in sorted(documents.items())}
    return MappingProxyType({document: values for document, values in found.items() if values})
