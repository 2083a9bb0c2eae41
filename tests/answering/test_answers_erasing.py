"""What answers have of a document: which steps are found, and which questions and conversations go."""

import asyncio
from pathlib import Path

import pytest

from answering.answers import Question, Turn
from answering.asked import Asked
from answering.asker import Asker
from answering.erasing import Answers
from io_managers.store.retention.mentions import Mentions
from io_managers.store.retention.traces import Traces
from io_managers.store.store import Store
from tests.support.asking import CountingAnswerer, TextFinder, asker_over
from tests.support.canaries import canaries

CANARY = "zqvx"
NAME = "secret.md"
DOCUMENTS = {
    NAME: f"Sourdough {CANARY} rises slowly.",
    "rails.md": "Points guide trains.",
    "reef.md": "Corals build reefs.",
}
RAILS, BREAD = "What guide trains?", "Which sourdough rises?"


def ask(asker: Asker, text: str, *turns: Turn):
    return asyncio.run(asker.ask(Question(text, turns)))


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A home in which questions were asked about both documents, and one after another, alone and in conversations."""
    with asker_over(tmp_path, TextFinder(DOCUMENTS), CountingAnswerer()) as asker:
        of_rails, of_bread = ask(asker, RAILS), ask(asker, BREAD)
        follow_up = ask(asker, "And what guide trains?", Turn(BREAD, of_bread.answer.text))
        ask(asker, "And corals build reefs?", Turn(BREAD, of_bread.answer.text), Turn("x", follow_up.answer.text))
        for replies in ((of_rails,), (of_rails, of_bread, follow_up)):
            session = asker.sessions.begin()
            for reply in replies:
                asker.sessions.add(session, reply)
    return tmp_path


def test_the_steps_made_from_a_document_and_what_followed_on_them_are_found(home: Path) -> None:
    store, asked = Store(home / "store"), Asked(home / "asked" / "asked.db")
    found = Answers(store, asked).results(Mentions([NAME]))
    stages = dict(store.database.read("SELECT action_key, stage FROM actions"))
    assert [stages[key] for key in found].count("answer") == 3
    retrievals = [key for key in found if stages[key] == "retrieval"]
    assert 0 < len(retrievals) < list(stages.values()).count("retrieval")
    left = {key for key, stage in stages.items() if stage == "answer"} - found
    assert len(left) == 1, "the answer about trains alone stays"
    assert Answers(store, asked).results(Mentions(["none.md"])) == set()
    asked.close()
    store.close()


def test_an_answer_is_found_although_its_retrieval_was_removed(home: Path) -> None:
    """Retrievals have a shorter life than answers, and only they name documents."""
    store, asked = Store(home / "store"), Asked(home / "asked" / "asked.db")
    with store.database.maintained() as connection:
        connection.execute("DELETE FROM actions WHERE stage = 'retrieval'")
    assert len(Answers(store, asked).results(Mentions([NAME]))) == 3
    asked.close()
    store.close()


def test_questions_and_conversations_go_and_others_stay(home: Path) -> None:
    store, asked = Store(home / "store"), Asked(home / "asked" / "asked.db")
    answers, traces = Answers(store, asked), Traces(Mentions([NAME]))
    traces.keys = sorted(answers.results(traces.mentions))
    looked = answers.erase(traces, dry_run=True)
    assert dict(looked.erased) == {"questions": 3, "conversations": 1}
    assert len(asked.conversations()) == 2
    assert answers.erase(traces, dry_run=False) == looked
    assert [one.title for one in asked.conversations()] == [RAILS]
    assert [question.text for question in asked.most_asked(10)] == [RAILS]
    asked.close()
    assert canaries(home / "asked", CANARY) == set()
    store.close()
