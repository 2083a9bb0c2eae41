"""Words are stemmed the same whatever other threads do, since each question is looked up in a thread of its own."""

import sys
from concurrent.futures import ThreadPoolExecutor

from answering import terms as of_words


def test_threads_at_once_get_the_stems_that_one_gets() -> None:
    """A stemmer that two threads share mixes their words, and a wrong stem would be kept with the passages of a question."""
    words = [
        f"{first}{middle}{last}"
        for first in "abcdefgh"
        for middle in "ation"
        for last in ("ational", "fulness", "ingly")
    ]
    expected = [of_words.terms(word) for word in words]
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        for _ in range(3):
            of_words._stem.cache_clear()
            with ThreadPoolExecutor(8) as pool:
                found = list(pool.map(lambda _: [of_words.terms(word) for word in words], range(8)))
            assert all(one == expected for one in found)
    finally:
        sys.setswitchinterval(before)
