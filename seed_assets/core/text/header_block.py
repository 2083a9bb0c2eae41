"""The header block at the beginning of a text, as in mails, PEPs and posts: lines such as `Author: Ada Lovelace`.

What belongs here: its lines, and where it ends. What does not: what its fields mean (reading.document_fields, reading.titles).
"""

import re

_FIELD = re.compile(r"([^\W\d_][\w-]{0,40}):(?:[ \t]+(.*))?$")
# The numbers were chosen by judgement.
_MOST_LINES = 400
_FEWEST_FIELDS = 2
# A value that ends like a sentence is one: the first lines of a play or of an interview are no header.
_SENTENCE_ENDS = frozenset(".!?…。！？")
_MOST_SENTENCES = 0.5
_BLANKS = re.compile(r"\s*")


def header_fields(text: str) -> tuple[list[tuple[str, str]], int]:
    """Return the fields at the beginning of a text, and where the empty line that ends them begins, in characters.

    Each field is its name as it is written and its value, with the indented lines that continue it; a name may be repeated.
    There are none if a line before the first empty one is no field. The place is the end of the text if no line is empty, and
    of the first 400 lines if that is earlier.
    """
    fields: list[tuple[str, str]] = []
    at = _next_visible(text, 0)
    for _ in range(_MOST_LINES):
        if at >= len(text):
            break
        end = text.find("\n", at)
        line = text[at : end if end >= 0 else len(text)]
        if not line.strip():
            break
        if fields and line[0] in " \t":
            name, value = fields[-1]
            fields[-1] = name, f"{value} {line.strip()}"
        elif found := _FIELD.match(line):
            fields.append((found[1], (found[2] or "").strip()))
        else:
            return [], 0
        at += len(line) + 1
    return fields, min(at, len(text))


def header_end(text: str) -> int:
    """Return where the text below its header block begins, in characters; 0 if it has no header block, or nothing else.

    A header block consists of at least two fields with different names, and ends at an empty line. At least half of the values
    do not end like a sentence.
    """
    fields, end = header_fields(text)
    names = {name.casefold() for name, _ in fields}
    if len(fields) < _FEWEST_FIELDS or len(names) < len(fields):
        return 0
    below = _next_visible(text, end)
    if below == len(text) or "\n" not in text[end:below]:
        return 0
    values = [value for _, value in fields if value]
    sentences = sum(value[-1] in _SENTENCE_ENDS for value in values)
    return below if sentences <= _MOST_SENTENCES * len(fields) else 0


def _next_visible(text: str, at: int) -> int:
    found = _BLANKS.match(text, at)
    return found.end() if found else at
