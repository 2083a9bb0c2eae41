"""How search results are printed: the part of a passage that shows why it was found, marked words, and the header of its table.

What belongs here: layout and forms. What does not: what is found (tests/retrieval).
"""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from cli.main import app
from cli.search import show_passages
from resources.models.embedder import WordLlamaEmbedder
from retrieval.hits import AlikePassage, SearchHit
from seed_assets.reports.found_passages import excerpt, found_passage, markdown_of
from tests.support.pdf_files import Page, lines, pdf
from tests.support.pipelines import World, essay

pytestmark = pytest.mark.slow

ROWS = "\n".join(f"| Gate {number} | {number} m | It was seen in year {number} |" for number in range(40, 60))


def test_a_passage_with_many_lines_is_shown_from_the_line_that_was_sought() -> None:
    """The first rows of a table were shown, which said nothing of the one that was sought."""
    assert excerpt(ROWS, "level of GATE 52").startswith("… | Gate 52 | 52 m |")
    assert excerpt(ROWS, "level of gate 41").startswith("| Gate 40 | 40 m |")
    assert excerpt(ROWS, "nothing of it").startswith("| Gate 40 | 40 m |")
    assert 180 < len(excerpt(ROWS, "gate 52")) <= 200


@pytest.mark.parametrize("text", ["", "  \n\n", "One line.", "One\nline."])
def test_a_short_passage_is_shown_whole_in_one_line(text: str) -> None:
    assert excerpt(text, "line") == " ".join(text.split())


def test_prose_is_shown_from_its_beginning_or_from_the_sentence_that_was_sought() -> None:
    assert excerpt("The tide was high. " * 30, "tide").startswith("The tide was high.")
    late = "The sea is wide. " * 20 + "A lighthouse stands on the rock. It is white."
    shown = excerpt(late, "who built lighthouses")
    assert shown.startswith("… The sea is wide. ")
    assert shown.endswith("A lighthouse stands on the rock. It is white.")
    assert len(shown) > 150
    assert excerpt(late + " The sea is wide." * 20, "who built lighthouses").startswith(
        "… A lighthouse stands on the rock."
    )


@pytest.mark.parametrize(
    ("query", "text", "marked"),
    [
        ("How do trains change tracks?", "A train changes tracks.", ["train", "changes", "tracks"]),
        ("facing pages", "The page that faced the wall", ["page", "faced"]),
        ("the of", "Of the sea", ["Of", "the"]),
        ("ÉCOLE", "Une école.", ["école"]),
        ("潮", "潮が満ちる。", ["潮"]),
        ("?!", "Anything.", []),
        ("c", "a b c", ["c"]),
    ],
)
def test_words_of_the_query_are_marked_in_any_form(query: str, text: str, marked: list[str]) -> None:
    found = found_passage(query, SearchHit("a.md", 0, 0.5, text, 0, len(text), ""))
    assert [text[start:end] for start, end in found.highlights] == marked


