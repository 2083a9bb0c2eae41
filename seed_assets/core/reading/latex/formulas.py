"""Formulas of LaTeX, which stay TeX between dollar signs. What does not belong here: text."""

import re

from seed_assets.core.reading.latex.source import Source, without_comments
from seed_assets.core.reading.latex.writer import Writer

_NOT_SHOWN = re.compile(r"\\(?:label|tag\*?)\s*\{[^{}]*\}|\\(?:nonumber|notag|displaystyle)(?![A-Za-z])")
# What ends a formula: its sign, or the end of the paragraph, in which case the sign was an ordinary one.
_ENDS = {
    "$": re.compile(r"\\[\s\S]|(?P<end>\$)|(?P<none>\n[ \t]*\n)"),
    "$$": re.compile(r"\\[\s\S]|(?P<end>\$\$)|(?P<none>\n[ \t]*\n)"),
    "\\(": re.compile(r"(?P<end>\\\))|(?P<none>\\\(|\n[ \t]*\n)|\\[\s\S]"),
    "\\[": re.compile(r"(?P<end>\\\])|(?P<none>\\\[|\n[ \t]*\n[ \t]*\n)|\\[\s\S]"),
}
_INLINE = ("$", "\\(")


def read_formula(writer: Writer, source: Source, opened: str) -> None:
    """Read a formula behind the sign that begins it. A sign without an end is text."""
    for found in _ENDS[opened].finditer(source.characters, source.place):
        if found.lastgroup == "end":
            body = source.characters[source.place : found.start()]
            source.place = found.end()
            if opened in _INLINE:
                writer.add(inline_formula(body))
            else:
                writer.block(displayed_formula(body))
            return
        if found.lastgroup == "none":
            break
    writer.add("$" if opened[0] == "$" else "")


def inline_formula(body: str) -> str:
    """Return a formula within a line."""
    text = _cleaned(body)
    return f"${text}$" if text else ""


def displayed_formula(body: str) -> str:
    """Return a formula that is a block; "" if it is blank."""
    text = _cleaned(body)
    return f"$${text}$$" if text else ""


def _cleaned(body: str) -> str:
    return " ".join(_NOT_SHOWN.sub("", without_comments(body)).split())
