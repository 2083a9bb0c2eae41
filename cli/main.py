"""The command `seedbank`.

This module holds arguments, exit statuses and what is printed; the work itself is done elsewhere. Slow imports happen
inside a command, so that `seedbank --help` answers at once.
"""

import logging
import os
import sys
from collections import Counter
from contextlib import nullcontext
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.backup import backup
from cli.batches.batch import batch_app
from cli.costs.cache import cache_app
from cli.costs.prove import prove
from cli.deployment.worker import worker
from cli.dev import dev
from cli.doctor.doctor import doctor
from cli.entities.entities import entities_app
from cli.entities.freeze import freeze
from cli.entities.graph import graph
from cli.erasing.forget import forget
from cli.examples.examples import examples_app
from cli.explaining.compare import compare
from cli.explaining.explain import explain
from cli.invocation import (
    CorpusOption,
    HomeOption,
    JsonOption,
    QuietOption,
    StagesOption,
    VerifyOption,
    failures_as_json,
    open_session,
)
from cli.judging import check, judge_app
from cli.own_stages.new_stage import new_app
from cli.own_stages.notes import notes_as_json, warn_of_notes
from cli.process_exit import exit_with_message, watch_address_limit
from cli.questions.ask import ask, warm
from cli.questions.serve import mcp, serve
from cli.report import report
from cli.retention.history import history_app
from cli.search import search
from cli.sharing.table_commands import tables_app
from cli.show import show
from cli.standing import Standing
from cli.streams import log_to_stderr, prepare_streams, print_json
from resources.errors import says_without_text
from resources.home.private_files import keep_new_files_private

if TYPE_CHECKING:
    from resources.endpoints.llm import Usage
    from seed_assets.seeding.seed_report import SeedReport
    from seed_assets.session.session import Session

