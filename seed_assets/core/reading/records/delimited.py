"""Tables as text files (CSV, TSV). What belongs here: which character divides the cells, and quotation marks that do not fit.

What does not: how a record is written (record_text), and the table of fields beside the documents (field_table).
"""

import csv
import io
from collections import Counter
from collections.abc import Iterator
from itertools import islice

from resources.errors import DocumentError
from seed_assets.core.reading.extracted_text import ExtractedText
from seed_assets.core.reading.records.record_text import RecordText
from seed_assets.core.reading.records.table_records import TableRecords
from seed_assets.core.reading.text.normal_text import normalised
from seed_assets.core.reading.text.text_decoding import decode_text

# If two fit equally well, the first is taken.
_DELIMITERS = "\t;,|"
# Stands for no delimiter: a character that no text file has.
_NONE = "\x1f"
# The delimiter is found in so many characters and rows; chosen by judgement.
_SAMPLE_CHARACTERS, _SAMPLE_ROWS = 65_536, 200
# The most cells of a row. Spreadsheet programs have 16,384 columns at most.
_MOST_CELLS = 16_384


def read_delimited(data: bytes) -> ExtractedText:
    """Read a table from a text file: each row is a record with the names of its columns.

    The names are in the first row that has as many cells as most. Rows above it are a title. If the quotation marks do not
    fit together, each line is a record, and a warning says so.

    Raises DocumentError for a file that is binary, and for a table that is too large as text.
    """
    characters, encoding = decode_text(data)
    declared, rest = _declared(characters)
    delimiter, width = (declared, 0) if declared else _sniffed(rest)
    try:
        text = _written(rest, delimiter, width, csv.QUOTE_MINIMAL)
        warnings = ()
    except csv.Error as error:
        text = _written(rest, delimiter, width, csv.QUOTE_NONE)
        reason = str(error).rstrip(".")
        warnings = (f"Its quotation marks do not fit together ({reason}), so each line is read as a record.",)
    return ExtractedText(normalised(text), "", encoding, warnings)


def _written(characters: str, delimiter: str, width: int, quoting: int) -> str:
    written = RecordText()
    table = TableRecords(written, width)
    for row in _rows(characters, delimiter, quoting):
        if len(row) > _MOST_CELLS:
            raise DocumentError(
                f"a row of the table has {len(row):,} cells, and {_MOST_CELLS:,} are allowed.",
                "Save it with one record in each line.",
            )
        table.add(row)
    table.end()
    return written.text()


def _rows(characters: str, delimiter: str, quoting: int) -> Iterator[list[str]]:
    before = csv.field_size_limit(max(len(characters), 1))
    try:
        lines = io.StringIO(characters, newline="")
        if quoting == csv.QUOTE_NONE:
            yield from (line.rstrip("\r\n").split(delimiter) for line in lines)
        else:
            yield from csv.reader(lines, delimiter=delimiter, strict=True, skipinitialspace=True)
    finally:
        csv.field_size_limit(before)


def _declared(characters: str) -> tuple[str, str]:
    """Return (the delimiter that a first line "sep=;" names, as Excel writes it, or ""; the text without that line)."""
    first = characters[:16].partition("\n")[0].strip().strip('"')
    if first[:4].lower() == "sep=" and len(first) == 5:
        return first[4], characters.partition("\n")[2]
    return "", characters


def _sniffed(characters: str) -> tuple[str, int]:
    """Return (the delimiter by which most rows have the same number of cells, that number)."""
    sample = characters[:_SAMPLE_CHARACTERS]
    if len(characters) > len(sample) and "\n" in sample:
        sample = sample[: sample.rindex("\n")]
    best, found = (0.0, 0), (_NONE, 1)
    for delimiter in _DELIMITERS:
        widths = _widths(sample, delimiter)
        if not widths:
            continue
        width, rows = max(widths.items(), key=lambda item: (item[1], item[0]))
        if width > 1 and (fit := (rows / widths.total(), width)) > best:
            best, found = fit, (delimiter, width)
    return found


def _widths(sample: str, delimiter: str) -> Counter[int]:
    """Return how many rows of a sample have how many cells, without blank rows."""
    reader = csv.reader(io.StringIO(sample, newline=""), delimiter=delimiter, skipinitialspace=True)
    try:
        return Counter(len(row) for row in islice(reader, _SAMPLE_ROWS) if any(map(str.strip, row)))
    except csv.Error:
        return Counter(line.count(delimiter) + 1 for line in sample.splitlines()[:_SAMPLE_ROWS] if line.strip())
