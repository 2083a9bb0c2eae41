"""Which steps of an answer are done again, and when."""

import asyncio
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest

from answering.answers import Event, Passage, Question, Reply, Turn
from answering.asked import question_key
from answering.asker import MOST_PASSAGES, Asker
from answering.drafts import Draft
from answering.passages import Retrieved
from io_managers.store.fingerprint import Part
from io_managers.store.store import Store
from resources.endpoints.llm import Usage
from resources.errors import ConfigurationError, DocumentError
from retrieval.filters import FilterError, Filters
from seed_assets.memo.reuse import Reuse
from tests.support.asking import CountingAnswerer, TextFinder, asker_over

DOCUMENTS = {
    "bread.md": "Sourdough bread rises slowly.",
    "rails.md": "Points guide trains.",
    "reef.md": "Corals build reefs slowly.",
}


def ask(asker: Asker, text: str, **how: bool) -> Reply:
    return asyncio.run(asker.ask(Question(text), **how))


def test_a_question_is_answered_once(tmp_path: Path) -> None:
    """The systems before paid for an answer each time that somebody asked."""
    finder, answerer = TextFinder(DOCUMENTS), CountingAnswerer()
    with asker_over(tmp_path, finder, answerer) as asker:
        first = ask(asker, "What guide trains?")
        second = ask(asker, "  What  guide trains? ")
    assert (first.answer.text, first.cache.answer_hit) == ("Points guide trains. [1]", False)
    assert (second.answer, second.cache.answer_hit, second.cache.retrieval_hit) == (first.answer, True, True)
    assert answerer.asked == ["What guide trains?"]
    assert finder.searches == 1


def test_another_process_finds_the_answer(tmp_path: Path) -> None:
    answerer = CountingAnswerer()
    replies: list[Reply] = []
    for _ in range(2):
        with asker_over(tmp_path, TextFinder(DOCUMENTS), answerer) as asker:
            replies.append(ask(asker, "What guide trains?"))
    assert [reply.cache.answer_hit for reply in replies] == [False, True]
    assert len(answerer.asked) == 1


def test_an_edited_document_changes_the_answers_that_used_it_and_no_others(tmp_path: Path) -> None:
    """Peers give answers from before the last ingestion for days."""
    finder, answerer = TextFinder(DOCUMENTS), CountingAnswerer()
    with asker_over(tmp_path, finder, answerer) as asker:
        of_rails, of_bread = ask(asker, "What guide trains?"), ask(asker, "Which bread rises?")
        finder.documents["rails.md"] = "Signals guide trains."
        answerer.asked.clear()
        assert ask(asker, "Which bread rises?").answer == of_bread.answer
        assert ask(asker, "What guide trains?").answer.citations[0].text == "Signals guide trains."
        assert of_rails.answer.citations[0].text == "Points guide trains."
        assert [question.text for question in asker.uses_of("rails.md")] == ["What guide trains?"]
    assert answerer.asked == ["What guide trains?"]


def test_documents_that_have_nothing_to_do_with_a_question_keep_its_answer(tmp_path: Path) -> None:
    """A thousand new documents would otherwise mean as many requests as questions were asked."""
    finder, answerer = TextFinder(DOCUMENTS), CountingAnswerer()
    with asker_over(tmp_path, finder, answerer) as asker:
        ask(asker, "What guide trains?")
        finder.documents |= {f"new/{number}.md": f"Of other things, note {number}." for number in range(50)}
        reply = ask(asker, "What guide trains?")
    assert reply.cache.answer_hit
    assert not reply.cache.retrieval_hit
    assert len(answerer.asked) == 1


def test_a_cited_passage_that_others_push_out_of_the_result_stays_cited(tmp_path: Path) -> None:
    """Thirty passages with the words of a question in them, and nothing about it, made another answer be paid for."""

    class Unlikely(TextFinder):
        async def find(self, *given: Any, **named: Any) -> Retrieved:
            found = await super().find(*given, **named)
            likely = tuple(0.3 if passage.document.startswith("new") else 0.9 for passage in found.passages)
            return msgspec.structs.replace(found, probabilities=likely)

    finder, answerer = Unlikely(DOCUMENTS), CountingAnswerer()
    with asker_over(tmp_path, finder, answerer) as asker:
        first = ask(asker, "What guide trains?")
        finder.documents |= {f"new/{number}.md": f"What guide trains {number}." for number in range(30)}
        replies = [ask(asker, "What guide trains?") for _ in range(2)]
        assert [reply.answer for reply in replies] == [first.answer] * 2
        assert [reply.cache.answer_hit for reply in replies] == [True, True]
        finder.documents["rails.md"] = "Signals stop."
        assert ask(asker, "What guide trains?").answer.citations[0].document == "new/0.md"
        del finder.documents["new/0.md"], finder.documents["rails.md"]
        assert ask(asker, "What guide trains?").answer.citations[0].document == "new/1.md"
    assert len(answerer.asked) == 3


