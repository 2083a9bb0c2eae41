"""The settings, from seedbank.toml and from SEEDBANK_* in the environment: read once, validated, each with a default.

Each setting has its default and the reason for it here. Wrong settings are reported in `config_errors`.

An argument takes precedence over the environment, and the environment over seedbank.toml. A relative path in seedbank.toml
is relative to that file; one from the environment or the command line is relative to the working directory.
"""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict, TomlConfigSettingsSource
from pydantic_settings.exceptions import SettingsError

from resources.corpus.corpus_place import BucketAddress, Place
from resources.errors import ConfigurationError
from resources.home.home import Home
from resources.project_folder import CONFIG_NAME, PACKAGES_FOLDER, project_folder
from resources.settings.answer_settings import AnswerSettings
from resources.settings.bucket_settings import BucketSettings, CorpusRoot, some_path
from resources.settings.config_errors import unknown_variables, wrong_settings
from resources.settings.corpus_settings import (
    CategorySettings,
    ClusterSettings,
    ClusterSummarySettings,
    ExtractionSettings,
    JudgeSettings,
)
from resources.settings.deployment_settings import DeploymentSettings
from resources.settings.entity_settings import EntitySettings
from resources.settings.example_settings import ExampleSettings
from resources.settings.extract_settings import ExtractSettings, is_schema_file
from resources.settings.model_settings import (
    HTTP,
    BudgetSettings,
    Count,
    EmbeddingSettings,
    LimitSettings,
    LLMSettings,
    MetricsSettings,
    WhenChanged,
)
from resources.settings.reading_settings import OcrSettings, PdfSettings
from resources.settings.service_settings import ServiceSettings
from resources.settings.stage_settings import StageSettings
from resources.settings.store_settings import StoreSettings
from resources.settings.table_settings import TableSettings
from resources.wire.addresses import shown_address, wrong_address
from resources.wire.guarded_http import FORBIDDING

PROJECT_ROOT = Path(project_folder())
CONFIG_FILE = PROJECT_ROOT / CONFIG_NAME
SAMPLE_CORPUS = Path(PACKAGES_FOLDER) / "sample_corpus"
PREFIX = "SEEDBANK_"
# The variable that names another file than CONFIG_FILE, for users with several corpora.
CONFIG_VARIABLE = "SEEDBANK_CONFIG"
# The variable of the `openai` package for the address to use if `base_url` is empty.
OPENAI_ADDRESS = "OPENAI_BASE_URL"
# The project's own variables that are not settings; the last one is for its tests.
OTHER_VARIABLES = frozenset({CONFIG_VARIABLE, FORBIDDING, "SEEDBANK_CORPORA"})
_PATHS = ("corpus", "home", "prices")
_PATHS_IN_SECTIONS = (
    *(("clusters", "table"), ("entities", "known"), ("embeddings", "folder"), ("metrics", "prometheus")),
    *(("store", "directory"), ("store", "remote"), ("tables", "publish_to"), ("tables", "read_from")),
    ("examples", "file"),
)

Folder = Annotated[Path, BeforeValidator(some_path)]


class ChunkSettings(BaseModel):
    """How texts are cut for embedding and search."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    characters: Count = Field(
        1000,
        ge=100,
        le=20_000,
        description="Maximum length of a chunk, in characters. The default is about 200 words: what a search result shows, "
        "and what one vector can represent. A chunk inside a table may be longer by the header of the table.",
    )
    overlap: Count = Field(
        0,
        ge=0,
        le=5_000,
        description="Maximum overlap of neighbouring chunks, in characters. There is none by default, since chunks end where "
        "sentences and paragraphs end.",
    )

    @model_validator(mode="after")
    def _overlap_is_shorter(self) -> Self:
        if self.overlap >= self.characters:
            raise ValueError(
                f"chunks of {self.characters} characters cannot share {self.overlap}: overlap must be less than characters"
            )
        return self


_WHEN_CHANGED = (
    "What to do when the model, the prompt or a parameter changes: `recompute` computes every document again; `keep` keeps "
    "existing results and uses the new model for new and edited documents only. Old results stay in the store either way."
)
_OWN_MODEL = Field("", description="A model for this stage instead of `llm.model`, at the same address.")


class SummarySettings(BaseModel):
    """How long summaries are."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    words: Count = Field(
        200,
        ge=10,
        le=2_000,
        description="Maximum length of a summary, in words. The default is about half a page, which is read quickly.",
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
        description="Maximum number of concepts per document. Measured: 15 concepts contain two thirds of the words that the "
        "author chose for the title.",
    )
    model: str = _OWN_MODEL
    when_model_changes: WhenChanged = Field("recompute", description=_WHEN_CHANGED)


