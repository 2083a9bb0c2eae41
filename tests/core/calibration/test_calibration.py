"""How far a judge agrees with a person: the file of labels, its faults, and the figures."""

import asyncio
import contextlib
import csv
import io
import random
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import get_args

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from io_managers.store.store import Store
from resources.endpoints.llm import EndpointError
from resources.errors import ConfigurationError, DocumentError, StoppedError
from resources.models.embedder import WordLlamaEmbedder
from seed_assets.core.calibration.calibration import (
    Calibration,
    FailedLabel,
    Label,
    calibrate,
    calibrate_file,
    described,
    read_labels,
)
from seed_assets.core.calibration.labelled_summaries import below
from seed_assets.core.judging.judging import Judge, SimilarityJudge, Thresholds
from seed_assets.core.judging.verdicts import Decision, SourceText, Verdict
from seed_assets.memo.reuse import Reuse

pytestmark = pytest.mark.usefixtures("own_environment")

THRESHOLDS = Thresholds()
BREAD = (
    "The bakery in Ulm opened in 1921. Its sourdough rests for two days before it is baked in an oven of stone. "
    "Nobody there uses yeast from a factory."
)
TRUE = "The bakery in Ulm opened in 1921. Its sourdough rests for two days before it is baked in an oven of stone."
FALSE = "Quarterly profits of the shipping company rose. Penguins breed on the ice of Antarctica in the winter."


class ScriptedJudge:
    """Gives the score that a summary begins with; raises the error that is meant for one."""

    name = "scripted"

    def __init__(self, errors: dict[str, Exception] | None = None) -> None:
        self.errors = errors or {}
        self.sources: list[SourceText] = []

    @property
    def identity(self) -> dict[str, str]:
        return {"judge": self.name}

    async def judge(self, text: str, concepts: Sequence[str], sources: Sequence[SourceText], reuse: Reuse) -> Verdict:
        self.sources += sources
        if text in self.errors:
            raise self.errors[text]
        score = float(text.split()[0])
        return Verdict(THRESHOLDS.decide(score), score, (), self.name)


def labels(answers: Iterable[bool]) -> list[Label]:
    return [
        Label(line, "a summary", "a source.", "accept" if good else "reject") for line, good in enumerate(answers, 2)
    ]


def verdicts(scores: Iterable[float]) -> list[Verdict]:
    return [Verdict(THRESHOLDS.decide(score), score, (), "similarity") for score in scores]


def written(path: Path, rows: Sequence[Sequence[str]], *, delimiter: str = ",") -> Path:
    text = io.StringIO()
    csv.writer(text, delimiter=delimiter).writerows([["summary", "source", "label"], *rows])
    path.write_text(text.getvalue(), newline="")
    return path


def calibrated(path: Path, judge: Judge, folder: Path) -> Calibration:
    with contextlib.closing(Store(folder / "store")) as store:
        return asyncio.run(calibrate_file(path, judge, Reuse(store), below(folder)))


def test_measures_of_agreement_match_a_worked_example() -> None:
    """Cohen's own example form: 45 + 25 agree of 100, and the margins are 60 and 70."""
    said = [True] * 60 + [False] * 40
    scores = [1.0] * 45 + [0.6] * 15 + [1.0] * 25 + [0.1] * 15
    found = calibrate(labels(said), verdicts(scores))
    assert found.count == 100
    assert found.accuracy == 0.6
    assert found.kappa == pytest.approx(0.130435)
    assert found.balanced_accuracy == pytest.approx((45 / 60 + 15 / 40) / 2)
    assert found.low == pytest.approx(0.502, abs=1e-3)
    assert found.high == pytest.approx(0.691, abs=1e-3)
    assert found.confusion == {
        "accept": {"copied": 0, "accept": 45, "revise": 15, "reject": 0},
        "reject": {"copied": 0, "accept": 25, "revise": 0, "reject": 15},
    }


