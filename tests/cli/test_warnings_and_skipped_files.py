"""What people should know although nothing failed: documents that were read with warnings, and files that were skipped.

What belongs here: what `seed`, `status` and `plan` print of them, and what Dagster's page of a partition gets. What does not: how
skipped files are counted (tests/resources/corpus/test_skipped_files), and which warnings a reader gives (tests/core/reading).
"""

import json
from typing import Any

import pytest
from PIL import Image
from typer.testing import CliRunner

from cli.main import _print_report, app
from cli.progress import show_report
from cli.warning_list import warning_lines
from io_managers.content_hash import result_metadata
from io_managers.store.action_cache import Provenance
from io_managers.store.codecs.codecs import encode
from io_managers.store.values import Result
from seed_assets.planning.warned_documents import WarnedDocument, warned_documents
from seed_assets.seeding.seeding import SeedOptions, seed
from seed_assets.stages.documents.extracted_text import extracted_text
from tests.support.pipelines import World, essay
from tests.support.scans import picture_file

BAD = "---\ntitle: [\n---\n\n"
SKIPPED = "7 .xyz, 5 .bin, 1 hidden"


@pytest.fixture
def warned_world(plain_world: World) -> World:
    """Two documents with bad front matter, thirteen skipped files, seeded."""
    for name, about in (("bad/one.md", "harbours"), ("bad/two.md", "lighthouses")):
        plain_world.write(name, BAD + essay(about))
    for number in range(12):
        plain_world.write(f"data/{number}.{'xyz' if number < 7 else 'bin'}", b"0")
    plain_world.write(".hidden", b"0")
    return plain_world


def run(world: World, command: str, *arguments: str) -> str:
    done = CliRunner().invoke(
        app, [command, "--corpus", str(world.corpus), "--home", str(world.home), *arguments], env={"COLUMNS": "200"}
    )
    assert done.exit_code == 0, done.output
    return done.output


def shown_json(world: World, command: str) -> dict[str, Any]:
    return json.loads(run(world, command, "--json"))


@pytest.mark.slow
def test_status_lists_the_warnings_by_document(warned_world: World) -> None:
    warned_world.seed()
    listed = run(warned_world, "status").splitlines()
    at = listed.index("2 documents were read with warnings:")
    assert listed[at + 1].startswith("  bad/one.md: The front matter is not valid YAML")
    assert listed[at + 2].startswith("  bad/two.md: The front matter is not valid YAML")
    found = shown_json(warned_world, "status")["warnings"]
    assert [(one["document"], one["stage"], len(one["warnings"])) for one in found] == [
        ("bad/one.md", "extracted_text", 1),
        ("bad/two.md", "extracted_text", 1),
    ]


@pytest.mark.slow
def test_a_warning_is_gone_when_the_file_was_corrected_or_removed(warned_world: World) -> None:
    warned_world.seed()
    warned_world.write("bad/one.md", essay("harbours"))
    (warned_world.corpus / "bad/two.md").unlink()
    warned_world.seed()
    assert shown_json(warned_world, "status")["warnings"] == []
    assert "warnings" not in run(warned_world, "status")


@pytest.mark.slow
def test_skipped_files_are_counted_by_suffix_in_every_report(warned_world: World) -> None:
    warned_world.seed()
    for command in ("status", "plan"):
        assert f"\n13 files skipped: {SKIPPED}.\n" in run(warned_world, command)
        skipped = shown_json(warned_world, command)["skipped"]
        assert (skipped["total"], skipped["suffixes"], skipped["hidden"]) == (13, {".xyz": 7, ".bin": 5}, 1)