def test_the_documents_do_not_say_until_they_do(tmp_path: Path) -> None:
    """That nothing was found must not be kept once there is an answer; and not be found out again for nothing."""
    finder, answerer = TextFinder(DOCUMENTS), CountingAnswerer()
    with asker_over(tmp_path, finder, answerer) as asker:
        assert not ask(asker, "Who tames dragons?").answer.found
        finder.documents["new.md"] = "Knights tames dragons."
        assert ask(asker, "Who tames dragons?").answer.citations[0].document == "new.md"


def test_an_answer_stays_when_a_passage_that_it_did_not_cite_is_gone(tmp_path: Path) -> None:
    finder, answerer = TextFinder({**DOCUMENTS, "more.md": "Some trains wait."}), CountingAnswerer()
    with asker_over(tmp_path, finder, answerer) as asker:
        first = ask(asker, "What guide trains?")
        del finder.documents["more.md"]
        second = ask(asker, "What guide trains?")
    assert [passage.document for passage in first.passages] == ["rails.md", "more.md"]
    assert [passage.document for passage in second.passages] == ["rails.md"]
    assert second.answer == first.answer
    assert len(answerer.asked) == 1


def test_an_answer_that_was_purged_is_made_from_what_is_there(tmp_path: Path) -> None:
    """A passage that was chosen once and is gone cannot be shown to anybody."""
    finder, answerer = TextFinder({**DOCUMENTS, "more.md": "Some trains wait."}), CountingAnswerer()
    with asker_over(tmp_path, finder, answerer) as asker:
        ask(asker, "What guide trains?")
        del finder.documents["more.md"]
        asker._retriever._store.database.write(("DELETE FROM actions WHERE stage = 'answer'", [()])).result()
        asker._remembered.clear()
        assert ask(asker, "What guide trains?").answer.citations[0].document == "rails.md"
        assert ask(asker, "What guide trains?").cache.answer_hit


def test_a_better_document_changes_the_answer_at_once(tmp_path: Path) -> None:
    finder, answerer = TextFinder(DOCUMENTS), CountingAnswerer()
    with asker_over(tmp_path, finder, answerer) as asker:
        ask(asker, "What guide trains?")
        finder.documents["new.md"] = "What guide trains are points."
        assert ask(asker, "What guide trains?").answer.citations[0].document == "new.md"


def test_a_passage_that_moved_is_cited_where_it_is_now(tmp_path: Path) -> None:
    """A citation must open at the words that it cites, without paying for them again."""
    finder, answerer = TextFinder(DOCUMENTS), CountingAnswerer()
    with asker_over(tmp_path, finder, answerer) as asker:
        ask(asker, "What guide trains?")
        found = asyncio.run(finder.find("guide trains"))

        class Moved(TextFinder):
            async def find(self, *_: object, **__: object) -> Retrieved:
                moved = tuple(msgspec.structs.replace(p, start=p.start + 7, end=p.end + 7) for p in found.passages)
                return msgspec.structs.replace(found, passages=moved)

        asker._retriever._finder = Moved({"another": "state"})
        (cited,) = ask(asker, "What guide trains?").answer.citations
    assert (cited.start, cited.end) == (7, 7 + len("Points guide trains."))
    assert len(answerer.asked) == 1


def test_what_is_found_while_rows_are_written_is_not_kept(tmp_path: Path) -> None:
    """An index that lags its rows gives other results; they must not be served later."""
    finder, answerer = TextFinder(DOCUMENTS), CountingAnswerer()
    with asker_over(tmp_path, finder, answerer) as asker:
        finder.behind = True
        assert ask(asker, "What guide trains?").index_behind
        finder.behind = False
        reply = ask(asker, "What guide trains?")
    assert (reply.index_behind, reply.cache.retrieval_hit) == (False, False)


def test_an_answer_can_be_made_once_more(tmp_path: Path) -> None:
    finder, answerer = TextFinder(DOCUMENTS), CountingAnswerer()
    with asker_over(tmp_path, finder, answerer) as asker:
        for how in ({}, {"use_cache": False}, {"refresh": True}):
            assert not ask(asker, "What guide trains?", **how).cache.answer_hit
        assert ask(asker, "What guide trains?").cache.answer_hit
    assert len(answerer.asked) == 3


