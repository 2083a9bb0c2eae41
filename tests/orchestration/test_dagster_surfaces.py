"""Dagster's own commands on the project, as its users run them, from the shell in the project's directory.

What belongs here: ways to run that need neither the daemon nor the page (test_daemon has those, and a range of documents
from the shell beside them). What they find and reuse must be what `seedbank seed` left, and the other way round.
"""

import json
import sys
from pathlib import Path

import pytest

from tests.conftest import DOCUMENTS
from tests.support.pipelines import ALONE, EVERY_STAGE, OF_CORPUS, essay
from tests.support.seed_process import ROOT, Finished, Seed, seed

pytestmark = pytest.mark.integration

SHELL = ("-m", "dagster")
DG = (str(Path(sys.executable).with_name("dg")),)
MODULE = ("-m", "seed_assets.definitions")
NOTE = "reefs/fish.txt"


class Shell:
    """A home, its corpus, and commands over them. To Dagster's neither DAGSTER_HOME nor the corpus is named."""

    def __init__(self, directory: Path) -> None:
        self.home = directory / "home"
        self.corpus = directory / "corpus"

    def plant(self) -> None:
        """Six documents."""
        for document in DOCUMENTS:
            self.write(document, essay(Path(document).stem))

    def write(self, document: str, text: str) -> None:
        """A document, new or changed."""
        path = self.corpus / document
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def seed(self) -> Finished:
        """`seedbank seed --json`."""
        return seed(self.home, self.corpus)

    def dagster(self, *arguments: str) -> Finished:
        """A command of Dagster's."""
        with Seed(self.home, *arguments, program=SHELL) as running:
            return running.finish()

    def dg(self, *arguments: str, of_user: Path) -> Finished:
        """A command of `dg`, as docs/operating.md shows it, by a user whose own folder is given."""
        environment = {"DAGSTER_HOME": str(ROOT), "HOME": str(of_user)}
        with Seed(self.home, *arguments, program=DG, environment=environment) as running:
            return running.finish()


def account_of(done: Finished) -> list[list[str]]:
    """The rows of the table with which a run ends, without the seconds: stage, total, reused, computed, failed."""
    lines = f"{done.output}\n{done.errors}".splitlines()
    (start,) = (at for at, line in enumerate(lines) if line.split()[:4] == ["stage", "total", "reused", "computed"])
    rows = [line.split() for line in lines[start + 1 :]]
    return [row[:-1] for row in rows[: next(at for at, row in enumerate(rows) if row[:1] and row[0][0].isdigit())]]


@pytest.fixture(scope="module")
def shell(tmp_path_factory: pytest.TempPathFactory) -> Shell:
    found = Shell(tmp_path_factory.mktemp("surfaces"))
    found.plant()
    seeded = found.seed()
    assert seeded.status == 0, seeded.printed()
    return found


def test_one_document_from_the_shell_is_taken_up_by_seed(shell: Shell) -> None:
    """An edited document whose text was extracted from the shell: seed computes the rest of it, and only that."""
    shell.write(NOTE, "A note about rhyolite. It piles up because it is cool and stiff.\n")

    done = shell.dagster("asset", "materialize", *MODULE, "--select", "extracted_text", "--partition", NOTE)

    assert done.status == 0, done.printed()
    assert account_of(done) == [["extracted_text", "1", "0", "1", "0"]]
    seeded = shell.seed()
    assert seeded.status == 0, seeded.printed()
    assert "extracted_text" not in seeded.computed
    assert seeded.computed["chunks"] == 1
    assert seeded.computed["lance_chunks"] == 1


def test_a_job_over_documents_needs_tags_and_says_which(shell: Shell) -> None:
    refused = shell.dagster("job", "execute", *MODULE, "-j", "seed_documents")
    assert refused.status != 0
    assert "dagster/asset_partition_range_start and dagster/asset_partition_range_end" in refused.errors

    first, *_, last = DOCUMENTS
    tags = {"dagster/asset_partition_range_start": first, "dagster/asset_partition_range_end": last}
    done = shell.dagster("job", "execute", *MODULE, "-j", "seed_documents", "--tags", json.dumps(tags))
    assert done.status == 0, done.printed()
    assert sorted(row[0] for row in account_of(done)) == sorted(ALONE)
    assert {tuple(row[1:]) for row in account_of(done)} == {("6", "6", "0", "0")}
    done = shell.dagster("job", "execute", *MODULE, "-j", "seed_corpus")
    assert done.status == 0, done.printed()
    assert shell.seed().report["runs"] == []


def test_dg_lists_every_asset_and_job_and_keeps_no_notes_of_its_use(shell: Shell, tmp_path: Path) -> None:
    """Telemetry is on in `dg` by itself: it is off because dagster.yaml is found."""
    done = shell.dg("list", "defs", "--json", of_user=tmp_path)

    assert done.status == 0, done.printed()
    listed = json.loads(done.output)
    assert {asset["asset_key"] for asset in listed["assets"]} == {*EVERY_STAGE, *OF_CORPUS, "search_index"}
    assert {"seed_documents", "seed_clusters", "seed_corpus", "place_documents"} <= {
        job["name"] for job in listed["jobs"]
    }
    assert list(tmp_path.iterdir()) == []


def test_one_document_launched_by_dg_is_taken_up_by_seed(shell: Shell, tmp_path: Path) -> None:
    """`dg` runs over the same home as seedbank: the seed after it computes the rest of the document, and only that."""
    shell.write(NOTE, "A note about obsidian. It cools before crystals can grow.\n")

    done = shell.dg("launch", "--assets", "extracted_text,chunks", "--partition", NOTE, of_user=tmp_path)

    assert done.status == 0, done.printed()
    assert [row[0] for row in account_of(done)] == ["extracted_text", "chunks"]
    seeded = shell.seed()
    assert seeded.status == 0, seeded.printed()
    assert not {"extracted_text", "chunks"} & {*seeded.computed}
    assert seeded.computed["embeddings"] == 1
    assert list(tmp_path.iterdir()) == []
