"""Each fault of the model server fails in its own way, and a script meets the same requests with the same faults."""

import json
import time
from collections.abc import Iterator
from typing import Any

import httpx2
import numpy as np
import pytest

from tests.resources.models.test_model_server import OLLAMA, OPENAI, SUMMARY, chat, content, embed
from tests.support.model_faults import (
    BadBody,
    ContentFilter,
    DropBeforeReply,
    DropMidReply,
    EmptyChoices,
    Fault,
    FencedJson,
    HtmlInstead,
    Huge,
    InvalidJson,
    Latency,
    MissingEmbedding,
    MissingUsage,
    NanEmbedding,
    PlainContentType,
    Refusal,
    RejectsJsonSchema,
    RejectsResponseFormat,
    ShuffledEmbeddings,
    Stall,
    Status,
    TooMany,
    Truncated,
    WrongDimension,
    WrongSchema,
    sequence,
    sometimes,
)
from tests.support.model_server import Call, ModelServer


class Scripted:
    """A script that a test may change while the server runs: one server serves them all."""

    def __init__(self) -> None:
        self.fault: Fault | None = None

    def __call__(self, call: Call, earlier: int) -> Fault | None:
        return self.fault


@pytest.fixture(scope="module")
def script() -> Scripted:
    return Scripted()


@pytest.fixture(scope="module")
def server(script: Scripted) -> Iterator[ModelServer]:
    with ModelServer(script, extra_headers=lambda call: {"x-ratelimit-remaining-requests": "7"}) as server:
        yield server


@pytest.fixture(scope="module")
def client(server: ModelServer) -> Iterator[httpx2.Client]:
    with httpx2.Client(base_url=server.url, timeout=5, trust_env=False) as client:
        yield client


@pytest.mark.parametrize(
    ("fault", "status", "code"),
    [
        (TooMany("3", {"x-more": "1"}), 429, "rate_limit_exceeded"),
        (Status(429, "spent", {"x-more": "1"}, "insufficient_quota"), 429, "insufficient_quota"),
        *((Status(code, headers={"x-more": "1"}), code, None) for code in (400, 401, 403, 404, 408, 409, 500, 503)),
    ],
)
def test_errors_come_in_the_form_of_each_api(
    server: ModelServer, script: Scripted, client: httpx2.Client, fault: Fault, status: int, code: str | None
) -> None:
    """A client reads the reason from another place in each API; and an error is no valid answer."""
    script.fault = fault
    for path in (OPENAI, OLLAMA):
        reply = client.post(path, json=chat(path))
        assert (reply.status_code, reply.headers["x-more"]) == (status, "1")
        assert reply.headers.get("retry-after") == ("3" if isinstance(fault, TooMany) else None)
        assert "x-ratelimit-remaining-requests" not in reply.headers
        error = reply.json()["error"]
        assert (isinstance(error, str) and error) if path == OLLAMA else (error["message"] and error["code"] == code)
        assert (server.calls[-1].fault, server.calls[-1].valid) == (type(fault).__name__, False)


@pytest.mark.parametrize("reset", [True, False])
@pytest.mark.parametrize("kind", [DropMidReply, DropBeforeReply])
def test_a_dropped_connection_is_an_error_of_the_transport(
    server: ModelServer,
    script: Scripted,
    client: httpx2.Client,
    kind: type[DropMidReply | DropBeforeReply],
    reset: bool,
) -> None:
    """By a reset or by an early end: a client meets two different errors, and has half of a body or nothing."""
    script.fault = kind(reset=reset)
    error = httpx2.ReadError if reset else httpx2.RemoteProtocolError
    got = b""
    with pytest.raises(error), client.stream("POST", OPENAI, json=chat()) as reply:  # noqa: PT012
        for part in reply.iter_raw():
            got += part
        pytest.fail("the whole body came")
    assert bool(got) == (kind is DropMidReply)
    assert (server.calls[-1].fault, server.calls[-1].valid) == (kind.__name__, False)


