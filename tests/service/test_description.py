"""The description in OpenAPI, and that what is sent is what it says.

What belongs here: the description as a whole, and requests made by chance. What does not: what single routes do.
"""

import json
import re
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.problems import ProblemDocument
from service.replies import SHOWN
from tests.support.served import Served


def operations(described: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """(path, method, operation) of each."""
    for path, methods in described["paths"].items():
        for method, operation in methods.items():
            yield path, method, operation


def test_every_route_is_described_with_its_errors_and_every_reference_leads_somewhere(service: Served) -> None:
    described = service.client.get("/openapi.json").json()
    schemas = described["components"]["schemas"]
    references = set(re.findall(r'"#/components/schemas/([^"]+)"', json.dumps(described)))
    assert references <= schemas.keys()
    assert {kind.__name__ for kind in SHOWN} <= schemas.keys()
    paths = {path for path, _, _ in operations(described)}
    assert {
        "/ask",
        "/search",
        "/documents",
        "/documents/{document}",
        "/passages/{document}",
        "/clusters",
        "/cache/stats",
        "/cache/purge",
        "/sessions",
        "/sessions/{session}",
        "/sessions/{session}/export",
        "/ingest/start",
        "/ingest/status/{ingestion_id}",
        "/ingest/list",
        "/ingest/events/{ingestion_id}",
        "/ingest/cancel/{ingestion_id}",
        "/metrics",
        "/health",
        "/v1/chat/completions",
        "/v1/models",
    } == paths
    for path, method, operation in operations(described):
        assert operation["summary"], path
        if path != "/health":
            for status, response in operation["responses"].items():
                kinds = set(response.get("content", {}))
                assert (kinds == {"application/problem+json"}) is (int(status) >= 400), (path, method, status)


def test_replies_have_the_described_types(service: Served) -> None:
    """Each is decoded strictly as the type that the description names."""
    service.ask("What guide trains?")
    session = service.client.post("/sessions").json()["session"]
    made = service.client.post("/ingest/start").json()["ingestion"]["ingestion_id"]
    kinds = {kind.__name__: kind for kind in SHOWN}
    described = service.client.get("/openapi.json").json()
    places = {"document": "reefs/fish.txt", "session": session, "ingestion_id": made}
    seen = 0
    for path, method, operation in operations(described):
        if method != "get" or "events" in path:
            continue
        content = operation["responses"]["200"].get("content", {}).get("application/json", {})
        name = content.get("schema", {}).get("$ref", "").rpartition("/")[2]
        if name in kinds:
            found = service.client.get(path.format(**places), params={"start": 0, "end": 1})
            assert found.status_code == 200, found.text
            decoded = msgspec.json.decode(found.content, type=kinds[name])
            assert json.loads(msgspec.json.encode(decoded)) == found.json()
            seen += 1
    assert seen >= 8


ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=30),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
NAMES = (
    "question",
    "query",
    "session",
    "limit",
    "use_cache",
    "refresh",
    "stream",
    "paid",
    "verify",
    "messages",
    "model",
    "n",
)
BODIES = st.dictionaries(st.sampled_from(NAMES), ANY_JSON, max_size=4) | ANY_JSON
PATHS = ("/ask", "/search", "/cache/purge", "/sessions", "/v1/chat/completions", "/ingest/cancel/x", "/mcp")


@pytest.mark.slow
def test_no_body_brings_the_service_down(service: Served) -> None:
    """A request by chance gets a reply or a problem document, never an error of the server."""

    @settings(max_examples=150)
    @given(st.sampled_from(PATHS), BODIES)
    def check(path: str, body: Any) -> None:
        content = json.dumps(body).encode()
        found = service.client.post(path, content=content, headers={"Content-Type": "application/json"})
        assert found.status_code < 500, found.text
        if found.status_code >= 400 and path != "/mcp":
            assert msgspec.json.decode(found.content, type=ProblemDocument).status == found.status_code

    check()


@pytest.mark.slow
def test_no_address_brings_the_service_down(service: Served) -> None:
    places = (
        "/documents/{}",
        "/passages/{}?start=0&end=1",
        "/sessions/{}",
        "/sessions/{}/export",
        "/ingest/status/{}",
        "/{}",
    )
    from urllib.parse import quote

    @settings(max_examples=100)
    @given(
        st.sampled_from(places), st.binary(max_size=20) | st.text(max_size=20).map(lambda text: text.encode("utf-8"))
    )
    def check(place: str, name: bytes) -> None:
        found = service.client.get(place.format(quote(name, safe="/.")))
        assert found.status_code < 500, found.text

    check()
