"""What tests of the service share."""

from collections.abc import Iterator

import pytest

from tests.support.pipelines import World
from tests.support.served import Served, served


@pytest.fixture
def service(plain_world: World) -> Iterator[Served]:
    """A service over a small seeded home, which only this machine can reach."""
    with served(plain_world.home, plain_world.corpus) as found:
        yield found
