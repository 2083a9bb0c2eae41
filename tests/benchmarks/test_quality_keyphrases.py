"""The measure of concepts against keyphrases."""

from pathlib import Path

import pytest

from benchmarks.quality_keyphrases import f1, main, read_set, stems


def plant(folder: Path) -> None:
    (folder / "docsutf8").mkdir(parents=True)
    (folder / "keys").mkdir()
    text = "The sourdough starter is the heart of the bakery. A sourdough starter needs flour."
    for name in ("1", "2"):
        (folder / "docsutf8" / f"{name}.txt").write_text(text, "utf-8")
        (folder / "keys" / f"{name}.key").write_text("Sourdough starters\n\tharbour\n", "utf-8")


def test_phrases_are_equal_by_their_stems() -> None:
    assert stems("Sourdough\n Starters") == stems("sourdough-starter")


def test_f1_counts_over_all_texts_together() -> None:
    assert f1([(["a", "b"], {"a"}), (["c"], {"d", "e"})]) == pytest.approx(2 / 6)
    assert f1([(["a"], {"b"})]) == 0


def test_a_set_is_read_and_measured(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    plant(tmp_path / "made")
    assert [keys for _, keys in read_set(tmp_path / "made")] == [["Sourdough starters", "\tharbour"]] * 2
    main([str(tmp_path / "made"), "--odd"])
    printed = capsys.readouterr().out
    assert printed.startswith("made: 1 texts  F1@5 0.")
    assert "F1@5 0.000" not in printed
