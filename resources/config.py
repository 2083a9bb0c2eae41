"""The settings: seedbank.toml and SEEDBANK_* in the environment, read once, validated, with a default for everything.

What belongs here: what a person may want to change, its default and the reason for it. What does not: constants that
nobody sets, and anything that opens, reads or connects.

The environment wins over seedbank.toml. A relative path in seedbank.toml is relative to that file; one given by
environment or on the command line, to the working directory.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict, TomlConfigSettingsSource

from resources.errors import ConfigurationError

PROJECT_ROOT = Path(__file__).resolve().parent.parent
CONFIG_FILE = PROJECT_ROOT / "seedbank.toml"
_PATHS = ("corpus", "home")


class ChunkSettings(BaseModel):
    """How texts are cut for embedding and search."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    characters: int = Field(1000, ge=100, le=20_000, description="longest chunk, in characters")
    overlap: int = Field(0, ge=0, le=5_000, description="characters that neighbouring chunks may share")


class SummarySettings(BaseModel):
    """How long summaries are."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    words: int = Field(200, ge=10, le=2_000, description="longest summary, in words")


class ConceptSettings(BaseModel):
    """How many concepts a document gets."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    count: int = Field(15, ge=1, le=200, description="most concepts of a document")


class SearchIndexSettings(BaseModel):
    """When search needs more than the full-text index."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    # Below some thousand rows an exact scan of the vectors is as fast as the index, and finds everything.
    vector_index_rows: int = Field(5_000, ge=256, description="rows from which chunks get a vector index")


class Settings(BaseSettings):
    """All settings of one home."""

    model_config = SettingsConfigDict(
        env_prefix="SEEDBANK_", env_nested_delimiter="__", toml_file=CONFIG_FILE, extra="forbid", frozen=True
    )

    corpus: Path = Field(PROJECT_ROOT / "sample_corpus", description="the folder of documents")
    home: Path = Field(
        PROJECT_ROOT / ".seedbank", description="where all state lives: store, tables, Dagster's records"
    )
    # A text of 64 MB is some ten million words: more likely a dump or a log than a document.
    max_document_mb: int = Field(64, ge=1, le=2_048, description="larger files are a named failure")
    # More would make one Dagster run hold too many events; fewer would pay for starting runs.
    documents_per_run: int = Field(1_000, ge=1, description="most documents in one Dagster run")
    chunks: ChunkSettings = ChunkSettings()  # pyright: ignore[reportCallIssue] - every field has a default
    summaries: SummarySettings = SummarySettings()  # pyright: ignore[reportCallIssue]
    concepts: ConceptSettings = ConceptSettings()  # pyright: ignore[reportCallIssue]
    search_index: SearchIndexSettings = SearchIndexSettings()  # pyright: ignore[reportCallIssue]

    # Set before a run of the webserver or by tests; not a setting of the user's.
    known_variables: ClassVar[frozenset[str]] = frozenset({"SEEDBANK_DAGSTER_HOME"})

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Arguments over environment over seedbank.toml."""
        return init_settings, env_settings, _TomlBesideProject(settings_cls)


class _TomlBesideProject(TomlConfigSettingsSource):
    def __call__(self) -> dict[str, Any]:
        values = super().__call__()
        for name in _PATHS:
            if isinstance(values.get(name), str):
                values[name] = CONFIG_FILE.parent / Path(values[name]).expanduser()
        return values


def load_settings(overrides: Mapping[str, Any] | None = None) -> Settings:
    """The settings in force. Raises ConfigurationError that names each wrong setting, what was found and what is right."""
    try:
        settings = Settings(**dict(overrides or {}))
    except ValidationError as error:
        lines = [f"{'.'.join(str(part) for part in problem['loc'])}: {problem['msg']}" for problem in error.errors()]
        raise ConfigurationError(
            f"The settings (environment, {CONFIG_FILE.name}) are not usable: {'; '.join(lines)}."
        ) from error
    except ValueError as error:  # a seedbank.toml that is not TOML
        raise ConfigurationError(f"{CONFIG_FILE} cannot be read: {error}.") from error
    return settings.model_copy(update={name: getattr(settings, name).expanduser().absolute() for name in _PATHS})
