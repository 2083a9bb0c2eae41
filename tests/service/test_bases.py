"""Several knowledge bases in one service: each has its own addresses, token, answers, conversations and figures."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from answering.opening import open_asker
from resources.errors import ConfigurationError
from resources.settings.config import load_settings
from service.bases import open_bases
from tests.support.asking import CountingAnswerer, TextFinder
from tests.support.pipelines import World
from tests.support.served import base_over, client_of

TOKENS = {"bread": "the-token-of-bread", "rails": "the-token-of-rails"}
DOCUMENTS = {"bread": {"bread.md": "Bread rises slowly."}, "rails": {"rails.md": "Points guide trains."}}


@pytest.fixture
def homes(seeded_plain_world: World, tmp_path: Path, own_environment: None) -> dict[str, World]:
    return {name: seeded_plain_world.copy_to(tmp_path / name) for name in TOKENS}


@pytest.fixture
def client(homes: dict[str, World]) -> Iterator[TestClient]:
    homes["bread"].write("secret-of-bread.md", "Only bread has this.")
    bases = [
        base_over(world.home, world.corpus, TextFinder(DOCUMENTS[name]), CountingAnswerer(), name, TOKENS[name])
        for name, world in homes.items()
    ]
    with client_of(bases, loopback=False) as found:
        yield found


def with_token(name: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {TOKENS[name]}"}


def test_nothing_of_one_is_reached_through_the_other(client: TestClient) -> None:
    """The demand of years on other servers: several knowledge bases, and a header that anyone may set is no border."""

    def ask(name: str, question: str, token: str, **more: Any) -> Any:
        return client.post(f"/{name}/ask", json={"question": question, **more}, headers=with_token(token))

    for name, other in (("bread", "rails"), ("rails", "bread")):
        for method, path in (
            ("POST", "ask"),
            ("GET", "documents"),
            ("GET", "metrics"),
            ("GET", "sessions"),
            ("POST", "mcp"),
        ):
            for headers in ({}, with_token(other)):
                found = client.request(
                    method, f"/{name}/{path}", headers=headers, json={"question": "What?"} if method == "POST" else None
                )
                assert found.status_code == 401, (name, path)
    assert ask("bread", "Which bread rises?", "bread").json()["citations"][0]["document"] == "bread.md"
    assert ask("rails", "Which bread rises?", "rails").json()["found"] is False
    # A kept answer, a conversation and an ingestion of one are none of the other.
    assert not ask("rails", "Which bread rises?", "rails").json()["cache"]["answer_hit"]
    session = client.post("/bread/sessions", headers=with_token("bread")).json()["session"]
    assert client.get(f"/bread/sessions/{session}", headers=with_token("bread")).status_code == 200
    assert client.get(f"/rails/sessions/{session}", headers=with_token("rails")).status_code == 404
    assert ask("rails", "What?", "rails", session=session).status_code == 404
    made = client.post("/bread/ingest/start", headers=with_token("bread")).json()["ingestion"]["ingestion_id"]
    assert client.get(f"/rails/ingest/status/{made}", headers=with_token("rails")).status_code == 404
    assert client.get("/rails/ingest/list", headers=with_token("rails")).json() == {"ingestions": []}
    # Documents, and ways out of a base's own paths.
    for path in ("documents/secret-of-bread.md", "documents/../../bread/corpus/secret-of-bread.md"):
        assert client.get(f"/rails/{path}", headers=with_token("rails")).status_code in (401, 404)
    listed = client.get("/rails/documents", headers=with_token("rails")).text
    assert "secret" not in listed
    assert "secret" in client.get("/bread/documents", headers=with_token("bread")).text
    assert "/ask" in client.get("/rails/metrics", headers=with_token("rails")).text
    purged = client.post("/rails/cache/purge", headers=with_token("rails"))
    assert purged.status_code == 200
    assert ask("bread", "Which bread rises?", "bread").json()["cache"]["answer_hit"]


def test_one_that_is_damaged_leaves_the_other_alone(client: TestClient, homes: dict[str, World]) -> None:
    (homes["bread"].home / "home.json").write_text("{")
    found = client.post("/bread/ask", json={"question": "What?"}, headers=with_token("bread"))
    assert found.status_code == 503
    assert "home.json" in found.json()["detail"]
    assert client.post("/rails/ask", json={"question": "What?"}, headers=with_token("rails")).status_code == 200


def test_the_root_knows_only_its_health(client: TestClient) -> None:
    assert client.get("/health").json() == {"status": "ok"}
    for path in ("/ask", "/documents", "/", "/nothing/ask"):
        found = client.get(path)
        assert found.status_code == 404
        assert found.headers["content-type"] == "application/problem+json"
    described = client.get("/rails/openapi.json", headers=with_token("rails")).json()
    assert "/ask" in described["paths"]


def test_bases_come_from_the_settings_with_their_own_corpus(
    homes: dict[str, World], monkeypatch: pytest.MonkeyPatch
) -> None:
    service: dict[str, Any] = {"bases": {name: str(world.home) for name, world in homes.items()}, "tokens": TOKENS}
    # What names the corpus of the command must not become that of the others.
    monkeypatch.setenv("SEEDBANK_CORPUS", str(homes["bread"].corpus))
    bases = open_bases(load_settings({"service": service}), open_asker)
    assert [(base.name, base.token) for base in bases] == list(TOKENS.items())
    assert [base.settings.corpus for base in bases] == [world.corpus for world in homes.values()]


@pytest.mark.parametrize(
    ("bases", "reason"),
    [
        ({"a": "nothing-here"}, "nothing is seeded in"),
        ({"a": "bread/home", "b": "bread/home/."}, "a and b are the same home"),
    ],
)
def test_homes_that_cannot_be_kept_apart_or_answered_are_named(
    homes: dict[str, World], tmp_path: Path, bases: dict[str, str], reason: str
) -> None:
    given = {name: f"{tmp_path}/{home}" for name, home in bases.items()}
    with pytest.raises(ConfigurationError, match=reason):
        open_bases(load_settings({"service": {"bases": given}}), open_asker)


@pytest.mark.parametrize(
    ("service", "reason"),
    [
        ({"token": "short"}, "16 characters"),
        ({"token": "a token with some spaces"}, "without spaces"),
        ({"bases": {"Up/..": "x"}}, "small letters"),
        ({"bases": {"health": "x"}}, "a path of the service itself"),
        ({"tokens": {"a": "0123456789abcdef"}}, "no base of this name"),
        ({"bases": {"a": "x", "b": "y"}, "tokens": dict.fromkeys("ab", "0123456789abcdef")}, "the same token"),
    ],
)
def test_settings_that_would_open_too_much_are_refused(
    own_environment: None, service: dict[str, Any], reason: str
) -> None:
    with pytest.raises(ConfigurationError, match=reason) as raised:
        load_settings({"service": service})
    assert "0123456789abcdef" not in str(raised.value)
