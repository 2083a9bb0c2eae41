"""Every table that a command prints, in a terminal of 80 columns and in a narrow one: all figures, and no line too long.

What belongs here: widths. What does not: which figures there are (the tests of each command), and how columns are divided
(tests/resources/test_columns).
"""

import re
from collections.abc import Callable
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest

from cli import judging, progress
from cli.costs.prove import lines_of
from cli.money import show_accounts, show_contents
from cli.plan_report import show_plan
from cli.progress import LiveTable, show_report, show_status
from cli.screen import Screen, wrapped
from io_managers.store.account import Account, Spent
from io_managers.store.request_ledger import Saving
from io_managers.store.store import Contents
from resources.endpoints.llm import Usage
from seed_assets.checking.check_run import Check
from seed_assets.engine.progress import Progress
from seed_assets.graph.declared_checks import Finding
from seed_assets.planning.estimate import estimate
from seed_assets.seeding.seed_report import FailureReport, SeedReport, StageReport
from tests.support.pipelines import World

LONG = "a_stage_of_somebody_with_a_name_longer_than_half_of_a_terminal"
USAGE = Usage(123_456, 98_765_432, 1_234_567, 12_345.67, 3)
COUNTED = StageReport(
    1_234_567, 1_234_566, 1_234_565, 1_234_564, 1_234_563, 98_765.4, 123_456, 99_999_999, 12_345.67, 3
)


def seed_report(world: World) -> None:
    failures = [FailureReport(f"notes/{i}.md", "chunks", f"reason {i}.", "Fix it.") for i in range(30)]
    with world.session() as session:
        stages = dict.fromkeys(session.pipeline.stages, COUNTED)
        show_report(session, SeedReport({**stages, LONG: COUNTED}, failures, ["run"]))


def live_table(world: World) -> None:
    with world.session() as session:
        table = LiveTable(session)
        for name in session.pipeline.stages:
            table.began(name, 1_234_567)
            table.advanced(name, reused=1_234_566, computed=1_234_565, failed=1_234_564)
            table.paid(name, USAGE)
        table.reached(Progress("summaries", 1_234, 1_234_567, "notes/" * 40, USAGE, 9e5))
        Screen().print(table._render())


def plan(world: World) -> None:
    with world.session() as session:
        found = session.plan()
        estimates = estimate(session.pipeline, session.store, found, found.stages, found.documents)
    much = {"reused": 1_234_567, "publish": 1_234_566, "compute": 1_234_565, "left_out": 1_234_564}
    show_plan(found, {name: replace(one, **much, cost=USAGE, upper_bound=True) for name, one in estimates.items()})


def status(world: World) -> None:
    counts: dict[str, int] = dict.fromkeys(("current", "stale", "failed", "blocked", "missing"), 1_234_567)
    show_status({"lance_document_clusters": counts, LONG: counts}, [], [], {})


def stats(world: World) -> None:
    saved = Saving("summaries", "gpt", 1_234_567, 1_234_566, 98_765_432, 1_234_567, 12_345.67, 3)
    account = Account(
        day="2026-11-30",
        stage=LONG,
        model="provider/a-model-with-a-long-name-2026-11-30",
        requests=1_234_567,
        input_tokens=98_765_432,
        output_tokens=1_234_567,
        usd=12_345.67,
        unpriced=3,
        latencies=(1_234.5, 2_345.6, 3_456.7),
        wasted=Spent(12, 3_456, 789, 12.34),
        outcomes={"answered": 1_234_555, "timeout": 12},
        saved=saved,
        misses=7_654_321,
    )
    show_contents(Contents({LONG: 1_234_567}, 1, 10, 1))
    show_accounts([account], ["day", "stage", "model"])


def proof(world: World) -> None:
    # It is always of ten documents.
    figures = {"requests": 9_999, "without_answer": 999, "paid_twice": 998, "lost": ["a.md"] * 10}
    for line in lines_of([{"scenario": "a prompt and three of the documents change", **figures}]):
        Screen().sentence(line)


def checks(world: World) -> None:
    def look(*_: Any) -> Finding:
        """Nothing."""
        return Finding()

    check = Check(LONG, LONG, "error", False, look, look)
    judging._show([(check, Finding({"a.md": "it is wrong"}, looked_at=1_234_567))])


