"""A run that is killed around the call that begins a batch, or around its results, pays nothing twice: a moment at each call."""

from pathlib import Path

import pytest

from tests.batch_kill_moments import EVENTS, kill_and_go_on, moments

pytestmark = [pytest.mark.integration, pytest.mark.long]


@pytest.mark.parametrize(("at", "seconds"), moments(EVENTS, seed_number=3))
def test_after_a_kill_nothing_in_a_batch_is_paid_twice(at: int, seconds: float, tmp_path: Path) -> None:
    """Guards against a second batch of the same requests, and against replies that are lost between two commits."""
    assert not kill_and_go_on(at, seconds, tmp_path, texts=12)
