"""What Dagster's own tests import that is not in its source distribution, or not installed here.

A pytest plugin: only what the event log's tests use, each as small as they allow.
"""

import gc
import sys
from types import ModuleType
from typing import Any

import pytest
from _pytest.runner import runtestprotocol
from dagster._core import test_utils


def pytest_configure(config: pytest.Config) -> None:
    """Before any of the tests is imported."""
    config.addinivalue_line("markers", "flaky: run again when it fails, as pytest-rerunfailures does")
    _module("dagster_test.dg_utils.utils", scrub_tox_uv_project_environment=lambda: None)
    _module("dagster_test.utils.data_factory", dagster_run=None)
    # looks for the tests beside the installed package
    test_utils.ensure_dagster_tests_import = lambda: None
    _module("objgraph", by_type=lambda name: [thing for thing in gc.get_objects() if type(thing).__name__ == name])


def _module(path: str, **names: Any) -> None:
    """Make a module of these names, and the packages above it."""
    parts = path.split(".")
    for end in range(1, len(parts) + 1):
        sys.modules.setdefault(".".join(parts[:end]), ModuleType(parts[end - 1]))
    vars(sys.modules[path]).update(names)


def pytest_runtest_protocol(item: Any, nextitem: Any) -> bool | None:
    """Tests that Dagster itself calls flaky get the second chance that they get there."""
    mark = item.get_closest_marker("flaky")
    if mark is None:
        return None
    reports: list[pytest.TestReport] = []
    for _ in range(1 + mark.kwargs.get("reruns", 1)):
        item._initrequest()
        reports = runtestprotocol(item, nextitem=nextitem, log=False)
        if not any(report.failed for report in reports):
            break
    for report in reports:
        item.ihook.pytest_runtest_logreport(report=report)
    return True
