"""`seedbank doctor`: what is said of each part when it works, is not set, is wrong, or hangs; nothing is changed or paid for."""

import errno
import json
import os
import socket
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from resources.settings.config import load_settings
from seed_assets.doctor.examination import examine
from seed_assets.doctor.probe import Finding, Probe, run_probes
from seed_assets.session.session import Session
from tests.support.http_service import free_port
from tests.support.model_corpus import CANARY, asking
from tests.support.model_faults import Status, always
from tests.support.model_server import ModelServer
from tests.support.pipelines import World
from tests.support.seed_process import seedbank

pytestmark = pytest.mark.slow

SECRET = "wrong-secret-9f3"
PATIENCE = 30.0


@pytest.fixture
def silent() -> Iterator[int]:
    """The port of a server that never answers: the system takes the connections, and nobody reads from them."""
    with closing(socket.create_server(("127.0.0.1", 0))) as server:
        yield server.getsockname()[1]


def examined(home: Path, corpus: Path, within: float = PATIENCE, **settings: Any) -> dict[str, Finding]:
    """What is found under these settings."""
    corpus.mkdir(parents=True, exist_ok=True)
    session = Session(load_settings({"home": home, "corpus": corpus, **settings}))
    try:
        return dict(examine(session, within))
    finally:
        session.close()


def said(found: dict[str, Finding]) -> str:
    """Everything that is said."""
    return json.dumps([[one.said, one.remedy] for one in found.values()])


def llm(port: int, model: str = "writer-1") -> dict[str, Any]:
    address = f"http://user:{SECRET}@127.0.0.1:{port}/v1"
    return {"llm": {"provider": "openai", "base_url": address, "model": model, "api_key": CANARY}}


def test_a_home_that_was_seeded_is_fine_and_stays_as_it_is(world: World) -> None:
    before = {path: path.stat().st_mtime_ns for path in sorted((world.home / "store").rglob("*")) if path.is_file()}
    found = examined(world.home, world.corpus)
    assert {name: one.state for name, one in found.items() if one.state in ("warning", "fault")} == {}
    assert found["store"].seconds["durable commit"] > 0
    assert found["home"].seconds["fsync of 4 KB"] > 0
    assert found["remote"].state == found["Redis of store.redis_url"].state == "off"
    after = {path: path.stat().st_mtime_ns for path in sorted((world.home / "store").rglob("*")) if path.is_file()}
    assert {path for path in after if not path.name.endswith(("-wal", "-shm", "-position"))} == {
        path for path in before if not path.name.endswith(("-wal", "-shm", "-position"))
    }


def test_nothing_is_made_where_nothing_was_seeded(tmp_path: Path) -> None:
    found = examined(tmp_path / "home", tmp_path / "corpus", store={"remote": str(tmp_path)})
    assert found["store"].state == found["tables"].state == found["Dagster"].state == "off"
    assert found["remote"].state == "fine"
    assert not (tmp_path / "home").exists()


@pytest.mark.parametrize(
    ("settings", "probe", "word"),
    [
        ({"store": {"remote": "/nowhere/at/all"}}, "remote", "does not exist"),
        ({"store": {"redis_url": f"redis://:{SECRET}@127.0.0.1:9"}}, "Redis of store.redis_url", "does not answer"),
        ({"limits": {"redis_url": f"redis://:{SECRET}@127.0.0.1:9"}}, "Redis of limits.redis_url", "does not answer"),
        (llm(9), "model writer-1 at http://127.0.0.1:9/v1", "cannot be reached"),
    ],
    ids=["remote", "redis", "limits", "model"],
)
def test_what_cannot_be_reached_is_a_fault_with_a_remedy(
    tmp_path: Path, settings: dict[str, Any], probe: str, word: str
) -> None:
    found = examined(tmp_path / "home", tmp_path / "corpus", **settings)
    assert found[probe].state == "fault", found
    assert word in found[probe].said
    assert found[probe].remedy or "Check" in found[probe].said
    assert SECRET not in said(found)
    assert CANARY not in said(found)


def test_a_disk_with_little_space_is_named(tmp_path: Path) -> None:
    found = examined(tmp_path / "home", tmp_path / "corpus", store={"warn_free_mb": 1 << 40})
    assert (found["home"].state, "Free some space" in found["home"].remedy) == ("warning", True)


