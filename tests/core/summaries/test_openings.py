"""Sentences that cannot stand alone are not chosen before those that can."""

import pytest

from resources.models.embedder import WordLlamaEmbedder
from seed_assets.core.summaries.openings import needs_another
from seed_assets.core.summaries.summarizing import ExtractiveSummarizer


@pytest.mark.parametrize(
    ("sentence", "expected"),
    [
        ("It is also used by bakers.", True),
        ("But at night the bakery is closed.", True),
        ("“However, nobody came.”", True),
        ("This is because the flour is old.", True),
        ("Es wird auch von Bäckern genutzt.", True),
        ("Mais la nuit, la boulangerie est fermée.", True),
        ("This document describes a bakery.", False),
        ("Bakers use it too.", False),
        ("", False),
    ],
)
def test_a_sentence_that_continues_another_begins_like_one(sentence: str, expected: bool) -> None:
    assert needs_another(sentence) is expected


def test_rows_of_a_table_without_rules_are_no_sentence() -> None:
    """The rows were joined with the sentence below them."""
    table = "Crop        Price of a pound\nFigs        four silver coins\nApples      one silver coin at the market\n"
    prose = (
        "The prices at the market were written on a board beside the gate each morning. A buyer who did not agree could "
        "talk to the warden of the market, who kept the board."
    )
    summary = ExtractiveSummarizer(WordLlamaEmbedder(), 25).summarize_sync(table + prose + "\n\n" + table, "")
    assert "Figs" not in summary.text
    assert "market" in summary.text


def test_of_two_like_sentences_the_one_that_stands_alone_is_chosen() -> None:
    """A summary that begins with "It is also ..." does not say what it is about."""
    text = (
        "It also feeds flour and water to the sourdough starter on every day of the year. "
        "The baker feeds flour and water to the sourdough starter on every day of the year."
    )
    summary = ExtractiveSummarizer(WordLlamaEmbedder(), 20).summarize_sync(text, "")
    assert summary.text.startswith("The baker")
