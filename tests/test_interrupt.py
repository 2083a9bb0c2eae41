"""Ctrl-C and SIGTERM: what is in flight is finished and kept, the exit status is true, and the next run goes on.

Real processes, real signals. A summary takes as long as a test says; everything else is the command.
"""

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.pipelines import essay
from tests.seed_process import SLOW, Seed, actions, committed, dagster_runs, published, rows, seed, undisturbed
from tests.slow_seed import BEGUN, SECONDS

DOCUMENTS = 40
KEPT = "Everything that was finished is kept"


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
    """Starts one seed whose summaries take so many seconds, and ends it whatever the test does."""
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
        self.running: Seed | None = None

    def __call__(self, seconds: float, *arguments: str) -> Seed:
        environment = {SECONDS: str(seconds), BEGUN: str(self.begun)}
        given = ("seed", "--corpus", str(self.corpus), *arguments)
        self.running = Seed(self.home, *given, program=SLOW, environment=environment)
        return self.running

    def goes_on(self) -> None:
        """A run without interruption computes what was not committed, and ends as one that was never interrupted."""
        whole = undisturbed(self.corpus)
        before = actions(self.home)
        finished = seed(self.home, self.corpus)
        assert finished.status == 0, finished.told()
        assert actions(self.home) == whole.actions
        for stage in ("summaries", "lance_documents"):
            had = sum(name == stage for name in before.values())
            assert finished.report["stages"][stage]["computed"] == DOCUMENTS - had
        assert all(table.equals(whole.rows[name]) for name, table in rows(self.home).items())
        assert set(dagster_runs(self.home).values()) <= {"CANCELED", "SUCCESS"}


def in_the_middle(home: Path) -> bool:
    """Whether some summaries are committed, and others are not begun."""
    return 0 < committed(home)["summaries"] < DOCUMENTS


def test_ctrl_c_lets_work_in_flight_finish_and_commits_it(start: Start) -> None:
    """A model's answers that are on their way are paid for: to drop them is to pay twice."""
    running = start(1.5)
    assert running.wait_until(lambda: in_the_middle(start.home))
    at_signal = committed(start.home)["summaries"]
    running.send(signal.SIGINT)
    finished = running.finish()
    assert finished.status == 130, finished.told()
    assert KEPT in finished.output
    kept = committed(start.home)["summaries"]
    assert at_signal < kept < DOCUMENTS
    assert list(dagster_runs(start.home).values()) == ["CANCELED"]
    start.goes_on()


def test_sigterm_does_what_ctrl_c_does(start: Start) -> None:
    """Containers and process managers say SIGTERM; the report is still one JSON document with the exit status."""
    running = start(1.5, "--json")
    assert running.wait_until(lambda: in_the_middle(start.home))
    at_signal = committed(start.home)["summaries"]
    running.send(signal.SIGTERM)
    finished = running.finish()
    assert finished.status == 130, finished.told()
    assert finished.report["exit_code"] == 130
    assert finished.report["failures"] == []
    assert finished.computed["summaries"] == committed(start.home)["summaries"] > at_signal
    assert list(dagster_runs(start.home).values()) == ["CANCELED"]


def test_a_second_ctrl_c_stops_at_once(start: Start) -> None:
    """Whoever does not want to wait for a model that hangs need not; the summaries here would take an hour."""
    running = start(3600)
    assert running.wait_until(lambda: start.begun.exists())
    running.send(signal.SIGINT)
    with pytest.raises(TimeoutError):
        running.finish(within_seconds=1)
    running.send(signal.SIGINT)
    finished = running.finish(within_seconds=60)
    assert finished.status == 130, finished.told()
    assert KEPT in finished.output + finished.errors
    assert "Traceback" not in finished.errors
    assert committed(start.home)["summaries"] == 0
    assert list(dagster_runs(start.home).values()) == ["CANCELED"]
    start.goes_on()


def test_ctrl_c_between_two_steps_of_dagster_is_no_failure(start: Start) -> None:
    """Dagster has handlers of its own there, and calls a run that they end a failure."""
    running = start(0)
    assert running.wait_until(lambda: published(start.home)["extracted_text"] == DOCUMENTS)
    running.send(signal.SIGINT)
    finished = running.finish()
    assert finished.status == 130, finished.told()
    assert KEPT in finished.output
    assert "failed:" not in finished.output
    assert list(dagster_runs(start.home).values()) == ["CANCELED"]
    start.goes_on()


def test_ctrl_c_before_the_first_step_leaves_no_run_open(start: Start) -> None:
    """Dagster takes seconds to import: time enough to change one's mind."""
    running = start(0)
    assert running.wait_until(lambda: any((start.home / "running").glob("*")))
    running.send(signal.SIGINT)
    finished = running.finish()
    assert finished.status == 130, finished.told()
    assert KEPT in finished.output + finished.errors
    assert not committed(start.home)
    assert set(dagster_runs(start.home).values()) <= {"CANCELED"}
