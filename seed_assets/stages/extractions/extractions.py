"""All extractions of the settings as additions to the pipeline.

What belongs here: joining declarations, stages and extractors. What does not: each of these (core.extractions,
extraction_stages).
"""

from collections.abc import Callable, Mapping

from resources.errors import ConfigurationError
from resources.models.chat_model import ChatModel
from resources.settings.extract_settings import ExtractSettings
from resources.tables.lance_schema import TABLES
from seed_assets.core.extractions.declarations import Declaration, ModelOf, read_declarations
from seed_assets.core.extractions.model_extracting import ModelExtractor
from seed_assets.core.text.text_work import TextWork
from seed_assets.graph.additions import Additions
from seed_assets.stages.extractions.extraction_stages import COLUMNS, EXTRACTION, TableColumns, stages_of

NO_MODEL = (
    "it needs a model, and the settings name none. Set llm.provider and llm.model (docs/models.md), and the next seed fills the "
    "table"
)


def extractions(
    settings: Mapping[str, ExtractSettings],
    chat: Callable[[str], ChatModel] | None,
    model_of: ModelOf,
    chunk_characters: int,
    work: TextWork | None,
) -> Additions:
    """Return the stages of all extractions with what they use; without a model, all of them are left out.

    chat: gives the model of a name; None if the settings name no model. model_of: finds a pydantic model by `module:Class`.
    chunk_characters: the most characters of a chunk. work: the workers that cut texts. Raises ConfigurationError.
    """
    declared = read_declarations(settings, model_of)
    _check_tables(declared)
    stages = {name: stages_of(one) for name, one in declared.items()}
    if chat is None:
        return Additions(
            left_out={
                stage.name: NO_MODEL if stage.name == name else f"it needs {name}, which is left out"
                for name, some in stages.items()
                for stage in some
            }
        )
    resources: dict[str, object] = {}
    for name, one in declared.items():
        resources[f"{name}.{EXTRACTION}"] = ModelExtractor(chat(one.model), one, chunk_characters, work)
        sink = stages[name][-1]
        resources[f"{sink.name}.{COLUMNS}"] = TableColumns(sink)
    return Additions([stage for some in stages.values() for stage in some], resources)


def _check_tables(declared: Mapping[str, Declaration]) -> None:
    """Raise ConfigurationError if two extractions have one table, or one has a table of the project."""
    writers: dict[str, str] = {}
    for name, one in declared.items():
        other = writers.setdefault(one.table, name)
        if one.table in TABLES or other != name:
            whose = "the project has" if one.table in TABLES else f"the extraction {other} has"
            raise ConfigurationError(
                f"extract.{name}.table: {whose} a table {one.table} already. Set `table` to another name in [extract.{name}]."
            )
