"""How every command begins and ends.

What belongs here: the options that many commands have, settings and session, errors as messages and exit statuses. What
does not: any command.
"""

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from resources.config import Settings
    from seed_assets.session import Session

CorpusOption = Annotated[Path | None, typer.Option("--corpus", help="The folder of documents.", show_default=False)]
HomeOption = Annotated[
    Path | None, typer.Option("--home", help="Where all state of this corpus lives.", show_default=False)
]
JsonOption = Annotated[bool, typer.Option("--json", help="One JSON document on standard output, nothing else.")]

USAGE = 2
INTERRUPTED = 130


def settings_of(corpus: Path | None, home: Path | None) -> "Settings":

    from resources.config import load_settings

    overrides: dict[str, Any] = {"corpus": corpus, "home": home}
    return load_settings({name: value for name, value in overrides.items() if value is not None})


@contextmanager
def open_session(corpus: Path | None, home: Path | None, *, must_exist: bool = False) -> Iterator["Session"]:
    """The session of a command; its errors end the process with a message and the right exit status."""
    from resources.errors import ConfigurationError
    from seed_assets.session import Session

    with told_errors():
        settings = settings_of(corpus, home)
        session = Session(settings)
        if must_exist:
            bound = session.home.bound_corpus()
            if bound is None:
                raise ConfigurationError(f"Nothing is seeded in {settings.home} yet. Run `seedbank seed` first.")
            if corpus is not None:
                session.home.check(settings.corpus)
            elif bound != settings.corpus:
                session = Session(settings.model_copy(update={"corpus": bound}))
        try:
            yield session
        finally:
            session.close()


@contextmanager
def told_errors() -> Iterator[None]:
    from io_managers.store.errors import StoreError
    from resources.errors import ConfigurationError
    from resources.lance_errors import TableError

    try:
        yield
    except (ConfigurationError, StoreError, TableError) as error:
        print(f"seedbank: {error}", file=sys.stderr)
        raise typer.Exit(USAGE if isinstance(error, ConfigurationError) else 1) from error
    except KeyboardInterrupt as error:
        print("seedbank: Interrupted. Everything that was finished is kept; run again to go on.", file=sys.stderr)
        raise typer.Exit(INTERRUPTED) from error


def print_json(value: Any) -> None:
    import msgspec

    print(json.dumps(msgspec.to_builtins(value), ensure_ascii=False))
