"""The commands `seedbank cache ...`: the store of finished work.

What belongs here: arguments, exit statuses and what is printed. What does not: any work.
"""

from dataclasses import asdict
from typing import Annotated

import typer

from cli.invocation import HomeOption, JsonOption, open_session, print_json, settings_of, told_errors

cache_app = typer.Typer(help="The store of finished work.", no_args_is_help=True)


@cache_app.command()
def stats(
    days: Annotated[float, typer.Option(min=0, help="Only of the last so many days; 0 for all time.")] = 0,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """What is in the store, and by stage and model what was asked, paid and saved, and how long answers took."""
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
    """Read every value and compare it with its digest; corrupt ones are set aside and computed again by the next run."""
    with open_session(None, home, must_exist=True) as session:
        wrong = session.store.verify()
        if as_json:
            print_json({"wrong": wrong})
        else:
            for line in wrong:
                print(line)
            print(
                f"{len(wrong)} wrong. The next `seedbank seed` computes them again."
                if wrong
                else "Every value is intact."
            )
    raise typer.Exit(1 if wrong else 0)


@cache_app.command()
def repair(home: HomeOption = None, as_json: JsonOption = False) -> None:
    """Make a damaged store usable again: every value that matches its digest is kept, the rest is computed again."""
    from io_managers.store.repair import repair as repair_store

    with told_errors():
        report = repair_store(settings_of(None, home).home / "store")
        if as_json:
            print_json({**asdict(report), "set_aside": str(report.set_aside)})
        else:
            print(
                f"{report.values:,} values, {report.actions:,} finished actions, {report.refs:,} published results and "
                f"{report.failures:,} failures were kept, {report.dropped:,} could not be believed. The damaged file is "
                f"{report.set_aside}. The next `seedbank seed` computes what is missing."
            )