@pytest.mark.slow
@given(st.lists(st.tuples(st.booleans(), st.sampled_from([0.0, 0.2, 0.5, 0.7, 0.9, 0.95, 1.0])), max_size=40))
@settings(max_examples=60, deadline=None)
def test_figures_are_those_of_scikit_learn(pairs: list[tuple[bool, float]]) -> None:
    from sklearn.metrics import accuracy_score, balanced_accuracy_score, cohen_kappa_score

    said = [good for good, _ in pairs]
    accepted = [score >= 0.9 for _, score in pairs]
    found = calibrate(labels(said), verdicts(score for _, score in pairs))
    assert found.count == len(pairs)
    if not pairs:
        assert found.accuracy is None
        return
    assert found.accuracy is not None
    assert found.low is not None
    assert found.high is not None
    assert found.accuracy == pytest.approx(accuracy_score(said, accepted), abs=1e-6)
    assert 0 <= found.low <= found.accuracy + 1e-6 <= found.high + 2e-6 <= 1 + 2e-6
    if len(set(said)) < 2:
        assert found.balanced_accuracy is None
        assert found.kappa is None
        assert found.best_accept is None
        return
    assert found.balanced_accuracy == pytest.approx(balanced_accuracy_score(said, accepted), abs=1e-6)
    assert found.kappa == pytest.approx(cohen_kappa_score(said, accepted), abs=1e-6)
    assert found.best_accept is not None
    assert found.best_balanced_accuracy is not None
    assert found.balanced_accuracy is not None
    by_best = [score >= found.best_accept for _, score in pairs]
    assert found.best_balanced_accuracy == pytest.approx(balanced_accuracy_score(said, by_best), abs=1e-6)
    assert found.best_balanced_accuracy >= found.balanced_accuracy


def test_the_order_of_labels_decides_nothing() -> None:
    pairs = [(number % 3 != 0, round(number % 7 / 6, 6)) for number in range(50)]
    first = calibrate(labels(good for good, _ in pairs), verdicts(score for _, score in pairs))
    random.Random(3).shuffle(pairs)
    again = calibrate(labels(good for good, _ in pairs), verdicts(score for _, score in pairs))
    assert msgspec.json.encode(again) == msgspec.json.encode(first)


def test_a_threshold_that_would_tell_the_labels_apart_is_found_amid_the_gap() -> None:
    found = calibrate(labels([True, True, False, False]), verdicts([0.8, 0.75, 0.55, 0.2]))
    assert (found.best_accept, found.best_balanced_accuracy) == (0.65, 1.0)
    assert found.balanced_accuracy == 0.5
    assert "judge.accept = 0.65" in described(found)


def test_a_threshold_that_is_no_better_is_not_proposed() -> None:
    assert "judge.accept" not in described(calibrate(labels([True, False]), verdicts([0.95, 0.2])))
    assert "judge.accept" not in described(calibrate(labels([True, False]), verdicts([1.0, 1.0])))


@pytest.mark.parametrize("said", [True, False])
def test_labels_of_one_answer_show_only_part_and_it_is_said(said: bool) -> None:
    """A judge who accepts everything has an accuracy of 1 on good summaries."""
    found = calibrate(labels([said] * 3), verdicts([1.0, 1.0, 0.1]))
    assert found.accuracy == pytest.approx(2 / 3 if said else 1 / 3, abs=1e-6)
    assert (found.balanced_accuracy, found.kappa, found.best_accept) == (None, None, None)
    assert "All labels are the same" in described(found)


def test_no_labels_and_labels_without_verdicts() -> None:
    found = calibrate([], [])
    assert (found.count, found.accuracy, found.kappa) == (0, None, None)
    assert "Nothing could be compared" in described(found)
    with pytest.raises(ValueError, match="shorter"):
        calibrate(labels([True]), [])


