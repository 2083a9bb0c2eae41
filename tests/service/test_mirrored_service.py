"""A service over tables that another home publishes: it answers, shows documents, and switches while it runs."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from answering.opening import open_asker
from io_managers.sharing.segments.signatures import public_text
from resources.errors import ConfigurationError
from resources.settings.config import load_settings
from service.bases import open_bases
from tests.support.pipelines import World
from tests.support.served import QuietBase, client_of
from tests.support.table_readers import KEY, publishing, shared_folder

pytestmark = pytest.mark.slow

NEW = "# Lighthouses\n\nA keeper lights the lamp of the lighthouse each evening, and the ships at sea know their way.\n"
QUESTION = "Who lights the lamp of the lighthouse each evening?"


@pytest.fixture
def place(tmp_path: Path) -> Path:
    return shared_folder(tmp_path / "published")


@pytest.fixture
def home(empty_plain_world: World, place: Path) -> World:
    world = publishing(empty_plain_world, str(place))
    world.seed()
    return world


@pytest.fixture
def base(home: World, tmp_path: Path, place: Path) -> QuietBase:
    tables = {"read_from": str(place), "refresh_seconds": 1}
    store = {"trusted_keys": [public_text(KEY.public)]}
    settings = load_settings({"home": tmp_path / "reader", "tables": tables, "store": store})
    return QuietBase("", "", settings, open_asker)


@pytest.fixture
def client(base: QuietBase) -> Iterator[TestClient]:
    with client_of([base], loopback=True) as found:
        yield found


def found_by(client: TestClient, query: str) -> list[str]:
    found = client.post("/search", json={"query": query, "limit": 1})
    assert found.status_code == 200, found.text
    return [one["document"] for one in found.json()["passages"]]


def test_it_answers_and_switches_to_a_newer_edition_by_itself(client: TestClient, home: World, base: QuietBase) -> None:
    """Kept answers are those of the edition that they were made from."""
    before: dict[str, Any] = client.post("/ask", json={"question": QUESTION}).json()
    assert "keeper" not in before["answer"]
    assert client.post("/ask", json={"question": QUESTION}).json()["cache"]["answer_hit"]
    mirrored = base.session.mirrored
    assert mirrored is not None
    first = mirrored.current().number
    home.write("lighthouses.md", NEW)
    home.seed()
    for _ in range(600):
        if mirrored.current().number > first:
            break
        mirrored._ended.wait(0.1)
    assert found_by(client, "who lights the lamp") == ["lighthouses.md"]
    after = client.post("/ask", json={"question": QUESTION}).json()
    assert "keeper" in after["answer"]
    assert not after["cache"]["answer_hit"]


def test_documents_and_passages_come_from_the_tables(client: TestClient, home: World) -> None:
    reply = client.get("/documents")
    assert reply.status_code == 200, reply.text
    listed = reply.json()
    assert [one["document"] for one in listed["documents"]] == sorted(home.documents_in("documents"))
    assert {one["state"] for one in listed["documents"]} == {"current"}
    row = max(home.rows("chunks"), key=lambda row: row["end"])
    name = row["document_id"]
    shown = client.get(f"/documents/{name}").json()
    assert shown["text"][row["start"] : row["end"]] == row["text"]
    assert shown["title"] == row["title"]
    assert shown["summary"]
    passage = client.get(f"/passages/{name}?start={row['start']}&end={row['end']}&context=10").json()
    assert passage["text"] == row["text"]
    assert client.get("/documents/missing.md").status_code == 404
    assert client.get("/passages/missing'--.md?start=0&end=1").status_code == 404
    assert client.get(f"/passages/{name}?start=0&end=9999999").status_code == 404
    clusters = client.get("/clusters").json()["clusters"]
    assert {one["cluster_id"] for one in clusters} == {one["cluster_id"] for one in home.rows("clusters")}


@pytest.mark.parametrize("page", ["", "page/documents", "page/clusters", "page/money", "page/ingestions"])
def test_pages_open(page: str, client: TestClient) -> None:
    found = client.get(f"/{page}")
    assert found.status_code == 200, found.text


def test_the_page_of_a_document_opens(client: TestClient, home: World) -> None:
    name = sorted(home.documents_in("documents"))[0]
    for page in ("documents", "text"):
        found = client.get(f"/page/{page}/{name}")
        assert found.status_code == 200, found.text
    assert client.get("/page/documents/missing.md").status_code == 404


def test_an_ingestion_is_refused_with_the_reason(client: TestClient, base: QuietBase) -> None:
    found = client.post("/ingest/start")
    assert found.status_code == 503
    assert "where they are published" in found.json()["detail"]
    assert base.requests.open() == []


def test_one_service_has_either_bases_or_published_tables(tmp_path: Path, place: Path) -> None:
    settings = load_settings(
        {
            "home": tmp_path / "reader",
            "tables": {"read_from": str(place)},
            "service": {"bases": {"one": tmp_path / "one"}},
        }
    )
    with pytest.raises(ConfigurationError, match="exclude each other"):
        open_bases(settings, open_asker)
