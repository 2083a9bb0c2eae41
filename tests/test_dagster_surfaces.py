"""Dagster's own ways to run the project, as its users run them: from the shell in the project's directory, and from the
webserver. What they find and reuse must be what `seedbank seed` left, and the other way round."""

import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parent.parent
DAGSTER = [sys.executable, "-m", "dagster"]
MODULE = ["-m", "seed_assets.definitions"]


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """A seeded home over five documents, as environment of the commands. DAGSTER_HOME is not set."""
    directory = tmp_path_factory.mktemp("surfaces")
    corpus = directory / "corpus"
    corpus.mkdir()
    for path in sorted((ROOT / "sample_corpus" / "volcanoes").glob("*.md")):
        shutil.copy(path, corpus)
    (corpus / "a note.txt").write_text("A note about basalt. It flows far because it is hot and thin.\n")
    found = {name: value for name, value in os.environ.items() if not name.startswith(("DAGSTER", "SEEDBANK"))}
    found |= {"SEEDBANK_CORPUS": str(corpus), "SEEDBANK_HOME": str(directory / "home"), "PYTHONWARNINGS": "ignore"}
    report = seed(found)
    assert report["exit_code"] == 0, report
    return found


def seed(environment: dict[str, str], *arguments: str) -> dict[str, Any]:
    command = [sys.executable, "-m", "cli.main", "seed", "--json", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, env=environment)
    return json.loads(done.stdout)


def dagster(environment: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*DAGSTER, *arguments], capture_output=True, text=True, cwd=ROOT, env=environment)


def documents(environment: dict[str, str]) -> list[str]:
    return sorted(path.name for path in Path(environment["SEEDBANK_CORPUS"]).iterdir())


def test_a_partition_range_from_the_shell_reuses_what_seed_made(environment: dict[str, str]) -> None:
    first, *_, last = documents(environment)
    done = dagster(
        environment, "asset", "materialize", *MODULE, "--select", "*", "--partition-range", f"{first}...{last}"
    )
    assert done.returncode == 0, done.stderr[-2000:]
    report = seed(environment)
    assert report["runs"] == [], "the shell's run published nothing that seed would have to do again"


def test_one_document_from_the_shell_is_taken_up_by_seed(environment: dict[str, str]) -> None:
    """An edited document whose text was extracted from the shell: seed computes the rest of it, and only that."""
    corpus = Path(environment["SEEDBANK_CORPUS"])
    (corpus / "a note.txt").write_text("A note about rhyolite. It piles up because it is cool and stiff.\n")
    done = dagster(
        environment, "asset", "materialize", *MODULE, "--select", "extracted_text", "--partition", "a note.txt"
    )
    assert done.returncode == 0, done.stderr[-2000:]
    report = seed(environment)
    assert report["exit_code"] == 0
    assert report["stages"]["extracted_text"]["computed"] == 0
    assert report["stages"]["chunks"]["computed"] == 1
    assert report["stages"]["lance_chunks"]["computed"] == 1


def test_a_job_over_documents_needs_tags_and_says_which(environment: dict[str, str]) -> None:
    refused = dagster(environment, "job", "execute", *MODULE, "-j", "seed_documents")
    assert refused.returncode != 0
    assert "dagster/asset_partition_range_start and dagster/asset_partition_range_end" in refused.stderr

    first, *_, last = documents(environment)
    tags = {"dagster/asset_partition_range_start": first, "dagster/asset_partition_range_end": last}
    done = dagster(environment, "job", "execute", *MODULE, "-j", "seed_documents", "--tags", json.dumps(tags))
    assert done.returncode == 0, done.stderr[-2000:]
    assert dagster(environment, "job", "execute", *MODULE, "-j", "seed_corpus").returncode == 0


@pytest.fixture
def webserver(environment: dict[str, str]) -> Iterator[str]:
    """The address of a webserver of this project."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "dagster_webserver", "-h", "127.0.0.1", "-p", str(port)]
    process = subprocess.Popen(
        command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
    )
    address = f"http://127.0.0.1:{port}"
    try:
        deadline = time.monotonic() + 120
        while True:
            try:
                urllib.request.urlopen(f"{address}/server_info", timeout=5).read()
                break
            except OSError:
                assert process.poll() is None, "the webserver ended"
                assert time.monotonic() < deadline, "the webserver did not answer"
                time.sleep(0.5)
        yield address
    finally:
        process.terminate()
        process.wait(30)


def ask(address: str, query: str, **variables: Any) -> dict[str, Any]:
    body = json.dumps({"query": query, "variables": variables}).encode()
    request = urllib.request.Request(f"{address}/graphql", body, {"Content-Type": "application/json"})
    answer = json.load(urllib.request.urlopen(request, timeout=60))
    assert "errors" not in answer, answer
    return answer["data"]


LAUNCH = """mutation Launch($params: ExecutionParams!) { launchPipelineExecution(executionParams: $params) {
    __typename ... on LaunchRunSuccess { run { runId } } ... on Error { message } } }"""
RUN = "query Run($id: ID!) { runOrError(runId: $id) { ... on Run { status } } }"
PARTITION = """query Partition($key: AssetKeyInput!, $partition: String!) { assetNodeOrError(assetKey: $key) {
    ... on AssetNode { assetMaterializations(partitions: [$partition], limit: 1) {
        metadataEntries { label ... on TextMetadataEntry { text } ... on BoolMetadataEntry { boolValue } } } } } }"""


def test_the_webserver_materializes_through_the_same_code(environment: dict[str, str], webserver: str) -> None:
    """What the Materialize button sends; the run's own process finds the home, and its partition page says what it did."""
    (Path(environment["SEEDBANK_CORPUS"]) / "a note.txt").write_text("A note about ash. It falls far from its vent.\n")
    names = ["extracted_text", "summaries"]
    launched = ask(
        webserver,
        LAUNCH,
        params={
            "selector": {
                "repositoryLocationName": "seedbank",
                "repositoryName": "__repository__",
                "pipelineName": "__ASSET_JOB",
                "assetSelection": [{"path": [name]} for name in names],
            },
            "runConfigData": {},
            "executionMetadata": {"tags": [{"key": "dagster/partition", "value": "a note.txt"}]},
        },
    )["launchPipelineExecution"]
    assert launched["__typename"] == "LaunchRunSuccess", launched
    deadline = time.monotonic() + 120
    status = ""
    while status not in ("SUCCESS", "FAILURE", "CANCELED"):
        assert time.monotonic() < deadline, f"the run is {status}"
        time.sleep(0.5)
        status = ask(webserver, RUN, id=launched["run"]["runId"])["runOrError"]["status"]
    assert status == "SUCCESS"

    page = ask(webserver, PARTITION, key={"path": ["summaries"]}, partition="a note.txt")
    (materialization,) = page["assetNodeOrError"]["assetMaterializations"]
    entries = materialization["metadataEntries"]
    shown = {entry["label"]: entry.get("text", entry.get("boolValue")) for entry in entries}
    assert "ash" in shown["preview"]
    assert shown["content_digest"].startswith("sha256:")
    assert shown["reused"] is False
    assert shown["computed_because"] == "extracted_text: changed"

    report = seed(environment)
    assert report["stages"]["summaries"]["computed"] == 0
    assert report["stages"]["lance_documents"]["computed"] == 1
