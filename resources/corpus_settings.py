"""The settings of what is made of the corpus as a whole, and of judges.

What belongs here: what a person may want to change, its default and the reason for it. What does not: reading settings
(config).
"""

from pathlib import Path
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from resources.model_settings import Count, Number, WhenChanged

_FIELD = "field:"


class ClusterSettings(BaseModel):
    """Which clusters there are."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    types: tuple[str, ...] = Field(
        ("topic", "concept"),
        min_length=1,
        description="What documents are clustered by: `topic`, what their texts mean; `concept`, the concepts that they "
        "share; `field:<name>`, the values of a field of their front matter or of `table`. Each is a partition of its own.",
    )
    table: str = Field(
        "",
        description="A CSV file of fields beside the documents: a column `document` with ids or file names, and a column a "
        "field, whose values are separated by `;` or `|`.",
    )
    smallest: Count = Field(
        3, ge=2, le=1_000, description="Fewest members of a cluster. Two documents that are alike are hardly a topic."
    )
    largest: Count = Field(0, ge=0, description="Most members of a cluster; larger ones are split. 0 for no bound.")
    seed: Count = Field(0, ge=0, le=2**31 - 1, description="Of the random choices: the same seed, the same clusters.")
    drift: Number = Field(
        0.1,
        ge=0,
        le=1,
        description="Share of documents that may come, go or change before all are clustered from scratch. Until then those "
        "that are there keep their clusters, and what is said of those is not paid for again.",
    )

    @field_validator("types", mode="before")
    @classmethod
    def _listed(cls, value: Any) -> Any:
        """A single name is a list of one."""
        return [value] if isinstance(value, str) else value

    @field_validator("types")
    @classmethod
    def _known(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        cleaned = tuple(" ".join(name.split()).casefold() for name in value)
        for name in cleaned:
            field = name.removeprefix(_FIELD)
            if name in ("topic", "concept"):
                continue
            if not name.startswith(_FIELD) or not field or any(sign in field for sign in '/,"\\') or ".." in field:
                raise ValueError(f'{name!r} is none of topic, concept, field:<name>; a name has no / , " or \\ in it')
        if len(set(cleaned)) < len(cleaned):
            raise ValueError("each cluster type can be named once")
        return cleaned

    @model_validator(mode="after")
    def _bounds_fit(self) -> Self:
        if self.largest and self.largest < 2 * self.smallest:
            raise ValueError(
                f"clusters of at least {self.smallest} members cannot all be split to {self.largest}: largest has to be twice "
                "smallest or more"
            )
        return self

    @property
    def table_path(self) -> Path | None:
        """Where the table is, if there is one."""
        return Path(self.table).expanduser() if self.table else None


class ClusterSummarySettings(BaseModel):
    """What is said of clusters."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    words: Count = Field(120, ge=10, le=2_000, description="Longest summary of a cluster, in words: a paragraph.")
    model: str = Field("", description="Another model than `llm.model` for this stage, at the same address.")
    members_by: Literal["ids", "content"] = Field(
        "ids",
        description="When a cluster's summary is written again: `ids`, when documents enter or leave it; `content`, when what "
        "they say changes as well. Never because of another model or prompt.",
    )


class JudgeSettings(BaseModel):
    """Who judges summaries, and how strictly."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    model: str = Field(
        "",
        description="The judge's model, at the address of `[llm]`. Empty: the first that is named for another stage and is "
        "not the writer's, since models prefer what they wrote themselves; else the writer's.",
    )
    accept: Number = Field(
        0.9, ge=0, le=1, description="Least share of supported claims of a summary that is accepted as it is."
    )
    reject: Number = Field(
        0.5,
        ge=0,
        le=1,
        description="Below this share a summary is flagged at once; between the two it is written once more and judged "
        "again.",
    )
    when_model_changes: WhenChanged = Field(
        "recompute",
        description="What a change of the judge does: `recompute` judges all summaries anew; `keep` leaves their verdicts.",
    )

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.reject > self.accept:
            raise ValueError(f"reject ({self.reject}) has to be at most accept ({self.accept})")
        return self


class CategorySettings(BaseModel):
    """Groups of concepts."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    smallest: Count = Field(
        3, ge=2, le=1_000, description="Fewest concepts of a category. What belongs to none is in none."
    )
