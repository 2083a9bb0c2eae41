"""The commands `seedbank serve` and `seedbank mcp` as processes, over a home that `seedbank seed` has made.

What does not belong here: what is replied (the other modules of this folder), and the daemon (tests/orchestration/test_daemon).
"""

import asyncio
import json
import os
import shutil
import signal
import socket
import sys
from pathlib import Path
from typing import Any

import pytest
from mcp import Client, StdioServerParameters

from tests.support.http_service import answers, asked, free_port
from tests.support.seed_process import ROOT, SAMPLE, Seed, committed, seed, seedbank

pytestmark = [pytest.mark.integration, pytest.mark.slow]

QUESTION = "Why do the pages face outward in a chained library?"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A seeded home."""
    directory = tmp_path_factory.mktemp("service")
    shutil.copytree(SAMPLE / "bookbinding", directory / "corpus")
    done = seed(directory / "home", directory / "corpus")
    assert done.status == 0, done.printed()
    return directory / "home"


def test_the_service_answers_agents_and_programs_and_ends_with_ctrl_c(home: Path) -> None:
    port = free_port()
    with Seed(home, "serve", "--port", str(port), before=_hear_interrupts) as service:
        assert service.wait_until(lambda: answers(port)), service.finish().printed()
        first = asked(port, "/ask", {"question": QUESTION})
        again = asked(port, "/ask", {"question": QUESTION})
        assert first["citations"][0]["document"] == "chained-libraries.md"
        assert (first["cache"]["answer_hit"], again["cache"]["answer_hit"]) == (False, True)

        async def use() -> dict[str, Any]:
            async with Client(f"http://127.0.0.1:{port}/mcp") as client:
                assert "ask" in {tool.name for tool in (await client.list_tools()).tools}
                found = await client.call_tool("ask", {"question": QUESTION})
                assert found.structured_content is not None
                return found.structured_content

        assert asyncio.run(use())["answer"] == first["answer"]
        service.send(signal.SIGINT)
        done = service.finish(60)
    assert done.status == 0, done.printed()
    assert f"{home} is answered at http://127.0.0.1:{port}/" in done.errors
    assert "Traceback" not in done.errors


def test_an_answer_is_kept_when_the_service_is_killed(home: Path) -> None:
    port = free_port()
    for hit in (False, True):
        with Seed(home, "serve", "--port", str(port)) as service:
            assert service.wait_until(lambda: answers(port)), service.finish().printed()
            found = asked(port, "/ask", {"question": "What were chains made of?"})
            assert found["cache"]["answer_hit"] is hit
            made = asked(port, "/ingest/start", {})["ingestion"]["ingestion_id"]
            listed = [one["ingestion"]["ingestion_id"] for one in asked(port, "/ingest/list")["ingestions"]]
            assert listed[0] == made
            assert len(listed) == 1 + hit
            service.kill()


def test_a_client_that_leaves_costs_the_next_one_nothing(home: Path) -> None:
    """A browser tab that is closed must not waste an answer that is paid for."""
    port = free_port()
    with Seed(home, "serve", "--port", str(port)) as service:
        assert service.wait_until(lambda: answers(port)), service.finish().printed()
        before = committed(home)["answer"]
        body = json.dumps({"question": "Who made the chains?", "stream": True}).encode()
        lines = (
            "POST /ask HTTP/1.1",
            "Host: 127.0.0.1",
            "Content-Type: application/json",
            f"Content-Length: {len(body)}",
        )
        with socket.create_connection(("127.0.0.1", port)) as client:
            client.sendall("\r\n".join((*lines, "", "")).encode() + body)
            received = b""
            while b"event: passages" not in received:
                received += client.recv(65_536)
        assert service.wait_until(lambda: committed(home)["answer"] == before + 1)
        assert asked(port, "/ask", {"question": "Who made the chains?"})["cache"]["answer_hit"]
        errors = service.kill().errors
    assert "Traceback" not in errors, errors


def test_agents_reach_the_tools_over_standard_streams(home: Path) -> None:
    parameters = StdioServerParameters(
        command=sys.executable,
        args=["-m", "cli.main", "mcp", "--home", str(home)],
        env={"PYTHONPATH": str(ROOT), "PATH": os.environ["PATH"]},
        cwd=ROOT,
    )

    async def use() -> None:
        async with Client(parameters) as client:
            found = await client.call_tool("search", {"query": QUESTION, "limit": 2})
            assert found.structured_content is not None
            (first, _) = found.structured_content["passages"]
            place = {name: first[name] for name in ("document", "start", "end")}
            opened = await client.call_tool("open", place)
            assert opened.structured_content is not None
            assert opened.structured_content["text"] == first["text"]

    asyncio.run(use())


def test_a_service_that_would_be_open_or_has_no_port_does_not_start(home: Path) -> None:
    refused = seedbank(home, "serve", "--host", "0.0.0.0")
    assert refused.status == 2
    assert "SEEDBANK_SERVICE__TOKEN" in refused.errors
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        used = seedbank(home, "serve", "--port", str(taken.getsockname()[1]))
    assert used.status == 2
    assert "is in use" in used.errors


def test_tools_over_a_home_without_documents_say_what_to_do(tmp_path: Path) -> None:
    done = seedbank(tmp_path / "none", "mcp")
    assert done.status == 2
    assert "Run `seedbank seed`" in done.errors


def _hear_interrupts() -> None:
    signal.signal(signal.SIGINT, signal.default_int_handler)
