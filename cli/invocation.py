"""What all commands share: common options, the settings and the session, and errors turned into messages and exit statuses.

No command is defined here.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.process_exit import INTERRUPTED
from cli.streams import print_error, print_json
from resources.memory_errors import address_limit_bytes, is_memory_error

if TYPE_CHECKING:
    from resources.settings.config import Settings
    from seed_assets.session.session import Session

CorpusOption = Annotated[
    str | None,
    typer.Option(
        "--corpus",
        metavar="PLACE",
        help="The folder or bucket of documents (default: SEEDBANK_CORPUS, the configuration file, or the home's own corpus).",
    ),
]
HomeOption = Annotated[
    Path | None,
    typer.Option(
        "--home",
        help="The folder with all state of this corpus (default: SEEDBANK_HOME, the configuration file, or .seedbank).",
    ),
]
JsonOption = Annotated[
    bool, typer.Option("--json", help="Print one JSON document to standard output and nothing else.")
]
QuietOption = Annotated[
    bool, typer.Option("--quiet", "-q", help="Print nothing but failures and what stopped the command; no progress.")
]
StagesOption = Annotated[
    str, typer.Option(metavar="A,B", help="Only these stages and those that they depend on, separated by commas.")
]
VerifyOption = Annotated[
    bool, typer.Option("--verify", help="Read every file, even if its size and modification time are unchanged.")
]

USAGE = 2
"""The exit status for wrong usage or configuration, as click and argparse have it."""


def settings_of(corpus: str | None, home: Path | None) -> "Settings":
    """The settings, in which the options `--corpus` and `--home` win over the environment and the configuration file."""
    from resources.settings.config import load_settings

    overrides: dict[str, Any] = {"corpus": corpus, "home": home}
    return load_settings({name: value for name, value in overrides.items() if value is not None})


@contextmanager
def open_session(
    corpus: str | None,
    home: Path | None,
    *,
    must_exist: bool = False,
    of_corpus: bool = False,
    mirrored: bool = False,
) -> Iterator["Session"]:
    """The session of a command. An error inside ends the process with a message and the right exit status.

    must_exist: require that the home was seeded before, and use the corpus that it belongs to if none is given. of_corpus: refuse
    a corpus of the environment or the configuration file that the home does not belong to, instead of not using it. mirrored:
    whether the command also works in a home that only reads tables of another one; with must_exist, they are there then.
    """
    from resources.errors import ConfigurationError
    from seed_assets.session.session import Session

    with errors_as_messages():
        settings = settings_of(corpus, home)
        session = Session(settings)
        if not mirrored:
            session.check_own()
        if must_exist and session.mirrored is not None:
            session.mirrored.refresh()
        elif must_exist:
            bound = session.home.bound_corpus()
            if bound is None:
                raise ConfigurationError(f"Nothing is seeded in {settings.home} yet. Run `seedbank seed` first.")
            if corpus is not None or of_corpus:
                session.home.check(settings.corpus)
            elif bound != settings.corpus:
                session = Session(settings.model_copy(update={"corpus": bound}))
        try:
            yield session
        finally:
            session.close()


@contextmanager
def errors_as_messages() -> Iterator[None]:
    """Print an expected error as one message, without a traceback, and exit with the status that belongs to it."""
    from io_managers.store.errors import StoreError
    from resources.errors import ConfigurationError
    from resources.tables.lance_errors import TableError

    try:
        with _disk_errors_as_store_errors():
            yield
    except (ConfigurationError, StoreError, TableError) as error:
        if address_limit_bytes() is not None and is_memory_error(error):
            raise  # `process_exit` reports that memory ran out, which explains the error better than its own message
        print_error(str(error))
        raise typer.Exit(USAGE if isinstance(error, ConfigurationError) else 1) from error
    except KeyboardInterrupt as error:
        print_error("Interrupted. All finished work is kept; run the command again to continue.")
        raise typer.Exit(INTERRUPTED) from error


@contextmanager
def _disk_errors_as_store_errors() -> Iterator[None]:
    """Turn every error of a full, read-only or broken disk into a StoreUnavailableError."""
    import sqlite3

    from io_managers.store.errors import StoreUnavailableError, is_disk_failure

    try:
        yield
    except (OSError, sqlite3.Error) as error:
        # An OSError without a file name comes from a terminal or a pipe, not from a disk.
        if not is_disk_failure(error) or (isinstance(error, OSError) and error.filename is None):
            raise
        what = error.filename if isinstance(error, OSError) else "A database of the home"
        raise StoreUnavailableError(
            f"{what} cannot be written: {error.strerror if isinstance(error, OSError) else error}.",
            "Free some space or make it writable, then run again: all finished work is kept.",
        ) from error


@contextmanager
def failures_as_json() -> Iterator[None]:
    """Print the JSON object of a failed seed when an error of the store or of a table ends it, then raise the error."""
    from io_managers.store.errors import StoreError
    from resources.tables.lance_errors import TableError

    started = time.perf_counter()
    try:
        with _disk_errors_as_store_errors():
            yield
    except (StoreError, TableError) as error:
        remedy = error.remedy or "Run again; all finished work is kept."
        print_json(
            {
                "stages": {},
                "failures": [{"document": None, "stage": "", "reason": error.reason, "remedy": remedy}],
                "runs": [],
                "seconds": round(time.perf_counter() - started, 3),
                "exit_code": 1,
            }
        )
        raise