app = typer.Typer(
    help="Turns a folder of documents into a searchable knowledge base, and never pays twice for finished work.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.add_typer(cache_app, name="cache")
app.add_typer(batch_app, name="batch")
entities_app.command()(graph)
entities_app.command()(freeze)
app.add_typer(entities_app, name="entities")
app.add_typer(examples_app, name="examples")
app.add_typer(history_app, name="history")
app.add_typer(judge_app, name="judge")
app.add_typer(new_app, name="new")
app.add_typer(tables_app, name="tables")
app.command()(check)
app.command()(backup)
app.command()(show)
app.command()(explain)
app.command()(compare)
app.command()(ask)
app.command()(warm)
app.command()(serve)
app.command()(mcp)
app.command()(prove)
app.command()(search)
app.command()(report)
app.command()(forget)
app.command()(doctor)
app.command()(worker)


@app.command()
def seed(
    corpus: CorpusOption = None,
    home: HomeOption = None,
    stages: StagesOption = "",
    documents: Annotated[
        str,
        typer.Option(
            metavar="GLOB", help="Process only documents whose id (path below the corpus) matches; remove no document."
        ),
    ] = "",
    no_cache: Annotated[
        bool,
        typer.Option("--no-cache", help="Ignore stored results and compute everything again; models are paid again."),
    ] = False,
    cache_only: Annotated[
        bool,
        typer.Option("--cache-only", help="Use stored results only; a result that is not stored counts as failed."),
    ] = False,
    retry_failed: Annotated[
        bool, typer.Option("--retry-failed", help="Retry failures that were recorded as permanent.")
    ] = False,
    max_cost: Annotated[
        float | None,
        typer.Option(
            "--max-cost", metavar="USD", min=0, help="Stop before the total cost could exceed this amount (USD)."
        ),
    ] = None,
    recluster: Annotated[
        bool,
        typer.Option(
            "--recluster",
            help="Cluster from scratch; a cluster that shares enough members with an earlier one keeps its id.",
        ),
    ] = False,
    rebuild_sink: Annotated[
        bool,
        typer.Option("--rebuild-sink", help="Drop the tables and write them again from the store, without computing."),
    ] = False,
    allow_removals: Annotated[
        bool, typer.Option("--allow-removals", help="Allow more than a fifth of the documents to be removed at once.")
    ] = False,
    rebind: Annotated[
        bool, typer.Option("--rebind", help="Use this home for a corpus that was moved: --corpus is its new place.")
    ] = False,
    no_wait: Annotated[
        bool,
        typer.Option(
            "--no-wait",
            help="Wait for no batch: cancel those that have not ended, keep what they have answered, and send the rest alone.",
        ),
    ] = False,
    workers: Annotated[
        int,
        typer.Option(
            "--workers",
            metavar="N",
            min=1,
            max=64,
            help="Process documents in so many processes of this machine at once.",
        ),
    ] = 1,
    verify: VerifyOption = False,
    quiet: QuietOption = False,
    as_json: JsonOption = False,
) -> None:
    """Bring the knowledge base up to date with the corpus."""
    from seed_assets.engine.runner import RunOptions
    from seed_assets.seeding.seeding import SeedOptions
    from seed_assets.seeding.seeding import seed as run_seed

    options = SeedOptions(
        stages=_split(stages),
        documents=documents,
        run=RunOptions(no_cache, cache_only, retry_failed, max_cost, recluster, no_wait),
        allow_removals=allow_removals,
        rebuild_sink=rebuild_sink,
        rebind=rebind,
        verify=verify,
        workers=workers,
    )
    standing = Standing(home, corpus, as_json=as_json, default_options=options == SeedOptions() and not quiet)
    with open_session(corpus, home) as session:
        from cli.environment_checks import check_temporary_folder
        from cli.progress import LiveTable, show_problems, show_report

        check_temporary_folder()
        standing.before_seed(session)

        progress = None if quiet else LiveTable(session, cache_only=cache_only, lines_only=as_json)
        if as_json:
            with failures_as_json():
                report = run_seed(session, options, progress)
            for failure in report.failures:
                if not failure.stage:
                    # This failure ended the whole seed, so it is shown on standard error as well as in the JSON object.
                    print(f"seedbank: {failure.reason} {failure.remedy}", file=sys.stderr)
            print_report = partial(_print_report, session)
        else:
            with progress or nullcontext():
                report = run_seed(session, options, progress)
            print_report = show_problems if quiet else partial(show_report, session)
        print_report(report)
        warn_of_notes(session)
        standing.after_seed(report, print_report)
        if report.runs and session.settings.metrics.prometheus:
            from cli.costs.prometheus import write_after_seed

            write_after_seed(session)
    raise typer.Exit(report.exit_code)


def _print_report(session: "Session", report: "SeedReport") -> None:
    print_json(
        {
            "stages": report.stages,
            "failures": [
                {"document": f.document or None, "stage": f.stage, "reason": f.reason, "remedy": f.remedy}
                for f in report.failures
            ],
            "runs": report.runs,
            "seconds": round(report.seconds, 3),
            "exit_code": report.exit_code,
            "stopped": {"reason": report.stopped, "remedy": report.remedy} if report.stopped else None,
            "without_text": report.without_text,
            "skipped": report.skipped.as_json(),
            "documents_with_warnings": report.warned,
            "shared": report.shared,
            "published": report.published,
            **notes_as_json(session),
        }
    )


@app.command()
def plan(
    corpus: CorpusOption = None,
    home: HomeOption = None,
    stages: StagesOption = "",
    documents: Annotated[
        str, typer.Option(metavar="GLOB", help="Plan only documents whose id (path below the corpus) matches.")
    ] = "",
    no_cache: Annotated[bool, typer.Option("--no-cache", help="Plan for `seed --no-cache`.")] = False,
    retry_failed: Annotated[bool, typer.Option("--retry-failed", help="Plan for `seed --retry-failed`.")] = False,
    recluster: Annotated[bool, typer.Option("--recluster", help="Plan for `seed --recluster`.")] = False,
    verify: VerifyOption = False,
    as_json: JsonOption = False,
) -> None:
    """Show what a seed would do, why, and what it would cost, without running anything."""
    from seed_assets.planning.estimate import estimate, total
    from seed_assets.planning.work import selected_documents, selected_stages

    with open_session(corpus, home) as session:
        session.home.check(session.settings.corpus)
        names = selected_stages(session.pipeline, _split(stages))
        recomputed = {name: set[str]() for name in names} if no_cache else {}
        found = session.plan(verify=verify, retry_failed=retry_failed, recomputed=recomputed, recluster=recluster)
        estimates = estimate(session.pipeline, session.store, found, names, selected_documents(found, documents))
        if as_json:
            waiting = found.waiting()
            print_json(
                {
                    "stages": {
                        name: {
                            "documents": stage.documents,
                            "reused": stage.reused,
                            "publish": stage.publish,
                            "compute": stage.compute,
                            "upper_bound": stage.upper_bound,
                            "left_out": stage.left_out,
                            "reasons": stage.reasons,
                            "computed_again": stage.again,
                            "kept": stage.kept,
                            **_priced(stage.cost),
                            "expected": None if stage.expected is None else _priced(stage.expected),
                            "models_without_price": stage.without_price,
                            "saved": _priced(stage.saved),
                            "batched": stage.batched,
                            "in_batches": None if stage.batched == "off" else _priced(stage.in_batches),
                            "rounds": stage.rounds,
                            "waiting": len(waiting.get(name, ())),
                        }
                        for name, stage in estimates.items()
                    },
                    "corpus_stages": found.maintenance,
                    "gone": sorted(found.gone),
                    "skipped": found.scan.skipped.as_json(),
                    **_priced(total(stage.cost for stage in estimates.values())),
                    "expected": _priced(total(stage.expected for stage in estimates.values() if stage.expected)),
                    "expected_unknown": [name for name, stage in estimates.items() if stage.expected is None],
                    **notes_as_json(session),
                }
            )
        else:
            from cli.plan_report import show_plan

            show_plan(found, estimates)
            warn_of_notes(session)


def _priced(usage: "Usage") -> dict[str, float]:
    return {
        "requests": usage.requests,
        "tokens": usage.tokens,
        "usd": round(usage.usd, 6),
        "unpriced_requests": usage.unpriced,
    }


def _split(names: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in names.split(",") if name.strip())


@app.command()
def status(corpus: CorpusOption = None, home: HomeOption = None, as_json: JsonOption = False) -> None:
    """Show how many results of each stage are current, stale, failed, blocked, waiting or missing; --json lists each document.

    Documents that were read with warnings are named, and skipped files are counted by their suffix.
    """
    from seed_assets.planning.warned_documents import warned_documents

    with open_session(corpus, home, must_exist=True, of_corpus=True) as session:
        plan = session.plan()
        found_in = {name: Counter(stage.states.values()) for name, stage in plan.stages.items()}
        counts = {name: {state: found[state] for state in _STATES} for name, found in found_in.items()}
        failures: list[dict[str, Any]] = []
        without_text: set[str] = set()
        for document, stage, error in plan.failures():
            if says_without_text(error.reason):
                without_text.add(document)
            else:
                failed = {"document": document or None, "stage": stage, "reason": error.reason, "remedy": error.remedy}
                failures.append(failed)
        warned = warned_documents(session.pipeline, session.store, plan.documents)
        kept = {name: found for name, stage in plan.stages.items() if (found := stage.kept_although())}
        if as_json:
            print_json(
                {
                    "documents": plan.states(),
                    "counts": counts,
                    "kept": kept,
                    "failures": failures,
                    "warnings": warned,
                    "without_text": sorted(without_text),
                    "skipped": plan.scan.skipped.as_json(),
                    "remote": session.remote_state,
                    **notes_as_json(session),
                }
            )
        else:
            from cli.progress import show_status

            show_status(
                counts,
                failures,
                sorted(plan.gone),
                plan.maintenance,
                warned,
                plan.scan.skipped,
                kept,
                sorted(without_text),
                session.remote_state,
            )
            warn_of_notes(session, unlisted=True)
    raise typer.Exit(1 if failures else 0)


_STATES = ("current", "stale", "failed", "blocked", "waiting", "missing")


app.command()(dev)


def main() -> None:
    """Run the command line.

    Exit statuses: 0 done, 1 something failed, 2 wrong usage or configuration, 3 a budget stopped the run, 4 documents wait for a
    batch, 130 interrupted.
    """
    prepare_streams()
    watcher = watch_address_limit()
    keep_new_files_private()
    # On matrices as small as ours, several OpenBLAS threads only wait for each other: measured, a summary takes 47 ms
    # with them and 28 ms with one.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    # LanceDB logs routine events ("no existing dataset, it will be created") that are of no use to a user.
    os.environ.setdefault("LANCEDB_LOG", "error")
    # These messages are meant for the log of Dagster runs; the live table shows progress here.
    logging.getLogger("seedbank.progress").propagate = False
    log_to_stderr()
    with exit_with_message(watcher):
        app()


if __name__ == "__main__":
    main()
