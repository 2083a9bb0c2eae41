"""Cutting a text into chunks that can be found and read by themselves.

What belongs here: the chunk and the chunker, and where a table is cut. What does not: finding boundaries in long texts
(boundaries) and tables (table_lines), embedding and storing chunks.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import msgspec

from io_managers.store.fingerprint import Part
from retrieval.passage_features import PassageFeatures
from seed_assets.core.text.boundaries import pieces_between
from seed_assets.core.text.table_lines import TableLines, tables_in

# The numbers were chosen by judgement. What introduces a table has at most a fourth of a chunk. Beside a long header, rows have
# at least half of a chunk, since the header is repeated in each.
_LEAD_SHARE, _LEAST_ROWS_SHARE = 4, 2
# So many line ends at most are between a heading and what it introduces.
_MOST_LINE_ENDS = 2


class Chunk(msgspec.Struct, frozen=True, omit_defaults=True):
    """A piece of a document's text.

    text: the document's text from `start` to `end` (offsets in characters).
    header: if the piece begins inside a table, the header row and the rule of that table, which stand before the piece.
    """

    text: str
    start: int
    end: int
    header: str = ""

    @property
    def in_context(self) -> str:
        """The text as it is embedded and searched: below the header of its table, if it begins inside of one."""
        return f"{self.header}\n{self.text}" if self.header else self.text


class Chunks(msgspec.Struct, frozen=True):
    """All chunks of one document.

    title: the document's title, which search considers with each of its chunks.
    chunks: the chunks in order.
    features: for each chunk, what search compares of its text (`in_context`) with a query.
    """

    title: str
    chunks: tuple[Chunk, ...]
    features: tuple[PassageFeatures, ...] = ()


@dataclass(frozen=True, slots=True)
class Chunker:
    """Cuts a text at the largest boundary that fits: sections, paragraphs, sentences, words, characters.

    The boundaries are those of the Rust crate text-splitter (Unicode sentence and word segmentation). A table is cut between its
    rows only, unless a row is longer than a chunk.

    characters: the most characters of a chunk. With the header of its table it may have twice as many.
    overlap: how many characters neighbours may share; rows of a table that is cut are not shared.
    """

    characters: int = 1000
    overlap: int = 0

    @property
    def identity(self) -> Mapping[str, Part]:
        """Everything that decides where a text is cut."""
        return {"version": "1", "characters": self.characters, "overlap": self.overlap}

    def chunk(self, text: str, title: str) -> Chunks:
        """Cut a text into chunks; every character that is not white space is in at least one."""
        return Chunks(title, tuple(self._chunks(text, list(tables_in(text)))))

    def _chunks(self, text: str, tables: Sequence[TableLines]) -> Iterator[Chunk]:
        at, short = 0, list[TableLines]()
        for table in tables:
            if table.end - table.start <= self.characters:
                short.append(table)
                continue
            lead = self._lead(text, short[-1].end if short else at, table)
            yield from self._between(text, at, lead, short)
            yield from self._of_table(text, lead, table)
            at, short = table.end, []
        yield from self._between(text, at, len(text), short)

    def _between(self, text: str, start: int, end: int, tables: Sequence[TableLines]) -> Iterator[Chunk]:
        """Yield the chunks of a part of a text. tables: those in it; each is kept whole, since it fits into a chunk."""
        if not tables:
            for at, piece in pieces_between(text, start, end, self.characters, self.overlap):
                yield Chunk(piece, at, at + len(piece))
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
                    yield Chunk(piece, at, stop)
                    covered = stop
                    continue
                cut = tables[place]
                # The table gets a chunk of its own, and what is behind it is cut from there. A neighbour may have it already.
                if cut.end > covered:
                    lead = self._lead(text, max(at, tables[place - 1].end if place else at), cut)
                    if before := text[at:lead].rstrip():
                        yield Chunk(before, at, at + len(before))
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

    def _of_table(self, text: str, start: int, table: TableLines) -> Iterator[Chunk]:
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
                yield Chunk(text[begin:end], begin, end, above)
            else:
                for at, piece in pieces_between(text, begin, end, most):
                    yield Chunk(piece, at, at + len(piece), above)
            first, above = last, header


def _first_cut(tables: Sequence[TableLines], first: int, start: int, end: int) -> int | None:
    """Return the index of the first table, from the one at `first` on, of which only a part is between two offsets, or None."""
    while first < len(tables) and tables[first].start < end:
        if tables[first].start < start or tables[first].end > end:
            return first
        first += 1
    return None
