"""The commands `seedbank cache push`, `pull` and `keygen`: arguments, exit statuses and output."""

from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.invocation import HomeOption, JsonOption, open_session
from cli.sharing.warmed_words import show_warmed, warmed_json
from cli.streams import print_error, print_json, print_text
from resources.corpus.document_list import read_documents
from resources.wording import counted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from io_managers.sharing.remote import Remote
    from seed_assets.session.session import Session


@contextmanager
def _with_remote(home: HomeOption) -> "Iterator[tuple[Session, Remote]]":
    from resources.errors import ConfigurationError
    from seed_assets.session.sharing import refused_as_settings

    with open_session(None, home) as session:
        if (remote := session.remote) is None:
            raise ConfigurationError(
                "No remote is used. Set store.remote (SEEDBANK_STORE__REMOTE), and see that store.remote_access is not "
                '"off". Nothing was done.'
            )
        with refused_as_settings():
            yield session, remote


def push(home: HomeOption = None, as_json: JsonOption = False) -> None:
    """Push finished results to the remote that other homes share; what is there already stays."""
    with _with_remote(home) as (session, remote):
        from io_managers.sharing.pushing import push as push_results

        if warning := remote.check_writable():
            print_error(warning)
        remote.pull()
        pushed = push_results(session.store, remote, session.settings.store.private_stages)
        if as_json:
            print_json(
                {
                    "remote": remote.bucket.address,
                    "results": pushed.results,
                    "values": pushed.values,
                    "bytes": pushed.bytes,
                    "computed_twice": pushed.twice,
                }
            )
            return
        print_text(
            f"Pushed {counted(pushed.results, 'result')} with {counted(pushed.values, 'value')} "
            f"({pushed.bytes / 2**20:,.1f} MB) to {remote.bucket.address}."
        )
        if pushed.twice:
            print_text(
                f"{counted(pushed.twice, 'result')} had been computed elsewhere as well; the remote keeps the first of each, "
                "and this home its own."
            )


def pull(
    values: Annotated[
        bool,
        typer.Option("--values", help="Fetch all results with their values now, for work without a network later."),
    ] = False,
    documents: Annotated[
        Path | None,
        typer.Option(
            "--documents",
            metavar="FILE",
            help="Fetch the results of the documents in this text file, one a line, with their values.",
        ),
    ] = None,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Learn what the remote has. Values are fetched when they are needed, unless --values or --documents is given."""
    with _with_remote(home) as (session, remote):
        listed = None if documents is None else read_documents(documents, "Nothing was fetched.")
        pulled = remote.pull(again=True)
        if (tier := remote.access.tier) is not None and (problem := tier.problem()):
            print_error(problem)
        refused = dict(pulled.refused)
        taken = 0
        if values:
            from io_managers.sharing.transfers import take_all

            found = take_all(session.store, remote)
            taken, refused = found.results, refused | found.refused
        warmed = None
        if listed is not None:
            from seed_assets.session.warming import warm_documents

            session.home.check(session.settings.corpus)
            warmed = warm_documents(session, remote, listed)
            refused |= remote.index.withheld()
        known = remote.index.known()
        if as_json:
            print_json(
                {
                    "remote": remote.bucket.address,
                    "results": known.results,
                    "new": pulled.results,
                    "taken": taken,
                    "refused": refused,
                    "documents": None if warmed is None else warmed_json(warmed),
                }
            )
        else:
            print_text(
                f"{remote.bucket.address} has {counted(known.results, 'result')}; {pulled.results:,} were not known here before."
                + (f" {counted(taken, 'result')} were taken into this home." if values else "")
            )
            if warmed is not None:
                show_warmed(warmed)
            print_refused(refused)
    raise typer.Exit(1 if refused or (warmed is not None and warmed.unknown) else 0)


def print_refused(refused: "dict[str, str]") -> None:
    """Print what was not used, with the reasons."""
    for name, reason in refused.items():
        print_text(f"Not used: {name}: {reason}")


def keygen(as_json: JsonOption = False) -> None:
    """Make a pair of keys: a secret one that signs what is pushed, and a public one for those who use it."""
    from io_managers.sharing.segments.signatures import SigningKey, public_text

    key = SigningKey.generate()
    if as_json:
        print_json({"signing_key": key.text, "trusted_key": public_text(key.public)})
        return
    print_text(f"SEEDBANK_STORE__SIGNING_KEY={key.text}")
    print_text("  Keep this one secret: in the environment of those who push, or in the secrets of CI.")
    print_text(f"{public_text(key.public)}")
    print_text("  Everybody may see this one: put it into trusted_keys in [store] of those who use what is pushed.")
