"""The command `seedbank prove`: arguments, exit status, and the table of what was asked, paid twice and lost."""

import signal
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

import cli
from cli.invocation import JsonOption, errors_as_messages
from cli.streams import print_error, print_json

if TYPE_CHECKING:
    from seed_assets.proof.proof import Proof
    from seed_assets.proof.scenarios import Outcome

_PROGRAM = f"{cli.__name__}.main"
_HEADINGS = ("asked", "no answer", "paid twice", "lost")


def prove(
    keep: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Keep the homes and the commands' output in this empty folder.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Prove on ten small documents that no answer is paid for twice and nothing is lost, whatever fails.

    It needs no key, no network and none of your homes. A model server on this machine counts what it is asked while a table
    cannot be written, a seed is killed, the disk is full, answers are dropped, stored bits flip, and a prompt and documents
    change.
    """
    from resources.settings.config import PROJECT_ROOT
    from seed_assets.proof.commands import ProofError
    from seed_assets.proof.proof import prove as carry_out

    with errors_as_messages():
        # If it is ended, no seed goes on and no folder is left.
        before = signal.signal(signal.SIGTERM, signal.default_int_handler)
        try:
            found = carry_out(_PROGRAM, PROJECT_ROOT, keep, _begun if as_json else _progress)
        except ProofError as error:
            print_error(str(error))
            raise typer.Exit(1) from error
        finally:
            signal.signal(signal.SIGTERM, before)
    if as_json:
        print_json(as_object(found))
    else:
        _show(found)
    raise typer.Exit(0 if found.passed else 1)


def _begun(outcome: "Outcome") -> None:
    """Say nothing: with --json only the result is printed."""


def _progress(outcome: "Outcome") -> None:
    from cli.screen import Screen

    console = Screen(stderr=True)
    if console.is_terminal:
        console.sentence(f"{outcome.scenario}: {'passed' if outcome.passed else 'failed'}, {outcome.seconds:.0f} s")


def as_object(proof: "Proof") -> dict[str, Any]:
    """The result as JSON, under stable keys."""
    return {
        "passed": proof.passed,
        "seconds": round(proof.seconds, 1),
        "folder": str(proof.folder) if proof.folder else None,
        "scenarios": [
            {
                "scenario": each.scenario,
                "requests": each.counts.requests,
                "answered": each.counts.answered,
                "without_answer": each.counts.unanswered,
                "paid_twice": each.counts.twice,
                "lost": each.lost,
                "wrong": each.wrong,
                "passed": each.passed,
                "seconds": round(each.seconds, 1),
            }
            for each in proof.outcomes
        ],
    }


def lines_of(scenarios: list[dict[str, Any]]) -> list[str]:
    """The table, as lines of text. scenarios: those of `as_object`."""
    rows = [
        (each["scenario"], each["requests"], each["without_answer"], each["paid_twice"], len(each["lost"]))
        for each in scenarios
    ]
    width = max(len(row[0]) for row in rows)
    lines = [f"{'scenario':{width}}" + "".join(f"  {name:>{len(name)}}" for name in _HEADINGS)]
    for title, *figures in rows:
        cells = (f"  {figure:>{len(name)},}" for figure, name in zip(figures, _HEADINGS, strict=True))
        lines.append(f"{title:{width}}" + "".join(cells))
    return lines


def _show(proof: "Proof") -> None:
    from cli.screen import Screen

    console = Screen()
    for line in lines_of(as_object(proof)["scenarios"]):
        console.sentence(line)
    for each in proof.outcomes:
        for problem in (*each.lost, *each.wrong):
            console.sentence(f"{each.scenario}: {problem}")
        if each.counts.twice:
            console.sentence(f"{each.scenario}: {each.counts.twice:,} answers were given a second time.")
    failed = sum(not each.passed for each in proof.outcomes)
    total = len(proof.outcomes)
    ended = "All passed" if not failed else f"{failed} of {total} failed"
    console.sentence(
        f"{total} scenarios in {proof.seconds:.0f} s. {ended}. The model server counted; where no answer arrived, the request "
        "was sent again."
    )
    if proof.folder:
        console.sentence(f"Everything is in {proof.folder}.")
