"""The settings of examples that a model is shown. Settings are read in `config`, and examples chosen in core.examples."""

from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, field_validator

from resources.settings.model_settings import Count

# More examples than this cost more than they teach; chosen by judgement.
_MOST = 20


class ExampleSettings(BaseModel):
    """Which stages show their model accepted results of other documents."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    show: dict[str, Count] = Field(
        {},
        description="How many examples each stage shows, such as `{ summaries = 3, concepts = 2 }`: accepted results of other "
        f"documents, those most similar to the document. At most {_MOST}. A stage that is not named shows none.",
    )
    file: str = Field(
        "",
        description="The file with the selection that examples are chosen from. Default: `examples.json` in the home. "
        "`seedbank examples freeze` writes it.",
    )
    tokens: Count = Field(
        3_000,
        ge=100,
        le=100_000,
        description="Maximum number of tokens of all examples in one request. They never take more than a quarter of what the "
        "model's context has room for; the least similar ones are left out first.",
    )

    @field_validator("show")
    @classmethod
    def _are_few(cls, value: dict[str, int]) -> dict[str, int]:
        if wrong := next((name for name, count in value.items() if not 1 <= count <= _MOST), ""):
            raise ValueError(
                f"{wrong} = {value[wrong]}: 1 to {_MOST} examples can be shown; to show none, leave the stage out"
            )
        return value

    @property
    def file_path(self) -> Path | None:
        """The path of `file`; None if it is not set."""
        return Path(self.file).expanduser() if self.file else None
