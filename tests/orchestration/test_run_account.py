"""The account at the end of a run that no seed has started: all stages, all figures, in lines of a terminal."""

from collections.abc import Callable
from typing import Any

from resources.endpoints.llm import Usage
from seed_assets.checking.check_run import Check
from seed_assets.engine.stage_run import BlockedError, Tally
from seed_assets.graph.declared_checks import Finding
from seed_assets.orchestration.run_account import account_text
from tests.support.pipelines import World, refusal

DOCUMENTS = {f"{number}.md" for number in range(1_200)}


def look(*_: Any) -> Finding:
    """Nothing."""
    return Finding()


def check(name: str, severity: Any = "error", find: Callable[..., Finding] = look) -> Check:
    return Check(name, "chunks", severity, False, find, find)


def test_an_account_has_every_stage_with_what_was_reused_computed_failed_blocked_and_paid(plain_world: World) -> None:
    with plain_world.session() as session:
        runner = session.runner()
        runner.tallies["summaries"] = Tally(
            DOCUMENTS - {"0.md"}, DOCUMENTS - {"0.md", "1.md"}, {"0.md": refusal()}, 75.25
        )
        runner.tallies["lance_document_clusters"] = Tally(
            DOCUMENTS - {"0.md"}, set(), {"0.md": BlockedError("summaries")}, 2.0
        )
        runner.reuse.accounts.spent["summaries"] = Usage(1_199, 9_000_000, 345_678, 1_234.5678, 1)
        lines = account_text(runner, []).splitlines()
    assert lines == [
        "What became of each stage and check:",
        "stage                   total reused computed failed blocked seconds",
        "summaries               1,200      1    1,198      1       0    75.2",
        "lance_document_clusters 1,200  1,199        0      0       1     2.0",
        "",
        "stage                   requests    tokens            dollars",
        "summaries                  1,199 9,345,678 1,234.57 + unknown",
        "1,198 results computed, 1,200 reused, 1 failed.",
        "`seedbank status` lists what failed and what to do.",
    ]


def test_an_account_names_the_checks_that_did_not_pass(plain_world: World) -> None:
    with plain_world.session() as session:
        runner = session.runner()
        assert account_text(runner, []) == ""
        wrong = Finding({"a.md": "it is wrong"})
        checked = [(check("one"), Finding()), (check("two"), wrong), (check("three", "warning"), wrong)]
        assert account_text(runner, checked).splitlines()[1:] == [
            "3 checks, 1 passed.",
            "  failed: chunks, two",
            "  warning: chunks, three",
        ]
