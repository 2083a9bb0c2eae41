"""Documents, passages, clusters and figures over HTTP."""

from pathlib import Path

import pytest

from io_managers.store.request_ledger import Attempt
from tests.conftest import DOCUMENTS
from tests.support.pipelines import World
from tests.support.served import Served, served


def test_documents_are_listed_in_pages_and_by_state(service: Served) -> None:
    found: list[str] = []
    after: str | None = ""
    while after is not None:
        page = service.client.get("/documents", params={"limit": 4, "after": after}).json()
        assert page["total"] == len(DOCUMENTS)
        found += [one["document"] for one in page["documents"]]
        after = page["next"]
    assert found == sorted(DOCUMENTS)
    assert service.client.get("/documents", params={"state": "failed"}).json() == {
        "documents": [],
        "total": 0,
        "next": None,
    }
    assert service.client.get("/documents", params={"state": "lost"}).status_code == 422


def test_the_corpus_is_that_of_the_home_whatever_the_environment_names(plain_world: World, tmp_path: Path) -> None:
    """Otherwise all documents would be called gone, and an ingestion would remove them."""
    (tmp_path / "other").mkdir()
    with served(plain_world.home, tmp_path / "other") as service:
        assert service.client.get("/documents").json()["total"] == len(DOCUMENTS)
        refused = service.client.post("/ingest/start")
        assert refused.status_code == 503
        assert f"belongs to the corpus {plain_world.corpus}" in refused.json()["detail"]


def test_a_document_has_its_states_and_what_is_published(service: Served) -> None:
    service.finder.documents["reefs/fish.txt"] = "Fish live in reefs."
    service.ask("Which fish live in reefs?")
    found = service.client.get("/documents/reefs/fish.txt").json()
    assert found["document"] == "reefs/fish.txt"
    assert found["stages"]["extracted_text"] == {"state": "current", "reason": "", "remedy": ""}
    assert {"summaries", "concepts", "judgements", "document_clusters"} <= found["stages"].keys()
    assert "fish" in found["text"]
    assert found["summary"]
    assert found["concepts"][0]["name"]
    assert found["verdict"]["decision"]
    assert found["asked"] == ["Which fish live in reefs?"]


@pytest.mark.parametrize(
    "name", ["none.md", "../corpus/reefs/fish.txt", "/etc/passwd", "%2e%2e/home.json", "a%00b", "%ff", "x" * 4_000]
)
def test_a_name_that_is_no_document_is_not_found(service: Served, name: str) -> None:
    for path in (f"/documents/{name}", f"/passages/{name}?start=0&end=1"):
        assert service.client.get(path).status_code in (404, 422)


def test_a_passage_is_shown_in_its_place(service: Served) -> None:
    text = service.client.get("/documents/reefs/fish.txt").json()["text"]
    params = {"start": 10, "end": 20, "context": 5}
    found = service.client.get("/passages/reefs/fish.txt", params=params).json()
    assert (found["before"], found["text"], found["after"]) == (text[5:10], text[10:20], text[20:25])
    assert (found["start"], found["end"], found["page"]) == (10, 20, None)
    for start, end in ((5, 5), (9, 3), (0, len(text) + 1)):
        beyond = service.client.get("/passages/reefs/fish.txt", params={"start": start, "end": end})
        assert beyond.status_code == 404
        assert f"{len(text):,} characters" in beyond.json()["detail"]


def test_clusters_are_listed_by_type(service: Served) -> None:
    every = service.client.get("/clusters").json()["clusters"]
    assert every
    kinds = {cluster["cluster_type"] for cluster in every}
    topic = service.client.get("/clusters", params={"cluster_type": "topic"}).json()["clusters"]
    assert {cluster["cluster_type"] for cluster in topic} <= {"topic"} <= kinds | {"topic"}
    assert service.client.get("/clusters", params={"cluster_type": "none"}).json() == {"clusters": []}


@pytest.mark.slow
def test_figures_have_templates_of_routes_and_what_any_process_has_paid(service: Served) -> None:
    """A label with the path would make a series for each document; a count in the process would miss runs of Dagster."""
    for name in DOCUMENTS:
        service.client.get(f"/documents/{name}")
    service.client.get("/nowhere")
    ledger = service.base.session.store.requests
    attempt = Attempt("key", "summaries", "some-model", "answered", input_tokens=30, output_tokens=7, usd=0.25)
    ledger._database.write(ledger.put(attempt)).result()
    text = service.client.get("/metrics").text
    assert 'route="/documents/{document:path}",status="200"' in text
    assert "fish.txt" not in text
    assert "nowhere" not in text
    assert 'seedbank_model_requests_total{stage="summaries",model="some-model",outcome="answered"} 1\n' in text
    assert 'seedbank_model_tokens_total{stage="summaries",model="some-model",kind="input"} 30\n' in text
    assert 'seedbank_model_usd_total{stage="summaries",model="some-model"} 0.25\n' in text
    assert 'seedbank_open_ingestions{state="requested"} 0.0' in text
