"""Ctrl-C and SIGTERM: what is in flight is finished and kept, the exit status is true, and the next run goes on.

Real processes, real signals. Summaries wait until a test lets them go on; everything else is the command.
"""

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.pipelines import essay
from tests.support.seed_process import SLOW, Seed, actions, committed, dagster_runs, published, rows, seed, undisturbed
from tests.support.slow_seed import BEGUN, FREE, GATE

pytestmark = [pytest.mark.integration, pytest.mark.long]

DOCUMENTS = 28
# How many summaries are finished at the signal, and how many are then in flight: as many as a stage has at once.
FINISHED, IN_FLIGHT = 8, 16
KEPT = "All finished work is kept"


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """More documents than a stage has in flight at once."""
    folder = tmp_path_factory.mktemp("interrupt") / "corpus"
    folder.mkdir()
    for number in range(DOCUMENTS):
        (folder / f"{number:02}.txt").write_text(essay(f"subject {number}"))
    return folder


@pytest.fixture
def start(corpus: Path, tmp_path: Path) -> Iterator["Start"]:
    """Starts one seed whose summaries can be held, and ends it whatever the test does."""
    starting = Start(corpus, tmp_path / "home")
    yield starting
    if starting.running is not None:
        starting.running.end()


class Start:
    """See the fixture."""

    def __init__(self, corpus: Path, home: Path) -> None:
        self.corpus = corpus
        self.home = home
        self.begun = home.with_name("begun")
        self.gate = home.with_name("gate")
        self.running: Seed | None = None

    def __call__(self, *arguments: str, free: int = FINISHED, afresh: bool = False) -> Seed:
        """free: how many summaries do not wait for the gate. afresh: the process imports everything itself."""
        environment = {BEGUN: str(self.begun), GATE: str(self.gate), FREE: str(free)}
        given = ("seed", "--corpus", str(self.corpus), *arguments)
        before = _nothing if afresh else None  # forks call nothing at their start
        self.running = Seed(self.home, *given, program=SLOW, environment=environment, before=before)
        return self.running

    def in_the_middle(self) -> bool:
        """Whether the first summaries are committed, the next are in flight, and the last not begun."""
        begun = len(self.begun.read_text().splitlines()) if self.begun.exists() else 0
        return committed(self.home)["summaries"] == FINISHED and begun == FINISHED + IN_FLIGHT

    def goes_on(self) -> None:
        """A run without interruption computes what was not committed, and ends as one that was never interrupted."""
        whole = undisturbed(self.corpus)
        before = actions(self.home)
        finished = seed(self.home, self.corpus)
        assert finished.status == 0, finished.printed()
        assert actions(self.home) == whole.actions
        for stage in ("summaries", "lance_documents"):
            had = sum(name == stage for name in before.values())
            assert finished.report["stages"][stage]["computed"] == DOCUMENTS - had
        assert all(table.equals(whole.rows[name]) for name, table in rows(self.home).items())
        assert set(dagster_runs(self.home).values()) <= {"CANCELED", "SUCCESS"}


def _nothing() -> None: ...


def test_ctrl_c_lets_work_in_flight_finish_and_commits_it(start: Start) -> None:
    """A model's answers that are on their way are paid for: to drop them is to pay twice."""
    running = start()
    assert running.wait_until(start.in_the_middle)
    running.send(signal.SIGINT)
    start.gate.touch()
    finished = running.finish()
    assert finished.status == 130, finished.printed()
    assert KEPT in finished.output
    assert committed(start.home)["summaries"] == FINISHED + IN_FLIGHT
    assert list(dagster_runs(start.home).values()) == ["CANCELED"]
    start.goes_on()


def test_sigterm_does_what_ctrl_c_does(start: Start) -> None:
    """Containers and process managers say SIGTERM; the report is still one JSON document with the exit status."""
    running = start("--json")
    assert running.wait_until(start.in_the_middle)
    running.send(signal.SIGTERM)
    start.gate.touch()
    finished = running.finish()
    assert finished.status == 130, finished.printed()
    assert finished.report["exit_code"] == 130
    assert finished.report["failures"] == []
    assert finished.computed["summaries"] == committed(start.home)["summaries"] == FINISHED + IN_FLIGHT
    assert list(dagster_runs(start.home).values()) == ["CANCELED"]


def test_a_second_ctrl_c_stops_at_once(start: Start) -> None:
    """Nobody has to wait for a model that hangs; the summaries here would never end."""
    running = start(free=0)
    assert running.wait_until(lambda: start.begun.exists())
    running.send(signal.SIGINT)
    with pytest.raises(TimeoutError):
        running.finish(within_seconds=1)
    running.send(signal.SIGINT)
    finished = running.finish(within_seconds=60)
    assert finished.status == 130, finished.printed()
    assert KEPT in finished.output + finished.errors
    assert "Traceback" not in finished.errors
    assert committed(start.home)["summaries"] == 0
    assert list(dagster_runs(start.home).values()) == ["CANCELED"]
    start.goes_on()


def test_ctrl_c_between_two_steps_of_dagster_is_no_failure(start: Start) -> None:
    """Dagster has handlers of its own there, and calls a run that they end a failure."""
    running = start(free=0)
    assert running.wait_until(lambda: published(start.home)["extracted_text"] == DOCUMENTS)
    running.send(signal.SIGINT)
    start.gate.touch()
    finished = running.finish()
    assert finished.status == 130, finished.printed()
    assert KEPT in finished.output
    assert "failed:" not in finished.output
    assert list(dagster_runs(start.home).values()) == ["CANCELED"]
    start.goes_on()


def test_ctrl_c_before_the_first_step_leaves_no_run_open(start: Start) -> None:
    """Dagster takes seconds to import: time enough to change one's mind."""
    running = start(free=DOCUMENTS, afresh=True)
    assert running.wait_until(lambda: any((start.home / "running").glob("*")))
    running.send(signal.SIGINT)
    finished = running.finish()
    assert finished.status == 130, finished.printed()
    assert KEPT in finished.output + finished.errors
    assert not committed(start.home)
    assert set(dagster_runs(start.home).values()) <= {"CANCELED"}