@pytest.mark.parametrize("fault", [Latency(0.3), Stall(0.3)])
@pytest.mark.slow
def test_a_client_that_gives_up_was_given_nothing(
    server: ModelServer, script: Scripted, client: httpx2.Client, fault: Fault
) -> None:
    """What was answered to nobody must not count as a valid answer, or every timeout would look like waste."""
    script.fault = fault
    with pytest.raises(httpx2.ReadTimeout):
        client.post(OPENAI, json=chat(), timeout=0.1)
    time.sleep(0.4)  # until after the moment at which it would have been answered
    assert (server.calls[-1].fault, server.calls[-1].valid) == (type(fault).__name__, False)


def test_an_answer_that_is_only_late_counts_and_a_stall_ends(
    server: ModelServer, script: Scripted, client: httpx2.Client
) -> None:
    script.fault = Latency(0.05)
    assert json.loads(content(client.post(OPENAI, json=chat()))) == SUMMARY
    assert server.calls[-1].valid
    script.fault = Stall(0.05)
    with pytest.raises(httpx2.RemoteProtocolError):
        client.post(OPENAI, json=chat())


def test_a_huge_body_comes_in_chunks_and_the_server_survives_who_reads_none_of_it(
    server: ModelServer, script: Scripted, client: httpx2.Client
) -> None:
    script.fault = Huge(2)
    with client.stream("POST", OPENAI, json=chat()) as reply:
        assert "content-length" not in reply.headers
        assert sum(len(part) for part in reply.iter_raw()) > 2_000_000
    script.fault = Huge(50)
    with client.stream("POST", OPENAI, json=chat()):
        pass
    assert not server.calls[-1].valid


@pytest.mark.parametrize("path", [OPENAI, OLLAMA])
@pytest.mark.parametrize(
    ("fault", "valid", "reason"),
    [
        (InvalidJson(), False, "stop"),
        (FencedJson(), True, "stop"),
        (WrongSchema(), False, "stop"),
        (Truncated(), False, "length"),
        (Refusal(), False, "stop"),
        (ContentFilter(), False, "content_filter"),
        (EmptyChoices(), False, "load"),
        (MissingUsage(), True, "stop"),
        (HtmlInstead(), False, ""),
        (PlainContentType(), True, "stop"),
        (BadBody(), False, ""),
    ],
)
def test_what_is_wrong_with_an_answer_that_says_200(
    server: ModelServer, script: Scripted, client: httpx2.Client, path: str, fault: Fault, valid: bool, reason: str
) -> None:
    """Each is a failure that a client takes for an answer unless it looks at the very place that differs."""
    script.fault = fault
    reply = client.post(path, json=chat(path))
    assert reply.status_code == 200
    assert (server.calls[-1].fault, server.calls[-1].valid) == (type(fault).__name__, valid)
    form = {HtmlInstead: "text/html", PlainContentType: "text/plain"}.get(type(fault), "application/json")
    assert reply.headers["content-type"] == form
    if isinstance(fault, HtmlInstead | BadBody):
        with pytest.raises(ValueError, match="Expecting value"):
            reply.json()
        return
    payload = reply.json()
    if isinstance(fault, EmptyChoices) and path == OPENAI:
        assert payload["choices"] == []
        return
    if path == OPENAI:
        assert payload["choices"][0]["finish_reason"] == reason
    else:
        assert payload["done_reason"] == ("stop" if reason == "content_filter" else reason)
    assert bool({"usage", "prompt_eval_count", "eval_count"} & payload.keys()) != isinstance(fault, MissingUsage)
    said = content(reply)
    match fault:
        case FencedJson():
            before, fenced, _ = said.split("```")
            assert before.strip()
            assert json.loads(fenced.removeprefix("json")) == SUMMARY
        case WrongSchema():
            assert "summary" not in json.loads(said)
        case Refusal() if path == OPENAI:
            assert said is None
            assert payload["choices"][0]["message"]["refusal"]
        case InvalidJson() | Truncated() | Refusal() | ContentFilter() | EmptyChoices():
            with pytest.raises(ValueError, match=r"Expecting|Unterminated"):
                json.loads(said)
        case _:
            assert json.loads(said) == SUMMARY


