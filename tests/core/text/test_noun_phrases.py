"""Noun phrases: what is one in English and in German, and that candidates for concepts are whole ones."""

import pytest

from seed_assets.core.text.grammar.noun_phrases import noun_phrases
from seed_assets.core.text.grammar.parts_of_speech import Part, part_of_speech
from seed_assets.core.text.phrases import find_phrases


def english(run: str, before: str = "") -> list[str]:
    words = run.split()
    return [" ".join(words[first:end]) for first, end in noun_phrases(words, before, "en")]


@pytest.mark.parametrize(
    ("run", "before", "expected"),
    [
        ("people planted figs", "", ["people", "figs"]),
        ("blair dismisses critics", "", ["blair", "critics"]),
        ("planted figs", "the", ["planted figs"]),
        ("distributed operating systems", "", ["distributed operating systems"]),
        ("machine learning", "", ["machine learning"]),
        ("import statement", "the", ["import statement"]),
        ("want figs", "they", ["figs"]),
        ("memory access", "", ["memory access"]),
        ("quickly", "", []),
        ("green", "", []),
    ],
)
def test_verbs_are_in_no_english_noun_phrase(run: str, before: str, expected: list[str]) -> None:
    """Runs of words without stop words have verbs in them: "people planted figs" is no concept."""
    assert english(run, before) == expected


def test_german_noun_phrases_end_with_a_capital() -> None:
    words = ["alte", "Straßenbahn", "quietscht", "laut"]
    assert list(noun_phrases(words, "die", "de")) == [(0, 2)]


def test_runs_of_other_languages_stay_whole() -> None:
    assert list(noun_phrases(["chemin", "de", "fer"], "le", "fr")) == [(0, 3)]
    assert list(noun_phrases([], "", "")) == []


def test_the_ending_decides_for_words_that_the_lexicon_does_not_have() -> None:
    assert part_of_speech("zorbified") is Part.PARTICIPLE
    assert part_of_speech("zorbly") is Part.OTHER
    assert part_of_speech("zorb") is Part.NOUN
    assert part_of_speech("zorb-based") is part_of_speech("based")


def test_no_candidate_is_cut_off_from_a_noun_phrase() -> None:
    """ "states supreme court" is a piece of a name, and no phrase of the text."""
    text = "The judges of the united states supreme court met when the supreme court was new to all of them."
    names = {phrase.name for phrase in find_phrases(text)[0]}
    assert {"united states supreme court", "supreme court", "judges"} <= names
    assert not {"states supreme court", "united states", "states supreme"} & names


def test_a_text_without_noun_phrases_still_has_candidates() -> None:
    assert [
        phrase.name for phrase in find_phrases("It was slowly and then quickly but not so sadly that they went.")[0]
    ]