def test_a_model_that_the_server_does_not_have_is_a_fault_and_nothing_is_asked(tmp_path: Path) -> None:
    with ModelServer() as server:
        port = int(server.url.rpartition(":")[2])
        found = examined(tmp_path / "home", tmp_path / "corpus", **llm(port, "no-such-model"))
        (probe,) = (one for name, one in found.items() if name.startswith("model "))
        assert probe.said.startswith("The server answers")
        assert [call.path for call in server.calls if call.is_chat] == []


def test_a_key_that_is_refused_is_a_fault(tmp_path: Path) -> None:
    with ModelServer(always(Status(401))) as server:
        port = int(server.url.rpartition(":")[2])
        found = examined(tmp_path / "home", tmp_path / "corpus", **llm(port))
        (probe,) = (one for name, one in found.items() if name.startswith("model "))
        assert probe.state in ("fault", "warning")
        assert CANARY not in said(found)


@pytest.mark.parametrize("what", ["model", "redis"])
def test_a_server_that_hangs_is_left_behind(tmp_path: Path, silent: int, what: str) -> None:
    """A probe that waits for ever would make the command useless just when it is needed."""
    redis = {"limits": {"redis_url": f"redis://127.0.0.1:{silent}"}}
    started = time.monotonic()
    found = examined(tmp_path / "home", tmp_path / "corpus", within=2.0, **(llm(silent) if what == "model" else redis))
    took = time.monotonic() - started
    faults = {name: one for name, one in found.items() if one.state == "fault"}
    assert len(faults) == 1, found
    assert "within 2 seconds" in next(iter(faults.values())).said
    assert took < PATIENCE


def test_a_probe_that_raises_is_a_fault_and_keeps_no_other_from_looking() -> None:
    def broken() -> Finding:
        raise sqlite3.OperationalError("disk I/O error")

    found = run_probes([Probe("one", broken, "Look."), Probe("two", lambda: Finding("fine", "It works."))], PATIENCE)
    assert [(name, one.state, one.said) for name, one in found] == [
        ("one", "fault", "disk I/O error"),
        ("two", "fine", "It works."),
    ]
    assert found[0][1].remedy == "Look."


@pytest.mark.parametrize("number", [errno.EACCES, errno.EPERM, errno.EROFS])
def test_a_folder_that_cannot_be_written_is_named_and_not_taken_for_damaged(number: int) -> None:
    """The name of the file that a probe tried to make says nothing, and nothing has to be verified."""

    def refused() -> Finding:
        raise OSError(number, os.strerror(number), "/homes/one/.probe-x1")

    ((_, found),) = run_probes([Probe("store", refused, "Run `seedbank cache verify`.")], PATIENCE)
    assert (found.state, found.said) == ("fault", f"/homes/one cannot be written: {os.strerror(number)}.")
    assert found.remedy == "Make it writable for this user."


def test_records_of_dagster_that_cannot_be_opened_are_explained(world: World) -> None:
    """The driver's own words are three lines with a statement of SQL and an address."""
    records = world.home / "dagster" / "history" / "runs"
    records.rename(records.with_name("runs.away"))
    records.write_text("no folder")
    found = examined(world.home, world.corpus)["Dagster"]
    assert found.state == "fault"
    assert "cannot be used" in found.said
    assert "sqlalche.me" not in found.said + found.remedy


@pytest.mark.integration
def test_the_command_prints_and_exits_by_what_it_found(tmp_path: Path) -> None:
    corpus = tmp_path / "corpus"
    corpus.mkdir()
    fine = seedbank(tmp_path / "home", "doctor", environment={"SEEDBANK_CORPUS": str(corpus)})
    assert (fine.status, "corpus" in fine.output) == (0, True), fine.printed()
    wrong = asking(f"http://127.0.0.1:{free_port()}") | {"SEEDBANK_CORPUS": str(corpus)}
    fault = seedbank(tmp_path / "home", "doctor", "--json", environment=wrong)
    assert fault.status == 1, fault.printed()
    states = {name: one["state"] for name, one in fault.report["probes"].items()}
    assert "fault" in states.values()
    assert CANARY not in fault.output + fault.errors
