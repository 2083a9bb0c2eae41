"""What a user declares with `[extract.<name>]`, with the files that it names.

What belongs here: reading these files, and messages about what cannot be an extraction. What does not: the meaning of single
fields (declared_fields, schema_fields), and the stages (stages.extractions).
"""

import inspect
import json
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from io_managers.store.fingerprint import Part, content_digest
from io_managers.store.whole_files import open_regular
from resources.errors import ConfigurationError
from resources.settings.extract_settings import TEXT, ExtractSettings, is_schema_file
from resources.wording import did_you_mean
from seed_assets.core.extractions.declared_fields import FieldError, declared_fields
from seed_assets.core.extractions.fields import Field
from seed_assets.core.extractions.schema_fields import schema_fields

ModelOf = Callable[[str], "GivenModel"]
"""Gives the class that `module:Class` names."""


@dataclass(frozen=True, slots=True)
class GivenModel:
    """A pydantic model in the place of fields. kind: the class. source: its code, in a normal form."""

    kind: type[Any]
    source: str

    @property
    def digest(self) -> str:
        """The content digest of the code."""
        return content_digest(self.source.encode())


@dataclass(frozen=True, slots=True)
class Declaration:
    """One extraction.

    name: its name. fields: what is to be found. instructions: the user's prompt, with `prompt_data` as its file has it.
    table: the name of its table. many: whether a document may have many rows. over_chunks: whether each chunk is asked about
    by itself. of_text: whether the text is shown to the model. given: other values that it is shown, as (extraction, field).
    files: the files that it is made from. by_inputs: whether a reply is kept as long as its inputs. model: the model to ask;
    "" for the usual one.
    """

    name: str
    fields: tuple[Field, ...]
    instructions: str
    prompt_data: bytes = field(repr=False)
    table: str
    many: bool
    over_chunks: bool
    of_text: bool
    given: tuple[tuple[str, str], ...]
    merge_by: tuple[str, ...]
    judge: bool
    by_inputs: bool
    model: str
    shape: GivenModel | None
    files: tuple[str, ...]

    @property
    def prompt_digest(self) -> str:
        """The content digest of the user's prompt."""
        return content_digest(self.prompt_data)

    @property
    def identity(self) -> Mapping[str, Part]:
        """All of it that decides the rows, besides the prompt and the model."""
        return {
            "fields": {one.name: one.declaration for one in self.fields},
            "rows": "many" if self.many else "one",
            "over": "chunks" if self.over_chunks else "text",
            "merge_by": list(self.merge_by),
            "inputs": [*([TEXT] if self.of_text else []), *(f"{name}.{one}" for name, one in self.given)],
        }


def read_declarations(settings: Mapping[str, ExtractSettings], model_of: ModelOf) -> dict[str, Declaration]:
    """Return all extractions by name. model_of: finds a pydantic model. Raises ConfigurationError, which names the setting."""
    found = {name: _declaration(name, one, model_of) for name, one in settings.items()}
    for one in found.values():
        for name, part in one.given:
            where = f"extract.{one.name}.inputs: {name}.{part}"
            if name not in found:
                raise _wrong(where, f"there is no extraction {name!r}.{did_you_mean(name, found)}")
            names = [known.name for known in found[name].fields]
            if found[name].many:
                raise _wrong(where, f'the extraction {name} has many rows a document; an input needs rows = "one"')
            if part not in names:
                raise _wrong(where, f"the extraction {name} has no field {part!r}.{did_you_mean(part, names)}")
    return found


def _declaration(name: str, settings: ExtractSettings, model_of: ModelOf) -> Declaration:
    where = f"extract.{name}"
    data = _bytes(f"{where}.prompt", settings.prompt_path)
    try:
        instructions = data.decode("utf-8-sig").strip()
    except UnicodeDecodeError as error:
        raise _wrong(f"{where}.prompt", f"{settings.prompt_path} is not a text in UTF-8: {error.reason}") from error
    if not instructions:
        raise _wrong(f"{where}.prompt", f"{settings.prompt_path} is empty; write what the model should look for")
    fields, schema_file, shape = _fields(where, settings, model_of)
    names = [one.name for one in fields]
    if unknown := [one for one in settings.merge_by if one not in names]:
        raise _wrong(f"{where}.merge_by", f"there is no field {unknown[0]!r}.{did_you_mean(unknown[0], names)}")
    of_text = TEXT in settings.inputs
    if not of_text and any(one.quoted for one in fields):
        raise _wrong(f"{where}.quotes", 'a quotation is one of the text, which needs "text" among the inputs')
    given = [_given(where, one) for one in settings.inputs if one != TEXT]
    return Declaration(
        name=name,
        fields=fields,
        instructions=instructions,
        prompt_data=data,
        table=settings.table or name,
        many=settings.rows == "many",
        over_chunks=settings.over == "chunks",
        of_text=of_text,
        given=tuple(given),
        merge_by=settings.merge_by,
        judge=settings.judge,
        by_inputs=settings.reuse == "inputs",
        model=settings.model,
        shape=shape,
        files=(os.fspath(settings.prompt_path), *schema_file),
    )


def _fields(
    where: str, settings: ExtractSettings, model_of: ModelOf
) -> tuple[tuple[Field, ...], Sequence[str], GivenModel | None]:
    """The fields, the file that they were read from, and the pydantic model that has them, if there are such."""
    try:
        if not settings.schema_of:
            return declared_fields(settings.fields, quotes=settings.quotes), (), None
    except FieldError as error:
        raise _wrong(f"{where}.fields.{error}", "") from error
    path = Path(settings.schema_of).expanduser()
    if is_schema_file(settings.schema_of):
        schema, files, shape = _json(f"{where}.schema", path), (os.fspath(path),), None
    else:
        schema, files, shape = _model_schema(f"{where}.schema", settings.schema_of, model_of)
    try:
        return schema_fields(schema, quotes=settings.quotes), files, shape
    except FieldError as error:
        raise _wrong(f"{where}.schema", f"{settings.schema_of} cannot be used: {error}") from error


def _json(where: str, path: Path) -> Any:
    try:
        return json.loads(_bytes(where, path))
    except (ValueError, RecursionError) as error:
        raise _wrong(where, f"{path} is not JSON: {error}") from error


def _model_schema(where: str, name: str, model_of: ModelOf) -> tuple[Any, Sequence[str], GivenModel]:
    """The schema of a pydantic model, the file of its module, and the model."""
    try:
        found = model_of(name)
        return found.kind.model_json_schema(), tuple(filter(None, [inspect.getsourcefile(found.kind)])), found
    except ConfigurationError:
        raise
    except (Exception, SystemExit) as error:
        raise _wrong(where, f"{name} gives no JSON Schema: {type(error).__name__}: {error}") from error


def _given(where: str, name: str) -> tuple[str, str]:
    extraction, _, part = name.partition(".")
    if not extraction or not part:
        raise _wrong(
            f"{where}.inputs",
            f'{name!r} is neither "text" nor a field of another extraction, such as "feelings.primary"',
        )
    return extraction, part


def _bytes(where: str, path: Path) -> bytes:
    try:
        with open_regular(path) as file:
            return file.read()
    except OSError as error:
        raise _wrong(where, f"the file {path} cannot be read: {error.strerror or error}") from error


def _wrong(where: str, problem: str) -> ConfigurationError:
    said = f"{where}: {problem}" if problem else where
    return ConfigurationError(f"{said.rstrip('.')}. Correct the settings, and nothing is lost.")
