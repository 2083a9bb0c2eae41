"""The text of a document in parts and pieces: nothing is lost or shown twice, and a place is marked where it is."""

from hypothesis import given
from hypothesis import strategies as st

from service.pages.text_parts import page_at, part_starts, pieces

TEXTS = st.text(alphabet="ab. \n", max_size=400)


@given(TEXTS, st.lists(st.integers(0, 400), max_size=6), st.integers(1, 60))
def test_the_parts_of_a_text_are_the_text(text: str, pages: list[int], characters: int) -> None:
    page_starts = sorted({0, *(page for page in pages if page <= len(text))}) if pages else []
    starts = part_starts(text, page_starts, characters)
    assert starts[0] == 0
    assert starts == sorted(set(starts))
    ends = [*starts[1:], len(text)]
    assert all(0 <= end - start <= characters + characters // 2 + 1 for start, end in zip(starts, ends, strict=True))
    shown = [
        piece
        for start, end in zip(starts, ends, strict=True)
        for piece in pieces(text, page_starts, start, end, (0, 0))
    ]
    assert "".join(piece.text for piece in shown) == text
    assert not any(piece.marked for piece in shown)


@given(TEXTS.filter(bool), st.lists(st.integers(0, 400), max_size=6), st.data())
def test_a_marked_place_has_exactly_its_words(text: str, pages: list[int], data: st.DataObject) -> None:
    page_starts = sorted({0, *(page for page in pages if page < len(text))}) if pages else []
    start = data.draw(st.integers(0, len(text) - 1))
    end = data.draw(st.integers(start + 1, len(text)))
    found = pieces(text, page_starts, 0, len(text), (start, end))
    assert "".join(piece.text for piece in found) == text
    assert "".join(piece.text for piece in found if piece.marked) == text[start:end]
    assert [piece.first for piece in found if piece.marked] == [True] + [False] * (sum(p.marked for p in found) - 1)
    assert [piece.page for piece in found if piece.page] == list(range(1, len(page_starts) + 1))


def test_parts_begin_with_pages_and_paragraphs_where_they_can() -> None:
    text = "a" * 90 + "\n\n" + "b" * 90
    assert part_starts(text, [], 80) == [0, 92]
    assert part_starts(text, [0, 70, 120], 80) == [0, 120]
    assert part_starts("c" * 200, [], 80) == [0, 120]
    assert part_starts("", [], 80) == [0]


def test_a_place_has_the_page_on_which_it_begins() -> None:
    assert [page_at([0, 10], offset) for offset in (0, 9, 10, 99)] == [1, 1, 2, 2]
    assert page_at([], 5) == 0
