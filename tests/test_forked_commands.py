"""Commands of tests are forks, which spares each the imports: nothing that tests import may put an end to that unnoticed."""

import os

import pytest

from tests.support.forked_commands import can_fork
from tests.support.seed_process import COMMAND, HASTY, SLOW


@pytest.mark.slow
def test_commands_are_forked_although_scikit_learn_changes_the_environment() -> None:
    """The whole suite imports it before the first command, and then started each as a process that imports everything."""
    import sklearn

    assert "KMP_INIT_AT_FORK" in os.environ, f"scikit-learn {sklearn.__version__} changes nothing any more"
    assert all(can_fork(program, dict(os.environ)) for program in (COMMAND, SLOW, HASTY))


def test_a_command_with_other_variables_for_python_is_started_afresh() -> None:
    assert not can_fork(COMMAND, {**os.environ, "PYTHONHASHSEED": "7"})
