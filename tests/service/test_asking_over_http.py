"""Questions over HTTP: replies, events, conversations, and what is done when much is asked or a model fails."""

import asyncio
import json
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from answering.answers import Passage, Question
from answering.drafts import Draft
from resources.errors import DocumentError, StoppedError
from seed_assets.memo.reuse import Reuse
from tests.support.asking import CountingAnswerer
from tests.support.pipelines import World
from tests.support.served import Served, served


def events(text: str) -> list[tuple[str, dict[str, Any]]]:
    """The events of a stream: their names and their data."""
    found: list[tuple[str, dict[str, Any]]] = []
    for block in text.replace("\r\n", "\n").strip().split("\n\n"):
        fields = dict(line.split(": ", 1) for line in block.split("\n") if not line.startswith(":"))
        if fields:
            found.append((fields["event"], json.loads(fields["data"])))
    return found


def test_a_reply_has_the_answer_its_citations_and_what_was_kept(service: Served) -> None:
    first, second = service.ask("What guide trains?"), service.ask("What guide trains?")
    assert first["answer"] == "Points guide trains. [1]"
    assert first["found"] is True
    (citation,) = first["citations"]
    assert (citation["document"], citation["start"], citation["end"], citation["text"]) == (
        "rails.md",
        0,
        20,
        "Points guide trains.",
    )
    assert first["passages"][0]["document"] == "rails.md"
    assert first["cache"] == {"answer_hit": False, "retrieval_hit": False, "embed_hits": 0, "embed_misses": 1}
    assert (second["answer"], second["cache"]["answer_hit"]) == (first["answer"], True)
    assert service.answerer.asked == ["What guide trains?"]


def test_a_kept_answer_is_left_alone_or_made_once_more_as_the_client_says(service: Served) -> None:
    service.ask("What guide trains?")
    assert not service.ask("What guide trains?", use_cache=False)["cache"]["answer_hit"]
    assert not service.ask("What guide trains?", refresh=True)["cache"]["answer_hit"]
    assert len(service.answerer.asked) == 3
    assert service.ask("What guide trains?")["cache"]["answer_hit"]


@pytest.mark.parametrize("kept", [False, True])
@pytest.mark.parametrize("way", ["accept", "stream"])
def test_a_stream_has_the_passages_each_sentence_and_the_reply(service: Served, way: str, kept: bool) -> None:
    """A program that shows a stream must not care whether the answer was kept."""
    if kept:
        service.ask("What guide trains?")
    body = {"question": "What guide trains?"} | ({"stream": True} if way == "stream" else {})
    headers = {"Accept": "text/event-stream"} if way == "accept" else {}
    found = service.client.post("/ask", json=body, headers=headers)
    assert found.headers["content-type"].startswith("text/event-stream")
    (name, passages), (_, sentence), (_, reply) = events(found.text)
    assert name == "passages"
    assert passages["passages"][0]["document"] == "rails.md"
    assert sentence == {"text": "Points guide trains.", "citations": [1], "supported": True}
    assert (reply["answer"], reply["cache"]["answer_hit"]) == ("Points guide trains. [1]", kept)


def test_search_gives_passages(service: Served) -> None:
    found = service.client.post("/search", json={"query": "slowly", "limit": 1}).json()
    assert [passage["document"] for passage in found["passages"]] == ["bread.md"]
    again = service.client.post("/search", json={"query": "slowly", "limit": 1}).json()
    assert again["cache"]["retrieval_hit"]


def test_questions_and_queries_have_filters(service: Served) -> None:
    among = {"documents": ["bread.md", "reef.md"]}
    assert service.ask("Which of them grow slowly?", filters=among)["citations"][0]["document"] == "bread.md"
    reef = {"documents": ["reef.md"]}
    assert service.ask("Which of them grow slowly?", filters=reef)["citations"][0]["document"] == "reef.md"
    found = service.client.post("/search", json={"query": "slowly", "filters": reef}).json()
    assert [passage["document"] for passage in found["passages"]] == ["reef.md"]


