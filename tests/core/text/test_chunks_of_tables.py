"""Chunks of texts with tables: no row is cut, headers are beside each chunk, offsets are exact, other texts stay as they were.

What belongs here: where a text is cut. What does not: finding tables (test_table_lines), and what is embedded, written to rows
and found (tests/seeding/test_table_search).
"""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seed_assets.core.reading.markdown_blocks import table
from seed_assets.core.reading.records.record_text import RecordText
from seed_assets.core.text.boundaries import pieces_of
from seed_assets.core.text.chunking import Chunk, Chunker
from seed_assets.core.text.table_lines import tables_in
from seed_assets.stages.documents.validity import uncovered

HEADER = "| Gate | Level | Note |\n| --- | --- | --- |"
PROSE = " ".join(f"The tide of day {day} was noted with care before anybody went home." for day in range(30))


def gates(count: int) -> str:
    """A table of so many gates, some 45 characters a row."""
    return table(
        [["Gate", "Level", "Note"], *([f"Gate {n}", f"{n} m", f"It was seen in year {n}"] for n in range(count))]
    )


def cut(text: str, characters: int = 1000, overlap: int = 0) -> tuple[Chunk, ...]:
    """The chunks of a text, which are valid."""
    chunks = Chunker(characters, overlap).chunk(text, "")
    assert uncovered(chunks, text) == ""
    assert all(0 < len(chunk.text) <= characters for chunk in chunks.chunks)
    return chunks.chunks


def cut_rows(text: str, chunks: tuple[Chunk, ...], longest: int) -> list[str]:
    """The rows, no longer than a chunk, that are in part in a chunk."""
    return [
        text[start:end]
        for found in tables_in(text)
        for start, end in found.rows
        if end - start <= longest
        for chunk in chunks
        if chunk.start < end and start < chunk.end and not (chunk.start <= start and end <= chunk.end)
    ]


def test_a_long_table_is_cut_between_rows_and_its_header_is_beside_each_chunk() -> None:
    """Chunks in the middle of a table were numbers without names, and rows were cut in two."""
    text = f"{PROSE}\n\n{gates(100)}\n\n{PROSE}"
    chunks = cut(text)
    assert cut_rows(text, chunks, 1000) == []
    begin = [chunk for chunk in chunks if chunk.text.startswith(HEADER)]
    inside = [chunk for chunk in chunks if chunk.header]
    assert (len(begin), begin[0].header) == (1, "")
    assert len(inside) >= 4
    assert {chunk.header for chunk in inside} == {HEADER}
    assert all(chunk.in_context == f"{HEADER}\n{text[chunk.start : chunk.end]}" for chunk in inside)
    assert all(len(chunk.in_context) <= 1000 for chunk in inside)
    assert all(len(chunk.in_context) > 900 for chunk in inside[:-1])
    assert [chunk.header for chunk in chunks if chunk.text.startswith("The tide")] == [""] * 4


def test_texts_without_a_table_that_is_cut_are_cut_as_before_and_have_the_same_bytes() -> None:
    """Every other document would be embedded again, and its vectors paid for."""

    class Before(msgspec.Struct, frozen=True):
        text: str
        start: int
        end: int

    for text in (PROSE * 3, f"{PROSE}\n\n{gates(5)}\n\n{PROSE}", f"a | b\n\n{PROSE}\n---\n" * 9, ""):
        for characters, overlap in ((1000, 0), (300, 40)):
            chunks = cut(text, characters, overlap)
            assert [(chunk.start, chunk.text) for chunk in chunks] == pieces_of(text, characters, overlap)
            before = [Before(chunk.text, chunk.start, chunk.end) for chunk in chunks]
            assert msgspec.msgpack.encode(list(chunks)) == msgspec.msgpack.encode(before)


