"""`seedbank prove`: its table is the one in README, and it fails if anything was paid twice or lost."""

import json
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from cli.costs.prove import lines_of
from cli.main import app
from seed_assets.proof import proof as proof_module
from seed_assets.proof.answers import vector
from seed_assets.proof.counting_server import CountingServer, Counts, Exchange
from seed_assets.proof.documents import body_of, write_documents
from seed_assets.proof.lost_answers import lost_answers
from seed_assets.proof.scenarios import Outcome
from tests.support.seed_process import ROOT, seedbank

SUMMARIES = {"type": "object", "properties": {"summary": {"type": "string"}}}


@pytest.mark.integration
@pytest.mark.long
def test_the_table_in_readme_is_what_the_command_prints(tmp_path: Path) -> None:
    """A table that somebody typed proves nothing. The homes of the user must stay as they are."""
    home = tmp_path / "home"
    done = seedbank(home, "prove", "--json")
    assert done.status == 0, done.printed()
    found = json.loads(done.output)
    assert found["passed"]
    printed = "\n".join(lines_of(found["scenarios"]))
    assert f"```\n{printed}\n" in (ROOT / "README.md").read_text()
    assert not home.exists()


def test_an_answer_that_is_given_a_second_time_is_counted(proof_server: CountingServer) -> None:
    """A server that forgot what it had answered would count nothing as paid twice."""
    ask(proof_server, "one")
    ask(proof_server, "two")
    assert proof_server.counts() == Counts(requests=2, answered=2)
    ask(proof_server, "one")
    assert proof_server.counts() == Counts(requests=3, answered=3, twice=1)
    proof_server.forget()
    ask(proof_server, "one")
    assert proof_server.counts().twice == 1


def test_a_text_that_is_embedded_a_second_time_is_counted_in_whatever_request_it_comes(
    proof_server: CountingServer,
) -> None:
    embed(proof_server, ["a", "b"])
    embed(proof_server, ["b", "c"])
    assert proof_server.counts() == Counts(requests=2, answered=2, twice=1)


def test_a_request_whose_answer_is_dropped_is_not_paid_twice_when_it_is_sent_again(
    proof_server: CountingServer,
) -> None:
    proof_server.drop_every(2)
    ask(proof_server, "one")
    with pytest.raises((urllib.error.URLError, ConnectionError)):
        ask(proof_server, "two")
    ask(proof_server, "two")
    assert proof_server.counts() == Counts(requests=3, answered=2, unanswered=1)


@pytest.mark.parametrize(
    ("table", "row", "column", "value", "said"),
    [
        ("documents", 0, "summary", "Another summary.", "The summary of amber.md"),
        ("documents", 0, "concepts", [], "Concepts of amber.md"),
        ("documents", 0, "document_id", "gone.md", "amber.md has no row"),
        ("chunks", 1, "vector", [0.0] * 8, "Vectors of barometers.md"),
        ("chunks", 1, "text", "Less.", "Vectors of barometers.md"),
        ("judgements", 2, "judge", "similarity", "The judgement of copper.md"),
        ("clusters", 0, "summary", "Another summary.", "field:shelf/1"),
    ],
)
def test_an_answer_that_is_not_in_the_tables_is_lost(
    table: str, row: int, column: str, value: object, said: str, tmp_path: Path
) -> None:
    folder = tmp_path / "documents"
    write_documents(folder)
    names = sorted(path.name for path in folder.iterdir())
    bodies = {name: body_of(folder / name) for name in names}
    exchanges = [
        Exchange(schema, body, json.dumps({"summary": f"About {name}.", "concepts": [{"name": "Roof"}]}))
        for name, body in bodies.items()
        for schema in ("summaries", "concepts")
    ]
    exchanges.append(Exchange("cluster_summaries", "", json.dumps({"summary": "A shelf."})))
    rows: dict[str, list[dict[str, object]]] = {
        "documents": [{"document_id": n, "summary": f"About {n}.", "concepts": ["roof"]} for n in names],
        "chunks": [{"document_id": n, "text": bodies[n], "vector": vector(bodies[n], 8).tolist()} for n in names],
        "judgements": [{"document_id": n, "judge": "judge-1"} for n in names],
        "clusters": [{"cluster_id": "field:shelf/1", "summary": "A shelf."}],
    }
    assert lost_answers(folder, exchanges, set(bodies.values()), rows, "judge-1") == []
    rows[table][row][column] = value
    lost = lost_answers(folder, exchanges, set(bodies.values()), rows, "judge-1")
    assert any(said in sentence for sentence in lost), lost


@pytest.mark.parametrize(
    "outcome",
    [
        Outcome("A fault", Counts(3, 3, 0, twice=1), (), (), 1.0),
        Outcome("A fault", Counts(3, 3, 0, 0), ("A summary is missing.",), (), 1.0),
        Outcome("A fault", Counts(3, 3, 0, 0), (), ("The seed ended with status 1 and not 0.",), 1.0),
    ],
)
def test_the_command_fails_if_anything_was_paid_twice_or_lost_or_went_wrong(
    outcome: Outcome, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A proof that cannot fail proves nothing."""

    def outcomes(*_: object) -> Iterator[Outcome]:
        yield Outcome("No fault", Counts(5, 5, 0, 0), (), (), 1.0)
        yield outcome

    monkeypatch.setattr(proof_module, "outcomes", outcomes)
    done = CliRunner().invoke(app, ["prove"])
    assert done.exit_code == 1
    assert "1 of 2 failed" in done.output
    for problem in (*outcome.lost, *outcome.wrong):
        assert f"A fault: {problem}" in done.output


def test_a_folder_with_files_is_not_used_for_the_proof(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    done = CliRunner().invoke(app, ["prove", "--keep", str(tmp_path)])
    assert done.exit_code == 2
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]


@pytest.fixture
def proof_server() -> Iterator[CountingServer]:
    with CountingServer() as server:
        yield server


def ask(server: CountingServer, text: str) -> None:
    said = [{"role": "user", "content": f"<document>\n{text}\n</document>"}]
    asked = {"type": "json_schema", "json_schema": {"name": "summaries", "schema": SUMMARIES}}
    reply = _post(server, "chat/completions", {"model": "m", "messages": said, "response_format": asked})
    assert json.loads(reply["choices"][0]["message"]["content"]) == {"summary": text}


def embed(server: CountingServer, texts: list[str]) -> None:
    reply = _post(server, "embeddings", {"model": "m", "input": texts, "dimensions": 4})
    assert len(reply["data"]) == len(texts)


def _post(server: CountingServer, path: str, body: dict[str, object]) -> dict[str, list[dict[str, dict[str, str]]]]:
    request = urllib.request.Request(
        f"{server.url}/v1/{path}", json.dumps(body).encode(), {"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=10) as response:
        return json.loads(response.read())
