"""The settings of clusters, categories and judges. Settings are read in `config`."""

from pathlib import Path
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from resources.settings.model_settings import Count, Names, Number, WhenChanged

_FIELD = "field:"


class ClusterSettings(BaseModel):
    """How documents are clustered."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    types: Names = Field(
        ("topic", "concept"),
        min_length=1,
        description="The cluster types. `topic` groups documents by the meaning of their texts, `concept` by shared concepts, "
        "`field:<name>` by the values of a field of their front matter or of `table`. Each type is a partition in Dagster.",
    )
    table: str = Field(
        "",
        description="A CSV file with fields of the documents: a column `document` with ids or file names, and one column per "
        "field, with values separated by `;` or `|`.",
    )
    smallest: Count = Field(
        3,
        ge=2,
        le=1_000,
        description="Minimum number of members of a cluster. Two similar documents hardly make a topic.",
    )
    largest: Count = Field(
        0, ge=0, description="Maximum number of members of a cluster; larger ones are split. 0 for no limit."
    )
    seed: Count = Field(
        0, ge=0, le=2**31 - 1, description="Seed of the random choices: the same seed gives the same clusters."
    )
    drift: Number = Field(
        0.1,
        ge=0,
        le=1,
        description="Share of documents that may be added, removed or changed before all are clustered from scratch. Until "
        "then the other documents keep their clusters, and summaries of unchanged clusters are not paid for again.",
    )

    @field_validator("types")
    @classmethod
    def _known(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        cleaned = tuple(" ".join(name.split()).casefold() for name in value)
        for name in cleaned:
            field = name.removeprefix(_FIELD)
            if name in ("topic", "concept"):
                continue
            if not name.startswith(_FIELD) or not field or any(sign in field for sign in '/,"\\') or ".." in field:
                raise ValueError(
                    f'{name!r} is not a cluster type: use topic, concept or field:<name>, where the name has no / , " or \\'
                )
        if len(set(cleaned)) < len(cleaned):
            raise ValueError("each cluster type may be listed only once")
        return cleaned

    @model_validator(mode="after")
    def _bounds_fit(self) -> Self:
        if self.largest and self.largest < 2 * self.smallest:
            raise ValueError(
                f"clusters of at least {self.smallest} members cannot always be split to at most {self.largest}: largest must "
                "be at least twice smallest"
            )
        return self

    @property
    def table_path(self) -> Path | None:
        """The path of `table`; None if it is not set."""
        return Path(self.table).expanduser() if self.table else None


class ClusterSummarySettings(BaseModel):
    """How clusters are summarized."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    words: Count = Field(
        120,
        ge=10,
        le=2_000,
        description="Maximum length of a cluster's summary, in words. The default is about a paragraph.",
    )
    model: str = Field("", description="A model for this stage instead of `llm.model`, at the same address.")
    members_by: Literal["ids", "content"] = Field(
        "ids",
        description="When the summary of a cluster is written again: `ids`, when documents enter or leave it; `content`, also "
        "when the content of its documents changes. Another model or prompt alone never causes it.",
    )
    resummarize_share: Number = Field(
        0.0,
        ge=0,
        le=1,
        description="Share of a cluster's members that may come or go before its summary is written and judged again; with 0, "
        "any change of members counts. The table says which documents a kept summary is of. Only with members by `ids`.",
    )

    @model_validator(mode="after")
    def _kept_by_ids(self) -> Self:
        if self.resummarize_share and self.members_by == "content":
            raise ValueError(
                'with members_by = "content" a summary is written again when a document changes, so none can be kept for longer: '
                'set resummarize_share to 0, or members_by to "ids"'
            )
        return self


class JudgeSettings(BaseModel):
    """Which model judges summaries, and how strictly."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    model: str = Field(
        "",
        description="The judge's model, at the address of `[llm]`. If empty, it is the first model configured for another "
        "stage that did not write the summary, since models prefer their own texts; otherwise the writer's model.",
    )
    accept: Number = Field(
        0.9, ge=0, le=1, description="Minimum share of supported claims for a summary to be accepted unchanged."
    )
    reject: Number = Field(
        0.5,
        ge=0,
        le=1,
        description="Below this share of supported claims a summary is flagged at once; between `reject` and `accept` it is "
        "revised once and judged again.",
    )
    when_model_changes: WhenChanged = Field(
        "recompute",
        description="What to do when the judge or the reviser changes: `recompute` judges all summaries from scratch; `keep` "
        "keeps their verdicts.",
    )

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.reject > self.accept:
            raise ValueError(f"reject ({self.reject}) must be at most accept ({self.accept})")
        return self


class ExtractionSettings(BaseModel):
    """How the texts of files are read."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    when_version_changes: WhenChanged = Field(
        "recompute",
        description="What to do when a new version of this program reads files in another way: `recompute` reads every document "
        "again, and computes (and pays for) only what depends on a text that turned out different; `keep` leaves documents as "
        "they are published until their files change.",
    )


class CategorySettings(BaseModel):
    """How concepts are grouped into categories."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    smallest: Count = Field(
        3,
        ge=2,
        le=1_000,
        description="Minimum number of concepts in a category. A concept that fits no category is in none.",
    )
