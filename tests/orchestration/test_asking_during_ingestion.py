"""Questions over HTTP while the daemon carries out an ingestion: all are answered, and none from a text that is gone.

What does not belong here: ingestions by themselves (test_daemon), and bounds on what is asked (tests/service).
"""

import itertools
import json
import threading
import time
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from resources.ingestions.ingestion_requests import OPEN
from tests.orchestration.test_daemon import Dev
from tests.support.http_service import answers, asked, free_port
from tests.support.seed_process import Seed

pytestmark = [pytest.mark.integration, pytest.mark.long]

QUESTIONS, CONNECTIONS = 60, 16
"""At most so many questions are asked before the ingestion has ended, by so many clients."""
PORTS = ("Arnavik", "Brestholm", "Calderon", "Dunmara", "Eskilby", "Farrow")
BEFORE, AFTER = "Johannes Lindqvist", "Marguerite Okafor"


class Asked(NamedTuple):
    """A question that was asked. began, ended: when, in seconds."""

    port: str
    began: float
    ended: float
    reply: dict[str, Any]


@pytest.fixture
def dev(tmp_path: Path) -> Iterator[Dev]:
    """A command with a daemon over a seeded home, in which each port has its keeper."""
    dev = Dev(tmp_path)
    dev.plant()
    write_keepers(dev, BEFORE)
    try:
        dev.begin()
        assert dev.seed().status == 0
        dev.serve()
        yield dev
    finally:
        dev.end()


def write_keepers(dev: Dev, keeper: str) -> None:
    """Write a document for each port."""
    for port in PORTS:
        dev.write(f"ports/{port}.md", f"# The port of {port}\n\nThe lighthouse of {port} is kept by {keeper}.\n")


def test_all_questions_are_answered_from_what_is_there(dev: Dev) -> None:
    """An ingestion locked readers out, or answers came from the text before it."""
    port = free_port()
    done: list[Asked] = []
    ended = threading.Event()
    waiting = itertools.count()

    def ask(place: str) -> Asked:
        began = time.time()
        reply = asked(port, "/ask", {"question": f"Who keeps the lighthouse of {place}?"})
        return Asked(place, began, time.time(), reply)

    def ask_on(number: int) -> None:
        while not ended.is_set() and next(waiting) < QUESTIONS:
            done.append(ask(PORTS[(number + len(done)) % len(PORTS)]))

    with Seed(dev.home, "serve", "--port", str(port)) as service, ThreadPoolExecutor(CONNECTIONS + 1) as clients:
        assert service.wait_until(lambda: answers(port)), service.finish().printed()
        done += map(ask, PORTS)
        write_keepers(dev, AFTER)
        request = urllib.request.Request(f"http://127.0.0.1:{port}/ingest/start", b"", method="POST")
        ingestion = json.load(urllib.request.urlopen(request, timeout=60))["ingestion"]["ingestion_id"]
        asking = [clients.submit(ask_on, number) for number in range(CONNECTIONS)]

        def state() -> str:
            dev.hasten()
            return asked(port, f"/ingest/status/{ingestion}")["ingestion"]["state"]

        dev.until(lambda: state() not in OPEN, "the end of the ingestion")
        over = time.time()
        ended.set()
        for one in asking:
            one.result()  # raises what went wrong: a refusal, a failure, a connection that was closed
        assert state() == "succeeded"
        with ThreadPoolExecutor(CONNECTIONS) as more:
            done += more.map(ask, PORTS * 2)
        errors = service.kill().errors
    assert "Traceback" not in errors, errors
    for one in done:
        (first, *_) = one.reply["citations"]
        keepers = {keeper for keeper in (BEFORE, AFTER) if keeper in first["text"]}
        assert first["text"] in {f"The lighthouse of {one.port} is kept by {keeper}." for keeper in keepers}, one
        if one.began > over:
            assert keepers == {AFTER}, one
    assert {AFTER in one.reply["answer"] for one in done} == {True, False}
