"""The command `seedbank doctor`: its arguments, output and exit status. What is looked at is in seed_assets.doctor."""

from dataclasses import asdict
from typing import Annotated

import typer

from cli.invocation import CorpusOption, HomeOption, JsonOption, open_session
from cli.streams import print_json


def doctor(
    corpus: CorpusOption = None,
    home: HomeOption = None,
    seconds: Annotated[
        float, typer.Option(min=1, help="How long to wait for anything that does not answer, in seconds.")
    ] = 15,
    as_json: JsonOption = False,
) -> None:
    """Say what is configured, whether it can be reached and written, how fast it is, and what to change.

    Nothing is changed, and no model is asked anything that costs money. Exit status: 1 if something does not work.
    """
    with open_session(corpus, home, mirrored=True) as session:
        from seed_assets.doctor.examination import examine

        found = examine(session, seconds)
        if as_json:
            print_json({"probes": {name: asdict(finding) for name, finding in found}})
        else:
            from cli.screen import Screen

            console = Screen()
            for name, finding in found:
                times = "; ".join(f"{what}: {_milliseconds(took)}" for what, took in finding.seconds.items())
                console.sentence(f"{finding.state:8}{name}: {finding.said}{f' ({times})' if times else ''}")
                if finding.remedy:
                    console.sentence(f"        {finding.remedy}")
    raise typer.Exit(1 if any(finding.state == "fault" for _, finding in found) else 0)


def _milliseconds(seconds: float) -> str:
    return f"{seconds * 1000:,.2f} ms" if seconds < 0.1 else f"{seconds:,.1f} s"
