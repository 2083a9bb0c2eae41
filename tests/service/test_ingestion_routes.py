"""Ingestions over HTTP: asking for them, following and cancelling them, and what is said while no daemon runs.

What does not belong here: what a tick of the daemon does with them (tests/orchestration/test_ingestions).
"""

import json
import threading
import time

import msgspec
import pytest

from resources.ingestions.ingestion_requests import MOST_OPEN, Ingestion, IngestionRequests, IngestionRun
from tests.support.pipelines import World
from tests.support.served import Served, served


def start(service: Served) -> str:
    found = service.client.post("/ingest/start")
    assert found.status_code == 202
    return found.json()["ingestion"]["ingestion_id"]


def recorded(service: Served, ingestion_id: str, **changes: object) -> Ingestion:
    """Record what a tick of the daemon would."""
    found = service.base.requests.get(ingestion_id)
    assert found is not None
    return service.base.requests.record(msgspec.structs.replace(found, **changes))


def test_a_request_is_listed_and_says_that_no_daemon_has_looked(service: Served) -> None:
    """A request that nothing will carry out looks like one that is slow, unless somebody says so."""
    made = start(service)
    status = service.client.get(f"/ingest/status/{made}").json()
    assert (status["ingestion"]["state"], status["ended"]) == ("requested", False)
    assert f"`seedbank dev --home {service.base.home.directory}`" in status["remedy"]
    assert IngestionRequests(service.base.home.ingestions).looked()
    assert service.client.get(f"/ingest/status/{made}").json()["remedy"] == ""
    verified = service.client.post("/ingest/start", json={"verify": True}).json()["ingestion"]
    assert verified["verify"] is True
    listed = service.client.get("/ingest/list").json()["ingestions"]
    assert [one["ingestion"]["ingestion_id"] for one in listed] == [verified["ingestion_id"], made]
    assert len(service.client.get("/ingest/list", params={"limit": 1}).json()["ingestions"]) == 1
    assert service.client.get("/ingest/list", params={"state": "running"}).json() == {"ingestions": []}
    assert service.client.get("/ingest/list", params={"state": "lost"}).status_code == 422


def test_a_daemon_that_has_stopped_looking_is_noticed(service: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    made = start(service)
    service.base.requests.looked()
    recorded(service, made, state="running")
    now = time.time
    monkeypatch.setattr("resources.ingestions.ingestion_requests.time.time", lambda: now() + 300)
    assert (
        "No daemon of Dagster has looked for requests for 300 seconds"
        in service.client.get(f"/ingest/status/{made}").json()["remedy"]
    )


@pytest.mark.slow
def test_events_follow_an_ingestion_to_its_end(service: Served) -> None:
    made = start(service)
    service.base.requests.looked()

    def carry_out() -> None:
        time.sleep(0.3)
        recorded(service, made, state="running", runs=(IngestionRun("run", "seed_documents", "STARTED"),))
        time.sleep(1.2)
        recorded(service, made, state="succeeded", ended=time.time())

    daemon = threading.Thread(target=carry_out)
    daemon.start()
    text = service.client.get(f"/ingest/events/{made}").text.replace("\r\n", "\n")
    daemon.join()
    blocks = [dict(line.split(": ", 1) for line in block.split("\n")) for block in text.strip().split("\n\n")]
    assert [block["event"] for block in blocks] == ["requested", "running", "succeeded"]
    assert json.loads(blocks[1]["data"])["ingestion"]["runs"][0]["job"] == "seed_documents"
    assert json.loads(blocks[2]["data"])["ended"] is True


def test_an_ingestion_is_cancelled_before_and_after_its_first_run(service: Served) -> None:
    first, second = start(service), start(service)
    assert service.client.post(f"/ingest/cancel/{first}").json()["ingestion"]["state"] == "cancelled"
    recorded(service, second, state="running")
    assert service.client.post(f"/ingest/cancel/{second}").json()["ingestion"]["state"] == "cancelling"
    # The daemon may have looked at it before: what it records then does not undo the cancellation.
    assert recorded(service, second, state="running").state == "cancelling"
    assert recorded(service, second, state="cancelled").state == "cancelled"
    assert service.client.post(f"/ingest/cancel/{second}").json()["ended"] is True


def test_unknown_ingestions_are_not_found(service: Served) -> None:
    for method, path in (("GET", "status"), ("GET", "events"), ("POST", "cancel")):
        assert service.client.request(method, f"/ingest/{path}/none").status_code == 404


@pytest.mark.slow
def test_too_many_requests_are_refused(service: Served) -> None:
    for _ in range(MOST_OPEN):
        assert service.base.requests.request() is not None
    found = service.client.post("/ingest/start")
    assert found.status_code == 409
    assert found.headers["content-type"] == "application/problem+json"


def test_a_new_home_is_filled_by_an_ingestion(empty_plain_world: World) -> None:
    """Before anything is seeded, an ingestion is the one thing that can be asked for."""
    with served(empty_plain_world.home, empty_plain_world.corpus) as service:
        made = start(service)
        assert service.client.get(f"/ingest/status/{made}").status_code == 200
