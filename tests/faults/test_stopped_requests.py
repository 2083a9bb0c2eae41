"""Requests that wait for a process that was stopped with its own in flight. What belongs here: who is named."""

import logging
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from io_managers.store import holders
from resources.limits.request_slots import FileSlots

pytestmark = pytest.mark.integration

ROOT = Path(__file__).resolve().parents[2]
HOLDER = """
import sys
from pathlib import Path
from resources.limits.request_slots import FileSlots
slots = FileSlots(Path(sys.argv[1]), 1)
print(slots.take(), flush=True)
sys.stdin.readline()
"""


@pytest.fixture
def holder(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """A process that has the only slot."""
    child = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(tmp_path / "limit")],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert child.stdout is not None
    assert child.stdout.readline() == "0\n"
    yield child
    child.kill()
    child.communicate()


@pytest.mark.skipif(not Path("/proc/locks").exists(), reason="the system does not say who holds a lock")
def test_a_stopped_process_that_has_the_last_slot_is_named(
    tmp_path: Path,
    holder: subprocess.Popen[str],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """One that just works is not: requests may take long."""
    for name in ("_SAY_STOPPED_AFTER_SECONDS", "_SAY_AFTER_SECONDS", "_LOOK_SECONDS"):
        monkeypatch.setattr(holders, name, 0.0)
    slots = FileSlots(tmp_path / "limit", 1)
    with caplog.at_level(logging.WARNING):
        assert slots.take() is None
        assert caplog.records == []
        os.kill(holder.pid, signal.SIGSTOP)
        os.waitid(os.P_PID, holder.pid, os.WSTOPPED | os.WNOWAIT)
        for _ in range(3):
            assert slots.take() is None
    (message,) = [record.getMessage() for record in caplog.records]
    assert f"held by process {holder.pid}" in message
    assert f"kill -CONT {holder.pid}" in message
    holder.kill()
    holder.wait()
    assert slots.take() == 0
    slots.close()
