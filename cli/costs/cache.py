"""The commands `seedbank cache ...`: arguments, exit statuses and output."""

from dataclasses import asdict
from typing import Annotated

import typer

from cli.invocation import HomeOption, JsonOption, errors_as_messages, open_session, settings_of
from cli.streams import print_json, print_text
from resources.wording import counted

cache_app = typer.Typer(help="Inspect, check and repair the store of finished results.", no_args_is_help=True)


@cache_app.command()
def stats(
    days: Annotated[float, typer.Option(min=0, help="Limit to the last N days (0 = all time).")] = 0,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show what the store holds, and for each stage and model the requests, costs, savings and latencies."""
    import time

    with open_session(None, home, must_exist=True) as session:
        from cli.money import account_json, show_stats

        accounts = session.store.requests.accounts(time.time() - days * 86_400 if days else 0.0)
        contents = session.store.contents()
        if as_json:
            print_json({"store": contents, "models": [account_json(account) for account in accounts]})
        else:
            show_stats(contents, accounts)


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