TABLES = {
    "seed": seed_report,
    "live": live_table,
    "plan": plan,
    "status": status,
    "stats": stats,
    "proof": proof,
    "check": checks,
}


@pytest.mark.parametrize("name", TABLES)
def test_no_figure_of_a_table_is_cut_in_80_columns(
    name: str, plain_world: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """`12,34…` in a log of CI, where the width of the terminal is not known and 80 is assumed."""
    printed = shown(TABLES[name], 80, plain_world, monkeypatch, capsys)
    lines = [line for line in printed.splitlines() if not line.endswith(".")]
    table = [line for line in lines if re.search(r"\s\d[\d,.]*( \+ unknown)?( |$)", line)]
    assert table
    assert max(map(len, table)) <= 80
    assert "…" not in "".join(line for line in table if not line.startswith("summaries 1,234/"))
    wide = shown(TABLES[name], 400, plain_world, monkeypatch, capsys)
    figures = re.findall(r"(?<= )\d[\d,.]*(?= |$)", wide, re.MULTILINE)
    assert {"1,234,567", "9,999"} & set(figures)
    for figure in set(figures):
        assert printed.count(figure) >= wide.count(figure), figure


def shown(
    table: Callable[[World], None],
    columns: int,
    world: World,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> str:
    monkeypatch.setenv("COLUMNS", str(columns))
    # Between two tables of stages that are running, time passes.
    monkeypatch.setattr(progress, "time", SimpleNamespace(perf_counter=lambda: 12_345.6))
    capsys.readouterr()
    table(world)
    printed = capsys.readouterr()
    return printed.out


@pytest.mark.parametrize("name", TABLES)
def test_there_is_no_colour_without_a_terminal(
    name: str, plain_world: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Escape sequences in the log of CI."""
    monkeypatch.delenv("FORCE_COLOR", raising=False)
    assert "\x1b" not in shown(TABLES[name], 80, plain_world, monkeypatch, capsys)


def test_no_color_leaves_out_colours_on_a_terminal_too(
    plain_world: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """https://no-color.org: bold is allowed, colours are not."""
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.delenv("NO_COLOR", raising=False)
    coloured = shown(seed_report, 80, plain_world, monkeypatch, capsys)
    assert re.search(r"\x1b\[(\d+;)*3\d", coloured)
    monkeypatch.setenv("NO_COLOR", "1")
    assert not re.search(r"\x1b\[(\d+;)*3\d", shown(seed_report, 80, plain_world, monkeypatch, capsys))


def test_a_terminal_gets_sentences_in_lines_of_whole_words_and_a_pipe_gets_them_whole(
    plain_world: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A terminal breaks a word in the middle; a program that reads a pipe looks for a sentence in one line."""
    reason = "the file cannot be read in this way " * 5
    failures = [
        {"document": "a.md", "stage": "chunks", "reason": reason, "remedy": "Run `seedbank seed --retry-failed`."}
    ]

    def long_lines(_: World) -> None:
        show_status({}, failures, [], {})

    monkeypatch.delenv("FORCE_COLOR", raising=False)
    whole = shown(long_lines, 80, plain_world, monkeypatch, capsys).splitlines()
    assert whole[1].strip() == f"a.md (chunks): {reason}".strip()
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("NO_COLOR", "1")
    lines = re.sub(r"\x1b\[[\d;]*m", "", shown(long_lines, 80, plain_world, monkeypatch, capsys)).splitlines()
    assert max(map(len, lines)) <= 80
    assert " ".join(" ".join(lines).split()) == " ".join(" ".join(whole).split())


@pytest.mark.parametrize("width", [20, 33, 80])
def test_a_command_in_a_sentence_is_never_broken(width: int) -> None:
    """A person copies the first half of it, and runs something that was not meant."""
    text = "    -> Fix it, then run `seedbank seed --retry-failed --documents 'notes/*'` once more.\nAnd look."
    lines = wrapped(text, width).split("\n")
    assert any("`seedbank seed --retry-failed --documents 'notes/*'`" in line for line in lines)
    assert " ".join(" ".join(lines).split()) == " ".join(text.split())
    assert all(line.startswith("    ") for line in lines[:-1])
    assert lines[-1].endswith("look.")