@pytest.mark.parametrize(
    ("filters", "said"),
    [
        ({"documents": ["no\0ne.md"]}, "There is no document"),
        ({"documents": ["no\ud800ne.md"]}, "valid string"),
        ({"documents": [""]}, "at least 1 character"),
        ({"folder": ["x"]}, "Extra inputs"),
        ({"since": "yesterday"}, "no day"),
        ({"since": 20260101}, "no day"),
        ({"since": "2026-02-30"}, "day is out of range"),
        ({"formats": "pdf"}, "valid list"),
    ],
)
def test_a_wrong_filter_is_named(service: Served, filters: dict[str, Any], said: str) -> None:
    for path, body in (("/ask", {"question": "What?"}), ("/search", {"query": "what"})):
        content = json.dumps(body | {"filters": filters})
        found = service.client.post(path, content=content, headers={"Content-Type": "application/json"})
        assert (found.status_code, said in found.json()["detail"]) == (422, True), found.text


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ('{"question": "  "}', "body.question: it is empty; enter a question or some words"),
        ('{"question": ', "body: it is no JSON from character 13 on"),
    ],
)
def test_a_body_that_is_not_valid_is_described_without_words_of_a_library(
    service: Served, body: str, said: str
) -> None:
    found = service.client.post("/ask", content=body, headers={"Content-Type": "application/json"})
    assert (found.status_code, found.json()["detail"]) == (422, said)


class SlowAnswerer(CountingAnswerer):
    """Answers after a while."""

    async def draft(self, question: Question, passages: Sequence[Passage], reuse: Reuse) -> Draft:
        await asyncio.sleep(0.5)
        return await super().draft(question, passages, reuse)


@pytest.mark.slow
def test_equal_questions_at_once_are_worked_on_once(service: Served) -> None:
    service.base.asker._answerer = slow = SlowAnswerer()  # type: ignore[attr-defined]
    with ThreadPoolExecutor(8) as pool:
        replies = list(pool.map(lambda _: service.ask("What guide trains?"), range(8)))
    assert slow.asked == ["What guide trains?"]
    assert service.finder.searches == 1
    assert {reply["answer"] for reply in replies} == {"Points guide trains. [1]"}


@pytest.mark.slow
def test_an_answer_that_takes_too_long_is_finished_and_kept(plain_world: World) -> None:
    """A request that was sent to a model is paid for, whether the client waits or not."""
    with served(plain_world.home, plain_world.corpus, timeout_seconds=0.1) as service:
        service.base.asker._answerer = slow = SlowAnswerer()  # type: ignore[attr-defined]
        for stream in (False, True):
            found = service.client.post("/ask", json={"question": "What guide trains?", "stream": stream})
            if stream:
                ((name, problem),) = events(found.text)[-1:]
                assert name == "problem"
            else:
                problem = found.json()
                assert found.status_code == 504
            assert problem["status"] == 504
            assert "service.timeout_seconds" in problem["detail"]
    # Closing the service waits for answers that are under way.
    assert len(slow.asked) >= 1
    with served(plain_world.home, plain_world.corpus) as service:
        assert service.ask("What guide trains?")["cache"]["answer_hit"]


@pytest.mark.slow
def test_more_questions_than_can_wait_are_refused_and_kept_answers_never_wait(plain_world: World) -> None:
    with served(plain_world.home, plain_world.corpus, parallel=1) as service:
        service.ask("Which bread rises?")
        service.base.asker._answerer = SlowAnswerer()  # type: ignore[attr-defined]
        service.base.work._most_waiting = 2
        with ThreadPoolExecutor(12) as pool:
            asked = [
                pool.submit(service.client.post, "/ask", json={"question": f"What guide trains {number}?"})
                for number in range(10)
            ]
            assert service.ask("Which bread rises?")["cache"]["answer_hit"]
            found = [one.result() for one in asked]
    statuses = sorted(one.status_code for one in found)
    assert statuses[:3] == [200, 200, 200]
    assert statuses[-1] == 503
    refused = next(one for one in found if one.status_code == 503)
    assert refused.headers["retry-after"]


