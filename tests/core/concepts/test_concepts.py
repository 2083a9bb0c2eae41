"""The offline concept extractor: what it promises of every text, and that it finds what titles say."""

import asyncio
import os
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.quality import concepts_of_peps
from resources.models.embedder import WordLlamaEmbedder
from seed_assets.core.concepts.concepts import Concept, Concepts, StatisticalConceptExtractor
from seed_assets.core.text.stopwords import stop_words

CORPORA = Path(os.environ.get("SEEDBANK_CORPORA", Path(__file__).parents[4] / "shared" / "corpora"))
EMBEDDER = WordLlamaEmbedder()
EXTRACTOR = StatisticalConceptExtractor(EMBEDDER)

ESSAY = (
    "The sourdough starter is the heart of the bakery. A sourdough starter ferments flour and water.\n"
    "Bakers feed the sourdough\n starter every day, and sourdough starters reward the bakers' patience with flavour. "
    "See https://example.org/yeast/growth or write to baker@example.org."
)


def extract(text: str, title: str = "") -> tuple[Concept, ...]:
    return EXTRACTOR.extract_sync(text, title).concepts


def assert_located(concepts: tuple[Concept, ...], text: str) -> None:
    for concept in concepts:
        assert " ".join(text[concept.start : concept.end].casefold().split()) == concept.name
        assert concept.count >= 1


def test_the_phrase_that_a_text_keeps_returning_to_comes_first() -> None:
    concepts = extract(ESSAY)
    assert concepts[0].name == "sourdough starter"
    assert (concepts[0].start, concepts[0].end) == (4, 21)


def test_plurals_and_mentions_across_a_line_break_are_counted_together() -> None:
    assert extract(ESSAY)[0].count == 4


def test_scores_fall_from_one_and_names_are_different() -> None:
    concepts = extract(ESSAY)
    scores = [concept.score for concept in concepts]
    assert scores[0] == 1
    assert scores == sorted(scores, reverse=True)
    assert min(scores) > 0
    assert len({concept.name for concept in concepts}) == len(concepts)


def test_stop_words_numbers_addresses_and_shortened_verbs_are_in_no_concept() -> None:
    text = ESSAY + " It won't be 2024 before 17 of them don't."
    words = {word for concept in extract(text) for word in concept.name.split()}
    assert not words & {"the", "of", "won't", "won", "don't", "2024", "17", "https", "example.org", "yeast", "baker"}


def test_a_phrase_does_not_cross_punctuation_or_a_paragraph() -> None:
    names = {concept.name for concept in extract("green apples, red pears\n\nblue plums")}
    assert names == {"green apples", "red pears", "blue plums"}


def test_a_part_of_a_chosen_phrase_is_not_chosen_again() -> None:
    assert [concept.name for concept in extract("Quantum chromodynamics.")] == ["quantum chromodynamics"]


def test_the_title_draws_the_concepts_that_it_names() -> None:
    text = "Harbour seals are on the rocks, fishing boats at the quay, tidal mills in the bay and salt pans behind it."
    assert extract(text, "Tidal mills")[0].name.startswith("tidal mills")
    assert not extract(text, "")[0].name.startswith("tidal mills")


def test_no_more_concepts_than_asked_for() -> None:
    assert len(StatisticalConceptExtractor(EMBEDDER, count=3).extract_sync(ESSAY, "").concepts) == 3


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("人工智能是计算机科学的一个分支。机器学习是人工智能的重要方法，深度学习又是机器学习的一种。", "机器学习"),
        ("東京大学は東京にあります。コンピューターの歴史を東京大学で学びました。", "東京大学"),
        ("الذكاء الاصطناعي هو فرع من علوم الحاسوب. يدرس الذكاء الاصطناعي كيفية جعل الآلات ذكية.", "الذكاء الاصطناعي"),
        ("Die Straßenbahn ist alt. Mit der Straßenbahn fährt man. Eine Straßenbahn kommt.", "strassenbahn"),
        ("हिन्दी भारत में है। हिन्दी सुन्दर है।", "हिन्दी"),
        ("Кошка на окне. Это кошка.", "кошка"),
        ("L'histoire de l'Europe. Dans l'histoire.", "histoire"),
        ("Python", "python"),
    ],
)
def test_texts_in_other_scripts_and_languages_have_sensible_concepts(text: str, expected: str) -> None:
    concepts = extract(text)
    assert_located(concepts, text)
    assert expected in {concept.name for concept in concepts}


@pytest.mark.parametrize("text", ["", " \n", "1 2 3 !!!", "the of and", "x" * 10_000])
def test_a_text_without_words_that_name_something_has_none(text: str) -> None:
    assert EXTRACTOR.extract_sync(text, "Title") == Concepts(())


@settings(deadline=None, max_examples=100)
@given(st.text(max_size=300), st.text(max_size=20))
def test_every_concept_is_in_the_text_where_it_says(text: str, title: str) -> None:
    assert_located(extract(text, title), text)


@pytest.mark.slow
@pytest.mark.parametrize("piece", ["字典学校", " ", "a@", "\n", "ab'", ":a", "12,foo bar\n"])
def test_a_text_of_one_repeated_piece_takes_linear_time(piece: str) -> None:
    """Patterns that look ahead are quadratic on some of these: hours for a million characters."""
    assert_located(extract(piece * 100_000), piece * 100_000)


def test_the_stop_words_are_those_of_the_texts_language() -> None:
    assert "die" in stop_words(["die", "katze", "und", "die", "maus", "sind", "in", "der", "küche"])
    assert "die" not in stop_words(["all", "of", "them", "roll", "the", "die", "to", "see", "who", "is", "first"])


def test_asking_asynchronously_gives_the_same() -> None:
    assert asyncio.run(EXTRACTOR.extract(ESSAY, "")) == EXTRACTOR.extract_sync(ESSAY, "")


def test_the_identity_changes_with_the_number_of_phrases() -> None:
    assert EXTRACTOR.identity != StatisticalConceptExtractor(EMBEDDER, count=16).identity
    assert EXTRACTOR.identity["embedder.model"] == EMBEDDER.identity["model"]


@pytest.mark.slow
def test_concepts_find_the_share_of_title_words_that_the_project_promises() -> None:
    if not (CORPORA / "peps").is_dir():
        pytest.skip(f"the corpus peps is not in {CORPORA} (set SEEDBANK_CORPORA)")
    figures = concepts_of_peps(CORPORA, "subset_212.txt")
    assert figures["phrases"]["exact"] >= 0.66
    assert figures["phrases"]["exact"] > figures["frequent_words"]["exact"] + 0.05
