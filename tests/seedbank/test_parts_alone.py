"""The IO manager and the batched storage in a project that is not this one, as docs/parts.md shows it, from the wheel."""

import re
import sqlite3
from pathlib import Path

import pytest

from tests.support.installed import Installed
from tests.support.seed_process import ROOT

pytestmark = [pytest.mark.integration, pytest.mark.long]

# What somebody adds to the project of the page: values of a class of their own, and a table that cannot be written at first.
OWN_ASSETS = """
from dataclasses import dataclass
from pathlib import Path


@dataclass
class Place:
    name: str
    letters: int


@dg.asset(partitions_def=CITIES, backfill_policy=dg.BackfillPolicy.single_run())
def places(context: dg.AssetExecutionContext, letters: StoredValues) -> dict[str, Place]:
    with Path("made").open("a") as made:
        made.write("places\\n")
    return {city: Place(city, len(letters[city])) for city in context.partition_keys}


@dg.asset(partitions_def=CITIES, backfill_policy=dg.BackfillPolicy.single_run())
def rows(context: dg.AssetExecutionContext, places: StoredValues) -> None:
    if Path("refuse").exists():
        raise OSError("the database is away")
    Path("rows.csv").write_text("".join(f"{city},{places[city].letters}\\n" for city in context.partition_keys))


defs = dg.Definitions(assets=[letters, index, places, rows], resources=defs.resources)
"""
RANGE = ("--partition-range", "bern...rome")


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A folder with the two files of the page, and more assets."""
    page = (ROOT / "docs" / "parts.md").read_text("utf-8")
    (definitions,) = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    (settings,) = re.findall(r"```yaml\n(.*?)```", page, re.DOTALL)
    (tmp_path / "definitions.py").write_text(definitions + OWN_ASSETS)
    (tmp_path / "dagster.yaml").write_text(settings)
    return tmp_path


def test_the_page_works_as_it_stands(installed: Installed, project: Path) -> None:
    page = (ROOT / "docs" / "parts.md").read_text("utf-8")
    commands = [line[2:].split() for line in page.splitlines() if line.startswith("$ dagster")]
    assert len(commands) == 2
    for words in commands:
        installed.run(*words, folder=project, variables={"DAGSTER_HOME": str(project)})


def test_a_strangers_project_keeps_its_values_and_events(installed: Installed, project: Path) -> None:
    """Only the failed write is repeated, and another process reads what the first one has stored."""
    variables = {"DAGSTER_HOME": str(project)}
    materialize = ("dagster", "asset", "materialize", "-f", "definitions.py", "--select")
    (project / "refuse").touch()
    failed = installed.attempt(*materialize, "letters,places,rows", *RANGE, folder=project, variables=variables)
    assert failed.returncode != 0
    assert "the database is away" in failed.stderr + failed.stdout
    (project / "refuse").unlink()
    installed.run(*materialize, "rows", *RANGE, folder=project, variables=variables)
    assert (project / "made").read_text() == "places\n"
    assert (project / "rows.csv").read_text() == "bern,4\noslo,4\nrome,4\n"

    installed.run(*materialize, "index", folder=project, variables=variables)
    program = "from definitions import defs\nprint(defs.load_asset_value('index'))"
    assert "{'bern': 4, 'oslo': 4, 'rome': 4}" in installed.run(
        "python", "-W", "ignore", "-c", program, folder=project, variables=variables
    )
    with sqlite3.connect(project / "history" / "runs" / "index.db") as records:
        made = records.execute(
            "SELECT partition FROM event_logs WHERE dagster_event_type = 'ASSET_MATERIALIZATION' AND asset_key LIKE '%places%'"
        ).fetchall()
    assert sorted(made) == [("bern",), ("oslo",), ("rome",)]


def test_the_events_of_a_step_are_written_together(installed: Installed, project: Path) -> None:
    """The storage of dagster.yaml is the batched one, and nothing of Seedbank's own home is made."""
    program = (
        "import dagster as dg\n"
        "from seedbank.dagster import BatchedSqliteEventLogStorage\n"
        "with dg.DagsterInstance.get() as instance:\n"
        "    assert isinstance(instance.event_log_storage, BatchedSqliteEventLogStorage)\n"
        "    assert type(instance.event_log_storage) is BatchedSqliteEventLogStorage\n"
        "    print(instance._get_event_batch_size())\n"
    )
    variables = {"DAGSTER_HOME": str(project)}
    assert installed.run("python", "-W", "ignore", "-c", program, folder=project, variables=variables) == "1000\n"
    assert not list(project.glob(".seedbank*"))
    assert not (installed.home / ".seedbank").exists()
