"""The settings of extractions: which facts users want from each document, asked for with a prompt of their own.

What belongs here: the shape of `[extract.<name>]`. What does not: the meaning of fields and the files that are named
(seed_assets.core.extractions), and the stages that follow (seed_assets.stages.extractions).
"""

from pathlib import Path
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from resources.settings.model_settings import Number

TEXT = "text"
"""The input that is the text of the document."""


def is_schema_file(schema: str) -> bool:
    """Whether a `schema` is a file, and not a pydantic model as `module:Class`."""
    return schema.lower().endswith(".json")


class FieldSettings(BaseModel):
    """One field of an extraction."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    type: str = Field(
        "",
        description="`text`, `number`, `integer`, `boolean`, `date`, `one of` (needs `values`), `record` (needs `fields`), or a "
        "list of these, such as `list of date`. It may be left out beside `values` and `fields`.",
    )
    description: str = Field("", description="A description of the field, which the model reads.")
    values: tuple[str, ...] = Field((), description="The values that `one of` allows.")
    unit: str = Field(
        "",
        description="The unit of a number, such as `mg`. A number in another unit of the same kind (`0.5 g`) is converted; one "
        "that cannot be converted is not kept.",
    )
    units: dict[str, Number] = Field(
        {}, description="Further units of a number, with how many of `unit` each is, such as `{ tablet = 250 }`."
    )
    quote: bool | None = Field(
        None,
        description="Whether the value needs a quotation from the document; `quotes` of the extraction if not set.",
    )
    fields: "dict[str, FieldSettings]" = Field(
        {}, description="The fields of a `record`; they are no records themselves."
    )

    @model_validator(mode="before")
    @classmethod
    def _from_short_form(cls, value: Any) -> Any:
        """Accept a type alone, and the values of `one of` alone."""
        if isinstance(value, str):
            return {"type": value}
        return {"values": value} if isinstance(value, list) else value


class ExtractSettings(BaseModel):
    """Facts that a model finds in each document, and the table that they go to."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    prompt: str = Field(
        "",
        description="The file with your instructions to the model, in plain text. Changing it asks again, here alone.",
    )
    fields: dict[str, FieldSettings] = Field(
        {},
        description='The facts, by name, each with its type: `author = "text"`, `status = ["draft", "final"]` or a table with '
        "the settings below.",
    )
    schema_of: str = Field(
        "",
        alias="schema",
        description="In place of `fields`: a file with a JSON Schema (`.json`), or a pydantic model as `module:Class`.",
    )
    table: str = Field("", description="The table for the rows. Default: the name of the extraction.")
    rows: Literal["one", "many"] = Field(
        "one", description="Whether a document has `one` row, or `many`: one for each thing that the model finds."
    )
    over: Literal["text", "chunks"] = Field(
        "text",
        description="What one request is about: the whole `text` (in parts if it exceeds the context of the model), or each of "
        "the `chunks`, so that an edit asks again about the changed chunks only.",
    )
    inputs: tuple[str, ...] = Field(
        (TEXT,),
        min_length=1,
        description="What the model is shown: `text`, and fields of other extractions such as `feelings.primary`.",
    )
    quotes: bool = Field(
        False,
        description="Whether each value needs a quotation that is found in the document; a value without it is not kept.",
    )
    merge_by: tuple[str, ...] = Field(
        (),
        description='With `rows = "many"`: the fields that tell rows apart. Rows that agree in them are merged, such as those '
        "of neighbouring chunks. Default: all fields.",
    )
    judge: bool = Field(
        False,
        description="Whether a judge compares the values with the text, as it does with summaries (docs/judging.md).",
    )
    reuse: Literal["all", "inputs"] = Field(
        "all",
        description="What decides whether a reply is reused: `all`, the inputs, the prompt and the model; `inputs`, only the "
        "values of `inputs` and the fields, so that equal inputs are asked about once and a better prompt is for new ones only.",
    )
    model: str = Field("", description="A model for this extraction instead of `llm.model`, at the same address.")

    @field_validator("fields", mode="before")
    @classmethod
    def _by_name(cls, value: Any) -> Any:
        """Accept a list of fields, each with its `name`."""
        if not isinstance(value, list):
            return value
        found: dict[str, Any] = {}
        for one in value:
            name = one.get("name") if isinstance(one, dict) else None
            if not isinstance(name, str) or not name:
                raise ValueError('each field of a list needs a name, as in { name = "author", type = "text" }')
            if name in found:
                raise ValueError(f"there are two fields of the name {name}")
            found[name] = {key: part for key, part in one.items() if key != "name"}
        return found

    @model_validator(mode="after")
    def _is_complete(self) -> Self:
        if not self.prompt:
            raise ValueError("prompt is needed: the file with your instructions to the model")
        if bool(self.fields) == bool(self.schema_of):
            raise ValueError("either fields or schema is needed, and not both")
        module, _, name = self.schema_of.partition(":")
        if (
            self.schema_of
            and not is_schema_file(self.schema_of)
            and not all(part.isidentifier() for part in (*module.split("."), *name.split(".")))
        ):
            raise ValueError(
                f"schema {self.schema_of!r} is neither a file whose name ends in .json nor a pydantic model such as "
                "my_models:Contract"
            )
        if self.over == "chunks" and TEXT not in self.inputs:
            raise ValueError('over = "chunks" needs "text" among its inputs')
        if self.merge_by and self.rows == "one":
            raise ValueError('merge_by is for rows = "many"; with one row, the values of all parts are merged')
        if self.judge and TEXT not in self.inputs:
            raise ValueError('judge = true needs "text" among its inputs, since values are compared with it')
        if len(set(self.inputs)) < len(self.inputs):
            raise ValueError("inputs has an entry twice")
        return self

    @property
    def prompt_path(self) -> Path:
        """The path of `prompt`."""
        return Path(self.prompt).expanduser()
