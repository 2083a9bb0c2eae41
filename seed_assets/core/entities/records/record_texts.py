"""Records in a text: rows of tables, objects of JSON, and blocks of lines such as `Born: 1956-04-09`, as they are written in
extracted texts. What belongs here: finding them, and making entities of them. What does not: their kinds (record_kinds).
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from seed_assets.core.entities.records.record_kinds import RecordKind
from seed_assets.core.reading.field_values import field_name
from seed_assets.core.text.words import Span

_BLANK_LINES = re.compile(r"\n[ \t]*\n")
_PARTS = re.compile(r"\n|; ")
# The name of a field begins with a letter and is no sentence; its value stands behind a colon and a blank.
_FIELD = re.compile(r"[ \t]*(?:[-*•][ \t]+)?([^\W\d_][^:;\n]{0,59}):[ \t]+(?=\S)")


class Record(NamedTuple):
    """A record of a text. fields: name -> the place of its value, in characters of the text."""

    kind: RecordKind
    fields: Mapping[str, Span]

    @property
    def named(self) -> list[Span]:
        """The places of the values that name it, at least one: without a name, of what belongs to it alone."""
        names = [self.fields[name] for name in self.kind.name if name in self.fields]
        return names or [self.fields[name] for name in self.kind.unique if name in self.fields][:1]


def records_of(text: str, kinds: Sequence[RecordKind]) -> list[Record]:
    """Return the records of a text, in order.

    A record is a paragraph with fields, separated by lines or semicolons, of which one names it and another one says something.
    It is of the first kind of which it has a name or a unique field.
    """
    found: list[Record] = []
    for block in _blocks(text) if kinds else ():
        fields = _fields(text, block)
        for kind in kinds:
            said = {name: place for name, place in fields.items() if name not in kind.ignored}
            record = Record(kind, said)
            if len(said) > len(named := record.named) and named:
                found.append(record)
                break
    return found


def _blocks(text: str) -> Iterator[Span]:
    start = 0
    for blank in _BLANK_LINES.finditer(text):
        yield start, blank.start()
        start = blank.end()
    yield start, len(text)


def _fields(text: str, block: Span) -> dict[str, Span]:
    """The fields of a paragraph. What stands between two of them belongs to the first; of equal names the first one counts."""
    starts = [block[0], *(part.end() for part in _PARTS.finditer(text, *block))]
    heads = [head for start in starts if (head := _FIELD.match(text, start, block[1])) is not None]
    fields: dict[str, Span] = {}
    ends = [head.start() for head in heads[1:]] + [block[1]] * bool(heads)
    for head, behind in zip(heads, ends, strict=True):
        value = text[head.end() : behind].rstrip("; \t\n")
        if value:
            fields.setdefault(field_name(head[1]), (head.end(), head.end() + len(value)))
    return fields
