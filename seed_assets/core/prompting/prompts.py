"""Prompts: files that people read and edit.

What belongs here: reading the files of seed_assets/prompts, filling them in, and their digests. What does not: keeping
inserted text in its place (material), the requests that use prompts, and checking answers (structured_output).
"""

import json
import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path

from io_managers.store.fingerprint import content_digest
from resources.endpoints.llm import Schema, Turn
from resources.errors import ConfigurationError
from seed_assets.core.prompting.material import MarkedTexts, in_line, marks_in, without_marks
from seed_assets.core.prompting.shown_examples import PLACE, ShownExamples

FOLDER = Path(__file__).resolve().parents[2] / "prompts"
_PLACE = re.compile(r"\{([a-z]+)\}")
# The prompt that shows examples before the questions of others.
_EXAMPLES = "examples"

Value = str | int | MarkedTexts | Sequence[MarkedTexts]
"""What a place of a prompt is filled with."""


@dataclass(frozen=True, slots=True)
class Prompt:
    """The prompts of one stage.

    name: the name of the file, without its ending.
    version: the version that the file states.
    texts: the texts by name, with places to fill in such as `{title}`.
    schema: the schema of answers; None if there is none.
    digest: the digest of `data`; a part of action keys.
    data: the bytes of both files, with a zero byte between them.
    given: what some places are filled with in every text.
    """

    name: str
    version: str
    texts: Mapping[str, str]
    schema: Schema | None
    digest: str
    data: bytes = field(default=b"", repr=False)
    given: Mapping[str, Value] = field(default_factory=dict[str, Value], repr=False)

    def showing(self, examples: ShownExamples) -> "Prompt":
        """The same prompt with examples before each question. Its digest stays, since the examples are an input of their own."""
        if not examples.examples:
            return self
        around = load_prompt(_EXAMPLES).texts
        texts = {which: f"{around['shown']}\n\n{text}" for which, text in self.texts.items()}
        texts["system"] = f"{self.texts['system']}\n\n{around['system']}"
        return replace(self, texts=texts, given={**self.given, PLACE: list(examples.marked())})

    def fill(self, which: str, **values: Value) -> str:
        """Return one of the texts with its places filled in; braces in a value have no special meaning.

        No value can break out of its place: the prompt's marks are made harmless in it (see material), and a value that
        shares its line with words of the prompt loses its line ends.
        """
        template = self.texts[which]
        marks = marks_in(self.texts.get("system", ""), template)
        all_values = {**values, **self.given}
        # Several texts come with marks of their own, which must not occur in any text either.
        marks |= {one.mark for value in all_values.values() for one in _marked(value)}

        def filled(place: re.Match[str]) -> str:
            value = all_values.get(place[1], place[0])
            if not isinstance(value, str | int):
                return "\n".join(one.shown(marks) for one in _marked(value))
            shown = without_marks(str(value), marks)
            return shown if _is_alone(template, place) else in_line(shown)

        return _PLACE.sub(filled, template)

    def turns(self, which: str, **values: Value) -> list[Turn]:
        """Return the system message and the text `which` with its places filled in; see `fill`."""
        return [Turn("system", self.texts["system"]), Turn("user", self.fill(which, **values))]


def _marked(value: Value) -> Sequence[MarkedTexts]:
    if isinstance(value, str | int):
        return ()
    return (value,) if isinstance(value, MarkedTexts) else value


def _is_alone(template: str, place: re.Match[str]) -> bool:
    """Whether nothing else stands on the lines of a place."""
    before, after = template[: place.start()], template[place.end() :]
    return (not before or before.endswith("\n")) and (not after or after.startswith("\n"))


@cache
def load_prompt(name: str, folder: Path | None = None) -> Prompt:
    """Read the prompts of a stage from `<name>.toml`, and from `<name>.schema.json` if it exists.

    folder: where they are; None means FOLDER. Raises ConfigurationError, which names the file and the problem.
    """
    folder = folder or FOLDER
    path, schema_path = folder / f"{name}.toml", folder / f"{name}.schema.json"
    try:
        data = path.read_bytes()
        found = tomllib.loads(data.decode())
        schema_data = schema_path.read_bytes() if schema_path.exists() else b""
        schema = Schema(name, json.loads(schema_data)) if schema_data else None
    except (OSError, ValueError) as error:
        raise ConfigurationError(f"The prompt {path} (or its schema) cannot be read: {error}.") from error
    version = found.pop("version", None)
    if not isinstance(version, str) or not all(isinstance(text, str) for text in found.values()):
        raise ConfigurationError(
            f"The prompt {path} needs a `version`, and every value has to be a text in quotes. Correct the file."
        )
    texts = {which: text.strip() for which, text in found.items()}
    both = data + b"\0" + schema_data
    return Prompt(name, version, texts, schema, content_digest(both), both)
