"""The run launcher: which runs it hands over, and when it takes a worker for dead."""

from collections.abc import Iterator

import dagster as dg
import pytest
from dagster._core.launcher.base import LaunchRunContext, ResumeRunContext, WorkerStatus
from dagster._core.test_utils import create_run_for_test

from event_log.run_beats import RunBeats
from seed_assets.orchestration.run_records import SPREAD_TAG
from seed_assets.spreading.celery_launcher import SeedbankCeleryRunLauncher

pytestmark = pytest.mark.integration


class Clock:
    """A clock that a test sets."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


class Sending(SeedbankCeleryRunLauncher):
    """A launcher that notes what it would send."""

    def __init__(self) -> None:
        super().__init__()
        self.sent: list[tuple[str, int]] = []

    def hand_over(self, run_id: str, attempt: int) -> str:
        self.sent.append((run_id, attempt))
        return "a queue"


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as made:
        yield made


@pytest.fixture
def launcher(instance: dg.DagsterInstance) -> Sending:
    made = Sending()
    made.clock = Clock()
    made.register_instance(instance)
    return made


def health(launcher: Sending, run: dg.DagsterRun, at: float) -> WorkerStatus:
    assert isinstance(launcher.clock, Clock)
    launcher.clock.now = at
    return launcher.check_run_worker_health(run).status


def test_a_worker_is_alive_as_long_as_its_heart_beats(instance: dg.DagsterInstance, launcher: Sending) -> None:
    """A worker that is taken for dead while it works computes everything twice; a dead one holds up the queue for ever."""
    run = create_run_for_test(instance, tags={SPREAD_TAG: "one"})
    beats = RunBeats(instance)
    assert beats.begin(run.run_id, 0, "worker-1")
    for at in range(0, 600, 30):
        assert health(launcher, run, at) is WorkerStatus.RUNNING
        assert beats.beat(run.run_id, 0, "worker-1", at + 1)
    assert health(launcher, run, 600) is WorkerStatus.RUNNING
    assert health(launcher, run, 659) is WorkerStatus.RUNNING
    assert health(launcher, run, 661) is WorkerStatus.FAILED
    found = launcher.check_run_worker_health(run)
    assert found.msg == "The worker on worker-1 has given no sign of life for 61 s."


def test_a_run_that_nobody_began_is_dead_as_well(instance: dg.DagsterInstance, launcher: Sending) -> None:
    """Its worker was killed between the message and the first heartbeat."""
    run = create_run_for_test(instance, tags={SPREAD_TAG: "one"})
    assert health(launcher, run, 0) is WorkerStatus.RUNNING
    assert health(launcher, run, 61) is WorkerStatus.FAILED


def test_a_run_is_begun_once_an_attempt_and_its_former_owner_gives_up(instance: dg.DagsterInstance) -> None:
    """A broker delivers a message twice after it was restarted; a worker that was cut off comes back."""
    beats = RunBeats(instance)
    assert beats.begin("run", 0, "worker-1")
    assert not beats.begin("run", 0, "worker-2")
    assert beats.beat("run", 0, "worker-1", 1)
    assert beats.begin("run", 1, "worker-2")
    assert not beats.beat("run", 0, "worker-1", 2)
    assert not beats.begin("run", 0, "worker-3")
    assert beats.beat("run", 1, "worker-2", 1)
    assert (last := beats.of("run")) is not None
    assert (last.attempt, last.owner, last.count) == (1, "worker-2", 1)


def test_only_runs_that_were_cut_for_workers_are_handed_over(instance: dg.DagsterInstance, launcher: Sending) -> None:
    """A run of tables in the home of a worker would write tables that nobody reads."""
    run = create_run_for_test(instance, tags={SPREAD_TAG: "one"}, status=dg.DagsterRunStatus.STARTED)
    launcher.launch_run(LaunchRunContext(run, None))
    launcher.resume_run(ResumeRunContext(run, None, 2))
    assert launcher.sent == [(run.run_id, 0), (run.run_id, 2)]
    other = create_run_for_test(instance)
    with pytest.raises(dg.DagsterInvariantViolationError, match="workspace"):  # Dagster's own way
        launcher.launch_run(LaunchRunContext(other, None))
    assert len(launcher.sent) == 2

    assert launcher.terminate(run.run_id)
    found = instance.get_run_by_id(run.run_id)
    assert found is not None
    assert found.status is dg.DagsterRunStatus.CANCELING
