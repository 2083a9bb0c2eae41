"""The command `seedbank`.

What belongs here: arguments, exit statuses and what is printed. What does not: any work. Everything heavy is imported
inside a command, so that `seedbank --help` answers at once.
"""

import gc
import logging
import os
import signal
import sys
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from cli.cache import cache_app
from cli.invocation import (
    INTERRUPTED,
    CorpusOption,
    HomeOption,
    JsonOption,
    open_session,
    print_json,
    settings_of,
    told_errors,
)
from cli.judging import check, judge_app

if TYPE_CHECKING:
    from seed_assets.reuse import Usage

app = typer.Typer(
    help="Turns a folder of documents into a searchable knowledge base, and never pays twice for finished work.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.add_typer(cache_app, name="cache")
app.add_typer(judge_app, name="judge")
app.command()(check)
history_app = typer.Typer(help="What Dagster has recorded.", no_args_is_help=True)
app.add_typer(history_app, name="history")


@app.command()
def seed(
    corpus: CorpusOption = None,
    home: HomeOption = None,
    stages: Annotated[str, typer.Option(help="Only these stages, and what they need: a,b.")] = "",
    documents: Annotated[str, typer.Option(metavar="GLOB", help="Only documents whose id matches; removes none.")] = "",
    no_cache: Annotated[bool, typer.Option("--no-cache", help="Compute everything once more.")] = False,
    cache_only: Annotated[bool, typer.Option("--cache-only", help="Compute nothing; what is missing fails.")] = False,
    retry_failed: Annotated[bool, typer.Option("--retry-failed", help="Try remembered failures again.")] = False,
    max_cost: Annotated[
        float | None, typer.Option("--max-cost", metavar="USD", min=0, help="Send nothing that could cost more in all.")
    ] = None,
    recluster: Annotated[
        bool,
        typer.Option("--recluster", help="Find clusters from scratch; those that stay themselves keep their number."),
    ] = False,
    rebuild_sink: Annotated[
        bool, typer.Option("--rebuild-sink", help="Drop the tables and write them from the store, computing nothing.")
    ] = False,
    allow_removals: Annotated[
        bool, typer.Option("--allow-removals", help="Let more than a fifth of the documents be removed at once.")
    ] = False,
    rebind: Annotated[bool, typer.Option("--rebind", help="The corpus of this home was moved to --corpus.")] = False,
    verify: Annotated[bool, typer.Option("--verify", help="Read every file; do not trust sizes and times.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Bring the knowledge base up to date with the corpus."""
    from seed_assets.runner import RunOptions
    from seed_assets.seeding import SeedOptions
    from seed_assets.seeding import seed as run_seed

    options = SeedOptions(
        stages=_split(stages),
        documents=documents,
        run=RunOptions(no_cache, cache_only, retry_failed, max_cost, recluster),
        allow_removals=allow_removals,
        rebuild_sink=rebuild_sink,
        rebind=rebind,
        verify=verify,
    )
    with open_session(corpus, home) as session:
        from cli.progress import LiveTable, show_report

        if as_json:
            report = run_seed(session, options)
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
                }
            )
        else:
            with LiveTable(session) as table:
                report = run_seed(session, options, table)
            show_report(session, report)
    raise typer.Exit(report.exit_code)


@app.command()
def plan(
    corpus: CorpusOption = None,
    home: HomeOption = None,
    stages: Annotated[str, typer.Option(help="Only these stages, and what they need: a,b.")] = "",
    documents: Annotated[str, typer.Option(metavar="GLOB", help="Only documents whose id matches.")] = "",
    no_cache: Annotated[bool, typer.Option("--no-cache", help="As if everything were computed once more.")] = False,
    retry_failed: Annotated[bool, typer.Option("--retry-failed", help="With remembered failures tried again.")] = False,
    recluster: Annotated[bool, typer.Option("--recluster", help="As if clusters were found from scratch.")] = False,
    verify: Annotated[bool, typer.Option("--verify", help="Read every file; do not trust sizes and times.")] = False,
    as_json: JsonOption = False,
) -> None:
    """What a seed would do, why, and what it would cost; nothing is run."""
    from seed_assets.estimate import estimate, total
    from seed_assets.work import selected_documents, selected_stages

    with open_session(corpus, home) as session:
        session.home.check(session.settings.corpus)
        names = selected_stages(session.pipeline, _split(stages))
        anew = {name: set[str]() for name in names} if no_cache else {}
        found = session.plan(verify=verify, retry_failed=retry_failed, anew=anew, recluster=recluster)
        estimates = estimate(session.pipeline, session.store, found, names, selected_documents(found, documents))
        if as_json:
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
                            **_priced(stage.cost),
                            "saved": _priced(stage.saved),
                        }
                        for name, stage in estimates.items()
                    },
                    "corpus_stages": found.upkeep,
                    "gone": sorted(found.gone),
                    **_priced(total(stage.cost for stage in estimates.values())),
                }
            )
        else:
            from cli.progress import show_plan

            show_plan(found, estimates)


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
    """What is current, stale, failed, blocked or missing, by document and stage."""
    with open_session(corpus, home, must_exist=True) as session:
        plan = session.plan()
        states = plan.states()
        counts = {
            name: {state: sum(found == state for found in stage.states.values()) for state in _STATES}
            for name, stage in plan.stages.items()
        }
        failures = [
            {"document": document or None, "stage": stage, "reason": error.reason, "remedy": error.remedy}
            for document, stage, error in plan.failures()
        ]
        if as_json:
            print_json({"documents": states, "counts": counts, "failures": failures})
        else:
            from cli.progress import show_status

            show_status(counts, failures, sorted(plan.gone), plan.upkeep)
    raise typer.Exit(1 if failures else 0)


