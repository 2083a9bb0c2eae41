"""The page on which questions are asked: with and without JavaScript, from caches, unsupported, unanswered and failed."""

import datetime as dt
import json
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import pytest
from lxml import html

from answering.answers import Passage, Question
from answering.drafts import Draft, DraftSentence, Place
from resources.errors import DocumentError
from retrieval.filters import Filters
from seed_assets.memo.reuse import Reuse
from service.pages.filter_fields import filters_in_words
from tests.support.asking import CountingAnswerer, TextFinder
from tests.support.html_content import Shown, shown
from tests.support.pipelines import World
from tests.support.served import Served, base_over, client_of, served

OWN = {"Origin": "http://127.0.0.1:8000"}
QUESTION = "Where are corals seen?"
CORALS = "reefs/corals.txt"
SENTENCE = "Of corals the note 0.0 says that it was seen before noon and written down with care."


@pytest.fixture
def asking(service: Served) -> Served:
    """A service whose answers are of a document that it has."""
    service.finder.documents = {CORALS: SENTENCE}
    return service


class Scripted(CountingAnswerer):
    """Answers with the sentences that a test gives."""

    def __init__(self, *sentences: DraftSentence, by: str = "script") -> None:
        super().__init__()
        self.sentences, self.by = sentences, by

    @property
    def identity(self) -> dict[str, Any]:
        return {"answerer": str(self.sentences)}

    async def draft(self, question: Question, passages: Sequence[Passage], reuse: Reuse) -> Draft:
        return Draft(self.sentences, self.by)


@contextmanager
def scripted(world: World, answerer: CountingAnswerer) -> Iterator[Served]:
    """A service whose answers come from this answerer, and are of one document."""
    finder = TextFinder({CORALS: SENTENCE})
    base = base_over(world.home, world.corpus, finder, answerer)
    with client_of([base]) as client:
        yield Served(client, base, finder, answerer)


def answer(service: Served, question: str = QUESTION, **form: str) -> Shown:
    return shown(service.client.post("/page/ask", data={"question": question, **form}, headers=OWN))


def parts(service: Served, question: str = QUESTION, **form: str) -> list[str]:
    """The parts that a page with JavaScript gets."""
    headers = {**OWN, "HX-Request": "true"}
    found = service.client.post("/page/ask", data={"question": question, **form}, headers=headers)
    assert found.headers["content-type"].startswith("text/event-stream"), found.text
    events = found.text.replace("\r\n", "\n").strip().split("\n\n")
    return ["\n".join(line.removeprefix("data: ") for line in event.split("\n")) for event in events]


def test_a_question_is_answered_without_javascript_and_its_source_opens_at_the_place(asking: Served) -> None:
    page = answer(asking)
    assert page.status == 200
    assert page.words("//p[@class='answer']") == [f"{SENTENCE} [1]"]
    (cited,) = page.links("//p[@class='answer']")
    place = shown(asking.client.get(cited))
    assert place.words("//mark") == [SENTENCE]
    assert place.tree.xpath("//mark/@id") == ["place"]
    assert "has changed" not in place.text
    assert len(place.text) > 2 * len(SENTENCE), "the passage is shown in its context"


def test_a_place_whose_document_has_changed_since_is_not_shown_as_if_it_had_not(asking: Served) -> None:
    asking.finder.documents = {CORALS: "Corals were never seen at all, by anybody, at any hour of any day that was."}
    (cited,) = answer(asking).links("//p[@class='answer']")
    assert "The document has changed" in shown(asking.client.get(cited)).text


def test_sentences_are_streamed_and_the_whole_answer_follows(asking: Served) -> None:
    begun, passages, sentence, ended = parts(asking)
    assert QUESTION in begun
    assert "1 passage found" in passages
    (turn,) = re.findall(r'<article class="turn begun" id="turn-(\w+)"', begun)
    assert f'hx-target="#answer-{turn}"' in sentence
    assert SENTENCE in sentence
    assert "/page/text/reefs/corals.txt?" in ended
    assert f'hx-target="#turn-{turn}"' in ended
    assert turn not in parts(asking)[0], "two answers that come at once have places of their own"
    assert f'name="conversation" value="{asking.base.asker.sessions.conversations()[-1].id}"' in ended
    assert len(asking.answerer.asked) == 1


