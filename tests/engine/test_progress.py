"""The line that says how far a stage has come: what is in it, and that it fits into a terminal."""

import pytest

from resources.endpoints.llm import Usage
from resources.wording import duration
from seed_assets.engine.progress import Progress


def progress(done: int = 40, total: int = 212, name: str = "notes/a.md", paid: Usage | None = None) -> Progress:
    return Progress("summaries", done, total, name, paid or Usage(), seconds=153.0)


def test_a_line_says_what_is_done_what_was_paid_and_how_long_the_rest_takes() -> None:
    """A log in which a stage of two hours says nothing until its end."""
    assert (
        progress(paid=Usage(requests=40, usd=0.12)).line() == "summaries 40/212  notes/a.md  $0.12, about 11 min left"
    )


@pytest.mark.parametrize(
    ("paid", "words"),
    [
        (Usage(), "about 11 min left"),
        (Usage(requests=40), "about 11 min left"),
        (Usage(requests=40, unpriced=40), "price unknown, about 11 min left"),
        (Usage(requests=40, usd=0.0012), "$0.0012, about 11 min left"),
        (Usage(requests=40, usd=1234.5, unpriced=1), "$1,234.50 + unknown, about 11 min left"),
    ],
)
def test_an_unknown_price_is_not_called_nothing(paid: Usage, words: str) -> None:
    """A person stops a run by its costs."""
    assert progress(paid=paid).line().endswith(f"  {words}")


def test_no_time_is_given_before_anything_is_done_and_none_at_the_end() -> None:
    """A division by nothing done, and a rest of no time."""
    assert progress(done=0).line() == "summaries 0/212  notes/a.md"
    assert progress(done=212).line() == "summaries 212/212  notes/a.md"


@pytest.mark.parametrize("name", ["a" * 300, "topic/12: " + "A title of many words " * 20, "one\ntwo\x1b[31m" * 30])
def test_a_line_fits_into_80_columns_whatever_the_name_is(name: str) -> None:
    """A wrapped line breaks what a terminal and a log viewer show, and a name may hold control characters."""
    line = progress(9_000, 10_000, name, Usage(requests=9_999, usd=12_345.67, unpriced=3)).line()
    assert len(line) < 80
    assert line.isprintable()
    assert line.startswith("summaries 9,000/10,000  ")
    assert line.endswith("$12,345.67 + unknown, about 17 s left")


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0.2, "1 s"), (59.4, "59 s"), (59.6, "1 min"), (3_570, "1 h"), (7_800, "2 h 10 min"), (260_000, "3 days")],
)
def test_a_duration_has_the_units_that_a_person_would_use(seconds: float, words: str) -> None:
    """60 s, 60 min or 0 s."""
    assert duration(seconds) == words