_STATES = ("current", "stale", "failed", "blocked", "missing")


@app.command()
def search(
    query: Annotated[str, typer.Argument(help="Words or a question.")],
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, max=1000, help="Most results.")] = 10,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Find the chunks that answer a query."""
    with open_session(None, home, must_exist=True) as session:
        hits = session.searcher().search(query, limit)
        if as_json:
            print_json(
                [
                    {
                        "document": hit.document,
                        "chunk": hit.chunk,
                        "score": hit.score,
                        "text": hit.text,
                        "start": hit.start,
                        "end": hit.end,
                    }
                    for hit in hits
                ]
            )
        else:
            from cli.progress import show_hits

            show_hits(hits)


@app.command()
def dev(
    corpus: CorpusOption = None,
    home: HomeOption = None,
    host: Annotated[str, typer.Option(help="Where the page listens.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65_535, help="Its port.")] = 3000,
) -> None:
    """Open Dagster over this home: the page, and the daemon that runs sensors, schedules and queued runs."""
    with told_errors():
        from resources.config import CONFIG_VARIABLE, PROJECT_ROOT, config_file
        from resources.home import Home

        settings = settings_of(corpus, home)
        Home(settings.home).check(settings.corpus)
        environment = {
            **os.environ,
            "DAGSTER_HOME": str(PROJECT_ROOT),
            "SEEDBANK_HOME": str(settings.home),
            "SEEDBANK_CORPUS": str(settings.corpus),
        }
        if CONFIG_VARIABLE in os.environ:
            environment[CONFIG_VARIABLE] = str(config_file())
        # A shell makes what it starts with `&` deaf to Ctrl-C, and Dagster would then be deaf to SIGTERM as well.
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        os.chdir(PROJECT_ROOT)
        command = [sys.executable, "-m", "dagster", "dev", "--workspace", "workspace.yaml"]
        os.execve(sys.executable, [*command, "--host", host, "--port", str(port)], environment)


@history_app.command()
def trim(
    keep_days: Annotated[float, typer.Option(min=0, help="Leave everything alone that is younger.")] = 30,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be removed.")] = False,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Remove what newer records have superseded; what is current, and every finished result, stays."""
    with open_session(None, home, must_exist=True) as session:
        from datetime import timedelta

        from event_log.home import open_instance
        from event_log.trim import trim as trim_history
        from seed_assets.dagster_runs import translated
        from seed_assets.definitions import build_definitions

        os.environ["SEEDBANK_HOME"] = str(session.settings.home)  # where the instance's storages look
        graph = build_definitions(session.settings).resolve_asset_graph()
        with translated(), open_instance(compute_logs=True) as instance:
            trimmed = trim_history(instance, graph, timedelta(days=keep_days), dry_run=dry_run)
        if as_json:
            print_json(asdict(trimmed))
        else:
            from cli.progress import show_trimmed

            show_trimmed(trimmed, dry_run=dry_run)


def main() -> None:
    """The entry point. Exit status: 0 done, 1 something failed, 2 usage, 3 a budget stopped the run, 130 interrupted."""
    # Its threads spin on matrices as small as ours: measured, 28 ms a summary become 47.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    # A plan of many documents makes a million objects that stay: to look through them again and again finds no garbage.
    gc.set_threshold(100_000, 20, 50)
    # Its notes on its own ways ("no existing dataset, it will be created") are no news to people.
    os.environ.setdefault("LANCE_LOG", "error")
    # For the log of Dagster runs; here the live table tells.
    logging.getLogger("seedbank.progress").propagate = False
    logging.basicConfig(level=logging.WARNING, format="%(message)s", stream=sys.stderr)
    try:
        app()
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)


if __name__ == "__main__":
    main()
