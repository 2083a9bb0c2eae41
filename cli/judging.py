"""The commands `seedbank check` and `seedbank judge ...`: arguments, exit statuses and output."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.invocation import HomeOption, JsonOption, open_session
from cli.streams import print_error, print_json, print_text

if TYPE_CHECKING:
    from seed_assets.checking.check_run import Check, Finding
    from seed_assets.session.session import Session

judge_app = typer.Typer(help="Measure how reliable the judge of summaries is.", no_args_is_help=True)

_NAMED = 5
"""How many units are named for each failed check; `--json` lists all."""


def check(home: HomeOption = None, as_json: JsonOption = False) -> None:
    """Check the knowledge base as a whole: results, and that the tables hold them, row by row.

    Tables are not changed. Damaged rows are recorded, and the next seed writes them again from the store. Dagster shows the
    results as well. Where tables are published or mirrored, their files are checked.
    """
    with open_session(None, home, must_exist=True, mirrored=True) as session:
        from seed_assets.checking.check_run import checks_of, run_check
        from seed_assets.checking.published_tables import table_findings

        found: list[tuple[Check, Finding]] = []
        if session.mirrored is None:
            runner = session.runner()
            found = [(check, run_check(runner, check)) for check in checks_of(session.pipeline)]
            _record(session, found)
        found += table_findings(session)
        if as_json:
            print_json(
                [
                    {
                        "stage": check.stage,
                        "check": check.name,
                        "severity": check.severity,
                        "passed": finding.passed,
                        "looked_at": finding.looked_at,
                        "figures": finding.figures,
                        "offenders": finding.offenders,
                    }
                    for check, finding in found
                ]
            )
        else:
            _show(found)
    failed = any(check.severity == "error" and not finding.passed for check, finding in found)
    raise typer.Exit(1 if failed else 0)


def _record(session: "Session", found: "list[tuple[Check, Finding]]") -> None:
    """Let Dagster show what the checks found, if the home has records of Dagster."""
    if not session.home.dagster.is_dir():
        return
    from event_log.home import open_instance
    from io_managers.store.errors import StoreUnavailableError
    from seed_assets.orchestration.asset_checks import record_findings
    from seed_assets.orchestration.dagster_runs import translated

    os.environ["SEEDBANK_HOME"] = str(session.settings.home)  # Dagster's storages read it from here
    try:
        with translated(), open_instance() as instance:
            record_findings(instance, found)
    except StoreUnavailableError as error:
        print_error(f"Dagster does not show the results of these checks: {error}")


def _show(found: "list[tuple[Check, Finding]]") -> None:
    from rich.table import Table
    from rich.text import Text

    from cli.screen import Screen

    console = Screen()
    table = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0))
    for name in ("stage", "check", "", "looked at"):
        # A long name is folded, so that the verdict and the figure are never cut.
        named = name in ("stage", "check")
        table.add_column(name, justify="right" if name == "looked at" else "left", no_wrap=not named, overflow="fold")
    for check, finding in found:
        colour = "green" if finding.passed else "red" if check.severity == "error" else "yellow"
        word = "passed" if finding.passed else "failed" if check.severity == "error" else "warning"
        table.add_row(check.stage, check.name, Text(word, style=colour), f"{finding.looked_at:,}")
    console.print(table)
    for check, finding in found:
        if finding.passed:
            continue
        console.sentence(f"{check.stage}, {check.name}: {check.description}")
        for unit, problem in sorted(finding.offenders.items())[:_NAMED]:
            console.sentence(f"  {unit}: {problem}")
        if len(finding.offenders) > _NAMED:
            console.sentence(f"  and {len(finding.offenders) - _NAMED:,} more; --json lists all.")


@judge_app.command()
def calibrate(
    labels: Annotated[
        Path,
        typer.Argument(
            metavar="FILE.csv", help="Verdicts of people: a table with the columns summary, source and label."
        ),
    ],
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Compare the judge's verdicts with those of people: accuracy, balanced accuracy, Cohen's kappa."""
    with open_session(None, home) as session:
        from seed_assets.core.calibration.calibration import described

        found = session.calibrate(labels)
        if as_json:
            print_json(found)
        else:
            print_text(described(found))
    raise typer.Exit(1 if found.failed else 0)