class SearchIndexSettings(BaseModel):
    """When search needs more than the full-text index."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    vector_index_rows: Count = Field(
        5_000,
        ge=256,
        description="Number of chunks from which a vector index is built. With fewer chunks, an exact scan is as fast and "
        "finds everything.",
    )


class Settings(BaseSettings):
    """All settings of one home."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        env_nested_delimiter="__",
        # An empty variable counts as not set, as is usual in shells; as a path it would mean the working directory.
        env_ignore_empty=True,
        extra="forbid",
        frozen=True,
    )

    corpus: CorpusRoot = Field(
        SAMPLE_CORPUS,
        description="The folder of documents, or a bucket: `s3://BUCKET/PREFIX`, `gs://BUCKET/PREFIX`, `az://CONTAINER/PREFIX` "
        "(with the extra `remote`). Default: the corpus that the home belongs to; for a new home, the project's "
        "sample corpus.",
    )
    home: Folder = Field(
        PROJECT_ROOT / ".seedbank",
        description="The folder with all state of one corpus: the store, the tables and Dagster's records. If it is inside "
        "the corpus, its files are not documents.",
    )
    max_document_mb: Count = Field(
        64,
        ge=1,
        le=2_048,
        description="Maximum size of a document, in MB; larger files are reported as failed. A text of 64 MB has about ten "
        "million words and is more likely a dump or a log than a document.",
    )
    archives: Literal["parts", "documents"] = Field(
        "parts",
        description="What the files in an archive (`.zip`, `.tar.gz`, ...) are: `parts`, the archive is one document with all of "
        "them; `documents`, each is a document of its own, as if the archive were a folder.",
    )
    documents_per_run: Count = Field(
        1_000,
        ge=1,
        description="Maximum number of documents per Dagster run. With more, Dagster shows a run slowly; with fewer, starting "
        "the runs takes longer than their work.",
    )
    prices: Path = Field(
        Path(PACKAGES_FOLDER) / "resources" / "prices.toml",
        description="File with the prices of models, in dollars per million tokens. The prices in a file of your own apply to "
        "every endpoint; the project's prices apply to the providers' own addresses only. A model in neither file has an "
        "unknown price, and is shown that way.",
    )
    extract: dict[str, ExtractSettings] = Field(
        {},
        description="Facts of your own from each document, in a table of their own: one `[extract.NAME]` each "
        "(docs/extractions.md).",
    )
    corpus_bucket: BucketSettings = BucketSettings()  # pyright: ignore[reportCallIssue]
    store: StoreSettings = StoreSettings()  # pyright: ignore[reportCallIssue]
    tables: TableSettings = TableSettings()  # pyright: ignore[reportCallIssue]
    extraction: ExtractionSettings = ExtractionSettings()  # pyright: ignore[reportCallIssue]
    chunks: ChunkSettings = ChunkSettings()  # pyright: ignore[reportCallIssue] - every field has a default
    summaries: SummarySettings = SummarySettings()  # pyright: ignore[reportCallIssue]
    concepts: ConceptSettings = ConceptSettings()  # pyright: ignore[reportCallIssue]
    clusters: ClusterSettings = ClusterSettings()  # pyright: ignore[reportCallIssue]
    cluster_summaries: ClusterSummarySettings = ClusterSummarySettings()  # pyright: ignore[reportCallIssue]
    entities: EntitySettings = EntitySettings()  # pyright: ignore[reportCallIssue]
    examples: ExampleSettings = ExampleSettings()  # pyright: ignore[reportCallIssue]
    judge: JudgeSettings = JudgeSettings()  # pyright: ignore[reportCallIssue]
    answers: AnswerSettings = AnswerSettings()  # pyright: ignore[reportCallIssue]
    categories: CategorySettings = CategorySettings()  # pyright: ignore[reportCallIssue]
    ocr: OcrSettings = OcrSettings()  # pyright: ignore[reportCallIssue]
    pdf: PdfSettings = PdfSettings()  # pyright: ignore[reportCallIssue]
    search_index: SearchIndexSettings = SearchIndexSettings()  # pyright: ignore[reportCallIssue]
    llm: LLMSettings = LLMSettings()  # pyright: ignore[reportCallIssue]
    embeddings: EmbeddingSettings = EmbeddingSettings()  # pyright: ignore[reportCallIssue]
    budget: BudgetSettings = BudgetSettings()  # pyright: ignore[reportCallIssue]
    limits: LimitSettings = LimitSettings()  # pyright: ignore[reportCallIssue]
    metrics: MetricsSettings = MetricsSettings()  # pyright: ignore[reportCallIssue]
    service: ServiceSettings = ServiceSettings()  # pyright: ignore[reportCallIssue]
    stages: StageSettings = StageSettings()  # pyright: ignore[reportCallIssue]
    deployment: DeploymentSettings = DeploymentSettings()  # pyright: ignore[reportCallIssue]

    @property
    def archives_are_folders(self) -> bool:
        """Whether the files in an archive are documents of their own."""
        return self.archives == "documents"

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Arguments take precedence over the environment, and the environment over seedbank.toml."""
        return init_settings, env_settings, _Toml(settings_cls, config_file())


class _Toml(TomlConfigSettingsSource):
    """A seedbank.toml; its relative paths become absolute, relative to its folder."""

    def __init__(self, settings_cls: type[BaseSettings], path: Path) -> None:
        self._folder = path.parent
        super().__init__(settings_cls, path)

    def __call__(self) -> dict[str, Any]:
        values = super().__call__()
        for section, name in _PATHS_IN_SECTIONS:
            found = values.get(section)
            if (
                isinstance(found, dict)
                and isinstance(found.get(name), str)
                and found[name]
                and "://" not in found[name]
            ):
                values[section] = found | {name: str(self._folder / _expanded(Path(found[name])))}
        extract = values.get("extract")
        if isinstance(extract, dict):
            values["extract"] = {name: self._with_files(one) for name, one in extract.items()}
        service = values.get("service")
        if isinstance(service, dict) and isinstance(bases := service.get("bases"), dict):
            values["service"] = service | {
                "bases": {
                    name: str(self._folder / _expanded(Path(home))) if isinstance(home, str) and home else home
                    for name, home in bases.items()
                }
            }
        return values | {
            name: self._folder / _expanded(Path(values[name]))
            for name in _PATHS
            if isinstance(values.get(name), str) and values[name] and not (name == "corpus" and "://" in values[name])
        }

    def _with_files(self, extraction: Any) -> Any:
        """An extraction whose files are absolute."""
        if not isinstance(extraction, dict):
            return extraction
        texts = {name: one for name in ("prompt", "schema") if isinstance(one := extraction.get(name), str) and one}
        if not is_schema_file(texts.get("schema", "")):
            texts.pop("schema", None)
        return extraction | {name: str(self._folder / _expanded(Path(one))) for name, one in texts.items()}


def config_file() -> Path:
    """The seedbank.toml in use; it need not exist. Raises ConfigurationError if SEEDBANK_CONFIG names a missing file."""
    named = os.environ.get(CONFIG_VARIABLE)
    if not named:
        return CONFIG_FILE
    path = absolute(Path(named), CONFIG_VARIABLE)
    if not path.is_file():
        raise ConfigurationError(f"The file {path} does not exist, but {CONFIG_VARIABLE} names it.")
    return path


def load_settings(overrides: Mapping[str, Any] | None = None) -> Settings:
    """The settings in use. If no corpus is set, it is the one that the home belongs to.

    overrides: settings that take precedence over the environment and seedbank.toml.
    Raises ConfigurationError, which names each wrong setting, the value found and what is allowed.
    """
    path = config_file()
    problems = unknown_variables(Settings, os.environ, PREFIX, OTHER_VARIABLES)
    try:
        settings = Settings(**dict(overrides or {}))
    except ValidationError as error:
        problems += wrong_settings(Settings, error, os.environ, PREFIX)
        raise _unusable(path, problems) from error
    except SettingsError as error:  # a variable that should contain JSON and does not
        problems.append(
            f'{error}, since its value is not JSON. A list is written as \'["a", "b"]\', a part of a group as '
            f"{PREFIX}GROUP__PART"
        )
        raise _unusable(path, problems) from error
    except (OSError, ValueError) as error:
        reason = (error.strerror if isinstance(error, OSError) else None) or error
        raise ConfigurationError(f"{path} cannot be read as TOML: {reason}.") from error
    problems += _wrong_variables(settings)
    if problems:
        raise _unusable(path, problems)
    paths: dict[str, Place] = {}
    for name in _PATHS:
        place = getattr(settings, name)
        paths[name] = place if isinstance(place, BucketAddress) else absolute(place, name)
    if "corpus" not in settings.model_fields_set:
        # A user who names only a home means the corpus that it belongs to.
        paths["corpus"] = Home(absolute(settings.home, "home")).bound_corpus() or paths["corpus"]
    return settings.model_copy(update=paths)


def _wrong_variables(settings: Settings) -> list[str]:
    """Problems with variables of other programs that are used in place of an empty setting."""
    url = os.environ.get(OPENAI_ADDRESS, "")
    used = any(of.provider == "openai" and not of.base_url for of in (settings.llm, settings.embeddings))
    wrong = wrong_address(url, HTTP) if url and used else ""
    return [f"{OPENAI_ADDRESS} = {shown_address(url)!r} in the environment: {wrong}"] if wrong else []


def _unusable(path: Path, problems: list[str]) -> ConfigurationError:
    return ConfigurationError(f"The settings (environment, {path}) are not usable: {'; '.join(problems)}.")


def absolute(path: Path, name: str) -> Path:
    """The absolute form of a path from the user. name: the setting it is for, in the message.

    Raises ConfigurationError if it is relative and the working directory was deleted, or if `~user` does not exist.
    """
    try:
        return _expanded(path).absolute()
    except FileNotFoundError as error:
        raise ConfigurationError(
            f"{name} is {path}, relative to the working directory, which was deleted. Change to an existing folder, or use an "
            "absolute path."
        ) from error


def _expanded(path: Path) -> Path:
    try:
        return path.expanduser()
    except RuntimeError as error:
        raise ConfigurationError(
            f"{path}: the user or its home folder does not exist. Use an absolute path."
        ) from error
