"""Offline answers: which sentences are chosen, and when there is none."""

import pytest

from answering.answers import Passage, Question
from answering.drafts import resolved
from answering.sentence_answers import SentenceAnswerer
from resources.models.embedder import WordLlamaEmbedder

CHAINS = (
    "## Why the pages face outward\n\nIn a chained library the chain is fixed to the front edge of the cover. So the pages face "
    "outward, and the book can be read without being turned. The shelves are of oak."
)
VOLCANO = (
    "Mont Pelée destroyed the town of Saint-Pierre. It killed about 28,000 people on 8 May 1902. The ash was grey."
)
TABLE = "| Gate | Level |\n| --- | --- |\n| Gate 40 | 3.2 m |\n| Gate 41 | 4.1 m |"


def passages(*texts: str) -> list[Passage]:
    return [
        Passage(f"{number}.md", f"Document {number}", 100, 100 + len(text), text) for number, text in enumerate(texts)
    ]


@pytest.fixture(scope="module")
def answerer() -> SentenceAnswerer:
    return SentenceAnswerer(WordLlamaEmbedder())


def said(answerer: SentenceAnswerer, question: str, *texts: str) -> list[str]:
    return [sentence.text for sentence in answerer.draft_sync(Question(question), passages(*texts)).sentences]


def test_the_sentence_that_answers_is_said_first(answerer: SentenceAnswerer) -> None:
    assert said(answerer, "How many people did Mont Pelée kill?", VOLCANO, CHAINS)[0].startswith(
        "It killed about 28,000"
    )
    assert said(answerer, "Why do the pages face outward in a chained library?", CHAINS, VOLCANO)[0].startswith(
        "So the pages"
    )


def test_a_heading_is_no_answer(answerer: SentenceAnswerer) -> None:
    """The heading of a section often has the words of the question, and says nothing."""
    assert "Why the pages face outward" not in said(answerer, "Why do the pages face outward?", CHAINS)


def test_rows_of_a_table_answer_where_there_is_nothing_else(answerer: SentenceAnswerer) -> None:
    assert any("Gate 41" in sentence for sentence in said(answerer, "What is the level of gate 41?", TABLE))


@pytest.mark.parametrize("question", ["Who won the world cup of 1998?", "What is the capital of Mongolia?"])
def test_passages_that_do_not_answer_give_no_sentences(answerer: SentenceAnswerer, question: str) -> None:
    """A confident answer from the nearest text is worse than none."""
    assert said(answerer, question, VOLCANO, CHAINS) == []


def test_what_is_cited_stands_there_word_for_word(answerer: SentenceAnswerer) -> None:
    found = passages(VOLCANO, CHAINS)
    draft = answerer.draft_sync(Question("How many people did Mont Pelée kill?"), found)
    answer = resolved(draft, dict(enumerate(found)), 0.9)
    assert answer.citations
    for cited in answer.citations:
        of = next(one for one in found if one.document == cited.document)
        assert of.text[cited.start - of.start : cited.end - of.start] == cited.text
    assert answer.sentences[0].citations == (1,)


def test_the_same_sentence_of_two_documents_is_said_once(answerer: SentenceAnswerer) -> None:
    found = said(answerer, "How many people did Mont Pelée kill?", VOLCANO, VOLCANO)
    assert len(found) == len(set(found))


def test_the_page_of_a_cited_place_is_that_on_which_it_begins() -> None:
    passage = Passage("a.pdf", "", 50, 90, "x" * 40, page=3, page_starts=(10, 30))
    assert [passage.page_at(offset) for offset in (0, 9, 10, 29, 30)] == [3, 3, 4, 4, 5]
    assert Passage("a.md", "", 0, 1, "x").page_at(0) is None
