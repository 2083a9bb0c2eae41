"""The file of questions and conversations of a home."""

import json
from pathlib import Path

import pytest

from answering.answers import Answer, CacheUse, Question, Reply
from answering.asked import MOST_TURNS, Asked, question_key
from answering.passages import Choice
from io_managers.store.errors import StoreUnavailableError


def reply(text: str) -> Reply:
    return Reply(Question(text), Answer((), (), False, 0.1, "nobody"), (), CacheUse())


def test_reading_makes_no_file(tmp_path: Path) -> None:
    """A home on a read-only disk can be asked."""
    asked = Asked(tmp_path / "asked" / "asked.db")
    assert (asked.choice("x"), asked.conversations(), asked.uses_of("a.md"), asked.most_asked(3)) == (None, [], [], [])
    assert list(tmp_path.iterdir()) == []


def test_conversations_outlive_the_process_and_are_exported_line_by_line(tmp_path: Path) -> None:
    path = tmp_path / "asked.db"
    first = Asked(path)
    session = first.begin()
    for text in ("What  is it?", "And why?"):
        first.add(session, reply(text))
    first.close()
    again = Asked(path)
    (found,) = again.conversations()
    assert (found.id, found.title, found.turns) == (session, "What is it?", 2)
    assert [json.loads(line)["question"]["text"] for line in again.export(session)] == ["What  is it?", "And why?"]
    assert [turn.question for turn in again.turns(session)] == ["What  is it?", "And why?"]
    again.end(session)
    assert (again.conversations(), again.has(session), again.replies(session)) == ([], False, [])


def test_a_question_is_shown_the_last_turns_only(tmp_path: Path) -> None:
    """A long conversation must not fill the model's context."""
    asked = Asked(tmp_path / "asked.db")
    session = asked.begin()
    for number in range(MOST_TURNS + 3):
        asked.add(session, reply(f"Question {number}"))
    assert [turn.question for turn in asked.turns(session)] == [
        f"Question {number}" for number in range(3, MOST_TURNS + 3)
    ]


def test_the_questions_that_are_asked_most_come_first(tmp_path: Path) -> None:
    asked = Asked(tmp_path / "asked.db")
    for text, times in (("Rare?", 1), ("Often?", 3), ("Now and then?", 2)):
        question = Question(text)
        asked.choose(question_key(question), question, Choice((), (), (), 0.0), ["a.md"])
        for _ in range(times):
            asked.count(question_key(question))
    assert [question.text for question in asked.most_asked(2)] == ["Often?", "Now and then?"]


def test_a_file_that_is_no_database_is_named_with_what_to_do(tmp_path: Path) -> None:
    path = tmp_path / "asked.db"
    path.write_bytes(b"no database, but long enough to be looked at as one" * 100)
    with pytest.raises(StoreUnavailableError, match=r"asked\.db.*delete it"):
        Asked(path).begin()
