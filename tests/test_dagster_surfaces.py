"""Dagster's own commands on the project, as its users run them, from the shell in the project's directory.

What belongs here: ways to run that need neither the daemon nor the page (test_daemon has those, and a range of documents
from the shell beside them). What they find and reuse must be what `seedbank seed` left, and the other way round.
"""

import json
from pathlib import Path

import pytest

from tests.conftest import DOCUMENTS
from tests.pipelines import essay
from tests.seed_process import Finished, Seed, seed

SHELL = ("-m", "dagster")
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


@pytest.fixture(scope="module")
def shell(tmp_path_factory: pytest.TempPathFactory) -> Shell:
    found = Shell(tmp_path_factory.mktemp("surfaces"))
    found.plant()
    seeded = found.seed()
    assert seeded.status == 0, seeded.told()
    return found


def test_one_document_from_the_shell_is_taken_up_by_seed(shell: Shell) -> None:
    """An edited document whose text was extracted from the shell: seed computes the rest of it, and only that."""
    shell.write(NOTE, "A note about rhyolite. It piles up because it is cool and stiff.\n")

    done = shell.dagster("asset", "materialize", *MODULE, "--select", "extracted_text", "--partition", NOTE)

    assert done.status == 0, done.told()
    seeded = shell.seed()
    assert seeded.status == 0, seeded.told()
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
    assert done.status == 0, done.told()
    done = shell.dagster("job", "execute", *MODULE, "-j", "seed_corpus")
    assert done.status == 0, done.told()
    assert shell.seed().report["runs"] == []
