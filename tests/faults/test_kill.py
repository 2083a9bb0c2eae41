"""A run that is killed loses nothing that was finished: a few of the moments of tests.kill_moments, the same each time."""

from pathlib import Path

import pytest

from tests.kill_moments import choose, kill_and_go_on
from tests.later_kill_moments import COMMANDS, Command, Later, disturb
from tests.support.seed_process import SAMPLE, undisturbed

pytestmark = [pytest.mark.integration, pytest.mark.long]

SEED = 7
# A fraction of the time that a command takes: after the start of Python, before the end.
SHARE = 0.7
GROUPS = ("between", "stage", "sink")


@pytest.mark.parametrize("group", GROUPS)
def test_what_a_killed_run_finished_is_never_computed_again(group: str, tmp_path: Path) -> None:
    """Hours of paid requests were lost once, because every result lived in memory until the last write."""
    reference = undisturbed(SAMPLE)
    (moment,) = (moment for moment in choose(reference, SEED, len(GROUPS)) if moment.group == group)
    killed = kill_and_go_on(moment, reference, SAMPLE, tmp_path)
    assert not killed.wrong, f"{moment.name} ({killed.met}):\n" + "\n".join(killed.wrong)


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.name)
def test_what_is_killed_over_a_seeded_home_loses_nothing(command: Command, tmp_path: Path) -> None:
    """A half-written table, a half-made clustering or half of a history must not be taken for a whole one."""
    wrong = disturb(Later(command, "killed", SHARE), undisturbed(SAMPLE), SAMPLE, tmp_path)
    assert not wrong, "\n".join(wrong)
