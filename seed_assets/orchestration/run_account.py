"""The account of a run that `seedbank seed` did not start: what became of each stage, as a message at the end of its log.

This module has its text. What it adds up is counted by the runner; a seed prints its own account (cli).
"""

from collections.abc import Sequence

from resources.columns import Column, text_lines
from resources.endpoints.llm import Usage
from resources.wording import counted, dollars
from seed_assets.checking.check_run import Check
from seed_assets.engine.runner import Runner
from seed_assets.engine.stage_run import BlockedError, NotBegunError, Tally
from seed_assets.graph.declared_checks import Finding


def account_text(runner: Runner, checked: Sequence[tuple[Check, Finding]]) -> str:
    """The account of all stages that the run has visited and of its checks; "" if there are none. Lines fit into 80 columns."""
    lines = [*_stages(runner), *_checks(checked)]
    # Where a log is shown as text, the first line stands behind the time and the name of the run.
    return "\n".join(["What became of each stage and check:", *lines]) if lines else ""


def _stages(runner: Runner) -> list[str]:
    tallies = runner.tallies
    if not tallies:
        return []
    counts = [_counts(tally) for tally in tallies.values()]
    spent = [runner.reuse.accounts.spent.get(name, Usage()) for name in tallies]
    columns = _columns(("total", "reused", "computed", "failed", "blocked", "waiting", "seconds"), counts)
    # Usually none is.
    groups = [
        [column for column in columns if column.heading not in ("blocked", "waiting") or set(column.cells) != {"0"}]
    ]
    if any(usage.requests for usage in spent):
        groups.append(_columns(("requests", "tokens", "dollars"), [_cost(usage) for usage in spent]))
    computed = sum(len(tally.computed) for tally in tallies.values())
    reused = sum(len(tally.visited) - len(tally.computed) for tally in tallies.values())
    failed = sum(len(_failed(tally)) for tally in tallies.values())
    summary = [f"{counted(computed, 'result')} computed, {reused:,} reused, {failed:,} failed."]
    if failed:
        summary.append("`seedbank status` lists what failed and what to do.")
    return [*text_lines("stage", list(tallies), groups), *summary]


def _failed(tally: Tally) -> list[str]:
    return [unit for unit, error in tally.failed.items() if not isinstance(error, BlockedError | NotBegunError)]


def _counts(tally: Tally) -> tuple[str, ...]:
    failed = len(_failed(tally))
    figures = (
        len(tally.visited | tally.failed.keys() | tally.waiting),
        len(tally.visited - tally.computed),
        len(tally.computed),
        failed,
        len(tally.failed) - failed,
        len(tally.waiting),
    )
    return (*(f"{figure:,}" for figure in figures), f"{tally.seconds:,.1f}")


def _cost(usage: Usage) -> tuple[str, ...]:
    if not usage.requests:
        return ("", "", "")
    return (f"{usage.requests:,}", f"{usage.tokens:,}", dollars(usage.usd, usage.unpriced))


def _columns(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> list[Column]:
    return [Column(heading, [row[place] for row in rows]) for place, heading in enumerate(headings)]


def _checks(checked: Sequence[tuple[Check, Finding]]) -> list[str]:
    if not checked:
        return []
    wrong = [
        f"  {'failed' if check.severity == 'error' else 'warning'}: {check.stage}, {check.name}"
        for check, finding in checked
        if not finding.passed
    ]
    passed = len(checked) - len(wrong)
    return [f"{counted(len(checked), 'check')}, {passed:,} passed.", *wrong]