def test_equal_questions_at_once_are_answered_once(tmp_path: Path) -> None:
    finder, answerer = TextFinder(DOCUMENTS), CountingAnswerer()

    async def together(asker: Asker) -> list[Reply]:
        return await asyncio.gather(*(asker.ask(Question("What guide trains?")) for _ in range(20)))

    with asker_over(tmp_path, finder, answerer) as asker:
        replies = asyncio.run(together(asker))
    assert {reply.answer.text for reply in replies} == {"Points guide trains. [1]"}
    assert len(answerer.asked) == 1


def test_who_stops_listening_does_not_stop_the_answer(tmp_path: Path) -> None:
    """A request that was sent is paid for; the next one who asks gets its answer."""
    finder, answerer = TextFinder(DOCUMENTS), CountingAnswerer()

    async def leave(asker: Asker) -> None:
        async for event in asker.stream(Question("What guide trains?")):
            assert event.kind == "passages"
            break
        waiting = asyncio.ensure_future(asker.ask(Question("Which bread rises?")))
        await asyncio.sleep(0)
        waiting.cancel()
        await asker.aclose()

    with asker_over(tmp_path, finder, answerer) as asker:
        asyncio.run(leave(asker))
    with asker_over(tmp_path, finder, answerer) as asker:
        assert [event.kind for event in asyncio.run(_events(asker, "What guide trains?"))] == [
            "passages",
            "sentence",
            "reply",
        ]


async def _events(asker: Asker, text: str) -> list[Event]:
    return [event async for event in asker.stream(Question(text))]


def test_a_failure_is_raised_and_nothing_is_kept(tmp_path: Path) -> None:
    finder, answerer = TextFinder(DOCUMENTS), CountingAnswerer()
    with asker_over(tmp_path, finder, answerer) as asker:
        answerer.failure = DocumentError("The model is down.", "Start it.", transient=True)
        with pytest.raises(DocumentError, match="is down"):
            ask(asker, "What guide trains?")
        answerer.failure = None
        assert ask(asker, "What guide trains?").answer.found


def test_without_passages_nobody_is_asked(tmp_path: Path) -> None:
    finder, answerer = TextFinder(DOCUMENTS), CountingAnswerer()
    with asker_over(tmp_path, finder, answerer) as asker:
        reply = ask(asker, "Nothing of it")
    assert (reply.answer.found, reply.answer.sentences, reply.passages) == (False, (), ())
    assert answerer.asked == []


@pytest.mark.parametrize(
    ("text", "limit", "said"),
    [
        ("", 0, "is empty"),
        (" \n\0 ", 0, "is empty"),
        ("word " * 1_000, 0, "a shorter one"),
        ("What guide trains?", MOST_PASSAGES + 1, "from 1 to"),
        ("What guide trains?", -1, "from 1 to"),
    ],
)
def test_a_question_that_cannot_be_asked_is_refused(tmp_path: Path, text: str, limit: int, said: str) -> None:
    with (
        asker_over(tmp_path, TextFinder(DOCUMENTS), CountingAnswerer()) as asker,
        pytest.raises(ConfigurationError, match=said),
    ):
        asyncio.run(asker.ask(Question(text, limit=limit)))


@pytest.mark.parametrize(
    "text",
    ["\u202emaerts", "trains 🚂?", 'text:"a" OR (b AND -c)', "'; DROP TABLE chunks; --", "trains \udcff", "x\0guide"],
)
def test_odd_questions_are_questions(tmp_path: Path, text: str) -> None:
    with asker_over(tmp_path, TextFinder(DOCUMENTS), CountingAnswerer()) as asker:
        assert ask(asker, text).answer is not None
        assert ask(asker, text).question.text


def test_a_follow_up_is_answered_within_its_conversation(tmp_path: Path) -> None:
    """ "Where does it live?" says nothing without the question before it."""
    finder, answerer = TextFinder(DOCUMENTS), CountingAnswerer()
    with asker_over(tmp_path, finder, answerer) as asker:
        alone = ask(asker, "Where is it?")
        turns = (Turn("What guide trains?", "Points guide trains."),)
        within = asyncio.run(asker.ask(Question("Where is it?", turns)))
        again = asyncio.run(asker.ask(Question("Where is it?", turns)))
    assert not alone.answer.found
    assert within.answer.citations[0].document == "rails.md"
    assert again.cache.answer_hit


