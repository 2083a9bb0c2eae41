"""A home that publishes its tables in a folder, and one that reads them there."""

from pathlib import Path

import pytest

from tests.support.pipelines import World
from tests.support.table_readers import Reader, publishing, shared_folder


@pytest.fixture
def place(tmp_path: Path) -> Path:
    return shared_folder(tmp_path / "published")


@pytest.fixture
def home(empty_plain_world: World, place: Path) -> World:
    return publishing(empty_plain_world, str(place))


@pytest.fixture
def reader(tmp_path: Path, place: Path) -> Reader:
    return Reader(tmp_path / "reader", str(place))
