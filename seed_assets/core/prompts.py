"""Prompts: files that people read and edit, and what of them decides results.

What belongs here: reading the files of seed_assets/prompts, filling them in, their digests. What does not: what is
asked with them, and checking answers (structured_output).
"""

import json
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from io_managers.store.fingerprint import content_digest
from resources.errors import ConfigurationError
from resources.llm import Schema, Turn

FOLDER = Path(__file__).resolve().parent.parent / "prompts"
_PLACE = re.compile(r"\{([a-z]+)\}")


@dataclass(frozen=True, slots=True)
class Prompt:
    """One stage's prompts. texts: by name, with places to fill in. digest: of the file and of its schema's, as bytes."""

    name: str
    version: str
    texts: Mapping[str, str]
    schema: Schema | None
    digest: str

    def fill(self, which: str, **values: str | int) -> str:
        """One of the texts, with its places filled in; a brace in a value stands for itself."""
        return _PLACE.sub(lambda found: str(values.get(found[1], found[0])), self.texts[which])

    def turns(self, which: str, **values: str | int) -> list[Turn]:
        """The system's message and one of the questions."""
        return [Turn("system", self.texts["system"]), Turn("user", self.fill(which, **values))]


@cache
def load_prompt(name: str, folder: Path = FOLDER) -> Prompt:
    """The prompts of a stage: `<name>.toml`, and `<name>.schema.json` where there is one.

    Raises ConfigurationError, naming the file and what is wrong with it.
    """
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
        raise ConfigurationError(f"The prompt {path} needs a `version` in quotes, and texts in quotes alone.")
    texts = {which: text.strip() for which, text in found.items()}
    return Prompt(name, version, texts, schema, content_digest(data + b"\0" + schema_data))