def test_badges_say_what_was_kept_and_what_was_made(asking: Served) -> None:
    first = answer(asking).words("//li[contains(@class, 'badge')]")
    again = answer(asking).words("//li[contains(@class, 'badge')]")
    assert first[:2] == ["made now", "$0.00"]
    assert again[0] == "answer kept"
    assert len(asking.answerer.asked) == 1
    asking.base.session.store.actions.remove(["answer"])
    asking.base.asker.forget()
    assert answer(asking).words("//li[contains(@class, 'badge')]")[:2] == ["passages kept", "made now"]


def test_a_question_in_a_conversation_comes_after_the_others(asking: Served) -> None:
    first = asking.client.post("/page/ask", data={"question": QUESTION}, headers=OWN)
    conversation = first.url.path.rpartition("/")[2]
    page = answer(asking, "And when are corals seen?", conversation=conversation)
    assert page.words("//h2[@class='question']") == [QUESTION, "And when are corals seen?"]
    assert len(asking.base.asker.sessions.conversations()) == 1


def test_a_question_is_asked_once_more_as_it_was_asked(asking: Served) -> None:
    """With its own answer among the earlier turns it would be another question, about that answer."""
    answer(asking)
    page = answer(asking)  # kept, so it says who answered, and can be asked once more
    (form,) = page.tree.xpath("//form[@class='again']")
    given = dict(form.fields)
    parts(asking, **given)
    sessions = asking.base.asker.sessions
    kept, once_more = sessions.replies(str(given["conversation"]))
    assert once_more.question == kept.question
    assert not once_more.cache.answer_hit
    for unknown in ("7", "0", "first", "9" * 5_000):
        assert answer(asking, **{**given, "again": unknown}).status == 404
    assert len(asking.answerer.asked) == 2


def test_a_question_is_asked_of_some_documents_and_the_next_one_too(asking: Served) -> None:
    asking.finder.documents["reefs/fish.txt"] = SENTENCE
    page = answer(asking, document=CORALS, folder=" ", since="2020-02-29")
    (reply,) = asking.base.asker.sessions.replies(asking.base.asker.sessions.conversations()[0].id)
    assert reply.question.filters == Filters(documents=(CORALS,), since=dt.date(2020, 2, 29))
    assert {passage.document for passage in reply.passages} == {CORALS}
    assert f"Only in: document {CORALS}, modified since 2020-02-29" in page.text
    (form,) = page.tree.xpath("//form[@id='ask-form']")
    filled = {name: value for name, value in dict(form.fields).items() if value and name != "conversation"}
    assert filled == {"document": CORALS, "since": "2020-02-29"}
    assert form.xpath("details/@open"), "a filter that is in use is not hidden"


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        ({"document": "reefs/coral.txt"}, "There is no document 'reefs/coral.txt'."),
        ({"since": "yesterday"}, "Enter a day such as 2026-01-31."),
        ({"folder": "x" * 5_000}, "more than 4,096 characters"),
    ],
)
def test_a_filter_that_cannot_be_used_is_named(asking: Served, given: dict[str, str], problem: str) -> None:
    page = answer(asking, **given)
    assert (page.status, problem in page.text) == (422, True), page.text
    assert asking.base.asker.sessions.conversations() == []


@pytest.mark.parametrize(
    ("filters", "words"),
    [
        (Filters(), ""),
        (Filters(folders=("a", "b"), formats=("pdf",)), "folder a or b, format pdf"),
        (Filters(clusters=("topic/3",), concepts=("tide",)), "concept tide, cluster topic/3"),
        (Filters(where=("leases.kind=flat",)), "rows with leases.kind=flat"),
    ],
)
def test_filters_are_said_in_words(filters: Filters, words: str) -> None:
    assert filters_in_words(filters) == words


def test_what_was_looked_for_is_shown_if_it_is_not_the_question(asking: Served) -> None:
    """Without it nobody sees that a follow-up question was understood wrongly."""
    first = asking.client.post("/page/ask", data={"question": QUESTION}, headers=OWN)
    assert "Looked for" not in first.text
    page = answer(asking, "Where are they?", conversation=first.url.path.rpartition("/")[2])
    assert f"Looked for: {QUESTION} Where are they?" in page.text


def test_what_the_documents_do_not_support_is_marked(plain_world: World) -> None:
    supported = DraftSentence("Corals were seen.", (Place(0, 0, 9),))
    with scripted(plain_world, Scripted(supported, DraftSentence("They sing.", (), False))) as service:
        page = answer(service)
        (marked,) = page.tree.xpath("//span[contains(@class, 'unsupported')]")
        assert marked.text_content() == "They sing."
        assert page.words("//p[@class='answer']") == ["Corals were seen. [1] They sing. not supported"]
        assert "1 sentence of this answer is not supported" in page.text


