"""The header block at the beginning of a text, as in mails, PEPs and posts: lines such as `Author: Ada Lovelace`.

What belongs here: where it ends. What does not: its fields (reading.document_fields), and its title (reading.titles).
"""

import re

_FIELD = re.compile(r"([^\W\d_][\w-]{0,40}):(?:[ \t]+(\S.*))?$")
# The numbers were chosen by judgement.
_MOST_LINES = 400
_FEWEST_FIELDS = 2
# A value that ends like a sentence is one: the first lines of a play or of an interview are no header.
_SENTENCE_ENDS = frozenset(".!?…。！？")
_MOST_SENTENCES = 0.5
_BLANKS = re.compile(r"\s*")


def header_end(text: str) -> int:
    """Return where the text below its header block begins, in characters; 0 if it has no header block, or nothing else.

    A header block consists of at least two lines `Name: value` at the beginning, with different names and with indented lines
    that continue a value, and ends at an empty line. At least half of the values do not end like a sentence.
    """
    at = _next_visible(text, 0)
    values: dict[str, str] = {}
    for _ in range(_MOST_LINES):
        end = text.find("\n", at)
        if end < 0:
            return 0
        line = text[at:end]
        at = end + 1
        if not line.strip():
            below = _next_visible(text, at)
            return below if below < len(text) and _are_fields(values) else 0
        if values and line[0] in " \t":
            values[next(reversed(values))] += " " + line.strip()
            continue
        field = _FIELD.match(line)
        if field is None or field[1].casefold() in values:
            return 0
        values[field[1].casefold()] = field[2] or ""
    return 0


def _next_visible(text: str, at: int) -> int:
    found = _BLANKS.match(text, at)
    return found.end() if found else at


def _are_fields(values: dict[str, str]) -> bool:
    sentences = sum(value.rstrip()[-1:] in _SENTENCE_ENDS for value in values.values() if value)
    return len(values) >= _FEWEST_FIELDS and sentences <= _MOST_SENTENCES * len(values)
