"""The command `seedbank new stage`: it writes a working stage of the user, with its test. The examples are beside this module."""

import json
from keyword import iskeyword
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.invocation import JsonOption, errors_as_messages
from cli.streams import print_json, print_text

if TYPE_CHECKING:
    from resources.settings.config import Settings

new_app = typer.Typer(help="Write examples to begin with.", no_args_is_help=True)

# What stands in the examples for the name of the stage.
_NAME = "STAGE_NAME"
_EXAMPLES = Path(__file__).with_name("examples")


@new_app.callback()
def _several() -> None:
    """Keep `stage` a command of its own, although it is the only one."""


@new_app.command()
def stage(
    name: Annotated[str, typer.Argument(metavar="NAME", help="The name of the stage, such as due_dates.")],
    prompt: Annotated[bool, typer.Option("--prompt", help="Write a stage that asks a model, with its prompt.")] = False,
    folder: Annotated[
        Path | None, typer.Option("--folder", help="Where the files are written (default: beside seedbank.toml).")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Write a stage of your own that works, with its table, its check and its test."""
    with errors_as_messages():
        from resources.settings.config import absolute, config_file, load_settings

        place = absolute(folder, "--folder") if folder else config_file().parent
        kind = "prompted" if prompt else "plain"
        texts = {
            f"{name}_stage.py": _example(f"{kind}_stage.txt", name),
            f"test_{name}_stage.py": _example(f"{kind}_stage_test.txt", name),
            **({f"{name}_prompt.md": _example("prompt.txt", name)} if prompt else {}),
        }
        settings = load_settings()
        _check(name, settings, place, [place / file for file in texts])
        for file, text in texts.items():
            with (place / file).open("x", encoding="utf-8") as opened:
                opened.write(text)
        if as_json:
            print_json({"module": f"{name}_stage", "files": [str(place / file) for file in texts]})
            return
        written = "\n".join(f"  {place / file}" for file in texts)
        modules = json.dumps(list(dict.fromkeys([*settings.stages.modules, f"{name}_stage"])))
        print_text(
            f"Written:\n{written}\nName the module in {config_file()}:\n\n  [stages]\n  modules = {modules}\n\n"
            "Then `seedbank plan` shows what the stage would do; docs/extending.md says more."
        )


def _example(file: str, name: str) -> str:
    text = (_EXAMPLES / file).read_text(encoding="utf-8")
    return text.replace(_NAME, name)


def _check(name: str, settings: "Settings", folder: Path, paths: list[Path]) -> None:
    """Raise ConfigurationError if the name is not usable, or a file is there already."""
    from resources.errors import ConfigurationError
    from resources.settings.stage_settings import StageSettings
    from seed_assets.graph.additions import is_stage_name
    from seed_assets.graph.stage import SOURCE
    from seed_assets.wiring import build_pipeline

    if not is_stage_name(name):
        raise ConfigurationError(
            f"{name!r} cannot be the name of a stage: it has to begin with a small letter and consist of small letters, digits "
            "and underscores."
        )
    if iskeyword(name) or name == SOURCE:
        raise ConfigurationError(
            f"{name!r} cannot be the name of a stage: it has a meaning of its own. Choose another name."
        )
    # Without the modules, one of which may be the one that is about to be written.
    pipeline = build_pipeline(settings.model_copy(update={"stages": StageSettings()}))  # pyright: ignore[reportCallIssue]
    taken = {*pipeline.stages, *pipeline.left_out, *pipeline.unused, *pipeline.tables}
    if clash := next((one for one in (name, f"lance_{name}") if one in taken), ""):
        raise ConfigurationError(f"There is a stage or a table {clash} already. Choose another name.")
    if not folder.is_dir():
        raise ConfigurationError(f"There is no folder {folder}. Create it, or name another one with --folder.")
    if there := [str(path) for path in paths if path.exists()]:
        raise ConfigurationError(
            f"There is {', '.join(there)} already, and nothing is overwritten. Choose another name."
        )
