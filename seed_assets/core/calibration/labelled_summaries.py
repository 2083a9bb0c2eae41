"""Summaries that a person has labelled, in a CSV file. What belongs here: reading the file and its sources, and reporting
errors in them.

What does not: comparing the labels with a judge (calibration).
"""

import asyncio
import csv
import io
import unicodedata
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Literal
from urllib.parse import unquote

import msgspec

from resources.corpus.formats import format_of
from resources.errors import ConfigurationError, DocumentError
from seed_assets.core.judging.verdicts import SourceText
from seed_assets.core.reading.text.text_decoding import decode_text
from seed_assets.core.workers.parser_pool import ParserPool

Answer = Literal["accept", "reject"]
ANSWERS: tuple[Answer, ...] = ("accept", "reject")

COLUMNS = ("summary", "source", "label")
"""The columns that a file of labels needs; other columns are ignored."""

_ANSWERS: Mapping[str, Answer] = {
    **dict.fromkeys(("accept", "accepted", "good", "yes", "true", "1"), "accept"),
    **dict.fromkeys(("reject", "rejected", "bad", "no", "false", "0"), "reject"),
}
_DELIMITERS = (",", ";", "\t")
# The largest limit that the module csv accepts on every system.
_MOST_CELL_CHARACTERS = 2**31 - 1
# Both were chosen by judgement: a longer source is a text and not a path, and a message names at most so many problems.
_MOST_PATH_CHARACTERS = 1_000
_NAMED_PROBLEMS = 5


class Label(msgspec.Struct, frozen=True):
    """A person's label of a summary.

    line: the line of the file at which the label begins.
    summary: the labelled summary.
    source: the summarised text, or the path of a document.
    answer: whether the person accepts the summary.
    """

    line: int
    summary: str
    source: str
    answer: Answer

    @property
    def document(self) -> str:
        """The source if it is a path (one line that ends like a document's name); "" if it is a text."""
        line = self.source.strip()
        named = len(line) <= _MOST_PATH_CHARACTERS and "\n" not in line
        return line if named and format_of(line) else ""


def read_labels(path: Path) -> list[Label]:
    """Read the labels of a CSV file with the columns `summary`, `source` and `label`, in the file's order.

    A source is the summarised text, or the path of a document. A label is accept or reject, good or bad, yes or no, 1 or
    0. Columns are separated by commas, semicolons or tabs.

    Raises ConfigurationError, which names the file, the lines, the problems and the remedy.
    """
    rows = _rows(path)
    names = [" ".join(cell.split()).casefold() for cell in rows[0][1]] if rows else []
    for name in COLUMNS:
        if names.count(name) != 1:
            found = ", ".join(filter(None, names))[:300] or "nothing"
            raise _wrong(
                path,
                f"needs one column `{name}` in its first line; found: {found}.",
                f"Name the columns {', '.join(COLUMNS)}.",
            )
    labels: list[Label] = []
    problems: list[str] = []
    for line, row in rows[1:]:
        summary, source, said = (
            row[place].strip() if (place := names.index(name)) < len(row) else "" for name in COLUMNS
        )
        answer = _ANSWERS.get(said.casefold())
        if len(row) > len(names):
            problems.append(f"line {line} has {len(row)} cells for {len(names)} columns")
        elif empty := [name for name, cell in zip(COLUMNS, (summary, source, said), strict=True) if not cell]:
            problems.append(f"line {line} has no {' and no '.join(empty)}")
        elif answer is None:
            problems.append(f"line {line} has the label {said[:40]!r}")
        else:
            labels.append(Label(line, summary, source, answer))
    if problems:
        more = f"; and {others} more" if (others := len(problems) - _NAMED_PROBLEMS) > 0 else ""
        raise _wrong(
            path,
            f"has lines that cannot be used: {'; '.join(problems[:_NAMED_PROBLEMS])}{more}.",
            "Fill all three cells, quote those that hold the separator, and let each label be accept or reject "
            "(or good or bad, yes or no, 1 or 0).",
        )
    if not labels:
        raise _wrong(path, "has no labels below its first line.", "Add a line for each summary that you have judged.")
    return labels


ReadDocument = Callable[[str], bytes | None]
"""Gives the bytes of a document by its path in the corpus; None if there is none. Raises DocumentError."""


async def source_of(label: Label, read: ReadDocument, parser: ParserPool) -> SourceText:
    """Return the source of a label's summary. Raises DocumentError. read: reads the documents that labels name."""
    if not label.document:
        return SourceText("", "", label.source)
    data = await asyncio.to_thread(_read, label.document, read)
    extracted = await parser.extract(data, format_of(label.document) or "")
    return SourceText(label.document, extracted.title, extracted.text)


def below(folder: Path) -> ReadDocument:
    """Return what reads the documents in a folder."""

    def read(name: str) -> bytes | None:
        root = folder.resolve()
        path = (root / name).resolve()
        return path.read_bytes() if path.is_relative_to(root) and path.is_file() else None

    return read


def _read(document: str, read: ReadDocument) -> bytes:
    try:
        for name in _spellings(document):
            if (data := read(name)) is not None:
                return data
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise DocumentError(f"the source {document} cannot be read: {reason}.", "Correct its path.") from error
    raise DocumentError(
        f"there is no document {document} in the corpus.",
        "Correct the path, which is relative to the corpus; if it is meant as a text, end it with a full stop.",
    )


def _spellings(document: str) -> Iterator[str]:
    """Yield the ways to write a path: as it is, without the escapes of document ids, and in both Unicode forms."""
    for name in (document, unquote(document)):
        yield name
        yield unicodedata.normalize("NFC", name)
        yield unicodedata.normalize("NFD", name)


def _rows(path: Path) -> list[tuple[int, list[str]]]:
    """Return (the line at which it begins, its cells) for each row that is not blank, the header first."""
    try:
        text, _ = decode_text(path.read_bytes())
    except OSError as error:
        raise _wrong(path, f"cannot be read: {error.strerror or error}.", "Put it there, or name another.") from error
    except DocumentError as error:
        raise _wrong(path, f"cannot be read: {error.reason}", "Save it as CSV in UTF-8.") from error
    header = text.lstrip().partition("\n")[0]
    delimiter = max(_DELIMITERS, key=header.count)
    limit = csv.field_size_limit(_MOST_CELL_CHARACTERS)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    rows: list[tuple[int, list[str]]] = []
    try:
        begin = 1
        for row in reader:
            if any(map(str.strip, row)):
                rows.append((begin, row))
            begin = reader.line_num + 1
    except csv.Error as error:
        raise _wrong(
            path,
            f"is not valid CSV in line {reader.line_num}: {error}.",
            "Fix it, or save it again from a spreadsheet.",
        ) from error
    finally:
        csv.field_size_limit(limit)
    return rows


def _wrong(path: Path, reason: str, remedy: str) -> ConfigurationError:
    return ConfigurationError(f"The file of labels {path} {reason} {remedy}")
