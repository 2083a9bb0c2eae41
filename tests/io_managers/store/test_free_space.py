"""The free space on the disk of a store: looked at before a run and during it."""

import logging
import shutil
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

import pytest

from io_managers.store import free_space
from io_managers.store.action_cache import Provenance
from io_managers.store.errors import StoreUnavailableError
from io_managers.store.fingerprint import KeyTemplate
from io_managers.store.free_space import FreeSpace
from io_managers.store.store import Store

MB = 1 << 20


class Disk(NamedTuple):
    total: int
    used: int
    free: int


class FreeMegabytes:
    """How much is free; tests change it."""

    def __init__(self) -> None:
        self.megabytes = 10_000

    def __call__(self, directory: object) -> Disk:
        return Disk(1 << 40, 0, self.megabytes * MB)


@pytest.fixture
def free(monkeypatch: pytest.MonkeyPatch) -> FreeMegabytes:
    found = FreeMegabytes()
    monkeypatch.setattr(shutil, "disk_usage", found)
    monkeypatch.setattr(free_space, "_LOOK_SECONDS", 0.0)
    return found


def test_it_warns_once_and_then_stops(tmp_path: Path, free: FreeMegabytes, caplog: pytest.LogCaptureFixture) -> None:
    space = FreeSpace(tmp_path, warn_bytes=1_000 * MB, least_bytes=64 * MB)
    assert space.problem() is None
    free.megabytes = 900
    with caplog.at_level(logging.WARNING):
        assert space.problem() is None
        assert space.problem() is None
    assert [record.message for record in caplog.records if "900 MB are free" in record.message] == [
        caplog.records[0].message
    ]
    free.megabytes = 63
    problem = space.problem()
    assert problem is not None
    assert "Only 63 MB are free" in problem.reason
    assert "seedbank cache gc" in problem.remedy
    free.megabytes = 64
    assert space.problem() is None, "a run that begins after space was freed goes on"


def test_a_run_that_is_under_way_sends_nothing_more_and_keeps_what_is_in_flight(
    tmp_path: Path, free: FreeMegabytes
) -> None:
    """It stops while commits still succeed, so that nothing of it has to wait in the reserve."""
    with closing(Store(tmp_path / "store")) as store:
        store.check_writable()
        assert store.refusal(0) is None
        free.megabytes = 10
        refusal = store.refusal(0)
        assert isinstance(refusal, StoreUnavailableError)
        in_flight = KeyTemplate("summaries", {"version": "1"}).action({"name": "a"})
        store.commit([(in_flight, "an answer", Provenance(usd=1.0, requests=1))]).result()
        assert store.actions.existing([in_flight.key])
        assert store.reserve.kept == 0
        with pytest.raises(StoreUnavailableError, match="Only 10 MB are free"):
            store.check_writable()


def test_a_disk_that_does_not_say_stops_nothing(tmp_path: Path) -> None:
    assert FreeSpace(tmp_path / "gone").problem() is None