def test_labels_are_read_however_people_and_spreadsheets_write_them(tmp_path: Path) -> None:
    rows = [
        ["Short, but true.", "A source;\nin two lines.", "accept"],
        ["Überaus 短い 😀", BREAD, " GOOD "],
        ["x", "a.md", "1"],
        ["x", "b/c d.PDF", "No"],
        ["", "", ""],
        ["x", "See readme.md.", "0"],
    ]
    for delimiter in ",;\t":
        path = written(tmp_path / "labels.csv", rows, delimiter=delimiter)
        found = read_labels(path)
        assert [label.answer for label in found] == ["accept", "accept", "accept", "reject", "reject"]
        assert [label.line for label in found] == [2, 4, 5, 6, 8]
        assert [label.document for label in found] == ["", "", "a.md", "b/c d.PDF", ""]
        assert found[0].source == "A source;\nin two lines."
        path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes().replace(b"summary", b"Summary ", 1))
        assert read_labels(path) == found


def test_columns_stand_in_any_order_beside_others(tmp_path: Path) -> None:
    path = tmp_path / "labels.csv"
    path.write_text("who,label,source,note,summary\nme,bad,A source.,,A summary.\n")
    assert read_labels(path) == [Label(2, "A summary.", "A source.", "reject")]


def test_a_source_may_be_as_long_as_a_novel(tmp_path: Path) -> None:
    """The csv module refuses cells of more than 131,072 characters by default."""
    limit = csv.field_size_limit()
    path = written(tmp_path / "labels.csv", [["x", "A word. " * 100_000, "1"]])
    assert len(read_labels(path)[0].source) == 799_999
    assert csv.field_size_limit() == limit


BROKEN = {
    "empty": (b"", "the file is empty"),
    "blank": (b"\n \n", "`summary` in its first line; found: nothing"),
    "blank-header": (b",,\nx,y,1\n", "found: x, y, 1"),
    "no-labels": (b"summary,source,label\n", "no labels below"),
    "no-column": (b"summary,text,label\nx,y,1\n", "`source` in its first line; found: summary, text, label"),
    "twice": (b"summary,source,label,label\nx,y,1,0\n", "one column `label`"),
    "unknown-label": (b"summary,source,label\nx,y,1\nx,y,perhaps\n", "line 3 has the label 'perhaps'"),
    "empty-cell": (b"summary,source,label\nx,,1\n", "line 2 has no source"),
    "empty-cells": (b"summary,source,label\nx\n", "line 2 has no source and no label"),
    "unquoted": (b"summary,source,label\nx,y, and more,1\n", "line 2 has 4 cells for 3 columns"),
    "broken-quotes": (b'summary,source,label\n"x,y,1\n', "not valid CSV in line 2"),
    "many": (b"summary,source,label\n" + b"x,y,?\n" * 30, "line 6 has the label '?'; and 25 more"),
    "binary": (bytes(range(256)) * 8, "The file of labels"),
}


@pytest.mark.parametrize(("data", "message"), BROKEN.values(), ids=BROKEN)
def test_a_file_that_cannot_be_used_is_named_with_the_line_and_what_to_do(
    data: bytes, message: str, tmp_path: Path
) -> None:
    path = tmp_path / "labels.csv"
    path.write_bytes(data)
    with pytest.raises(ConfigurationError) as caught:
        read_labels(path)
    assert message in str(caught.value)
    assert str(path) in str(caught.value)


@pytest.mark.parametrize("name", ["missing.csv", "."])
def test_a_file_that_is_not_there_is_named(name: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="cannot be read"):
        read_labels(tmp_path / name)


@pytest.mark.slow
def test_a_judge_is_compared_with_labels_of_texts_and_of_documents(tmp_path: Path) -> None:
    (tmp_path / "b ü").mkdir()
    (tmp_path / "b ü" / "bread.md").write_text(f"# Bread\n\n{BREAD}\n")
    rows = [
        [TRUE, BREAD, "good"],
        [FALSE, BREAD, "bad"],
        [TRUE, "b ü/bread.md", "good"],
        [FALSE, "b ü/bread.md", "bad"],
    ]
    path = written(tmp_path / "labels.csv", rows)
    found = calibrated(path, SimilarityJudge(WordLlamaEmbedder(), THRESHOLDS), tmp_path)
    assert (found.judge, found.count, found.accuracy, found.kappa) == ("similarity", 4, 1.0, 1.0)
    assert found.failed == ()
    assert "accuracy           1.00 (95% interval 0.51 to 1.00)" in described(found)


