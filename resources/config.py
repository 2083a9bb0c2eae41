"""The settings: seedbank.toml and SEEDBANK_* in the environment, read once, validated, with a default for everything.

What belongs here: what a person may want to change, its default and the reason for it. What does not: constants that
nobody sets, and anything that opens, reads or connects. How a wrong setting is told is in config_errors.

An argument wins over the environment, and that over seedbank.toml. A relative path in seedbank.toml is relative to that
file; one given by environment or on the command line, to the working directory.
"""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict, TomlConfigSettingsSource
from pydantic_settings.exceptions import SettingsError

from resources.config_errors import unknown_variables, wrong_settings
from resources.corpus_settings import CategorySettings, ClusterSettings, ClusterSummarySettings, JudgeSettings
from resources.errors import ConfigurationError
from resources.guarded_http import FORBIDDING
from resources.home import Home
from resources.model_settings import BudgetSettings, Count, EmbeddingSettings, LimitSettings, LLMSettings, WhenChanged

PROJECT_ROOT = Path(__file__).resolve().parent.parent
CONFIG_FILE = PROJECT_ROOT / "seedbank.toml"
PREFIX = "SEEDBANK_"
# Names another file than CONFIG_FILE, for those who keep several corpora.
CONFIG_VARIABLE = "SEEDBANK_CONFIG"
# The project's own that are no settings; the last is for its tests.
OTHER_VARIABLES = frozenset({CONFIG_VARIABLE, FORBIDDING, "SEEDBANK_CORPORA"})
_PATHS = ("corpus", "home", "prices")


def _some_path(value: Any) -> Any:
    if not isinstance(value, str | Path):
        raise ValueError("a folder is needed")
    if value == "":
        raise ValueError("a folder is needed; an empty one would mean the working directory")
    return value


Folder = Annotated[Path, BeforeValidator(_some_path)]


class ChunkSettings(BaseModel):
    """How texts are cut for embedding and search."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    characters: Count = Field(
        1000,
        ge=100,
        le=20_000,
        description="Longest chunk, in characters. Some 200 words are what a search result shows and one vector can stand "
        "for.",
    )
    overlap: Count = Field(
        0,
        ge=0,
        le=5_000,
        description="Characters that neighbouring chunks may share. None by default: chunks end where sentences and "
        "paragraphs do.",
    )

    @model_validator(mode="after")
    def _overlap_is_shorter(self) -> Self:
        if self.overlap >= self.characters:
            raise ValueError(
                f"chunks of {self.characters} characters cannot share {self.overlap}: overlap has to be less than characters"
            )
        return self


_WHEN_CHANGED = (
    "What a change of model, prompt or parameters does: `recompute` makes every document anew; `keep` leaves what there is, "
    "and asks the new one for new and edited documents alone. What was made before stays in the store either way."
)
_OWN_MODEL = Field("", description="Another model than `llm.model` for this stage, at the same address.")


class SummarySettings(BaseModel):
    """How long summaries are."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    words: Count = Field(
        200, ge=10, le=2_000, description="Longest summary, in words. About what is read at a glance, half a page."
    )
    model: str = _OWN_MODEL
    when_model_changes: WhenChanged = Field("recompute", description=_WHEN_CHANGED)


class ConceptSettings(BaseModel):
    """How many concepts a document gets."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    count: Count = Field(
        15,
        ge=1,
        le=200,
        description="Most concepts of a document. Among 15 are two thirds of the words that its author chose for the title.",
    )
    model: str = _OWN_MODEL
    when_model_changes: WhenChanged = Field("recompute", description=_WHEN_CHANGED)


class SearchIndexSettings(BaseModel):
    """When search needs more than the full-text index."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    vector_index_rows: Count = Field(
        5_000,
        ge=256,
        description="Chunks from which the vectors are indexed. With fewer, an exact scan is as fast and finds everything.",
    )


