"""The model server of the other tests serves what fits, and counts what a client was really given."""

import base64
import json
import threading
import time
from collections.abc import Iterator
from typing import Any

import httpx2
import numpy as np
import pytest

from tests.support.model_faults import Fault, Stall, Status, always, first
from tests.support.model_server import Call, ModelServer

OPENAI, OLLAMA = "/v1/chat/completions", "/api/chat"
DOCUMENT = "Chained libraries kept their volumes on shelves. The pages face outward! Readers stood at lecterns."
SCHEMA = {"type": "object", "properties": {"summary": {"type": "string"}}, "required": ["summary"]}
SUMMARY = {"summary": DOCUMENT}


@pytest.fixture(scope="module")
def server() -> Iterator[ModelServer]:
    with ModelServer(extra_headers=lambda call: {"x-ratelimit-remaining-requests": "7"}) as server:
        yield server


@pytest.fixture(scope="module")
def client(server: ModelServer) -> Iterator[httpx2.Client]:
    with httpx2.Client(base_url=server.url, timeout=5, trust_env=False) as client:
        yield client


def chat(path: str = OPENAI, schema: dict[str, Any] | None = SCHEMA, text: str = DOCUMENT) -> dict[str, Any]:
    """A request for a summary, in the words of the API."""
    messages = [
        {"role": "system", "content": "Sum it up."},
        {"role": "user", "content": f"<document>{text}</document>"},
    ]
    body: dict[str, Any] = {"model": "small", "messages": messages}
    if path == OLLAMA:
        return body | {"stream": False} | ({"format": schema} if schema else {})
    form = {"type": "json_schema", "json_schema": {"name": "summary", "schema": schema, "strict": True}}
    return body | ({"response_format": form} if schema else {})


def content(reply: httpx2.Response) -> str:
    payload = reply.json()
    return payload["message"]["content"] if "message" in payload else payload["choices"][0]["message"]["content"]


@pytest.mark.parametrize("path", [OPENAI, OLLAMA])
def test_without_a_fault_the_answer_fits_and_counts(server: ModelServer, client: httpx2.Client, path: str) -> None:
    """Guards the ground of all other tests: a client that does everything right gets what it asked for."""
    reply = client.post(path, json=chat(path), headers={"X-Who": "me"})
    assert reply.status_code == 200
    assert reply.headers["x-ratelimit-remaining-requests"] == "7"
    assert json.loads(content(reply)) == SUMMARY
    call = server.calls[-1]
    assert (call.path, call.body, call.headers["x-who"], call.fault, call.valid) == (path, chat(path), "me", "", True)
    payload = reply.json()
    prompted = 3 + len(f"<document>{DOCUMENT}</document>".split())
    said = len(content(reply).split())
    if path == OPENAI:
        assert payload["usage"] == {
            "prompt_tokens": prompted,
            "completion_tokens": said,
            "total_tokens": prompted + said,
        }
        assert (payload["model"], payload["choices"][0]["finish_reason"]) == ("small", "stop")
    else:
        assert (payload["prompt_eval_count"], payload["eval_count"], payload["done_reason"]) == (prompted, said, "stop")


def embed(client: httpx2.Client, path: str = "/v1/embeddings", **more: Any) -> list[Any]:
    payload = client.post(path, json={"model": "small", "input": ["a", "b", "c"], **more}).json()
    return payload["embeddings"] if path == "/api/embed" else payload["data"]


def test_embeddings_are_unit_vectors_of_the_texts_in_every_encoding(server: ModelServer, client: httpx2.Client) -> None:
    """A vector is its text's, whatever came with it, in whichever form and API."""
    vectors = np.array([item["embedding"] for item in embed(client)], dtype=np.float32)
    assert vectors.shape == (3, 256)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, rtol=1e-5)
    packed = [
        np.frombuffer(base64.b64decode(item["embedding"]), "<f4") for item in embed(client, encoding_format="base64")
    ]
    np.testing.assert_array_equal(np.array(packed), vectors)
    np.testing.assert_array_equal(np.array(embed(client, "/api/embed"), dtype=np.float32), vectors)
    np.testing.assert_array_equal(np.array(embed(client, input="b")[0]["embedding"], dtype=np.float32), vectors[1])
    assert len(embed(client, dimensions=64)[0]["embedding"]) == 64
    assert all(call.valid for call in server.calls[-5:])


