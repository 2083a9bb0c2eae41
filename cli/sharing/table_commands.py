"""The commands `seedbank tables publish` and `pull`: arguments, exit statuses and output."""

from typing import Annotated

import typer

from cli.invocation import HomeOption, JsonOption, open_session
from cli.sharing.remote_commands import print_refused
from cli.streams import print_json, print_text

tables_app = typer.Typer(
    help="Publish the tables for homes that only read them, and keep a mirror of published ones.", no_args_is_help=True
)


@tables_app.command()
def publish(
    take_over: Annotated[
        bool,
        typer.Option(
            "--take-over", help="Take the place of another home that publishes there, which is refused from then on."
        ),
    ] = False,
    verify: Annotated[
        bool,
        typer.Option("--verify", help="Read everything that is published, and replace what is missing or damaged."),
    ] = False,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Publish the tables at tables.publish_to, as each seed does at its end; only what is not there yet is sent."""
    from resources.errors import ConfigurationError

    with open_session(None, home, must_exist=True) as session:
        from seed_assets.session.published_tables import PublishedTables
        from seed_assets.session.sharing import refused_as_settings

        if not session.settings.tables.publish_to:
            raise ConfigurationError(
                "No place for the tables is set. Set tables.publish_to (SEEDBANK_TABLES__PUBLISH_TO). Nothing was published."
            )
        with refused_as_settings():
            published = PublishedTables(session).publish(take_over=take_over, verify=verify)
        if as_json:
            print_json(published)
        else:
            print_text(published.sentence())
            print_refused(published.refused)


@tables_app.command()
def pull(
    repair: Annotated[
        bool, typer.Option("--repair", help="Compare the files of the mirror too, and fetch those that are damaged.")
    ] = False,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Fetch the newest edition of the tables at tables.read_from; searches use it from then on."""
    from resources.errors import ConfigurationError

    with open_session(None, home, mirrored=True) as session:
        if session.mirrored is None:
            raise ConfigurationError(
                "No tables of another home are read. Set tables.read_from (SEEDBANK_TABLES__READ_FROM) in a home of its own. "
                "Nothing was fetched."
            )
        pulled = session.mirrored.pull(again=repair)
        assert pulled.current is not None
        if as_json:
            print_json(
                {
                    "number": pulled.current.number,
                    "new": pulled.new,
                    "fetched_pieces": pulled.fetched_pieces,
                    "fetched_bytes": pulled.fetched_bytes,
                    "directory": str(pulled.current.folder),
                    "refused": pulled.refused,
                }
            )
        else:
            print_text(pulled.sentence())
            print_refused(pulled.refused)
    raise typer.Exit(1 if pulled.refused else 0)
