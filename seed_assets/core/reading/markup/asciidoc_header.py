"""The header of an AsciiDoc file: title, authors, revision and attributes. What does not belong here: the text behind it."""

import re
from collections.abc import Sequence
from typing import NamedTuple

from seed_assets.core.reading.markup import asciidoc_lines as kinds

_TITLE = re.compile(r"[=#][ \t]+\S")
# A line of authors, and one of the revision.
_MOST_LINES = 2
# Of a value that is crafted to go on for ever, so much is read; a judgement.
_LONGEST_VALUE = 10_000


class Header(NamedTuple):
    """about: lines of authors and of the revision. attributes: (name, value). end: the number of the line behind the header."""

    title: str
    about: list[str]
    attributes: list[tuple[str, str]]
    end: int


def read_header(lines: Sequence[str]) -> Header:
    """Read what stands in front of the text; the title is "" if there is no header."""
    attributes: list[tuple[str, str]] = []
    number = 0
    while number < len(lines) and not _TITLE.match(lines[number]):
        if found := kinds.ATTRIBUTE.match(lines[number]):
            name, value, number = attribute_in(lines, number, found)
            attributes.append((name, value))
            continue
        if lines[number].startswith("////") or not (not lines[number].strip() or lines[number].startswith("//")):
            return Header("", [], attributes, number)
        number += 1
    if number == len(lines):
        return Header("", [], attributes, number)
    title = lines[number][1:].strip()
    number += 1
    about: list[str] = []
    while number < len(lines) and (line := lines[number].strip()):
        if found := kinds.ATTRIBUTE.match(line):
            name, value, number = attribute_in(lines, number, found)
            attributes.append((name, value))
            continue
        if not line.startswith("//"):
            if len(about) == _MOST_LINES or not (line[0].isalnum() or line[0] == "{"):
                break
            about.append(line)
        number += 1
    return Header(title, about, attributes, number)


def attribute_in(lines: Sequence[str], number: int, found: re.Match[str]) -> tuple[str, str, int]:
    """Return (name, value, number of the line behind it) of an attribute, whose value may go on in further lines.

    found: what the first line was recognized by. An attribute that is taken away has no value.
    """
    value = found[4] or ""
    number += 1
    while value.endswith("\\") and len(value) < _LONGEST_VALUE and number < len(lines):
        value = f"{value[:-1].rstrip(' +')} {lines[number].strip()}"
        number += 1
    return found[2], "" if found[1] or found[3] else value.strip(), number