@pytest.mark.parametrize(
    ("failure", "status"),
    [(DocumentError("the model answered nothing.", "Try again."), 502), (StoppedError("the budget is used up"), 503)],
)
def test_a_failure_is_a_problem_document_with_its_reason(service: Served, failure: Exception, status: int) -> None:
    service.answerer.failure = failure
    found = service.client.post("/ask", json={"question": "What guide trains?"})
    assert found.status_code == status
    assert found.headers["content-type"] == "application/problem+json"
    assert str(failure)[:20] in found.json()["detail"]
    streamed = service.client.post("/ask", json={"question": "What guide trains?", "stream": True})
    assert events(streamed.text)[-1][1]["status"] == status


def test_an_unexpected_error_says_nothing_of_the_inside(service: Served) -> None:
    service.answerer.failure = RuntimeError("secret of the inside")
    found = service.client.post("/ask", json={"question": "What guide trains?"})
    assert found.status_code == 500
    assert "secret" not in found.text
    assert found.headers["content-type"] == "application/problem+json"


def test_nothing_seeded_says_what_to_do(empty_plain_world: World) -> None:
    with served(empty_plain_world.home, empty_plain_world.corpus) as service:
        for path, body in (("/ask", {"question": "What?"}), ("/search", {"query": "What?"})):
            found = service.client.post(path, json=body)
            assert found.status_code == 503
            assert "Run `seedbank seed`" in found.json()["detail"]
        assert service.client.get("/documents").status_code == 503
        assert service.client.get("/metrics").status_code == 200
        assert not (empty_plain_world.home / "store").exists()


def test_a_conversation_is_kept_shown_exported_and_deleted(service: Served) -> None:
    client = service.client
    session = client.post("/sessions").json()["session"]
    service.ask("What guide trains?", session=session)
    followed = service.ask("Which bread rises?", session=session)
    assert followed["session"] == session
    (entry,) = client.get("/sessions").json()["sessions"]
    assert (entry["session"], entry["title"], entry["turns"]) == (session, "What guide trains?", 2)
    shown = client.get(f"/sessions/{session}").json()["turns"]
    assert [turn["question"] for turn in shown] == ["What guide trains?", "Which bread rises?"]
    lines = client.get(f"/sessions/{session}/export").text.splitlines()
    assert [json.loads(line)["question"]["text"] for line in lines] == ["What guide trains?", "Which bread rises?"]
    assert json.loads(lines[1])["question"]["turns"] == [["What guide trains?", "Points guide trains. [1]"]]
    assert client.delete(f"/sessions/{session}").status_code == 204
    for found in (
        client.get(f"/sessions/{session}"),
        client.get(f"/sessions/{session}/export"),
        client.delete(f"/sessions/{session}"),
        client.post("/ask", json={"question": "What?", "session": session}),
    ):
        assert found.status_code == 404, found.text
        assert "There is no such conversation" in found.json()["detail"]


def test_what_is_kept_of_questions_is_counted_and_purged_without_what_was_paid(service: Served, tmp_path: Path) -> None:
    service.ask("What guide trains?")
    before = service.client.get("/cache/stats").json()
    assert (before["retrievals"], before["answers"]) == (1, 1)
    purged = service.client.post("/cache/purge").json()
    assert purged == {"retrievals": 1, "answers": 1, "requests": 0}
    after = service.client.get("/cache/stats").json()
    assert (after["retrievals"], after["answers"]) == (0, 0)
    # Nothing else was removed.
    assert after["actions"] == before["actions"] - 2
    assert not service.ask("What guide trains?")["cache"]["answer_hit"]
