"""Seeds of tests that are marked `integration` run in Dagster; those of others run in the test's own process, which is faster.

test_plain_runs compares what the two leave behind.
"""

import pytest

from tests.support.lanes import INTEGRATION
from tests.support.pipelines import World


@pytest.fixture
def world(request: pytest.FixtureRequest) -> World:
    """Six documents, seeded."""
    return _world(request, "world", "plain_world")


@pytest.fixture
def empty_world(request: pytest.FixtureRequest) -> World:
    """Six documents, and a home in which nothing was ever seeded."""
    return _world(request, "empty_world", "empty_plain_world")


def _world(request: pytest.FixtureRequest, with_dagster: str, without: str) -> World:
    marked = request.node.get_closest_marker(INTEGRATION) is not None
    return request.getfixturevalue(with_dagster if marked else without)
