"""Text that was made to stall a run: the time of every function that takes text grows with its length.

Growth is a ratio of processor times within one process, so that a busy machine changes both. `python -m tests.text_growth`
does the same up to 1 MB.
"""

import re
import zlib

import pytest

from tests.text_growth import ALPHABETS, CALLS, NO_TEXT, STARTS, functions_of_core, growth, taking_text

pytestmark = pytest.mark.slow

FUNCTIONS = taking_text()
# A text is cut in windows of 16,000 characters (boundaries), within which time may grow faster.
FIRST, LAST = 16 * 1024, 64 * 1024


def test_every_function_of_core_that_takes_text_is_measured():
    """A new function with more than a text to be called with has to be entered, or the stall comes back by it."""
    assert [name for name, call in FUNCTIONS.items() if call is None] == []


def test_what_is_said_of_functions_is_said_of_functions_that_are_there():
    there = {name for name, _ in functions_of_core()}
    of_core = {name for name in CALLS if re.fullmatch(r"[a-z_]+\.[\w.]+", name) and not name.startswith("resources.")}
    assert (NO_TEXT.keys() | of_core) - there == set()


def test_a_quadratic_function_is_noticed():
    # A quarter of the text takes 0.2 s, some ten times what is not measured; the whole would take 3 s, five times.
    assert growth(lambda text: re.search("a+b", text[: len(text) // 4]), "a", FIRST, LAST, 2)
    assert growth(lambda text: re.sub("a", "b", text), "a", FIRST, LAST, 2) == ""


@pytest.mark.parametrize("name", FUNCTIONS)
def test_time_grows_with_the_length_of_a_text(name: str):
    """Every fourth alphabet each, which ones by the name: all of them, by all functions, would take minutes."""
    call = FUNCTIONS[name]
    assert call is not None
    call("Read once, so that nothing is loaded while it is measured. " * 20)
    first = STARTS.get(name, FIRST)
    last = first * LAST // FIRST
    found = [
        problem
        for alphabet in ALPHABETS[zlib.crc32(name.encode()) % 4 :: 4]
        if (problem := growth(call, alphabet, first, last, 2))
    ]
    assert found == []