@pytest.mark.parametrize("path", [OPENAI, OLLAMA])
def test_a_form_that_is_rejected_is_rejected_only_where_it_is_asked_for(
    server: ModelServer, script: Scripted, client: httpx2.Client, path: str
) -> None:
    """A client steps down from a schema to any JSON to plain text; each step must find its own answer."""
    plain = chat(path, schema=None)
    loose = plain | ({"format": "json"} if path == OLLAMA else {"response_format": {"type": "json_object"}})
    statuses: dict[str, list[int]] = {}
    for fault in (RejectsJsonSchema(), RejectsResponseFormat()):
        script.fault = fault
        replies = [client.post(path, json=body) for body in (chat(path), loose, plain)]
        statuses[type(fault).__name__] = [reply.status_code for reply in replies]
        assert "response_format" in replies[0].text
    assert statuses == {"RejectsJsonSchema": [400, 200, 200], "RejectsResponseFormat": [400, 400, 200]}
    assert (server.calls[-1].fault, server.calls[-1].valid) == ("", True)


@pytest.mark.parametrize("path", ["/v1/embeddings", "/api/embed"])
def test_faults_of_embeddings(server: ModelServer, script: Scripted, client: httpx2.Client, path: str) -> None:
    """Each gives a list of vectors that looks well until somebody counts, sorts or checks them."""

    def under(fault: Fault | None) -> list[Any]:
        script.fault = fault
        return embed(client, path)

    def vectors(items: list[Any]) -> list[list[float]]:
        return items if path == "/api/embed" else [item["embedding"] for item in items]

    whole = under(None)
    shuffled = under(ShuffledEmbeddings())
    assert server.calls[-1].valid
    if path == "/api/embed":
        assert shuffled == whole
    else:
        assert shuffled != whole
        assert sorted(shuffled, key=lambda item: item["index"]) == whole
    assert {len(vector) for vector in vectors(under(WrongDimension()))} == {255}
    assert vectors(under(MissingEmbedding())) == vectors(whole)[:-1]
    assert np.isnan(vectors(under(NanEmbedding()))[-1][0])
    assert [call.valid for call in server.calls[-3:]] == [False] * 3
    assert vectors(under(Refusal())) == vectors(whole)  # a fault of chats alone
    assert server.calls[-1].valid


def asked(number: int, digest: str) -> Call:
    return Call(number, 0.0, OPENAI, {}, {}, digest)


def test_sometimes_depends_on_the_request_alone() -> None:
    """Two runs whose requests arrive in another order, or with others between, meet the same faults."""
    faults = (Status(500), TooMany("1"))
    script, again, seeded = (sometimes(0.4, faults, seed) for seed in (1, 1, 2))
    asks = [(f"digest {number}", earlier) for number in range(200) for earlier in range(5)]
    met = {ask: script(asked(0, ask[0]), ask[1]) for ask in asks}
    assert {ask: again(asked(9, ask[0]), ask[1]) for ask in reversed(asks)} == met
    assert {ask: seeded(asked(0, ask[0]), ask[1]) for ask in asks} != met
    assert set(met.values()) == {*faults, None}
    assert 0.25 < sum(fault is not None for fault in met.values()) / len(met) < 0.45


def test_sometimes_answers_after_so_many_failures() -> None:
    """A client that tries often enough is always served; without that, a test with faults might never end."""
    script = sometimes(1.0, [Status(500)], seed=3, at_most=2)
    assert [script(asked(0, "one"), earlier) is None for earlier in range(6)] == [False, False, True] * 2


def test_a_sequence_goes_by_the_number_of_the_call_and_then_answers() -> None:
    script = sequence(Status(500), None, TooMany())
    assert [script(asked(number, "one"), 0) for number in range(5)] == [Status(500), None, TooMany(), None, None]
