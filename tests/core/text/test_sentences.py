"""Where sentences begin and end, in several scripts, and that no word is lost between them."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seed_assets.core.text.sentences import split_long, split_sentences
from seed_assets.core.text.words import WORD, count_words


def sentences(text: str) -> list[str]:
    return [text[slice(*span)] for span in split_sentences(text)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("One ends. Two follows! Is it three?", ["One ends.", "Two follows!", "Is it three?"]),
        ("Dr. Smith met J. K. Rowling on Jan. 5. He left.", ["Dr. Smith met J. K. Rowling on Jan. 5.", "He left."]),
        ('"Who is it?" he asked. "Me!" She ran.', ['"Who is it?" he asked.', '"Me!"', "She ran."]),
        ("Version 3.11 is out, e.g. for tests. Use it.", ["Version 3.11 is out, e.g. for tests.", "Use it."]),
        ("Am 3. Oktober kam z. B. Herr Maier. Er ging.", ["Am 3. Oktober kam z. B. Herr Maier.", "Er ging."]),
        ("今天天气很好。我们去公园吧！好", ["今天天气很好。", "我们去公园吧！", "好"]),
        ("كيف حالك؟ أنا بخير.", ["كيف حالك؟", "أنا بخير."]),
        ("यह एक वाक्य है। यह दूसरा है।", ["यह एक वाक्य है।", "यह दूसरा है।"]),
        ("A line that is\nwrapped goes on.", ["A line that is\nwrapped goes on."]),
        ("A Heading\n=========\n\nText under it.", ["A Heading", "Text under it."]),
        ("# Title\nText under it.", ["Title", "Text under it."]),
        ("- milk\n- eggs\n\n1. first\n2. second", ["milk", "eggs", "first", "second"]),
        ("", []),
        (" \n--- *** ...\n", []),
    ],
)
def test_sentences_end_where_a_reader_would_end_them(text: str, expected: list[str]) -> None:
    assert sentences(text) == expected


@given(st.text(alphabet=st.sampled_from("ab A.!?。\n\r\t-#|1)\"'“”好\u0301\u00a0\u2028")))
def test_spans_are_in_order_apart_trimmed_and_lose_no_word(text: str) -> None:
    """What falls between sentences can never be in a summary: only markers of lists may."""
    spans = split_sentences(text)
    position = 0
    for start, end in spans:
        assert position <= start < end <= len(text)
        assert text[start:end] == text[start:end].strip()
        assert WORD.search(text[start:end])
        position = end
    between = "".join(
        text[end:start] for (_, end), (start, _) in zip([(0, 0), *spans], [*spans, (len(text), 0)], strict=True)
    )
    left = re.sub(r"(?:\d{1,3}|[a-zA-Z])[.)]", "", between)
    assert WORD.search(left) is None


@given(st.text(alphabet=st.sampled_from("ab 好\n-")), st.integers(1, 5))
def test_a_long_sentence_falls_into_pieces_of_the_length_asked_for(text: str, words: int) -> None:
    for span in split_sentences(text):
        pieces = split_long(text, span, words)
        assert pieces[0][0] == span[0]
        assert pieces[-1][1] == span[1]
        assert all(count_words(text[slice(*piece)]) <= words for piece in pieces)
        assert WORD.findall(" ".join(text[slice(*piece)] for piece in pieces if piece)) or "好" in text


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("two words", 2),
        ("a dash - between", 3),
        ("don't split-this", 2),
        ("今天天气很好。", 3),
        ("हिन्दी भाषा", 2),
        ("...", 0),
        ("x" * 120, 3),
    ],
)
def test_words_are_counted_in_any_script(text: str, words: int) -> None:
    assert count_words(text) == words
