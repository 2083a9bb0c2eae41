"""The settings of entities. Settings are read in `config`."""

from pathlib import Path
from typing import Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from resources.settings.model_settings import Count, Names, WhenChanged

_TYPES = ("person", "organisation", "place", "event", "work", "norm", "product", "date", "amount", "other")
_WITHOUT_RECORDS = ("date", "amount")
# A longer name of a type is a sentence, which no table or prompt has room for.
_LONGEST_TYPE = 40


class RecordSettings(BaseModel):
    """Which fields the records of one type have. Names of fields are compared without regard to capitals."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: Names = Field(
        min_length=1,
        description='The fields that name a record, of a person the given name first: `["given_name", "surname"]`, or a field '
        "with the whole name.",
    )
    stable: Names = Field(
        (),
        description="Further fields that stay the same, such as a date of birth or the year of a publication. If they clearly "
        "differ, this is evidence that records are two.",
    )
    unique: Names = Field(
        (),
        description="Stable fields that belong to one alone, such as a number that an authority gave. Without any, records whose "
        "given names or stable fields clearly differ are never one.",
    )
    ignored: Names = Field(
        (), description="Fields that say nothing, such as the number of a row or the day of an export."
    )

    @model_validator(mode="after")
    def _each_once(self) -> Self:
        named = [
            " ".join(field.split()).casefold() for field in (*self.name, *self.stable, *self.unique, *self.ignored)
        ]
        if "" in named:
            raise ValueError("the name of a field is empty")
        twice = next((field for field in named if named.count(field) > 1), None)
        if twice is not None:
            raise ValueError(f"the field {twice[:60]!r} is named twice")
        return self


class EntitySettings(BaseModel):
    """Whether and how entities are found."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    enabled: bool = Field(
        False,
        description="Whether entities are found in documents and put together over documents. Off by default, since reading "
        "the texts once more makes the first seed longer, and homes that were seeded before would have work to do.",
    )
    types: Names = Field(
        _TYPES,
        min_length=1,
        description="The types of entities. Rules find the types of the default and leave out those that are not named here; a "
        "model finds any type. What is of no other type is `other`, if it is named.",
    )
    known: str = Field(
        "",
        description="A CSV file of names that you know, with the columns `name`, `type` and `aliases` (separated by `;`). They "
        "are found in every document, and a model is shown those that stand in the text it reads.",
    )
    records: dict[str, RecordSettings] = Field(
        {},
        description="Records, by the type of their entities: rows of tables, objects of JSON and blocks of `field: value` lines, "
        "which are compared field by field (docs/entities.md).",
    )
    characters: Count = Field(
        4_000,
        ge=500,
        le=200_000,
        description="Maximum length of the piece of a text that a model is asked about at once. Models overlook fewer names in "
        "short pieces; an edit asks about the changed pieces only.",
    )
    largest: Count = Field(
        20_000,
        ge=2,
        description="Maximum number of documents' entities that are one entity. It bounds what a wrong decision can join.",
    )
    most_pairs_asked: Count = Field(
        200,
        ge=0,
        le=100_000,
        description="Maximum number of undecided pairs of entities that a model is asked about in one seed, the least certain "
        "first; each pair is asked about once. 0 asks about none.",
    )
    relationships: bool = Field(
        False,
        description="Whether it is found how entities are related. Without a model, these are entities that are mentioned "
        "together; with one, each piece of a text is asked about once more.",
    )
    relationship_types: Names = Field(
        (),
        description="The relationships that a model may name, such as `works for`. Empty: any.",
    )
    most_relationships: Count = Field(
        100_000,
        ge=1,
        le=1_000_000,
        description="Maximum number of relationships over all documents. Those that a model named are kept first, then the "
        "strongest.",
    )
    profiles: bool = Field(
        False,
        description="Whether entities get profiles: descriptions made from the passages that say most about them, which are "
        "judged as summaries are.",
    )
    profile_words: Count = Field(60, ge=10, le=500, description="Maximum length of a profile, in words.")
    profile_passages: Count = Field(
        8,
        ge=1,
        le=50,
        description="Maximum number of passages that a profile is made from. It is made again when these change, and only then.",
    )
    profile_mentions: Count = Field(
        3, ge=1, description="Minimum number of mentions, in all documents, of an entity that gets a profile."
    )
    most_profiles: Count = Field(
        1_000,
        ge=1,
        le=100_000,
        description="Maximum number of entities that get profiles, those that are mentioned most.",
    )
    model: str = Field("", description="Another model for these requests than `llm.model`. Empty: `llm.model`.")
    when_model_changes: WhenChanged = Field(
        "recompute",
        description="What happens to finished results when the model, its parameters or the prompt change: `recompute` finds the "
        "entities again, `keep` does so for new and edited documents only.",
    )

    @field_validator("types", "relationship_types")
    @classmethod
    def _named(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        cleaned = tuple(" ".join(name.split()).casefold() for name in value)
        wrong = next((name for name in cleaned if not name or len(name) > _LONGEST_TYPE), None)
        if wrong is not None:
            raise ValueError(f"a type has 1 to {_LONGEST_TYPE} characters, and {wrong[:60]!r} has {len(wrong)}")
        if len(set(cleaned)) < len(cleaned):
            raise ValueError("a type is named twice")
        return cleaned

    @model_validator(mode="after")
    def _of_known_types(self) -> Self:
        wrong = next((kind for kind in self.records if kind not in self.types or kind in _WITHOUT_RECORDS), None)
        if wrong is not None:
            known = ", ".join(kind for kind in self.types if kind not in _WITHOUT_RECORDS)
            raise ValueError(f"records are of one of the types {known}, and {wrong[:60]!r} is none of them")
        return self

    @property
    def known_path(self) -> Path | None:
        """The path of `known`; None if it is not set."""
        return Path(self.known).expanduser() if self.known else None