def test_rows_are_shown_below_the_header_of_their_table(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    header = "| Gate | Level | [bold]Note |\n| --- | --- | --- |"
    hit = SearchHit("gates.md", 2, 0.5, ROWS, 900, 900 + len(ROWS), "", header)
    show_passages([found_passage("gate 52", hit)])
    printed = capsys.readouterr().out.splitlines()
    assert printed[:2] == [
        f"0.500  gates.md  characters 900 to {900 + len(ROWS)}",
        "       | Gate | Level | [bold]Note |",
    ]
    assert printed[2].startswith("       … | Gate 52 | 52 m |")
    assert all(line.startswith(" " * 7) and len(line) <= 60 for line in printed[1:])


def test_a_result_names_its_title_its_page_and_what_is_like_it(capsys: pytest.CaptureFixture[str]) -> None:
    others = tuple(AlikePassage(f"{name}.md", 0, 0, 10) for name in "bcdefgh")
    hit = SearchHit("a\x1b[31m.md", 0, 0.25, "The tide.", 120, 129, "Tides\nand \x1b[1mseas", alike=others)
    show_passages([found_passage("tide", hit, [0, 100, 200])])
    assert capsys.readouterr().out.splitlines() == [
        "0.250  a.md  page 2, characters 120 to 129",
        "       Tides and seas",
        "       The tide.",
        "       and 7 like it: b.md, c.md, d.md, e.md, f.md and 2 more documents",
    ]


def test_markdown_marks_words_and_nothing_else() -> None:
    text = "A *tide* <b>of</b> tides."
    hit = SearchHit("a.md", 0, 0.5, text, 0, len(text), "Of `tides`")
    assert list(markdown_of("tide", [found_passage("tide", hit)])) == [
        "# tide",
        "\n1. **0.500** Of \\`tides\\`, a.md, characters 0 to 25",
        "\n   A \\***tide**\\* &lt;b\\>of&lt;/b\\> **tides**.",
    ]


def test_no_results_are_said_to_be_none(capsys: pytest.CaptureFixture[str]) -> None:
    show_passages([])
    assert capsys.readouterr().out == "Nothing found.\n"


@pytest.fixture
def searched(seeded_for_search: World, tmp_path: Path, own_environment: None) -> World:
    """A copy of that home."""
    return seeded_for_search.copy_to(tmp_path)


@pytest.fixture(scope="module")
def seeded_for_search(seeded_plain_world: World, tmp_path_factory: pytest.TempPathFactory) -> World:
    """A home whose chunks have vectors of the offline embedder, which search compares with."""
    world = seeded_plain_world.copy_to(tmp_path_factory.mktemp("searched"))
    shutil.rmtree(world.home)
    world.write("copies/one.md", "# Moles\n\n" + essay("moles", 1))
    world.write("copies/two.txt", essay("moles", 1))
    world.write("paged.pdf", pdf([Page(lines("Nothing here.")), Page(lines("The dredger works at dawn."))]))
    world.change = lambda pipeline: pipeline.with_resources(embedder=WordLlamaEmbedder())
    world.seed()
    return world


def search(world: World, *arguments: str, status: int = 0) -> str:
    done = CliRunner().invoke(app, ["search", *arguments, "--home", str(world.home)])
    assert done.exit_code == status, done.output
    return done.output


@pytest.mark.slow
def test_results_are_filtered_folded_and_printed_in_each_form(searched: World) -> None:
    def found(*arguments: str) -> list[dict[str, Any]]:
        return json.loads(search(searched, *arguments, "--as", "json"))

    assert {one["document"] for one in found("notes", "--in", "copies", "--no-fold")} == {
        "copies/one.md",
        "copies/two.txt",
    }
    (best,) = found("moles were seen", "--in", "copies/", "-n", "1")
    assert sorted([best["document"], *(one["document"] for one in best["alike"])]) == [
        "copies/one.md",
        "copies/two.txt",
    ]
    assert sum(best["score_parts"].values()) == pytest.approx(best["score"], abs=1e-5)
    (paged,) = found("dredger", "--format", "pdf")
    assert (paged["document"], paged["pages"]) == ("paged.pdf", [1, 2])
    start, end = paged["highlights"][0]
    assert paged["text"][start:end] == "dredger"
    assert "pages 1 to 2, characters 0 to" in search(searched, "dredger", "--format", "pdf")
    assert "**dredger**" in search(searched, "dredger", "--format", "pdf", "--as", "md")
    assert json.loads(search(searched, "dredger", "--json"))[0]["document"] == "paged.pdf"
    assert "Nothing found." in search(searched, "dredger", "--since", "2999-01-01")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--in", "copy"), "No document is in the folder 'copy'. Did you mean copies?"),
        (("--format", "pfd"), "There is no format 'pfd'. Did you mean pdf"),
        (("--concept", "corale"), "There is no concept 'corale'. Did you mean corals"),
        (("--cluster", "topic/99"), "`seedbank show clusters` lists them."),
        (("--since", "yesterday"), "does not match the format"),
        (("--json", "--as", "md"), "exclude each other"),
    ],
)
def test_an_unknown_filter_is_a_usage_error(searched: World, arguments: tuple[str, ...], said: str) -> None:
    assert said in " ".join(search(searched, "corals", *arguments, status=2).replace("│", " ").split())