def test_a_table_that_fits_is_kept_whole_with_the_line_above_it() -> None:
    """Lines without blank ones between them were one paragraph, cut wherever a chunk was full."""
    lines = "\n".join(PROSE.split(". ")[:26])
    text = f"{lines}\nGates of the harbour:\n{gates(6)}\n{lines}"
    (found,) = tables_in(text)
    assert any(found.start < start < found.end for start, _ in pieces_of(text, 1000))
    whole = [chunk for chunk in cut(text) if chunk.start <= found.start and found.end <= chunk.end]
    assert len(whole) == 1
    assert "Gates of the harbour:\n| Gate" in whole[0].text


@pytest.mark.parametrize("above", ["## Gates\n\n", "Gates:\n", "# Harbour\n\n## Gates\n", "# Harbour\n\nGates:\n"])
def test_the_line_that_introduces_a_long_table_is_in_its_first_chunk(above: str) -> None:
    """The words by which people look for a table stood alone in a chunk, or with the paragraph before."""
    for before in (f"{PROSE}\n\n", ""):
        chunks = cut(f"{before}{above}{gates(100)}")
        first = next(chunk for chunk in chunks if HEADER in chunk.text)
        assert first.text.startswith(f"{above}{HEADER}")


def test_only_a_row_that_is_longer_than_a_chunk_is_cut_and_its_pieces_have_the_header() -> None:
    long = f"| Gate 7 | 3 m | {PROSE} |"
    text = f"{gates(3)}\n{long}\n| Gate 8 | 4 m | none |"
    chunks = cut(text)
    assert cut_rows(text, chunks, 1000) == []
    assert [chunk.text for chunk in chunks[1:-1]] != []
    assert {chunk.header for chunk in chunks[1:]} == {HEADER}
    assert chunks[-1].text == "| Gate 8 | 4 m | none |"


def test_a_row_as_long_as_a_chunk_is_whole_although_its_header_makes_it_longer() -> None:
    text = f"{gates(3)}\n| Gate 7 | 3 m | {'x' * 975} |\n{gates(3)}"
    assert any(len(chunk.text) > 990 and chunk.header for chunk in cut(text))


def test_a_header_longer_than_a_chunk_is_not_repeated_and_a_long_one_leaves_room_for_rows() -> None:
    """A crafted header would be written once for each short row, and a file would become a thousand times as large."""
    for cells, repeated in ((50, True), (300, False)):
        names = [f"column {n}" for n in range(cells)]
        text = table([names, *([str(n)] * 3 + [""] * (cells - 3) for n in range(60))])
        chunks = cut(text)
        assert any(chunk.header for chunk in chunks) == repeated
        assert sum(len(chunk.in_context) for chunk in chunks) <= 4 * len(text)


def test_records_are_not_cut() -> None:
    written = RecordText()
    for number in range(200):
        written.add(
            [("Gate", f"Upper {number}. It is old."), ("Level", "4"), ("Note", "Seen in May. " * (number % 20))]
        )
    text = written.text()
    chunks = cut(text)
    at = 0
    for record in text.split("\n\n"):
        start, at = at, at + len(record) + 2
        assert any(chunk.start <= start and start + len(record) <= chunk.end for chunk in chunks), record


WORDS = st.lists(st.sampled_from(["tide", "Gate", "a", "4", "é語", "x|y"]), min_size=1, max_size=40).map(" ".join)
CELLS = st.lists(st.lists(st.sampled_from(["a", "tide", "", "Gate 4"]), min_size=1, max_size=4), max_size=25).map(table)
BLOCKS = st.lists(st.tuples(st.one_of(WORDS, CELLS), st.sampled_from(["\n", "\n\n", "\n \n\n"])), max_size=8)


@given(BLOCKS, st.sampled_from([100, 150, 400]), st.sampled_from([0, 30]))
@pytest.mark.slow
def test_whatever_a_text_holds_no_row_is_cut_and_every_character_is_in_a_chunk(
    blocks: list[tuple[str, str]], characters: int, overlap: int
) -> None:
    text = "".join(part for block in blocks for part in block)
    chunks = cut(text, characters, overlap)
    assert cut_rows(text, chunks, characters) == []
    for chunk in chunks:
        inside = [one for one in tables_in(text) if one.rows[0][1] <= chunk.start < one.end]
        assert chunk.header == (inside[0].header if inside and len(inside[0].header) <= characters else "")
