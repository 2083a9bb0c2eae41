"""A seed whose runs over documents are spread over processes: the same tables and requests, whatever becomes of a process."""

import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from seed_assets.spreading import worker, worker_start
from tests.support.model_corpus import asking, plant
from tests.support.model_faults import Latency, always
from tests.support.model_server import ModelServer
from tests.support.seed_process import PATIENCE_SECONDS, ROOT, Seed, actions, dagster_runs, rows, seed, seedbank

pytestmark = [pytest.mark.integration, pytest.mark.long]

DOCUMENTS = 24
# As many as a stage has at once.
IN_FLIGHT = 16
PRICES = """as_of = 2026-01-01
[models]
"writer-1" = { input = 100.0, output = 300.0 }
"vectors-1" = { input = 0.0 }
"""


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    return plant(tmp_path / "corpus", DOCUMENTS, short=True)


@pytest.fixture
def server() -> Iterator[ModelServer]:
    with ModelServer(always(Latency(0.05)), dimensions=64) as serving:
        yield serving


def workers_of(running: Seed) -> list[psutil.Process]:
    """The worker processes of a running seed."""
    found: list[psutil.Process] = []
    with suppress(psutil.Error):  # the seed has ended
        for one in psutil.Process(running.process.pid).children(recursive=True):
            with suppress(psutil.Error):  # it has ended just now
                if worker.__name__ in " ".join(one.cmdline()):
                    found.append(one)
    return found


def marks_in(home: Path) -> list[Path]:
    """The marks of processes that work in a home, or were killed in it."""
    return list((home / "running").glob("[!.]*"))


def sent_again(server: ModelServer) -> list[str]:
    return [digest for digest, times in Counter(call.digest for call in server.calls).items() if times > 1]


def test_the_tables_and_the_report_are_those_of_one_process(corpus: Path, server: ModelServer, tmp_path: Path) -> None:
    """Ranges that overlapped or left a document out, or a gathering that began too early, would show in a table."""
    environment = asking(server.url)
    spread = seed(tmp_path / "spread", corpus, "--workers", "3", environment=environment)
    assert spread.status == 0, spread.printed()
    assert sent_again(server) == []
    calls = {call.digest for call in server.calls}

    alone = seed(tmp_path / "alone", corpus, environment=environment)
    assert {call.digest for call in server.calls[len(calls) :]} == calls
    assert spread.computed == alone.computed
    assert [one["requests"] for one in spread.report["stages"].values()] == [
        one["requests"] for one in alone.report["stages"].values()
    ]
    assert actions(tmp_path / "spread") == actions(tmp_path / "alone")
    assert rows(tmp_path / "spread") == rows(tmp_path / "alone")
    assert len(spread.report["runs"]) == len(alone.report["runs"]) + 2 * 2, "two phases, each in three ranges"
    assert set(dagster_runs(tmp_path / "spread").values()) == {"SUCCESS"}

    again = seed(tmp_path / "spread", corpus, "--workers", "3", environment=environment)
    assert (again.status, again.report["runs"]) == (0, [])


def test_the_range_of_a_killed_process_is_done_by_another_one(
    corpus: Path, server: ModelServer, tmp_path: Path
) -> None:
    """No document is lost, and only what was in flight in that process is asked again."""
    server.script = always(Latency(0.3))
    with Seed(
        tmp_path / "home",
        *("seed", "--corpus", str(corpus), "--json", "--workers", "2"),
        environment=asking(server.url, LLM__IN_FLIGHT="4"),
    ) as running:
        assert running.wait_until(lambda: len(server.calls) > 2 * DOCUMENTS), "the requests for vectors come first"
        os.kill(workers_of(running)[0].pid, signal.SIGKILL)
        done = running.finish()
    assert done.status == 0, done.printed()
    assert len(sent_again(server)) <= IN_FLIGHT
    assert done.report["stages"]["lance_documents"]["documents"] == DOCUMENTS
    assert sorted(Counter(dagster_runs(tmp_path / "home").values())) == ["FAILURE", "SUCCESS"]
    alone = seed(tmp_path / "alone", corpus, environment=asking(server.url))
    assert alone.status == 0, alone.printed()
    assert rows(tmp_path / "home") == rows(tmp_path / "alone")

    calls = len(server.calls)
    again = seed(tmp_path / "home", corpus, environment=asking(server.url))
    assert (again.status, again.report["runs"], len(server.calls)) == (0, [], calls)


