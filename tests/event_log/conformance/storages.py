"""Dagster's tests of event logs, once for each of its storages and once for ours: see run.py, which unpacks them."""

import tempfile
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from dagster._core.test_utils import instance_for_test
from dagster_postgres.event_log import PostgresEventLogStorage

from event_log.postgres import BatchedPostgresEventLogStorage
from event_log.sqlite import BatchedSqliteEventLogStorage
from tests.support.event_logs import new_database

sqlite_tests: Any = import_module("dagster_tests.storage_tests.test_event_log")
postgres_tests: Any = import_module("dagster_postgres_tests.test_event_log")


class TestSqliteStock(sqlite_tests.TestSqliteEventLogStorage):
    """As Dagster runs them."""


class TestSqliteBatched(sqlite_tests.TestSqliteEventLogStorage):
    """With our class in the place of theirs."""

    @pytest.fixture(name="instance")
    def instance(self) -> Iterator[dg.DagsterInstance]:
        with tempfile.TemporaryDirectory() as directory:
            storage = {
                "module": BatchedSqliteEventLogStorage.__module__,
                "class": BatchedSqliteEventLogStorage.__name__,
                "config": {"base_dir": str(Path(directory, "events"))},
            }
            with instance_for_test(temp_dir=directory, overrides={"event_log_storage": storage}) as instance:
                yield instance


@pytest.fixture(scope="module")
def conn_string() -> Iterator[str]:
    with new_database() as url:
        yield url


class TestPostgresStock(postgres_tests.TestPostgresEventLogStorage):
    """As Dagster runs them, with the two that stand outside of its class."""

    test_has_table_returns_connection_to_pool = staticmethod(postgres_tests.test_has_table_returns_connection_to_pool)
    test_all_asset_keys_excludes_wiped_asset = staticmethod(
        postgres_tests.test_all_asset_keys_excludes_wiped_asset_on_legacy_index_path
    )

    @pytest.mark.skip(reason="connects to a database `test` of its own")
    def test_load_from_config(self) -> None: ...


class CleanPostgres(BatchedPostgresEventLogStorage):
    @staticmethod
    def create_clean_storage(conn_string: str, should_autocreate_tables: bool = True) -> "CleanPostgres":
        """As the parent, which names its own class."""
        PostgresEventLogStorage.create_clean_storage(conn_string, should_autocreate_tables).dispose()
        return CleanPostgres(conn_string, should_autocreate_tables)


class TestPostgresBatched(TestPostgresStock):
    """With our class in the place of theirs."""

    @pytest.fixture(autouse=True)
    def ours(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(postgres_tests, "PostgresEventLogStorage", CleanPostgres)

    @pytest.fixture(name="instance")
    def instance(self, conn_string: str) -> Iterator[dg.DagsterInstance]:
        CleanPostgres.create_clean_storage(conn_string).dispose()
        storage = {
            "module": __name__,
            "class": CleanPostgres.__name__,
            "config": {"postgres_url": conn_string},
        }
        with instance_for_test(overrides={"event_log_storage": storage}) as instance:
            yield instance
