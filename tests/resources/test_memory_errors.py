"""Which errors say that memory ran out."""

import sqlite3

import pytest

from resources import memory_errors
from resources.memory_errors import is_memory_error


@pytest.mark.parametrize("name", ["SQLITE_NOMEM", "SQLITE_IOERR_NOMEM", "SQLITE_IOERR_SHMMAP", "SQLITE_IOERR_MMAP"])
def test_sqlite_without_memory_speaks_of_the_disk(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """With a small address space the message said that the disk or its permissions were at fault."""
    error = sqlite3.OperationalError("disk I/O error")
    error.sqlite_errorname = name
    monkeypatch.setattr(memory_errors, "address_limit_bytes", lambda: 500 << 20)
    assert is_memory_error(error)
    monkeypatch.setattr(memory_errors, "address_limit_bytes", lambda: None)
    assert not is_memory_error(error)


def test_an_error_of_the_disk_is_none_of_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    error = sqlite3.OperationalError("disk I/O error")
    error.sqlite_errorname = "SQLITE_IOERR_WRITE"
    monkeypatch.setattr(memory_errors, "address_limit_bytes", lambda: 500 << 20)
    assert not is_memory_error(error)
