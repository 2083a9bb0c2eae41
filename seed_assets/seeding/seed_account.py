"""The account of a seed: what became of each stage, what failed and what to do about it, and the exit status.

This module fills a report from the plan after the last run and from what the runner has counted. The form of the report is in
seed_report, and the cli prints it.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace

from resources.endpoints.llm import Usage
from resources.errors import says_without_text
from resources.wording import counted
from seed_assets.engine.runner import Runner
from seed_assets.engine.stage_run import BlockedError, NotBegunError, Tally
from seed_assets.planning.plan import Plan
from seed_assets.planning.warned_documents import warned_documents
from seed_assets.seeding.left_to_do import LeftToDo
from seed_assets.seeding.seed_report import BUDGET, FAILED, INTERRUPT, WAITING, FailureReport, SeedReport, StageReport
from seed_assets.session.session import Session


def account(
    report: SeedReport,
    session: Session,
    runner: Runner,
    left: LeftToDo,
    plan: Plan,
    named: Sequence[str],
    *,
    canceled: bool,
) -> None:
    """Fill the report. named: the stages that were asked for by name. canceled: whether the seed was interrupted."""
    report.skipped = plan.scan.skipped
    selected = set(left.selected(plan))
    report.warned = len({one.document for one in warned_documents(session.pipeline, session.store, selected)})
    found: dict[tuple[str, str], FailureReport] = {}
    for document, stage, error in plan.failures():
        asked = stage not in left.stages or document in selected or document in plan.scan.unreadable
        if stage in left.selected_stages and asked:
            found[document, stage] = FailureReport(document, stage, error.reason, error.remedy)
    for name, tally in runner.tallies.items():
        for document, error in tally.failed.items():
            if not isinstance(error, BlockedError | NotBegunError):
                found.setdefault((document, name), FailureReport(document, name, error.reason, error.remedy))
    for stuck in left.unending.reports():
        found.setdefault((stuck.document, stuck.stage), stuck)
    if runner.options.cache_only:
        for name in left.first:
            for document in left.uncached(plan, name) & selected:
                if not any(known == document for known, _ in found):
                    reason = "no finished result is in the store."
                    found[document, name] = FailureReport(document, name, reason, "Run again without --cache-only.")
    report.without_text = sorted({each.document for each in found.values() if says_without_text(each.reason)})
    found = {key: each for key, each in found.items() if not says_without_text(each.reason)}
    report.failures = [*found.values(), *left.faults.values(), *_halts(runner)]
    if (kept := session.store.reserve.kept_words()) and report.failures:
        last = report.failures[-1]
        report.failures[-1] = replace(last, remedy=f"{last.remedy} {kept[0].upper()}{kept[1:]}")
    for name in left.selected_stages:
        states = plan.stages[name].states
        asked = selected if name in left.stages else states.keys()
        computed = len(runner.tallies[name].computed) if name in runner.tallies else 0
        # Counting all of a million takes a tenth of the time of looking at each.
        whole = asked == states.keys()
        counts = Counter(states.values() if whole else (state for unit, state in states.items() if unit in asked))
        failed = sum(stage == name for _, stage in found)
        reused = max(0, counts["current"] - computed)
        report.stages[name] = StageReport(
            len(asked), reused, computed, failed, counts["blocked"], waiting=counts["waiting"]
        )
    for stage in session.pipeline.maintenance_stages:
        if not named or stage.name in named:
            computed = len(runner.tallies[stage.name].computed) if stage.name in runner.tallies else 0
            failed = int(stage.name in left.faults)
            current = int(stage.name not in plan.maintenance)
            report.stages[stage.name] = StageReport(1, max(0, current - computed), computed, failed)
    for name, tally in runner.tallies.items():
        if name in report.stages:
            entry, usage = report.stages[name], runner.reuse.accounts.spent.get(name, Usage())
            entry.seconds, entry.requests, entry.usd = round(tally.seconds, 3), usage.requests, usage.usd
            entry.tokens, entry.unpriced_requests = usage.tokens, usage.unpriced
    if canceled or runner.stopping.is_set():
        report.exit_code = INTERRUPT
    elif runner.over_budget:
        report.exit_code = BUDGET
        report.stopped = runner.budget.spent_reason(runner.reuse.accounts.budgeted_usd)
        report.remedy = runner.budget.remedy()
    elif report.failures:
        report.exit_code = FAILED
    elif any(stage.waiting for stage in report.stages.values()):
        report.exit_code = WAITING


def _halts(runner: Runner) -> Iterator[FailureReport]:
    """The stages whose endpoint stopped answering requests."""
    for name, error in runner.halted.items():
        failed = runner.tallies.get(name, Tally()).failed.values()
        left = sum(isinstance(problem, NotBegunError) for problem in failed)
        reason = (
            f"{error.reason} {counted(left, 'document')} {'was' if left == 1 else 'were'} left out."
            if left
            else error.reason
        )
        yield FailureReport("", name, reason, error.remedy)