def test_leaving_the_server_ends_what_hangs(caplog: pytest.LogCaptureFixture) -> None:
    """A client that waits on a stalled reply hears of the end; no thread, socket or loop is left to warn about."""
    before = set(threading.enumerate())
    met: list[Exception] = []

    def ask(url: str, path: str) -> None:
        with httpx2.Client(timeout=60, trust_env=False) as client:
            try:
                client.post(url + path, json=chat(path))
            except httpx2.TransportError as error:
                met.append(error)

    with ModelServer(always(Stall(60))) as server:
        threads = [threading.Thread(target=ask, args=(server.url, path)) for path in (OPENAI, OLLAMA, OPENAI)]
        for thread in threads:
            thread.start()
        while len(server.calls) < len(threads):
            time.sleep(0.01)
        assert server.in_flight_most == 3
    for thread in threads:
        thread.join(10)
    assert len(met) == 3
    assert not any(call.valid for call in server.calls)
    assert set(threading.enumerate()) <= before
    assert caplog.records == []  # nothing had to be cancelled


def test_a_script_that_breaks_is_heard_of() -> None:
    """To the client it is a 500, which it would take for one that was meant."""

    def broken(call: Call, earlier: int) -> Fault | None:
        raise KeyError("mistyped")

    with pytest.raises(KeyError, match="mistyped"), ModelServer(broken) as server:
        assert httpx2.post(server.url + OPENAI, json=chat(), trust_env=False).status_code == 500


def test_calls_are_counted_by_what_was_asked() -> None:
    """`first` counts by digest and `valid_answers` shows what was paid for twice; other processes read the same."""
    with (
        ModelServer(first(1, Status(503))) as server,
        httpx2.Client(base_url=server.url, trust_env=False) as client,
    ):
        one, other = chat(text="One thing."), chat(text="Another thing.")
        turned = dict(reversed(one.items()))
        statuses = [client.post(OPENAI, json=body).status_code for body in (one, other, turned, one, other)]
        assert statuses == [503, 503, 200, 200, 200]
        first_digest, other_digest = (call.digest for call in server.calls[:2])
        assert server.valid_answers == {first_digest: 2, other_digest: 1}
        log = client.get("/log").json()
        assert [call["valid"] for call in log["calls"]] == [False, False, True, True, True]
        assert [call["arrived_at"] for call in log["calls"]] == server.arrivals() == sorted(server.arrivals())
        assert log["in_flight_most"] == 1


NESTED = {
    "$defs": {
        "Part": {
            "type": "object",
            "properties": {"size": {"type": "integer"}, "kind": {"enum": ["x", "y"]}, "good": {"type": "boolean"}},
        }
    },
    "type": "object",
    "properties": {
        "parts": {"type": "array", "items": {"$ref": "#/$defs/Part"}, "minItems": 2},
        "title": {"anyOf": [{"type": "string"}, {"type": "null"}]},
    },
}


@pytest.mark.parametrize("path", [OPENAI, OLLAMA])
def test_answers_fit_the_schema_or_the_words_that_ask(server: ModelServer, client: httpx2.Client, path: str) -> None:
    """A fake that answers beside the question would make the client's checks of evidence and schema look broken."""
    concepts = {"type": "object", "properties": {"concepts": {"type": "array", "items": {"type": "object"}}}}
    found = json.loads(content(client.post(path, json=chat(path, concepts))))["concepts"]
    assert len({concept["name"].casefold() for concept in found}) == 3
    for concept in found:
        assert concept["kind"] == "term"
        assert concept["name"] in concept["evidence"]
        assert concept["evidence"] in DOCUMENT
        assert len(concept["evidence"]) <= 120
    part = {"size": 1, "kind": "x", "good": True}
    filled = json.loads(content(client.post(path, json=chat(path, NESTED))))
    assert filled == {"parts": [part, part], "title": " ".join(DOCUMENT.split()[:8])}
    body = chat(path, schema=None)
    assert content(client.post(path, json=body)) == DOCUMENT
    body["messages"][0]["content"] = 'Leave concepts aside. Answer as {"summary": "..."}'
    assert json.loads(content(client.post(path, json=body))) == SUMMARY


@pytest.mark.parametrize(
    ("path", "body"), [(OPENAI, b"{"), (OLLAMA, b'{"messages": []}'), (OPENAI, b'{"stream": true}')]
)
def test_a_request_that_is_wrong_itself_is_refused(
    server: ModelServer, client: httpx2.Client, path: str, body: bytes
) -> None:
    """A request without JSON, or for a stream (which Ollama sends unless the request says `stream: false`)."""
    assert client.post(path, content=body).status_code == 400
    assert not server.calls[-1].valid
