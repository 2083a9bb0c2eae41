"""The commands `seedbank cache export` and `import`: arguments, exit statuses and output."""

from pathlib import Path
from typing import Annotated

import typer

from cli.invocation import HomeOption, JsonOption, open_session
from cli.sharing.remote_commands import print_refused
from cli.streams import print_json, print_text
from resources.wording import counted


def export(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Where to write; what is there already stays.")],
    private: Annotated[
        bool, typer.Option("--private", help="Also questions of users and their answers (store.private_stages).")
    ] = False,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Write all finished results into a folder, from which `cache import` takes them elsewhere."""
    with open_session(None, home, must_exist=True) as session:
        from io_managers.sharing.segments.signatures import SigningKey
        from io_managers.sharing.transfers import export as export_results
        from resources.settings.config import absolute

        rules = session.settings.store
        key = rules.signing_key.get_secret_value().strip()
        pushed = export_results(
            session.store,
            absolute(folder, "The folder of the export"),
            SigningKey.parse(key) if key else None,
            () if private else rules.private_stages,
        )
        if as_json:
            print_json({"directory": str(folder), "results": pushed.results, "values": pushed.values})
        else:
            print_text(
                f"Wrote {counted(pushed.results, 'result')} with {counted(pushed.values, 'value')} "
                f"({pushed.bytes / 2**20:,.1f} MB) to {folder}{'' if key else ', without a signature'}."
            )


def import_(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="The folder of an export.")],
    unsigned: Annotated[
        bool,
        typer.Option("--unsigned", help="Also take results without a signature. Use it only if you made the export."),
    ] = False,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Take finished results from a folder that `cache export` wrote. What this home has already stays."""
    with open_session(None, home) as session:
        from io_managers.sharing.transfers import take_in
        from resources.settings.config import absolute
        from seed_assets.session.sharing import refused_as_settings, trust_of

        trust = trust_of(session.settings, unsigned=unsigned)
        with refused_as_settings():
            taken = take_in(session.store, absolute(folder, "The folder of the export"), trust)
        if as_json:
            print_json({"directory": str(folder), "results": taken.results, "refused": taken.refused})
        else:
            print_text(f"Took {counted(taken.results, 'new result')} from {folder}.")
            print_refused(taken.refused)
    raise typer.Exit(1 if taken.refused else 0)
