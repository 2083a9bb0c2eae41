"""The places where a remote may lie, and an object store on loopback."""

import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from io_managers.sharing.buckets.bucket import Bucket
from io_managers.sharing.buckets.folder_bucket import FolderBucket
from io_managers.sharing.buckets.object_bucket import ObjectBucket
from tests.support.object_store import ObjectStore


@pytest.fixture(scope="session")
def object_store(integration: None) -> Iterator[ObjectStore]:
    """One for all tests of a process."""
    with ObjectStore() as store:
        yield store


@pytest.fixture
def s3_address(object_store: ObjectStore, monkeypatch: pytest.MonkeyPatch) -> str:
    """A new bucket with a prefix in it."""
    for name, value in object_store.environment.items():
        monkeypatch.setenv(name, value)
    return f"{object_store.create(f'bucket-{uuid.uuid4().hex[:12]}')}/seedbank"


S3 = pytest.param("s3", marks=[pytest.mark.integration])


@pytest.fixture(params=["folder", "memory", S3])
def opened(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[], Bucket]:
    """Opens the same place each time, as another host does."""
    if request.param == "folder":
        place = tmp_path / "remote"
        place.mkdir()
        return lambda: FolderBucket(place)
    if request.param == "memory":
        memory = ObjectBucket("memory:///", 10)
        return lambda: memory
    address = request.getfixturevalue("s3_address")
    return lambda: ObjectBucket(address, 10)