def test_a_range_that_ends_every_process_is_reported(corpus: Path, server: ModelServer, tmp_path: Path) -> None:
    """Without a bound the seed would start processes for ever."""
    with Seed(
        tmp_path / "home",
        *("seed", "--corpus", str(corpus), "--json", "--workers", "2"),
        environment=asking(server.url),
    ) as running:
        killed = set[int]()
        while running.process.poll() is None:
            for one in workers_of(running):
                if one.pid not in killed:
                    killed.add(one.pid)
                    one.kill()
            time.sleep(0.05)
        done = running.finish()
    assert done.status == 1, done.printed()
    assert len(killed) == 2 * 3
    assert "3 worker processes died in the run over the documents" in done.report["failures"][0]["reason"]


def test_a_stopped_seed_finishes_what_its_processes_have_in_flight(
    corpus: Path, server: ModelServer, tmp_path: Path
) -> None:
    """A process that went on after the seed would pay unseen; one that was cut off would lose answers that are paid for."""
    server.script = always(Latency(0.5))
    with Seed(
        tmp_path / "home",
        *("seed", "--corpus", str(corpus), "--json", "--workers", "2"),
        environment=asking(server.url, LLM__IN_FLIGHT="4"),
    ) as running:
        assert running.wait_until(lambda: len(server.calls) > 4)
        running.send(signal.SIGTERM)
        left = workers_of(running)
        done = running.finish()
    assert psutil.wait_procs(left, timeout=60)[1] == []
    assert done.status == 130, done.printed()
    again = seed(tmp_path / "home", corpus, "--workers", "2", environment=asking(server.url))
    assert again.status == 0, again.printed()
    assert sent_again(server) == []


def test_processes_die_with_the_seed(corpus: Path, server: ModelServer, tmp_path: Path) -> None:
    """What they have in flight is paid for, so they finish it; the next seed finds it."""
    server.script = always(Latency(0.5))
    with Seed(
        tmp_path / "home",
        *("seed", "--corpus", str(corpus), "--json", "--workers", "2"),
        environment=asking(server.url, LLM__IN_FLIGHT="4"),
    ) as running:
        assert running.wait_until(lambda: len(server.calls) > 4)
        left = workers_of(running)
        running.kill()
    assert psutil.wait_procs(left, timeout=60)[1] == []
    # Besides the mark of the seed, that of a process is left: it did not go on to end its run in Dagster's records.
    assert len(marks_in(tmp_path / "home")) >= 2
    again = seed(tmp_path / "home", corpus, environment=asking(server.url))
    assert again.status == 0, again.printed()
    assert sent_again(server) == []
    assert marks_in(tmp_path / "home") == []
    assert set(dagster_runs(tmp_path / "home").values()) <= {"SUCCESS", "FAILURE", "CANCELED"}


def test_a_process_that_is_still_beginning_dies_with_the_seed_at_once(tmp_path: Path) -> None:
    """It imports for seconds before it can hear that the seed is gone, and would then end with a traceback."""
    code = (
        "import os, subprocess, sys, time\n"
        "read, write = os.pipe()\n"
        "os.set_inheritable(read, True)\n"
        f"command = [sys.executable, '-m', {worker_start.__name__!r}, str(read), str(os.getpid())]\n"
        "child = subprocess.Popen(command, pass_fds=[read])\n"
        "print(child.pid, flush=True)\n"
        "time.sleep(600)\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as seeding:
        assert seeding.stdout is not None
        assert seeding.stderr is not None
        child = psutil.Process(int(seeding.stdout.readline()))
        deadline = time.monotonic() + PATIENCE_SECONDS
        # It maps ctypes just before it asks to be killed with its parent.
        while not any("_ctypes" in one.path for one in child.memory_maps()) and time.monotonic() < deadline:
            time.sleep(0.01)
        seeding.kill()
        seeding.wait()
        said = seeding.stderr.read()
    assert psutil.wait_procs([child], timeout=PATIENCE_SECONDS)[1] == []
    assert said == b""


def test_a_budget_holds_over_all_processes(corpus: Path, server: ModelServer, tmp_path: Path) -> None:
    """Each process alone would spend all of it; and what their shares leave over is still used."""
    prices = tmp_path / "prices.toml"
    prices.write_text(PRICES)
    more = {"PRICES": str(prices), "LLM__MAX_OUTPUT_TOKENS": "500", "LLM__CONTEXT_TOKENS": "4000"}
    environment = asking(server.url, **more)
    done = seed(tmp_path / "home", corpus, "--workers", "2", "--max-cost", "5", environment=environment)
    assert done.status == 3, done.printed()
    spent = sum(stage["usd"] for stage in done.report["stages"].values())
    stats = seedbank(tmp_path / "home", "cache", "stats", "--json", environment=environment).report
    assert sum(model["usd"] for model in stats["models"]) == pytest.approx(spent, abs=1e-4)
    assert 3 < spent <= 5
    assert sent_again(server) == []
