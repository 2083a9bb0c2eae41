"""The command `seedbank backup`: its arguments, exit status and output. The copying is in `seed_assets.session.backup`."""

from pathlib import Path
from typing import Annotated

import typer

from cli.invocation import HomeOption, JsonOption, open_session
from cli.streams import print_json, print_text
from resources.wording import counted


def backup(
    directory: Annotated[Path, typer.Argument(metavar="DIR", help="Where to write the copy: a new or empty folder.")],
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Copy the home and check the copy, even while other processes write. Use the copy with SEEDBANK_HOME=DIR."""
    with open_session(None, home, must_exist=True) as session:
        from seed_assets.session.backup import back_up

        made = back_up(session, directory)
        if as_json:
            print_json(
                {
                    "directory": str(made.directory),
                    "bytes": made.bytes,
                    "values": made.values,
                    "actions": made.actions,
                    "tables": made.tables,
                    "wrong": made.wrong,
                }
            )
        else:
            for line in made.wrong:
                print_text(line)
            rows = ", ".join(f"{count:,} rows of {table}" for table, count in made.tables.items())
            print_text(
                f"{made.directory} holds {made.values:,} values of {made.actions:,} finished actions"
                f"{f', {rows}' if rows else ''}: {made.bytes / 2**20:,.1f} MB. "
                + (
                    f"{counted(len(made.wrong), 'problem')} found, in the home as well: run `seedbank cache verify` there."
                    if made.wrong
                    else "Everything in the copy was read and is intact."
                )
            )
            print_text(f"To use it: SEEDBANK_HOME={made.directory} seedbank seed")
    raise typer.Exit(1 if made.wrong else 0)
