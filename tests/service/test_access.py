"""Who may use the service over HTTP, and that every refusal is a problem document that says what to do."""

from collections.abc import Iterator

import pytest

from cli.environment_checks import check_tokens
from resources.errors import ConfigurationError
from tests.support.pipelines import World
from tests.support.served import Served, served

TOKEN = "a-token-of-the-tests"
QUESTION = {"question": "What guide trains?"}


@pytest.fixture
def closed(plain_world: World) -> Iterator[Served]:
    """A service that other machines can reach, with a token."""
    with served(plain_world.home, plain_world.corpus, TOKEN, loopback=False) as found:
        yield found


@pytest.mark.parametrize(
    "authorization", ["", TOKEN, f"Basic {TOKEN}", "Bearer ", f"Bearer {TOKEN}x", "Bearer é".encode().decode("latin-1")]
)
def test_nothing_but_health_is_answered_without_the_token(closed: Served, authorization: str) -> None:
    headers = [(b"Authorization", authorization.encode("latin-1"))] if authorization else []
    for path in ("/ask", "/metrics", "/openapi.json", "/mcp", "/v1/models", "/nowhere"):
        method = "POST" if path in ("/ask", "/mcp") else "GET"
        found = closed.client.request(method, path, headers=headers, json=QUESTION if method == "POST" else None)
        assert found.status_code == 401, path
        assert found.headers["www-authenticate"] == "Bearer", path
        assert found.json()["title"] == "A token is needed", path
    assert closed.client.get("/health").json() == {"status": "ok"}


def test_the_token_opens_everything(closed: Served) -> None:
    headers = {"Authorization": f"bearer {TOKEN}", "Host": "any.example"}
    assert closed.client.post("/ask", json=QUESTION, headers=headers).status_code == 200
    described = closed.client.get("/openapi.json", headers=headers).json()
    assert described["security"] == [{"token": []}]


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:8000", "localhost.evil.example", "", "127.0.0.1.evil.example"]
)
def test_a_page_cannot_reach_the_service_under_a_name_of_its_own(service: Served, host: str) -> None:
    """DNS rebinding: the browser believes that the page and the service are one site, so no rule of its own protects."""
    for method, path in (("GET", "/documents"), ("POST", "/ask"), ("GET", "/health")):
        found = service.client.request(
            method, path, headers={"Host": host}, json=QUESTION if method == "POST" else None
        )
        assert found.status_code == 421
        assert "service.hosts" in found.json()["detail"]


@pytest.mark.parametrize("host", ["127.0.0.1:8000", "localhost", "LOCALHOST:1", "[::1]:8000", "proxy.example"])
def test_this_machine_and_the_names_in_the_settings_are_known(plain_world: World, host: str) -> None:
    with served(plain_world.home, plain_world.corpus, hosts=("proxy.example",)) as service:
        assert service.client.get("/health", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize(
    "origin", ["http://evil.example", "null", "http://127.0.0.1:9000", "https://127.0.0.1.evil.example"]
)
def test_a_page_of_another_origin_changes_nothing(service: Served, origin: str) -> None:
    """A browser sends such requests without asking, and only marks where they come from."""
    for method, path in (("POST", "/sessions"), ("POST", "/ask"), ("POST", "/cache/purge"), ("DELETE", "/sessions/x")):
        found = service.client.request(
            method, path, headers={"Origin": origin}, json=QUESTION if path == "/ask" else None
        )
        assert (found.status_code, found.json()["title"]) == (403, "The request is not allowed")
    assert service.client.get("/sessions").json() == {"sessions": []}
    assert service.client.post("/sessions", headers={"Origin": "http://127.0.0.1:8000"}).status_code == 201


def test_a_form_of_another_page_is_no_request(service: Served) -> None:
    """Forms can send a body without the browser asking first, but not as JSON."""
    for kind in ("text/plain", "application/x-www-form-urlencoded"):
        found = service.client.post("/ask", content='{"question": "What?"}', headers={"Content-Type": kind})
        assert found.status_code == 422


def test_every_response_keeps_browsers_from_running_and_keeping_it(service: Served) -> None:
    for found in (service.client.get("/health"), service.client.get("/nowhere"), service.client.post("/ask", json={})):
        assert found.headers["content-security-policy"].startswith("default-src 'none'")
        assert found.headers["x-content-type-options"] == "nosniff"
        assert found.headers["cache-control"] == "no-store"


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/nowhere", 404),
        ("GET", "/documents/none.md", 404),
        ("PUT", "/ask", 405),
        ("GET", "/ingest/status/x", 404),
    ],
)
def test_what_does_not_exist_is_a_problem_document(service: Served, method: str, path: str, status: int) -> None:
    found = service.client.request(method, path)
    assert found.status_code == found.json()["status"] == status
    assert found.headers["content-type"] == "application/problem+json"
    assert found.json()["type"].startswith("urn:seedbank:problem:")
    assert found.json()["detail"]


def test_the_methods_of_a_path_are_named(service: Served) -> None:
    assert service.client.put("/sessions/x").headers["allow"] == "DELETE, GET"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"\xff\xfe",
        b"[]",
        b"{}",
        b'{"question": ""}',
        b'{"question": " \\u0000 "}',
        b'{"question": "\\ud800"}',
        b'{"question": 1}',
        b'{"question": "x", "limit": 21}',
        b'{"question": "x", "limit": 1e400}',
        b'{"question": "x", "stream": "true"}',
        b'{"question": "x", "refesh": true}',
        b'{"question": "' + b"x" * 2_001 + b'"}',
        b"[" * 100_000,
    ],
    ids=lambda body: repr(body[:28]),
)
def test_a_body_that_is_not_valid_is_refused_with_the_reason(service: Served, body: bytes) -> None:
    found = service.client.post("/ask", content=body, headers={"Content-Type": "application/json"})
    assert found.status_code in (400, 422), found.text
    assert found.headers["content-type"] == "application/problem+json"
    assert service.answerer.asked == []


@pytest.mark.parametrize("declared", [True, False])
@pytest.mark.parametrize("path", ["/ask", "/v1/chat/completions", "/mcp"])
def test_a_body_of_more_than_a_megabyte_is_refused(service: Served, path: str, declared: bool) -> None:
    part = b" " * 600_000
    content = part * 2 if declared else iter([part, part])
    found = service.client.post(path, content=content, headers={"Content-Type": "application/json"})
    assert found.status_code == 413, found.text
    assert "1,048,576 bytes" in found.text


@pytest.mark.parametrize(
    "question", ["من يرشد القطارات؟", "👩‍🚀 trains?", "\u202eguide trains", "What\0guide trains?", "x" * 2_000]
)
def test_any_text_can_be_asked(service: Served, question: str) -> None:
    assert service.ask(question)["question"]


def test_other_machines_need_a_token() -> None:
    with pytest.raises(
        ConfigurationError, match=r"--host 0\.0\.0\.0 .* service\.token is not set.*SEEDBANK_SERVICE__TOKEN"
    ):
        check_tokens("0.0.0.0", ["service.token"])
    with pytest.raises(ConfigurationError, match=r"service\.tokens\.a and service\.tokens\.b"):
        check_tokens("::", ["service.tokens.a", "service.tokens.b"])
    check_tokens("0.0.0.0", [])
    check_tokens("127.0.0.1", ["service.token"])
    check_tokens("localhost", ["service.token"])