def test_the_documents_do_not_say_with_the_nearest_passages(plain_world: World) -> None:
    with scripted(plain_world, Scripted()) as service:
        page = answer(service)
        assert "The documents do not say." in page.text
        assert not page.words("//p[@class='answer']")
        (nearest,) = page.links("//details[@class='sources']")
        assert nearest.startswith("/page/text/reefs/corals.txt?")
        service.finder.documents = {}
        assert "The documents do not say." in answer(service, "Who?").text


def test_a_model_that_fails_is_reported_and_nothing_is_kept(asking: Served) -> None:
    asking.answerer.failure = DocumentError("The model did not answer.", "Ask again later.")
    page = answer(asking)
    assert (page.status, "The model did not answer. Ask again later." in page.text) == (502, True)
    failed = parts(asking)[-1]
    assert 'hx-target="#turn-' in failed
    assert "The model did not answer. Ask again later." in failed
    assert asking.base.asker.sessions.conversations() == []


@pytest.mark.parametrize(
    ("question", "status", "reason"),
    [("", 422, "empty"), (" \0 ", 422, "empty"), ("x" * 2_001, 422, "2,000"), ("\u202ewhy\U0001f41f?", 200, "why")],
    ids=["empty", "nul", "too long", "emoji"],
)
def test_a_question_is_refused_only_with_a_reason(asking: Served, question: str, status: int, reason: str) -> None:
    page = answer(asking, question)
    assert page.status == status
    assert reason in page.text
    assert "\u202e" not in page.text


def test_a_conversation_that_is_gone_is_said_to_be(asking: Served) -> None:
    assert answer(asking, conversation="none").status == 404


def test_a_form_is_bounded_and_has_its_own_type(asking: Served) -> None:
    for body, kind, status in (
        (b"question=" + b"x" * (1 << 20), "application/x-www-form-urlencoded", 413),
        (b'{"question": "why"}', "application/json", 415),
        (b"question=\xff", "application/x-www-form-urlencoded", 400),
        (b"&".join([b"a=b"] * 100), "application/x-www-form-urlencoded", 400),
    ):
        found = asking.client.post("/page/ask", content=body, headers={**OWN, "Content-Type": kind})
        assert found.status_code == status


def test_markup_of_documents_models_and_people_stays_text(plain_world: World) -> None:
    """A passage may hold a script, an attribute of htmx or an entity: whoever reads the page must only see it."""
    evil = "<script>alert(1)</script><img src=x onerror=alert(1)><b hx-get='/page/logout' hx-trigger='load'>&amp;\u202e"
    with scripted(plain_world, Scripted(DraftSentence(evil, (Place(0, 0, len(evil)),)), by=evil)) as service:
        service.finder.documents = {f"{evil}.md": evil}
        page = answer(service, evil)
        seen = evil.removesuffix("\u202e")
        assert page.words("//h2[@class='question']") == [seen]
        assert not page.tree.xpath("//main//script | //main//img | //main//b | //*[@onerror]")
        last = parts(service, evil)
        tree = html.fragment_fromstring("".join(last), create_parent=True)
        assert not tree.xpath(".//script | .//img | .//b | .//*[@onerror]")


def test_a_home_that_was_never_seeded_offers_to_begin(empty_plain_world: World) -> None:
    with served(empty_plain_world.home, empty_plain_world.corpus) as service:
        page = shown(service.client.get("/"))
        assert page.status == 200
        assert "Nothing is in this knowledge base yet" in page.text
        assert "/page/ingestions" in page.links()
        for path in ("/page/documents", "/page/clusters", "/page/money", "/page/conversations"):
            refused = shown(service.client.get(path))
            assert refused.status == 503
            assert "Nothing is seeded" in refused.text
        assert answer(service).status == 503


def test_conversations_are_listed_exported_and_deleted(asking: Served) -> None:
    first = asking.client.post("/page/ask", data={"question": QUESTION}, headers=OWN)
    address = first.url.path
    for path in ("/", "/page/conversations"):
        assert address in shown(asking.client.get(path)).links()
    lines = asking.client.get(f"{address}/export")
    assert lines.headers["content-disposition"].startswith("attachment")
    assert [json.loads(line)["question"]["text"] for line in lines.text.splitlines()] == [QUESTION]
    assert asking.client.get(f"{address}/delete").status_code == 405
    left = shown(
        asking.client.post(f"{address}/delete", headers={**OWN, "Content-Type": "application/x-www-form-urlencoded"})
    )
    assert "Nothing was asked yet" in left.text
    for path in (address, f"{address}/export"):
        assert shown(asking.client.get(path)).status == 404
