"""Tables that go on from one page to the next.

What belongs here: joining their parts. What does not: the tables of one page (tables).
"""

from collections.abc import Sequence

_ROW, _RULE = "| ", "| ---"
# Columns of the two parts stand at the same places, in points.
_SAME_PLACE = 3.0


def with_tables_joined(texts: Sequence[str], columns: Sequence[Sequence[tuple[float, ...]]]) -> list[str]:
    """Return the texts of pages, in which a table that goes on has its header only once.

    columns: for each page where the columns of its tables begin.
    """
    found = list(texts)
    header = ""
    before: int | None = None
    for number, text in enumerate(texts):
        if not text:
            continue
        lines = text.split("\n")
        begins = len(lines) > 1 and lines[0].startswith(_ROW) and lines[1].startswith(_RULE)
        if begins and before is not None and found[before].split("\n")[-1].startswith(_ROW):
            if lines[0] == header:
                lines = lines[2:]
            elif _same(columns[before][-1:], columns[number][:1]):
                del lines[1]
            found[number] = "\n".join(lines)
        # The header of the last table of the page, if it does not go on with one from before.
        rules = [place for place, line in enumerate(lines) if line.startswith(_RULE)]
        header = lines[rules[-1] - 1] if rules else header
        before = number
    return found


def goes_on(text: str, following: str) -> bool:
    """Whether a page begins with rows of the table with which the page before it ends."""
    lines = following.split("\n", 2)
    is_row = lines[0].startswith(_ROW) and not (len(lines) > 1 and lines[1].startswith(_RULE))
    return is_row and text.rsplit("\n", 1)[-1].startswith(_ROW)


def _same(one: Sequence[tuple[float, ...]], other: Sequence[tuple[float, ...]]) -> bool:
    if not one or not other or len(one[0]) != len(other[0]):
        return False
    return all(abs(here - there) <= _SAME_PLACE for here, there in zip(one[0], other[0], strict=True))
