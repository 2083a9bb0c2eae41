"""The measurement of reading: its arithmetic, and what it says without its pages."""

import json
from pathlib import Path

import pytest

from benchmarks.reading import Found, Page, evaluation_pages, main


def test_what_is_found_is_counted_whatever_the_white_space() -> None:
    found = Found()
    found.count(Page("a", b"", ["The tide\nrises.", "It falls."], ["Menu"]), "The tide  rises. Menu")
    found.count(Page("b", b"", ["fer\u00adry"], ["Footer"]), "nothing")

    figures = found.figures()

    assert (figures["text_found"], figures["beside_found"], figures["precision"]) == (0.3333, 0.5, 0.5)
    assert (figures["pages_lost"], figures["lost"]) == (1, ["b"])


def test_soft_hyphens_do_not_count() -> None:
    found = Found()
    found.count(Page("a", b"", ["fer\u00adry"], []), "The ferry.")

    assert found.figures()["text_found"] == 1


@pytest.mark.parametrize("missing", ["evaldata.json", "a.html"])
def test_pages_that_are_missing_are_named_with_what_to_bring(tmp_path: Path, missing: str) -> None:
    if missing == "a.html":
        annotated = {"http://a": {"file": "a.html", "with": ["x"], "without": ["y"]}}
        (tmp_path / "evaldata.json").write_text(json.dumps(annotated))

    with pytest.raises(SystemExit, match=missing):
        list(evaluation_pages(tmp_path))


def test_the_figures_of_a_folder_are_printed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "eval").mkdir()
    (tmp_path / "eval" / "a.html").write_text("<title>T</title><p>The tide rises twice a day.</p>")
    annotated = {"http://a": {"file": "a.html", "with": ["The tide rises"], "without": ["Menu"]}}
    (tmp_path / "evaldata.json").write_text(json.dumps(annotated))

    main(["html", str(tmp_path), "--json"])

    assert json.loads(capsys.readouterr().out)["seedbank"]["text_found"] == 1