def test_filters_are_a_part_of_what_is_kept(tmp_path: Path) -> None:
    """An answer from one folder must not be given to who asks about another; and the same passages are paid once."""
    finder, answerer = TextFinder({**DOCUMENTS, "more.md": "Signals guide trains."}), CountingAnswerer()
    among = Filters(documents=("more.md", "bread.md"))
    with asker_over(tmp_path, finder, answerer) as asker:
        everywhere = ask(asker, "What guide trains?")
        narrow = Question("What guide trains?", filters=among)
        replies = [asyncio.run(asker.ask(narrow)) for _ in range(2)]
        wider = replies[0].question.filters
        same = asyncio.run(asker.ask(Question("What guide trains?", filters=Filters(documents=("more.md",)))))
        asked_with = asker.sessions.most_asked(9)
    assert everywhere.answer.citations[0].document == "more.md"
    assert [len(everywhere.passages), len(replies[0].passages)] == [2, 1]
    assert wider == Filters(documents=("bread.md", "more.md"))
    assert [reply.cache.answer_hit for reply in replies] == [False, True]
    assert same.cache.answer_hit
    assert len(answerer.asked) == 2
    assert narrow.text in {question.text for question in asked_with if question.filters}


def test_a_filter_that_names_nothing_is_refused(tmp_path: Path) -> None:
    with asker_over(tmp_path, TextFinder(DOCUMENTS), CountingAnswerer()) as asker, pytest.raises(FilterError):
        asyncio.run(asker.ask(Question("What guide trains?", filters=Filters(documents=("none.md",)))))


def test_the_key_of_a_question_without_filters_stays(tmp_path: Path) -> None:
    """Answers that were given before there were filters would be lost otherwise."""
    question = Question("What?", (Turn("a", "b"),), 3)
    assert question_key(question) == "cdd5388818053f396ed3d00a338f75e3"
    assert question_key(question) != question_key(Question("What?", (Turn("a", "b"),), 3, Filters(formats=("pdf",))))


class PuttingFollowUps:
    """Puts every question as `put`, for a price."""

    def __init__(self, put: str) -> None:
        self.put = put
        self.asked: list[Question] = []

    @property
    def identity(self) -> Mapping[str, Part]:
        return {"put by": "test"}

    async def standalone(self, question: Question, reuse: Reuse) -> str:
        self.asked.append(question)
        reuse.costs.charge(Usage(1, 10, 5, 0.25, model="test"))
        return self.put


def test_a_follow_up_that_a_model_puts_is_paid_once(tmp_path: Path) -> None:
    """ "And who wrote it?" finds nothing, and nor do the words of the question before it."""
    finder, answerer = TextFinder(DOCUMENTS), CountingAnswerer()
    follow_ups = PuttingFollowUps("What guide trains?")
    turns = (Turn("Which bread rises?", "Sourdough."), Turn("And on rails?", "Something."))
    with asker_over(tmp_path, finder, answerer, follow_ups) as asker:
        first = asyncio.run(asker.ask(Question("And who?", turns)))
        second = asyncio.run(asker.ask(Question("And who?", turns)))
        other = asyncio.run(asker.ask(Question("And who?", turns[1:])))
        alone = ask(asker, "And who?")
        once_more = asyncio.run(asker.ask(Question("And who?", turns), refresh=True))
        asker.close()
        asker._retriever._store.database.write().result()  # the savings, for which no one waits
        (account,) = asker._retriever._store.account.accounts()
    assert first.answer.citations[0].document == "rails.md"
    assert (first.sought, first.usd, first.requests, first.input_tokens, first.output_tokens) == (
        "What guide trains?",
        0.25,
        1,
        10,
        5,
    )
    assert (second.answer, second.sought, second.usd, second.cache.answer_hit) == (first.answer, first.sought, 0, True)
    assert (other.cache.retrieval_hit, other.usd) == (True, 0.25)
    assert (alone.sought, alone.requests) == ("", 0)
    assert once_more.requests == 1
    assert [question.turns for question in follow_ups.asked] == [turns, turns[1:], turns]
    saved = account.saved
    assert saved is not None
    assert (account.stage, saved.results, saved.usd) == ("standalone_question", 1, 0.25)


def test_a_kept_answer_is_saved_each_time(tmp_path: Path) -> None:
    """Spent and saved together are what all questions would have cost without the store."""
    finder = TextFinder(DOCUMENTS)

    class Paid(CountingAnswerer):
        async def draft(self, question: Question, passages: Sequence[Passage], reuse: Reuse) -> Draft:
            reuse.costs.charge(Usage(1, 100, 20, 0.5, model="test"))
            return await super().draft(question, passages, reuse)

    for times in (3, 2):
        with asker_over(tmp_path, finder, Paid()) as asker:
            spent = sum(ask(asker, "What guide trains?").usd or 0 for _ in range(times))
        assert spent == (0.5 if times == 3 else 0)
    store = Store(tmp_path / "store")
    (account,) = store.account.accounts()
    store.close()
    assert account.saved is not None
    assert (account.stage, account.model, account.saved.results, account.saved.usd) == ("answer", "test", 4, 2.0)