@pytest.mark.slow
def test_a_seed_says_what_was_skipped_and_how_many_documents_have_warnings(
    warned_world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    for expected_runs in (True, False):  # the second seed has nothing to do
        with warned_world.session() as session:
            report = seed(session, SeedOptions())
            show_report(session, report)
        assert bool(report.runs) == expected_runs
        printed = capsys.readouterr().out
        assert f"\n13 files skipped: {SKIPPED}.\n" in printed
        assert "\n2 documents were read with warnings: run `seedbank status` to see them.\n" in printed
        with warned_world.session() as session:
            _print_report(session, report)
        found = json.loads(capsys.readouterr().out)
        assert found["skipped"]["suffixes"] == {".xyz": 7, ".bin": 5}
        assert found["documents_with_warnings"] == 2


@pytest.mark.slow
def test_a_photograph_without_text_is_skipped_and_fails_no_seed(
    plain_world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    """It is the same with each seed until the picture changes, and there is nothing to correct."""
    photograph = Image.effect_mandelbrot((300, 300), (-2.0, -1.5, 1.0, 1.5), 30)
    plain_world.write("photos/gate.png", picture_file(photograph))
    for _ in range(2):
        with plain_world.session() as session:
            report = seed(session, SeedOptions())
            show_report(session, report)
        assert (report.exit_code, report.failures, report.without_text) == (0, [], ["photos/gate.png"])
        assert "1 document holds no text and is skipped: photos/gate.png.\n" in capsys.readouterr().out
    assert "1 document holds no text and is skipped: photos/gate.png.\n" in run(plain_world, "status")
    assert shown_json(plain_world, "status")["without_text"] == ["photos/gate.png"]


def test_a_corpus_without_documents_says_which_files_it_has(empty_plain_world: World) -> None:
    for file in list(empty_plain_world.corpus.rglob("*.*")):
        file.unlink()
    empty_plain_world.write("a.xyz", b"0")
    done = CliRunner().invoke(
        app, ["seed", "--corpus", str(empty_plain_world.corpus), "--home", str(empty_plain_world.home)]
    )
    assert done.exit_code == 2
    assert "holds no documents (1 file skipped: 1 .xyz)" in done.output


@pytest.mark.slow
def test_warnings_are_found_without_opening_a_value_and_change_no_key(
    warned_world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A home of 10,000 documents has as many texts, and what is kept beside a result must not decide it."""
    warned_world.seed()
    with warned_world.session() as session:
        refs = session.store.refs.get("extracted_text")
        parts = session.store.actions.parts([refs["bad/one.md"].action_key])[refs["bad/one.md"].action_key]
        assert not [name for name in parts if "warning" in name]
        value = session.store.load(refs["bad/one.md"].content_digest, extracted_text.returns)
        monkeypatch.setattr(session.store.content, "get", None)
        found = warned_documents(session.pipeline, session.store, ["bad/one.md", "reefs/fish.txt"])
    assert found == [WarnedDocument("bad/one.md", "extracted_text", value.warnings)]


@pytest.mark.slow
def test_text_that_looks_like_a_warning_in_the_store_is_none(plain_world: World) -> None:
    """Previews stand beside warnings, and hold the beginnings of documents."""
    plain_world.write("sly.md", '"warnings":["none"], "warnings": [1]\n' + essay("harbours"))
    plain_world.seed()
    assert shown_json(plain_world, "status")["warnings"] == []


def test_a_result_without_warnings_is_recorded_as_before() -> None:
    """Otherwise each of 100,000 actions would grow by a field."""
    assert b"warnings" not in encode(Provenance(0.1, preview="text")).data


def test_much_is_cut_before_it_is_kept_beside_a_result() -> None:
    class Read:
        warnings = ("x" * 1000, *(f"Page {number} is a picture." for number in range(30)))

    kept = extracted_text.warnings_beside(Read)
    assert (len(kept), len(kept[0]), kept[-1]) == (11, 400, "There are 21 more warnings.")


def test_the_page_of_a_partition_gets_the_warnings() -> None:
    provenance = Provenance(0.1, preview="text", warnings=("Page 3 is a picture.", "Page 4 is damaged."))
    metadata = result_metadata(Result("a.pdf", "key", "digest", provenance))
    assert metadata["warnings"] == "Page 3 is a picture.\nPage 4 is damaged."
    assert "warnings" not in result_metadata(Result("a.pdf", "key", "digest", Provenance(0.1)))


def test_a_long_list_names_twenty_documents() -> None:
    assert list(warning_lines([])) == []
    one = WarnedDocument("a.pdf", "extracted_text", ("Page 3 is a picture.", "Page 4 is damaged."))
    assert list(warning_lines([one])) == [
        "1 document was read with warnings:",
        "  a.pdf: Page 3 is a picture. Page 4 is damaged.",
    ]
    lines = list(warning_lines([WarnedDocument(f"{n:02}.pdf", "extracted_text", ("Bad.",)) for n in range(25)]))
    assert (len(lines), lines[0]) == (22, "25 documents were read with warnings:")
    assert lines[-1] == "  and 5 more: `seedbank status --json` lists all."
