"""The commands `seedbank cache ...`: arguments, exit statuses and output."""

from dataclasses import asdict
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.invocation import HomeOption, JsonOption, errors_as_messages, open_session, settings_of
from cli.retention.clear import clear
from cli.retention.gc import gc
from cli.sharing.remote_commands import keygen, pull, push
from cli.sharing.transfer_commands import export, import_
from cli.streams import print_json, print_text
from resources.wording import counted

if TYPE_CHECKING:
    from io_managers.store.account import Key

cache_app = typer.Typer(
    help="Inspect, check, bound, repair and share the store of finished results.", no_args_is_help=True
)
cache_app.command()(gc)
cache_app.command()(clear)
cache_app.command()(push)
cache_app.command()(pull)
cache_app.command()(export)
cache_app.command("import")(import_)
cache_app.command()(keygen)


class Format(StrEnum):
    """How an account is printed."""

    TEXT = "text"
    CSV = "csv"
    JSON = "json"


@cache_app.command()
def stats(
    days: Annotated[float, typer.Option(min=0, help="Limit to the last N days (0 = all time).")] = 0,
    by: Annotated[
        str,
        typer.Option(
            metavar="A,B", help="What the account is broken down by: day (UTC), stage, model, or several of them."
        ),
    ] = "stage,model",
    format: Annotated[Format, typer.Option(help="How the account is printed.")] = Format.TEXT,
    prometheus: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="Write the account of all time to this file, for Prometheus's textfile collector."
        ),
    ] = None,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show what the store holds, and what was asked, spent, wasted and saved, with hits, misses and latencies.

    CSV and Prometheus have the account only. The last N days begin at this time of the day; misses are counted by whole days.
    """
    import time

    with open_session(None, home, must_exist=True) as session:
        keys = _keys(by)
        account = session.store.account
        accounts = account.accounts(time.time() - days * 86_400 if days else 0.0, keys)
        if prometheus is not None:
            from cli.costs.prometheus import write_metrics

            write_metrics(prometheus, account.accounts())
        if as_json or format is Format.JSON:
            from cli.money import account_json

            contents = session.store.contents()
            models = [account_json(found) for found in accounts]
            print_json({"store": contents, "models": models, "remote": session.remote_state})
        elif format is Format.CSV:
            from cli.costs.account_table import csv_of

            print_text(csv_of(accounts, keys))
        else:
            from cli.money import show_accounts, show_contents

            show_contents(session.store.contents())
            for line in session.remote_state.sentences() if session.remote_state else ():
                print_text(line)
            show_accounts(accounts, keys)


def _keys(by: str) -> "list[Key]":
    from io_managers.store.account import KEYS
    from resources.errors import ConfigurationError

    wanted = [name.strip() for name in by.split(",") if name.strip()]
    if not wanted or set(wanted) - set(KEYS):
        raise ConfigurationError(f"--by is {by!r}, but an account is broken down by one or more of {', '.join(KEYS)}.")
    return [key for key in KEYS if key in wanted]


@cache_app.command()
def verify(home: HomeOption = None, as_json: JsonOption = False) -> None:
    """Compare every stored value with its checksum. Damaged values are set aside, and the next seed computes them again."""
    with open_session(None, home, must_exist=True) as session:
        wrong = session.store.verify()
        if as_json:
            print_json({"wrong": wrong})
        else:
            for line in wrong:
                print_text(line)
            print_text(
                f"{len(wrong):,} damaged. The next `seedbank seed` computes {'it' if len(wrong) == 1 else 'them'} again."
                if wrong
                else "Every value is intact."
            )
    raise typer.Exit(1 if wrong else 0)


@cache_app.command()
def repair(home: HomeOption = None, as_json: JsonOption = False) -> None:
    """Repair a damaged store. Values that match their checksum are kept; the next seed computes the others again."""
    from io_managers.store.repair import repair as repair_store

    with errors_as_messages():
        report = repair_store(settings_of(None, home).home / "store")
        if as_json:
            print_json({**asdict(report), "set_aside": str(report.set_aside)})
        else:
            kept = (
                f"{counted(report.values, 'value')}, {counted(report.actions, 'finished action')}, "
                f"{counted(report.refs, 'published result')} and {counted(report.failures, 'failure')}"
            )
            print_text(
                f"Kept: {kept}. Dropped because they failed their check: {report.dropped:,}. The damaged file was moved to "
                f"{report.set_aside}. The next `seedbank seed` computes what is missing."
            )
