"""Archives in a seed: as one document each, and as folders whose files are documents."""

import pytest

from seed_assets.seeding.seeding import SeedOptions
from tests.support.pipelines import World, essay
from tests.support.zip_files import zipped

pytestmark = pytest.mark.slow


def test_files_of_archives_are_seeded_as_documents_and_only_changed_ones_again(world: World) -> None:
    before = world.documents_in("documents")
    world.settings["archives"] = "documents"
    files = {"in/a.txt": essay("anemones"), "in/b.md": essay("barnacles"), "c.bin": b"\x00"}
    world.write("old/all.zip", zipped(files))

    first = world.seed()

    assert first.report.exit_code == 0
    assert first.calls["extracted_text"] == 2
    inside = {"old/all.zip/in/a.txt", "old/all.zip/in/b.md"}
    assert world.documents_in("documents") == before | inside
    formats = {row["document_id"]: row["format"] for row in world.rows("documents")}
    assert {formats[name] for name in inside} == {"text", "markdown"}

    world.write("old/all.zip", zipped({**files, "in/b.md": essay("cuttlefish"), "in/d.txt": essay("dolphins")}))
    second = world.seed()
    assert second.calls["extracted_text"] == 2
    assert world.documents_in("documents") == before | inside | {"old/all.zip/in/d.txt"}

    damaged = world.write("old/all.zip", b"PK\x03\x04 damaged")
    third = world.seed()
    assert third.report.exit_code == 1
    assert {document for document, _ in third.failed()} == {"old/all.zip"}
    assert world.documents_in("documents") == before | inside | {"old/all.zip/in/d.txt"}

    damaged.unlink()
    world.seed(SeedOptions(allow_removals=True))
    assert world.documents_in("documents") == before


def test_an_archive_becomes_one_document_when_the_setting_changes(world: World) -> None:
    before = world.documents_in("documents")
    world.write("all.zip", zipped({"a.txt": essay("anemones"), "b.txt": essay("barnacles")}))
    world.settings["archives"] = "documents"
    world.seed()
    assert world.documents_in("documents") == before | {"all.zip/a.txt", "all.zip/b.txt"}
    world.settings["archives"] = "parts"
    seeded = world.seed(SeedOptions(allow_removals=True))
    assert seeded.calls["extracted_text"] == 1
    assert world.documents_in("documents") == before | {"all.zip"}
    (row,) = (row for row in world.rows("documents") if row["document_id"] == "all.zip")
    assert row["format"] == "archive"
