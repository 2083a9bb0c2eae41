"""What a seed and its worker processes send each other: errors above all, whose classes take other arguments than they keep."""

import sqlite3

import pytest

from io_managers.store.errors import CorruptObjectError, LeaseBusyError, StoreUnavailableError, is_disk_failure
from resources.endpoints.llm import EndpointError, InvalidOutputError, PermanentLLMError, TransientLLMError
from resources.errors import ConfigurationError, DocumentError
from resources.tables.lance_errors import TableError
from seed_assets.engine.stage_run import BlockedError, NotBegunError
from seed_assets.spreading.messages import Broken, decoded, encoded


class Passing:
    """An outage that explains a wrong answer."""

    def is_passing(self) -> bool:
        return True


@pytest.mark.parametrize(
    "error",
    [
        DocumentError("it is broken.", "Mend it.", settings="abc"),
        TransientLLMError("it timed out.", "Run again."),
        EndpointError("it is down.", "Start it."),
        PermanentLLMError("it was refused.", "Change it.", settings="def"),
        InvalidOutputError("it is no JSON.", "Run again.", settings="def", outage_check=Passing()),
        BlockedError("summaries"),
        NotBegunError(EndpointError("it is down.", "Start it.")),
        StoreUnavailableError("The disk is full.", "Free some space."),
        CorruptObjectError("sha256:1", "sha256:2", quarantined=True),
        LeaseBusyError("It is held."),
        ConfigurationError("A setting is wrong."),
        TableError("chunks", "its column is of another type.", "Run `seedbank seed --rebuild-sink`."),
    ],
    ids=lambda error: type(error).__name__,
)
def test_an_error_arrives_as_it_was(error: Exception) -> None:
    """One that could not be read would end the seed, or lose what is to be done about a document."""
    arrived = decoded(encoded(Broken(error))).error
    assert type(arrived) is type(error)
    assert str(arrived) == str(error)
    for name in ("reason", "remedy", "transient", "settings", "table", "content_digest"):
        assert getattr(arrived, name, None) == getattr(error, name, None)


def test_the_cause_of_an_error_arrives() -> None:
    """By the cause a seed knows that the disk is at fault, and not a document."""
    full = sqlite3.OperationalError("database or disk is full")
    full.sqlite_errorcode = sqlite3.SQLITE_FULL
    error = StoreUnavailableError("The store cannot be written.", "Free some space.")
    error.__cause__ = full
    assert is_disk_failure(decoded(encoded(Broken(error))).error)
