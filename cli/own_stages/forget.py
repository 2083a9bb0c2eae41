"""The command `seedbank forget`: its arguments and output. What is removed is decided in seed_assets.session.forgetting."""

from dataclasses import asdict
from typing import Annotated

import typer

from cli.invocation import HomeOption, JsonOption, open_session
from cli.streams import print_json, print_text
from resources.wording import counted


def forget(
    names: Annotated[
        list[str],
        typer.Argument(
            metavar="NAME...", help="Stages or tables that no setting names any more; `seedbank status` names them."
        ),
    ],
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Remove the results and tables of stages that the settings no longer name. Their values stay in the store."""
    with open_session(None, home, must_exist=True) as session:
        from seed_assets.session.forgetting import forget as forget_stages

        found = forget_stages(session, names)
        if as_json:
            print_json(asdict(found))
            return
        results = [f"{counted(count, 'result')} of {stage}" for stage, count in found.results.items()]
        tables = [f"the table {table}" for table in found.tables]
        print_text(
            f"Removed: {', '.join((*results, *tables))}. The values stay in the store, so that a stage that is named again "
            "computes nothing."
        )
