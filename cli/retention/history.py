"""The command `history`: removes records of Dagster that newer ones have superseded.

What does not belong here: which records these are (event_log.trim), and what the store keeps (gc, clear).
"""

import os
from dataclasses import asdict
from typing import Annotated

import typer

from cli.invocation import HomeOption, JsonOption, open_session
from cli.streams import print_json

history_app = typer.Typer(help="Manage the history of runs and events that Dagster keeps.", no_args_is_help=True)


@history_app.command()
def trim(
    keep_days: Annotated[float, typer.Option(min=0, help="Keep every record of the last N days.")] = 30,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would be removed, and remove nothing.")] = False,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Remove records that newer ones have superseded. Current records and finished results are kept."""
    with open_session(None, home, must_exist=True) as session:
        from datetime import timedelta

        from event_log.home import open_instance
        from event_log.trim import trim as trim_history
        from seed_assets.orchestration.code_location import build_definitions
        from seed_assets.orchestration.dagster_runs import translated

        os.environ["SEEDBANK_HOME"] = str(session.settings.home)  # Dagster's storages read it from here
        graph = build_definitions(session.settings).resolve_asset_graph()
        with translated(), open_instance(compute_logs=True) as instance:
            trimmed = trim_history(instance, graph, timedelta(days=keep_days), dry_run=dry_run)
        if as_json:
            print_json(asdict(trimmed))
        else:
            from cli.progress import show_trimmed

            show_trimmed(trimmed, dry_run=dry_run)