@pytest.mark.integration
def test_documents_are_extracted_and_found_by_their_ids_too(tmp_path: Path) -> None:
    (tmp_path / "a,b.html").write_text(f"<html><title>Bread</title><body><p>{BREAD}</p></body></html>")
    judge = ScriptedJudge()
    path = written(tmp_path / "labels.csv", [["1", "a,b.html", "1"], ["1", "a%2Cb.html", "1"]])
    assert calibrated(path, judge, tmp_path).count == 2
    assert {source.title for source in judge.sources} == {"Bread"}
    assert all("<p>" not in source.text and "sourdough" in source.text for source in judge.sources)


def test_a_label_that_fails_is_named_and_the_others_count(tmp_path: Path) -> None:
    (tmp_path / "inside").mkdir()
    (tmp_path / "outside.md").write_text(BREAD)
    (tmp_path / "inside" / "empty.md").write_text("")
    rows = [
        ["1", "gone.md", "1"],
        ["1", "../outside.md", "1"],
        ["1", "empty.md", "1"],
        ["1", str(tmp_path / "outside.md"), "1"],
        ["0.3", BREAD, "bad"],
        ["1 odd", BREAD, "good"],
        ["1", BREAD, "good"],
    ]
    judge = ScriptedJudge({"1 odd": DocumentError("the answer is none.", "Ask another.")})
    found = calibrated(written(tmp_path / "labels.csv", rows), judge, tmp_path / "inside")
    assert (found.count, found.accuracy) == (2, 1.0)
    assert [one.line for one in found.failed] == [2, 3, 4, 5, 7]
    text = described(found)
    assert "line 2: there is no document gone.md" in text
    assert "line 3: there is no document ../outside.md" in text
    assert "line 7: the answer is none. Ask another." in text


def test_a_remedy_is_said_once_for_all_labels_that_need_it() -> None:
    """A judge that refused 300 summaries alike said so 300 times."""
    alike = [FailedLabel(line, "the answer is none.", "Ask another.") for line in range(2, 32)]
    text = described(calibrate([], [])).splitlines()
    found = msgspec.structs.replace(calibrate([], []), failed=(*alike, FailedLabel(40, "it is gone.", "Find it.")))
    lines = described(found).splitlines()[len(text) :]
    named = ", ".join(map(str, range(2, 22)))
    assert lines == [
        "",
        "31 could not be judged:",
        f"lines {named} and 10 more: the answer is none. Ask another.",
        "line 40: it is gone. Find it.",
    ]


@pytest.mark.parametrize("error", [EndpointError("down.", "Start it."), StoppedError("interrupted")], ids=str)
def test_what_no_label_is_to_blame_for_ends_it(error: Exception, tmp_path: Path) -> None:
    path = written(tmp_path / "labels.csv", [["1 x", BREAD, "1"], ["1", BREAD, "0"]])
    with pytest.raises(type(error)):
        calibrated(path, ScriptedJudge({"1 x": error}), tmp_path)


def test_where_all_fail_there_is_no_figure(tmp_path: Path) -> None:
    found = calibrated(written(tmp_path / "labels.csv", [["1", "gone.md", "1"]]), ScriptedJudge(), tmp_path)
    assert (found.judge, found.count, found.accuracy, len(found.failed)) == ("scripted", 0, None, 1)
    assert "Nothing could be compared" in described(found)
    assert msgspec.json.decode(msgspec.json.encode(found), type=Calibration) == found


def test_the_table_names_the_person_and_the_judge() -> None:
    text = described(calibrate(labels([True, True, False]), verdicts([1.0, 0.6, 0.2])))
    assert all(decision in text for decision in get_args(Decision))
    assert "accept                0       1       1       0" in text
    assert "reject                0       0       0       1" in text
