"""Stored values as lines for people.

What belongs here: the form of a value by its type. What does not: finding the value (seed_assets.session.document_result), its
plain data (seed_assets.reports.plain_values), and the lines around it (cli.show).
"""

from collections.abc import Iterator, Mapping
from typing import Any

from seed_assets.core.reading.extracted_text import ExtractedText

_INDENT = "  "
# A list of so many short items is written on one line (a judgement).
_ON_ONE_LINE = 100


def text_with_pages(value: ExtractedText) -> str:
    """The text of a document, with a line such as `--- page 3 ---` where a page begins."""
    pieces: list[str] = []
    scans = {scan.page: scan for scan in value.scans}
    at = 0
    for number, start in enumerate(value.page_starts, 1):
        before = value.text[at:start]
        pieces.append(before if not before or before.endswith("\n") else f"{before}\n")
        scan = scans.get(number - 1)
        how = f", read by OCR with a confidence of {scan.confidence:.0%}" if scan else ""
        pieces.append(f"--- page {number}{how} ---\n")
        at = start
    return "".join((*pieces, value.text[at:]))


def lines_of(data: Any) -> Iterator[str]:
    """The lines of plain data: a name and its value on each line, and what is inside of it indented."""
    match data:
        case dict():
            for name, one in _entries(data):
                yield from _named(name, one)
        case list() | tuple() if _is_short(data):
            yield ", ".join(map(_word, data)) or "none"
        case list() | tuple() if not any(isinstance(one, dict) for one in data):
            for one in data:
                first, *others = _word(one).split("\n")
                yield f"- {first}"
                yield from _indented(others)
        case list() | tuple():
            for number, one in enumerate(data, 1):
                yield f"{number}."
                yield from _indented(lines_of(one))
        case str():
            yield from data.split("\n")
        case _:
            yield _word(data)


def _entries(data: Mapping[Any, Any]) -> Iterator[tuple[str, Any]]:
    if data.keys() == {"shape", "type"}:
        yield "array", f"{' x '.join(map(str, data['shape']))} {data['type']}"
    else:
        yield from ((str(name), one) for name, one in data.items())


def _named(name: str, value: Any) -> Iterator[str]:
    lines = list(lines_of(value))
    several = isinstance(value, dict | list | tuple)
    if several and not value:
        yield f"{name}: none"
    elif len(lines) == 1 and (not several or _is_short(value)):
        yield f"{name}: {lines[0]}"
    else:
        yield f"{name}:"
        yield from _indented(lines)


def _is_short(value: Any) -> bool:
    """Whether a list has no mappings in it and fits on one line."""
    if not isinstance(value, list | tuple) or any(isinstance(one, dict) for one in value):
        return False
    words = [_word(one) for one in value]
    return sum(map(len, words)) <= _ON_ONE_LINE and not any("\n" in word for word in words)


def _word(value: Any) -> str:
    match value:
        case None:
            return "none"
        case bool():
            return "yes" if value else "no"
        case float():
            return f"{value:.4g}"
        case list() | tuple():
            return f"({', '.join(map(_word, value))})"
        case _:
            return str(value)


def _indented(lines: Iterator[str] | list[str]) -> Iterator[str]:
    return (f"{_INDENT}{line}" if line else "" for line in lines)
