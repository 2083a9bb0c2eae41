"""What failed, and what to do, as people read it: nothing is said twice. And one of a thing is one."""

from collections.abc import Sequence
from typing import Any

import pytest

from cli.failure_list import failure_lines
from cli.money import show_accounts, show_contents
from cli.progress import show_report, show_status, show_trimmed
from event_log.trim import Trimmed
from io_managers.store.store import Contents
from resources.corpus.skipped_files import SkippedFiles
from resources.wording import counted
from seed_assets.seeding.seed_report import FailureReport, SeedReport, StageReport
from tests.support.pipelines import World


def failed(document: str | None, reason: str, remedy: str, stage: str = "summaries") -> dict[str, Any]:
    return {"document": document, "stage": stage, "reason": reason, "remedy": remedy}


def test_a_remedy_is_said_once_with_its_count() -> None:
    failures = [failed(f"{n:02}.md", "no answer.", "Run again.") for n in range(12)]
    assert list(failure_lines(failures)) == [
        f"  {', '.join(f'{n:02}.md' for n in range(12))} (summaries): no answer.",
        "    -> Run again. (12 failures)",
    ]


def test_reasons_of_one_remedy_stand_together_in_the_order_in_which_they_came() -> None:
    failures = [
        failed("a.md", "broken.", "Fix the file."),
        failed("b.md", "no answer.", "Run again."),
        failed("c.md", "empty.", "Fix the file."),
        failed(None, "down.", "Run again.", "concepts"),
        failed("d.md", "broken.", "Fix the file."),
    ]
    assert list(failure_lines(failures)) == [
        "  a.md, d.md (summaries): broken.",
        "  c.md (summaries): empty.",
        "    -> Fix the file. (3 failures)",
        "  b.md (summaries): no answer.",
        "  concepts: down.",
        "    -> Run again. (2 failures)",
    ]


@pytest.mark.parametrize("reasons", [1, 30])
def test_a_long_list_names_twenty_and_says_how_many_there_are(reasons: int) -> None:
    failures = [failed(f"{n:02}.md", f"wrong {n % reasons}.", "Run again.") for n in range(30)]
    lines = list(failure_lines(failures))
    assert sum(line.count(".md") for line in lines) == 20
    assert sum(line.startswith("    -> Run again. (30 failures)") for line in lines) == 1
    assert lines[-1] == "  and 10 more: `seedbank status --json` lists all."


def test_counts_are_written_as_people_write_them() -> None:
    assert [counted(n, "file") for n in (0, 1, 2, 1000)] == ["0 files", "1 file", "2 files", "1,000 files"]
    assert [counted(n, "entry", "entries") for n in (1, 2)] == ["1 entry", "2 entries"]


def singular(text: str, words: Sequence[str]) -> None:
    for word in words:
        assert f"1 {word}" not in text, text


def test_what_is_printed_of_one_thing_is_singular(empty_world: World, capsys: pytest.CaptureFixture[str]) -> None:
    with empty_world.session() as session:
        stages = {"chunks": StageReport(documents=1, computed=1)}
        failures = [FailureReport("[red]a[/].md", "chunks", "bad [bold]x[/].", "Fix it.")]
        show_report(
            session,
            SeedReport(stages, failures, ["run"], added=1, removed=1, skipped=SkippedFiles({".doc": 1}), warned=1),
        )
    show_trimmed(Trimmed(1, 1, 1, 1, 1, 1, 2, 1, 0), dry_run=False)
    show_contents(Contents({"chunks": 1}, 1, 10, 1))
    show_accounts([], ["stage"])
    show_status({"chunks": {"current": 1}}, [], ["only.md"], {})
    printed = capsys.readouterr().out
    singular(
        printed,
        ("documents", "results", "files", "events", "copies", "ticks", "runs", "values", "failures", "evaluations"),
    )
    assert "1 document, 1 added, 1 removed; 1 result computed" in printed
    assert (
        "1 file skipped: 1 .doc.\n1 .doc file is not read. Save such files in a word processor as DOCX.\n1 document was read"
        in printed
    )
    assert "1 document is gone from the corpus; the next seed removes it: only.md." in printed
    # Rich's marks in names and reasons are words as any other.
    assert "[red]a[/].md (chunks): bad [bold]x[/]." in printed
