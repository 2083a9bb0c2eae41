"""Where a text is cut into chunks.

What belongs here: the places of chunks, and where a table is cut. What does not: finding boundaries in long texts (boundaries)
and tables (table_lines), and chunks themselves (chunking).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from seed_assets.core.text.boundaries import pieces_between
from seed_assets.core.text.table_lines import TableLines, tables_in

# The numbers were chosen by judgement. What introduces a table has at most a fourth of a chunk. Beside a long header, rows have
# at least half of a chunk, since the header is repeated in each.
_LEAD_SHARE, _LEAST_ROWS_SHARE = 4, 2
# So many line ends at most are between a heading and what it introduces.
_MOST_LINE_ENDS = 2

Place: TypeAlias = tuple[int, int, str]
"""The offsets of a chunk in its text, and the header of the table that it begins in; see Chunk."""


@dataclass(frozen=True, slots=True)
class ChunkPlaces:
    """Finds where a text is cut. characters, overlap: see Chunker."""

    characters: int
    overlap: int

    def of(self, text: str) -> Iterator[Place]:
        """Yield the places of the chunks of a text; every character that is not white space is in at least one."""
        at, short = 0, list[TableLines]()
        for table in tables_in(text):
            if table.end - table.start <= self.characters:
                short.append(table)
                continue
            lead = self._lead(text, short[-1].end if short else at, table)
            yield from self._between(text, at, lead, short)
            yield from self._of_table(text, lead, table)
            at, short = table.end, []
        yield from self._between(text, at, len(text), short)

    def _between(self, text: str, start: int, end: int, tables: Sequence[TableLines]) -> Iterator[Place]:
        """Yield the chunks of a part of a text. tables: those in it; each is kept whole, since it fits into a chunk."""
        if not tables:
            for at, piece in pieces_between(text, start, end, self.characters, self.overlap):
                yield at, at + len(piece), ""
            return
        waiting, covered = 0, start
        while start < end:
            begun, start = start, end
            for at, piece in pieces_between(text, begun, end, self.characters, self.overlap):
                stop = at + len(piece)
                while waiting < len(tables) and tables[waiting].end <= at:
                    waiting += 1
                place = _first_cut(tables, waiting, at, stop)
                if place is None:
                    yield at, stop, ""
                    covered = stop
                    continue
                cut = tables[place]
                # The table gets a chunk of its own, and what is behind it is cut from there. A neighbour may have it already.
                if cut.end > covered:
                    lead = self._lead(text, max(at, tables[place - 1].end if place else at), cut)
                    if before := text[at:lead].rstrip():
                        yield at, at + len(before), ""
                    yield from self._of_table(text, lead, cut)
                    covered = cut.end
                start = cut.end
                break

    def _lead(self, text: str, floor: int, table: TableLines) -> int:
        """Return where a table begins with what introduces it: the line directly above, and headings above that or the table."""
        floor = max(floor, table.start - self.characters // _LEAD_SHARE)
        if table.end - table.start <= self.characters:
            floor = max(floor, table.end - self.characters)
        start = table.start
        while start > floor:
            above = text[floor:start].rstrip()
            begin = floor + above.rfind("\n") + 1
            gap = text.count("\n", floor + len(above), start)
            heading = text.startswith("#", begin) and gap <= _MOST_LINE_ENDS
            whole = begin == 0 or text[begin - 1] == "\n"
            if not above or not whole or not (heading or (gap == 1 and start == table.start)):
                break
            start = begin
        return start

    def _of_table(self, text: str, start: int, table: TableLines) -> Iterator[Place]:
        """Yield the chunks of a table, each of as many whole rows as fit. start: the offset of the line that introduces it."""
        header = table.header if len(table.header) <= self.characters else ""
        room = (
            max(self.characters - len(header) - 1, self.characters // _LEAST_ROWS_SHARE) if header else self.characters
        )
        rows = [(start, table.rows[0][1]), *table.rows[1:]]
        first, above = 0, ""
        while first < len(rows):
            begin = rows[first][0]
            most = room if above else self.characters
            last = first + 1
            while last < len(rows) and rows[last][1] - begin <= most:
                last += 1
            end = rows[last - 1][1]
            if end - begin <= self.characters:
                yield begin, end, above
            else:
                for at, piece in pieces_between(text, begin, end, most):
                    yield at, at + len(piece), above
            first, above = last, header


def _first_cut(tables: Sequence[TableLines], first: int, start: int, end: int) -> int | None:
    """Return the index of the first table, from the one at `first` on, of which only a part is between two offsets, or None."""
    while first < len(tables) and tables[first].start < end:
        if tables[first].start < start or tables[first].end > end:
            return first
        first += 1
    return None
