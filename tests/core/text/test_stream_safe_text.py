"""Characters with more marks than any writing system puts on one: they are kept, and take no quadratic time."""

import unicodedata
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seed_assets.core.reading.html.pages import read_html
from seed_assets.core.text.unicode_forms import is_stream_safe, normal_form
from tests.text_growth import growth

MARKS = "\u0301\u0323"


@pytest.mark.parametrize(
    ("text", "safe"),
    [
        ("", True),
        ("Ebb and flow", True),
        ("Ebbe und Flut, größer", True),
        ("u" + "\u0301" * 30, True),
        ("u" + "\u0301" * 31, False),
        (("u" + MARKS * 15) * 9, True),
        ("flood " + MARKS * 16 + " ebb", False),
        ("…" * 99, True),
    ],
)
def test_more_than_thirty_marks_are_unsafe(text: str, safe: bool) -> None:
    assert is_stream_safe(text) is safe


@given(st.text(st.sampled_from("u\u00fc …\u0301\u0323\u034f"), max_size=200))
def test_a_normal_form_is_safe_and_keeps_every_character(text: str) -> None:
    found = normal_form("NFC", text)
    assert is_stream_safe(found)
    assert _letters(found) == _letters(text)


def _letters(text: str) -> Counter[str]:
    """Count the letters and marks of a text, however they are put together and ordered."""
    return Counter(unicodedata.normalize("NFD", text).replace("\u034f", ""))


@pytest.mark.slow
@pytest.mark.parametrize("piece", [MARKS, "u" + MARKS * 40, f"<b>{MARKS * 10}</b>", "&#769;&#803;"])
def test_a_page_of_marks_is_read_in_time_that_grows_with_its_length(piece: str) -> None:
    """The library that finds the main text of pages normalizes it, and would take minutes."""

    def call(text: str) -> None:
        read_html(f"<html><body><p>The ebb {text}</p></body></html>".encode())

    assert growth(call, piece, 16_384, 65_536, doublings=2) == ""
    assert read_html(f"<p>The ebb {piece * 99} and flow</p>".encode()).text.startswith("The ebb")
