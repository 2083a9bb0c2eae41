"""The commands `seedbank examples ...`: arguments, exit statuses and output. What an example is, is in seed_assets."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.invocation import HomeOption, JsonOption, open_session
from cli.report import check_place
from cli.streams import print_json, print_text

if TYPE_CHECKING:
    from seed_assets.core.examples.selection import Example

examples_app = typer.Typer(
    help="Choose accepted results that models are shown as examples, and list them.", no_args_is_help=True
)
# So much of an answer is listed of each example.
_SHOWN_CHARACTERS = 100


@examples_app.command()
def freeze(
    stage: Annotated[
        str, typer.Argument(metavar="STAGE", help="The stage whose accepted results are chosen, such as summaries.")
    ],
    limit: Annotated[int, typer.Option(min=1, max=500, help="Choose at most so many results.")] = 50,
    characters: Annotated[
        int,
        typer.Option(
            min=100,
            max=20_000,
            help="Choose results of documents of at most so many characters; they are shown whole.",
        ),
    ] = 3_000,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Choose accepted results of a stage as examples: those that were judged well, and that differ from each other.

    Nothing changes until examples.show names the stage. The selection stays as it is until it is frozen again. No request is
    sent.
    """
    with open_session(None, home, must_exist=True) as session:
        from resources.models.embedder import WordLlamaEmbedder
        from resources.wording import counted
        from seed_assets.core.examples.freezing import frozen_examples
        from seed_assets.reports.accepted_results import accepted_results
        from seed_assets.wiring import selection_of

        selection = selection_of(session.settings)
        check_place(selection.path, session)
        found = accepted_results(session, stage, characters)
        examples = frozen_examples(found.candidates, limit, WordLlamaEmbedder())
        version = selection.freeze(stage, found.schema, examples)
        if as_json:
            print_json(
                {
                    "file": str(selection.path),
                    "stage": stage,
                    "version": version,
                    "examples": len(examples),
                    "accepted": len(found.candidates),
                    "passed_over": dict(found.passed_over),
                }
            )
            return
        print_text(
            f"{selection.path}: {counted(len(examples), 'example')} of {stage}, version {version}, chosen from "
            f"{counted(len(found.candidates), 'accepted result')}."
        )
        for why, count in found.passed_over.items():
            print_text(f"Passed over: {counted(count, 'result')} {why}.")
        if stage not in session.settings.examples.show:
            print_text(f"To show them, set `examples.show = {{ {stage} = 3 }}`.")


@examples_app.command("list")
def list_(
    stage: Annotated[str, typer.Argument(metavar="[STAGE]", help="List the examples of this stage only.")] = "",
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """List the examples of the frozen selection, with their documents and answers."""
    with open_session(None, home, must_exist=True) as session:
        from io_managers.plain_text import plain
        from resources.errors import ConfigurationError
        from resources.wording import counted, did_you_mean, shortened
        from seed_assets.wiring import selection_of

        selection = selection_of(session.settings)
        stages = {name: found for name, found in selection.stages.items() if stage in ("", name)}
        if stage and not stages:
            raise ConfigurationError(
                f"The selection {selection.path} has no examples of {stage!r}.{did_you_mean(stage, selection.stages)} Run "
                f"`seedbank examples freeze {stage}` to choose some."
            )
        if as_json:
            print_json({name: _as_json(found.version, found.examples) for name, found in stages.items()})
            return
        for name, found in stages.items():
            print_text(f"{name}: {counted(len(found.examples), 'example')}, version {found.version}")
            for one in found.examples:
                print_text(f"  {plain(one.document)}: {plain(shortened(one.written_answer, _SHOWN_CHARACTERS))}")
        if not stages:
            print_text(f"There are no examples in {selection.path}. `seedbank examples freeze STAGE` chooses some.")


def _as_json(version: int, examples: "tuple[Example, ...]") -> dict[str, Any]:
    listed = [{"document": one.document, "title": one.title, "answer": one.answer} for one in examples]
    return {"version": version, "examples": listed}
