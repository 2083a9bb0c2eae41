"""The commands `seedbank check` and `seedbank judge ...`: what can be looked at, and how far judges can be trusted.

What belongs here: arguments, exit statuses and what is printed. What does not: any work.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.invocation import HomeOption, JsonOption, open_session, print_json

if TYPE_CHECKING:
    from seed_assets.checking import Check, Finding

judge_app = typer.Typer(help="Who judges summaries, and how far that can be trusted.", no_args_is_help=True)

_NAMED = 5


def check(home: HomeOption = None, as_json: JsonOption = False) -> None:
    """Look at the knowledge base as a whole: what was made, and that the tables hold it. Changes nothing."""
    with open_session(None, home, must_exist=True) as session:
        from seed_assets.checking import checks_of, run_check

        runner = session.runner()
        found = [(check, run_check(runner, check)) for check in checks_of(session.pipeline)]
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


def _show(found: "list[tuple[Check, Finding]]") -> None:
    from rich.console import Console
    from rich.table import Table

    console = Console(emoji=False)
    table = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0))
    for name in ("stage", "check", "", "looked at"):
        table.add_column(name, justify="right" if name == "looked at" else "left", no_wrap=True)
    for check, finding in found:
        colour = "green" if finding.passed else "red" if check.severity == "error" else "yellow"
        word = "passed" if finding.passed else "failed" if check.severity == "error" else "warning"
        table.add_row(check.stage, check.name, f"[{colour}]{word}[/]", f"{finding.looked_at:,}")
    console.print(table)
    for check, finding in found:
        if finding.passed:
            continue
        console.print(
            f"{check.stage}, {check.name}: {check.description}", markup=False, highlight=False, soft_wrap=True
        )
        for unit, problem in sorted(finding.offenders.items())[:_NAMED]:
            console.print(f"  {unit}: {problem}", markup=False, highlight=False, soft_wrap=True)
        if len(finding.offenders) > _NAMED:
            console.print(f"  and {len(finding.offenders) - _NAMED} more; --json names all.", highlight=False)


@judge_app.command()
def calibrate(
    labels: Annotated[Path, typer.Argument(metavar="FILE.csv", help="summary, source, label: what people said.")],
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Compare the judge's verdicts with people's: accuracy, balanced accuracy, Cohen's kappa."""
    with open_session(None, home) as session:
        from seed_assets.core.calibration import described

        found = session.calibrate(labels)
        if as_json:
            print_json(found)
        else:
            print(described(found))
    raise typer.Exit(1 if found.failed else 0)
