"""The command `seedbank forget`: its arguments and output. What is erased or removed is decided in seed_assets."""

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.invocation import HomeOption, JsonOption, open_session
from cli.retention.confirming import DryRunOption, YesOption, ask, can_ask, figures_json, recomputing
from cli.streams import print_error, print_json, print_text
from resources.corpus.document_list import read_documents
from resources.wording import counted, did_you_mean

if TYPE_CHECKING:
    from seed_assets.erasing.erasing import Erased
    from seed_assets.session.session import Session

# How many documents are named that share something with an erased one.
_NAMED = 5


def forget(
    names: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[NAME]...",
            help="Documents, by their paths below the corpus; or stages and tables that no setting names any more.",
        ),
    ] = None,
    listed: Annotated[
        Path | None, typer.Option("--list", metavar="FILE", help="A text file with one document a line.")
    ] = None,
    dry_run: DryRunOption = False,
    yes: YesOption = False,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Erase documents from the home for good, with everything that was made of them; or remove what is left of earlier stages.

    Of documents it shows first what would be erased and what others have to compute again, and asks; without a terminal it needs
    --yes or --dry-run. Their files in the corpus stay. Of stages and tables that the settings no longer name, the results and
    tables are removed at once; their values stay in the store.
    """
    from resources.errors import ConfigurationError

    with open_session(None, home, must_exist=True, of_corpus=True) as session:
        documents = _listed(listed, session) if listed is not None else []
        if not names and not documents:
            if listed is not None:
                raise ConfigurationError(f"The home has nothing of any document in {listed}. Nothing was erased.")
            raise ConfigurationError(
                "Say what to forget: documents, or stages and tables that no setting names any more."
            )
        stages = _stages_among(session, names or [])
        documents += [name for name in names or [] if name not in stages]
        if stages and documents:
            raise ConfigurationError(
                f"{stages[0]} is an earlier stage or table, and {documents[0]} is not. Forget them in two commands; "
                "a document with the name of a stage goes into the file of --list."
            )
        if stages:
            _forget_stages(session, stages, dry_run=dry_run, as_json=as_json)
        else:
            _erase(session, documents, dry_run=dry_run, yes=yes, as_json=as_json)


def _listed(path: Path, session: "Session") -> list[str]:
    """The documents of a list of which the home has something; the others are named, since lists are made for many homes."""
    from seed_assets.erasing.erasing import documents_of

    known, named = documents_of(session), read_documents(path, "Nothing was erased.")
    if unknown := [line for line in named if line not in known]:
        more = f" and {len(unknown) - _NAMED:,} more" if len(unknown) > _NAMED else ""
        print_error(f"The home has nothing of {', '.join(unknown[:_NAMED])}{more}.")
    return [line for line in named if line in known]


def _stages_among(session: "Session", names: Sequence[str]) -> list[str]:
    """Those of the names that are stages or tables. Raises ConfigurationError for a name of nothing."""
    from resources.errors import ConfigurationError
    from seed_assets.erasing.erasing import documents_of
    from seed_assets.session.stage_notes import stage_notes

    notes, pipeline = stage_notes(session), session.pipeline
    earlier = {*notes.unlisted, *notes.tables}
    stages = [
        name for name in names if name in earlier or name in {*pipeline.stages, *pipeline.tables, *pipeline.left_out}
    ]
    documents = documents_of(session)
    for name in names:
        if name not in stages and name not in documents:
            raise ConfigurationError(
                f"The home {session.settings.home} has nothing of a document {name!r}, and there is no earlier stage or table of "
                f"this name.{did_you_mean(name, documents | earlier)} A document is named by its path below the corpus. Nothing "
                "was erased."
            )
    return stages


def _forget_stages(session: "Session", names: Sequence[str], *, dry_run: bool, as_json: bool) -> None:
    from seed_assets.session.forgetting import forget as forget_stages

    found = forget_stages(session, names, dry_run=dry_run)
    if as_json:
        print_json({"dry_run": dry_run, **asdict(found)})
        return
    results = [f"{counted(count, 'result')} of {stage}" for stage, count in found.results.items()]
    tables = [f"the table {table}" for table in found.tables]
    print_text(
        f"{'Would be removed' if dry_run else 'Removed'}: {', '.join((*results, *tables))}. The values stay in the store, so "
        "that a stage that is named again computes nothing."
    )


def _erase(session: "Session", documents: Sequence[str], *, dry_run: bool, yes: bool, as_json: bool) -> None:
    from resources.errors import ConfigurationError
    from seed_assets.erasing.erasing import erase

    if not yes:
        found = erase(session, documents, dry_run=True)
        if dry_run and as_json:
            print_json(_as_json(found))
        elif not as_json:
            _show(found)
        if dry_run:
            return
        if as_json or not can_ask():
            raise ConfigurationError("Nothing was erased. Confirm with --yes, or look first with --dry-run.")
        if not ask("Erase this for good?"):
            return
    found = erase(session, documents, dry_run=dry_run)
    if as_json:
        print_json(_as_json(found))
    else:
        _show(found)
    raise typer.Exit(1 if found.left and not dry_run else 0)


def _show(found: "Erased") -> None:
    from cli.screen import Screen

    console, verb = Screen(), "Would be erased" if found.dry_run else "Erased"
    what = [f"{kind}: {count:,}" for kind, count in found.erased.items()]
    console.sentence(f"{verb} of {_these(found)}: {', '.join(what) or 'nothing'}.")
    console.sentence(f"Computing the results of {_these(found)} again would cost {recomputing(found.own)}.")
    if found.again:
        stages = ", ".join(f"{removed.results:,} of {stage}" for stage, removed in found.again.items())
        console.sentence(
            f"Among them are results made of {_these(found)} together with others: {stages}. The next seed computes them again, "
            f"which costs {recomputing(found.recomputed)}."
        )
    if found.shared:
        names = [f"{name} ({count:,})" for name, count in sorted(found.shared.items())[:_NAMED]]
        more = f" and {len(found.shared) - _NAMED:,} more" if len(found.shared) > _NAMED else ""
        console.sentence(f"Shared, and kept: results that these have as well: {', '.join(names)}{more}.")
    if found.there:
        console.sentence(
            f"The corpus still has {', '.join(found.there[:_NAMED])}{' and others' if len(found.there) > _NAMED else ''}. Files "
            "of the corpus are left alone, and the next seed reads them again: delete them first."
        )
    for sentence in found.left:
        console.sentence(f"Not erased: {sentence}")


def _these(found: "Erased") -> str:
    return found.documents[0] if len(found.documents) == 1 else counted(len(found.documents), "document")


def _as_json(found: "Erased") -> dict[str, object]:
    return {
        "dry_run": found.dry_run,
        "documents": list(found.documents),
        "erased": found.erased,
        "own": figures_json(found.own),
        "computed_again": {stage: figures_json(removed) for stage, removed in found.again.items()},
        "shared": found.shared,
        "in_corpus": found.there,
        "left": found.left,
    }
