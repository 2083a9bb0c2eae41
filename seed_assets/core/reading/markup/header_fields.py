"""The fields of Org and AsciiDoc files, which stand in front of the text.

What belongs here: the keywords of Org, and the title, the authors and the attributes of AsciiDoc. What does not: fields of other
formats, and their normal form (document_fields).
"""

import re
from collections.abc import Iterator

from seed_assets.core.reading.field_values import split_values
from seed_assets.core.reading.markup.asciidoc_header import read_header

_KEYWORD = re.compile(r"[ \t]*#\+([A-Za-z]\w*):(?:[ \t]+(.*))?$")
_COMMENT = re.compile(r"[ \t]*#(?:[ \t]|$)")
# What begins a block or names a result, and so belongs to the text.
_OF_TEXT = frozenset({"caption", "name", "results", "header", "include"})
_STAMP = re.compile(r"[<\[](\d{4}-\d\d-\d\d)[^<>\[\]]*[>\]]")
_ADDRESS = re.compile(r"[ \t]*<[^<>]*>")
_TAGS = "filetags"


def org_fields(text: str) -> Iterator[tuple[str, list[str]]]:
    """Return (name, values) of the keywords in front of the text of an Org file, such as #+TITLE and #+DATE."""
    for line in text.splitlines():
        found = _KEYWORD.match(line)
        if found is None:
            if line.strip() and not _COMMENT.match(line):
                return
            continue
        name, value = found[1].casefold(), (found[2] or "").strip()
        if name in _OF_TEXT:
            return
        value = _STAMP.sub(r"\1", value)
        # Tags of a file stand between colons.
        yield name, value.split(":") if name == _TAGS else split_values(value)


def asciidoc_fields(text: str) -> Iterator[tuple[str, list[str]]]:
    """Return (name, values) of the title, the authors and the attributes in the header of an AsciiDoc file."""
    header = read_header(text.splitlines())
    if header.title:
        yield "title", split_values(header.title)
    if header.about:
        yield "author", [_ADDRESS.sub("", author) for author in header.about[0].split(";")]
    for name, value in header.attributes:
        yield name, split_values(value)
