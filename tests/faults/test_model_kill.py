"""A run that is killed asks again for at most what was on its way: three moments, the same each time."""

from pathlib import Path

import pytest

from tests.model_kill_moments import kill_and_go_on, moments
from tests.support.model_corpus import plant

pytestmark = [pytest.mark.integration, pytest.mark.long]

DOCUMENTS = 24


@pytest.mark.parametrize("at", moments(DOCUMENTS, seed_number=7, count=3))
def test_after_a_kill_at_most_the_requests_in_flight_are_sent_again(at: int, tmp_path: Path) -> None:
    """Whatever was answered and committed is never paid for twice, whenever the process dies."""
    killed = kill_and_go_on(at, plant(tmp_path / "corpus", DOCUMENTS, short=True), tmp_path)
    assert not killed.wrong, "\n".join(killed.wrong)
