"""A run that is killed loses nothing that was finished: three of the moments of tests.kill_moments, the same each time."""

from pathlib import Path

import pytest

from tests.kill_moments import choose, kill_and_go_on
from tests.seed_process import SAMPLE, undisturbed

SEED = 7
GROUPS = ("between", "stage", "sink")


@pytest.mark.parametrize("group", GROUPS)
def test_what_a_killed_run_finished_is_never_computed_again(group: str, tmp_path: Path) -> None:
    """Hours of paid requests were lost once, because every result lived in memory until the last write."""
    reference = undisturbed(SAMPLE)
    (moment,) = (moment for moment in choose(reference, SEED, len(GROUPS)) if moment.group == group)
    killed = kill_and_go_on(moment, reference, SAMPLE, tmp_path)
    assert not killed.wrong, f"{moment.name} ({killed.met}):\n" + "\n".join(killed.wrong)
