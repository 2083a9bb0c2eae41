"""A plan looks at the store, the tables and the corpus; how they were filled, it does not see."""

import pytest

from tests.support.pipelines import World


@pytest.fixture
def world(plain_world: World) -> World:
    """Six documents, seeded without Dagster."""
    return plain_world


@pytest.fixture
def empty_world(empty_plain_world: World) -> World:
    """Six documents, to be seeded without Dagster."""
    return empty_plain_world