class Settings(BaseSettings):
    """All settings of one home."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        env_nested_delimiter="__",
        # A variable set to nothing is a variable not set, as in most shells' use; for paths it would mean the working
        # directory.
        env_ignore_empty=True,
        extra="forbid",
        frozen=True,
    )

    corpus: Folder = Field(
        PROJECT_ROOT / "sample_corpus",
        description="The folder of documents. By default the one that the home belongs to, at first the project's sample.",
    )
    home: Folder = Field(
        PROJECT_ROOT / ".seedbank",
        description="Where all state of one corpus lives: store, tables, Dagster's records. Inside the corpus it is left out "
        "of the documents.",
    )
    max_document_mb: Count = Field(
        64,
        ge=1,
        le=2_048,
        description="Larger files are a named failure. A text of 64 MB is some ten million words: more likely a dump or a log "
        "than a document.",
    )
    documents_per_run: Count = Field(
        1_000,
        ge=1,
        description="Most documents in one Dagster run. With more, a run is slow to show; with fewer, starting runs costs "
        "more than their work.",
    )
    prices: Path = Field(
        PROJECT_ROOT / "resources" / "prices.toml",
        description="Prices of models, in dollars a million tokens. The rows of a file of your own hold for any endpoint; the "
        "project's hold for the providers' own addresses. What is in neither is unknown, and shown so.",
    )
    chunks: ChunkSettings = ChunkSettings()  # pyright: ignore[reportCallIssue] - every field has a default
    summaries: SummarySettings = SummarySettings()  # pyright: ignore[reportCallIssue]
    concepts: ConceptSettings = ConceptSettings()  # pyright: ignore[reportCallIssue]
    clusters: ClusterSettings = ClusterSettings()  # pyright: ignore[reportCallIssue]
    cluster_summaries: ClusterSummarySettings = ClusterSummarySettings()  # pyright: ignore[reportCallIssue]
    judge: JudgeSettings = JudgeSettings()  # pyright: ignore[reportCallIssue]
    categories: CategorySettings = CategorySettings()  # pyright: ignore[reportCallIssue]
    search_index: SearchIndexSettings = SearchIndexSettings()  # pyright: ignore[reportCallIssue]
    llm: LLMSettings = LLMSettings()  # pyright: ignore[reportCallIssue]
    embeddings: EmbeddingSettings = EmbeddingSettings()  # pyright: ignore[reportCallIssue]
    budget: BudgetSettings = BudgetSettings()  # pyright: ignore[reportCallIssue]
    limits: LimitSettings = LimitSettings()  # pyright: ignore[reportCallIssue]

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
        return init_settings, env_settings, _Toml(settings_cls, config_file())


class _Toml(TomlConfigSettingsSource):
    """A seedbank.toml; its relative paths are made absolute, from where it lies."""

    def __init__(self, settings_cls: type[BaseSettings], path: Path) -> None:
        self._folder = path.parent
        super().__init__(settings_cls, path)

    def __call__(self) -> dict[str, Any]:
        values = super().__call__()
        clusters = values.get("clusters")
        if isinstance(clusters, dict) and isinstance(clusters.get("table"), str) and clusters["table"]:
            values["clusters"] = clusters | {"table": str(self._folder / _expanded(Path(clusters["table"])))}
        return values | {
            name: self._folder / _expanded(Path(values[name]))
            for name in _PATHS
            if isinstance(values.get(name), str) and values[name]
        }


def config_file() -> Path:
    """The seedbank.toml in force, which need not exist. Raises ConfigurationError where one was named and does not."""
    named = os.environ.get(CONFIG_VARIABLE)
    if not named:
        return CONFIG_FILE
    path = _expanded(Path(named)).absolute()
    if not path.is_file():
        raise ConfigurationError(f"There is no file {path}, which {CONFIG_VARIABLE} names.")
    return path


def load_settings(overrides: Mapping[str, Any] | None = None) -> Settings:
    """The settings in force; where no corpus is named, the one that the home belongs to.

    Raises ConfigurationError that names each wrong setting, what was found and what is right.
    """
    path = config_file()
    problems = unknown_variables(Settings, os.environ, PREFIX, OTHER_VARIABLES)
    try:
        settings = Settings(**dict(overrides or {}))
    except ValidationError as error:
        problems += wrong_settings(Settings, error, os.environ, PREFIX)
        raise _unusable(path, problems) from error
    except SettingsError as error:  # of the environment, what should be JSON and is not
        problems.append(
            f'{error}, since its value is not JSON. A list is written as \'["a", "b"]\', a part of a group as '
            f"{PREFIX}GROUP__PART"
        )
        raise _unusable(path, problems) from error
    except (OSError, ValueError) as error:
        reason = (error.strerror if isinstance(error, OSError) else None) or error
        raise ConfigurationError(f"{path} cannot be read as TOML: {reason}.") from error
    if problems:
        raise _unusable(path, problems)
    paths = {name: _expanded(getattr(settings, name)).absolute() for name in _PATHS}
    if "corpus" not in settings.model_fields_set:
        # Who names only a home means the corpus that it belongs to.
        paths["corpus"] = Home(paths["home"]).bound_corpus() or paths["corpus"]
    return settings.model_copy(update=paths)


def _unusable(path: Path, problems: list[str]) -> ConfigurationError:
    return ConfigurationError(f"The settings (environment, {path}) are not usable: {'; '.join(problems)}.")


def _expanded(path: Path) -> Path:
    try:
        return path.expanduser()
    except RuntimeError as error:
        raise ConfigurationError(f"{path}: there is no such user's home folder. Write the path in full.") from error
