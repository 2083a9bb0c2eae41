"""The offline summarizer: what it promises of every text, and that it chooses better than chance."""

import asyncio
import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.quality import summaries_of_plots
from resources.models.embedder import WordLlamaEmbedder
from seed_assets.core.summaries.summarizing import ExtractiveSummarizer, Summary
from seed_assets.core.text.words import WORD, count_words

CORPORA = Path(os.environ.get("SEEDBANK_CORPORA", Path(__file__).parents[4] / "shared" / "corpora"))
EMBEDDER = WordLlamaEmbedder()
SUMMARIZER = ExtractiveSummarizer(EMBEDDER, words=40)

ESSAY = (
    "The lighthouse on the outer island was built after three ships had been lost on its rocks in one winter. "
    "Its keeper lit the lamp at dusk and wound the clockwork that turned the heavy lens every four hours. "
    "Supplies came by boat once a month, and in bad weather the boat did not come for weeks. "
    "In the long evenings the keeper wrote letters that had to wait for the boat as well. "
    "The lamp burned rape oil at first, then paraffin, and at last it was lit by electricity from a cable. "
    "When the light became automatic the keeper left the island and nobody has lived on it since that day. "
    "Visitors may now climb the tower in summer and see the lens, which still turns although no ship needs it. "
    "A small museum in the harbour keeps the letters, the clockwork and a model of the three lost ships."
)


def assert_extractive(summary: Summary, text: str) -> None:
    assert list(summary.sentences) == sorted(summary.sentences)
    assert summary.text == " ".join(" ".join(text[start:end].split()) for start, end in summary.sentences)


def test_a_summary_is_the_texts_own_sentences_in_their_order_within_the_length() -> None:
    summary = SUMMARIZER.summarize_sync(ESSAY, "")
    assert_extractive(summary, ESSAY)
    assert len(summary.sentences) >= 2
    assert 20 <= count_words(summary.text) <= 40


def test_a_wrapped_sentence_comes_out_on_one_line() -> None:
    wrapped = ESSAY.replace(" the ", "\n the\t")
    assert SUMMARIZER.summarize_sync(wrapped, "").text == SUMMARIZER.summarize_sync(ESSAY, "").text


def test_the_title_draws_the_sentence_that_is_about_it() -> None:
    assert "The lighthouse on the outer island" not in SUMMARIZER.summarize_sync(ESSAY, "").text
    assert "The lighthouse on the outer island" in SUMMARIZER.summarize_sync(ESSAY, "An island lighthouse").text


def test_repeated_sentences_are_chosen_once() -> None:
    chosen = SUMMARIZER.summarize_sync(f"{ESSAY} " * 30, "")
    assert len({ESSAY[start % (len(ESSAY) + 1) :][:40] for start, _ in chosen.sentences}) == len(chosen.sentences) >= 2


def test_code_and_tables_lose_to_prose() -> None:
    table = "\n\n".join(f"| {n} | {n * 7} | 0x{n:04x} | {n}.{n} | {n} | {n} | {n} | {n} | {n} |" for n in range(40))
    assert "|" not in SUMMARIZER.summarize_sync(f"{table}\n\n{ESSAY}", "").text


@pytest.mark.parametrize(
    "text",
    [
        "One.",
        "Python",
        "Milk\nEggs\nBread",
        "- a list item\n- another item\n" * 30,
        "word " * 3000,
        "字" * 3000,
        "今天天气很好。我们去公园吧！" * 20,
        "مرحبا بالعالم. كيف حالك؟ أنا بخير. " * 20,
        "Die Straßenbahn fährt z. B. am 3. Oktober nicht. " * 20,
        "x" * 100_000,
        "No! " * 500,
    ],
)
def test_every_text_with_words_has_a_summary_that_is_not_too_long(text: str) -> None:
    summary = SUMMARIZER.summarize_sync(text, "A title")
    assert_extractive(summary, text)
    assert 1 <= count_words(summary.text) <= 40


@pytest.mark.parametrize("text", ["", " \n\t", "--- ... !!!", "\0\0"])
def test_a_text_without_words_has_an_empty_summary(text: str) -> None:
    assert SUMMARIZER.summarize_sync(text, "A title") == Summary("", ())


@settings(deadline=None, max_examples=60)
@given(st.text(max_size=400), st.text(max_size=20), st.integers(1, 30))
def test_summaries_of_any_text_are_valid(text: str, title: str, words: int) -> None:
    summary = ExtractiveSummarizer(EMBEDDER, words).summarize_sync(text, title)
    assert_extractive(summary, text)
    assert bool(summary.text) == bool(WORD.search(text))
    assert count_words(summary.text) <= words


@pytest.mark.slow
def test_a_text_of_more_sentences_than_one_graph_holds_is_summarized_from_all_its_parts() -> None:
    """Windows are ranked apart; a mistake in their bounds would read the first alone or give wrong offsets."""
    parts = [
        "Bakers knead the dough for loaf {n} of {m} before the sun comes up over the hills of the old town.",
        "Train {n} to the northern coast crosses bridge {m} late in the evening with its empty carriages.",
        "Divers counted {n} corals and {m} fish in the warm and shallow water around the small island.",
    ]
    text = " ".join(part.format(n=n, m=n * n % 97) for part in parts for n in range(900))
    summary = ExtractiveSummarizer(EMBEDDER, words=200).summarize_sync(text, "")
    assert_extractive(summary, text)
    assert all(subject in summary.text for subject in ("Bakers", "Train", "Divers"))


@pytest.mark.integration
def test_another_process_with_another_hash_seed_makes_the_same_summary() -> None:
    program = (
        "import sys\n"
        "from resources.models.embedder import WordLlamaEmbedder\n"
        "from seed_assets.core.summaries.summarizing import ExtractiveSummarizer\n"
        "from seed_assets.core.concepts.concepts import StatisticalConceptExtractor\n"
        "text = sys.stdin.read()\n"
        "print(ExtractiveSummarizer(WordLlamaEmbedder(), 40).summarize_sync(text, 'Title'))\n"
        "print(StatisticalConceptExtractor(WordLlamaEmbedder()).extract_sync(text, 'Title'))\n"
    )
    printed = {
        subprocess.run(
            [sys.executable, "-c", program],
            cwd=Path(__file__).parents[3],
            env={"PYTHONHASHSEED": seed},
            input=ESSAY,
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("0", "1")
    }
    assert len(printed) == 1
    assert "lighthouse" in printed.pop()


def test_asking_asynchronously_gives_the_same() -> None:
    assert asyncio.run(SUMMARIZER.summarize(ESSAY, "")) == SUMMARIZER.summarize_sync(ESSAY, "")


def test_the_identity_changes_with_the_length_and_holds_the_embedders() -> None:
    assert SUMMARIZER.identity != ExtractiveSummarizer(EMBEDDER, words=41).identity
    assert SUMMARIZER.identity["embedder.version"] == EMBEDDER.identity["version"]


@pytest.mark.slow
def test_summaries_of_stories_reach_the_figure_that_the_project_promises() -> None:
    """The offline default is no toy: better than first or random sentences by a margin that chance does not give."""
    if not (CORPORA / "judge_squality").is_dir():
        pytest.skip(f"the corpus judge_squality is not in {CORPORA} (set SEEDBANK_CORPORA)")
    figures = summaries_of_plots(CORPORA)
    assert figures["summarizer"]["rouge_1"] >= 0.35
    assert figures["summarizer"]["rouge_1"] > figures["random_sentences"]["rouge_1"] + 0.03
    assert figures["summarizer"]["rouge_1"] > figures["first_sentences"]["rouge_1"] + 0.03
