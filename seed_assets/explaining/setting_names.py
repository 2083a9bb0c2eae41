"""The name in the configuration of each part of a key that a setting decides.

What belongs here: which resource and path belongs to which setting, as `wiring` builds resources from settings. What does not:
comparing parts (key_changes), and the settings themselves (resources.settings).
"""

from collections.abc import Mapping
from fnmatch import fnmatchcase
from typing import Any

from resources.settings.config import Settings

# The first key of an identity that says by which method a resource works, and the setting that chooses the method.
METHODS = {
    "summarizer": "llm.provider",
    "extractor": "llm.provider",
    "judge": "llm.provider",
    "reviser": "llm.provider",
    "writer": "llm.provider",
    "provider": "embeddings.provider",
}
# What all models that write or judge texts have in common: the path below the resource.
_OF_MODELS = {
    "model.provider": ("llm.provider",),
    "model.deployment": ("llm.identity", "llm.base_url"),
    "model.max_output_tokens": ("llm.max_output_tokens",),
    "model.num_ctx": ("llm.context_tokens",),
    "context_tokens": ("llm.context_tokens",),
    "model.parameters.temperature": ("llm.temperature", "llm.parameters"),
    "model.parameters*": ("llm.parameters",),
}
_NAMES: Mapping[str, tuple[str, ...]] = {
    "summarizer.words": ("summaries.words",),
    "summarizer.model.model": ("summaries.model", "llm.model"),
    "concept_extractor.count": ("concepts.count",),
    "concept_extractor.model.model": ("concepts.model", "llm.model"),
    "reviser.words": ("summaries.words",),
    "reviser.model.model": ("summaries.model", "llm.model"),
    "judge.accept": ("judge.accept",),
    "judge.reject": ("judge.reject",),
    "judge.thresholds.accept": ("judge.accept",),
    "judge.thresholds.reject": ("judge.reject",),
    "judge.model.model": ("judge.model",),
    "cluster_judge.accept": ("judge.accept",),
    "cluster_judge.reject": ("judge.reject",),
    "cluster_judge.thresholds.accept": ("judge.accept",),
    "cluster_judge.thresholds.reject": ("judge.reject",),
    "cluster_judge.model.model": ("judge.model",),
    "cluster_writer": ("llm.provider",),
    "chunker.characters": ("chunks.characters",),
    "chunker.overlap": ("chunks.overlap",),
    "embedder.provider": ("embeddings.provider",),
    "embedder.model": ("embeddings.model",),
    "embedder.deployment": ("embeddings.identity", "embeddings.base_url"),
    "embedder.dimensions": ("embeddings.dimensions",),
    "embedder.parameters*": ("embeddings.parameters",),
    "embedder.weights": ("embeddings.weights", "embeddings.folder"),
    "embedder.tokenizer": ("embeddings.folder",),
    "embedder.encoder*": ("embeddings.folder",),
    "cluster_rules.smallest": ("clusters.smallest",),
    "cluster_rules.largest": ("clusters.largest",),
    "cluster_rules.seed": ("clusters.seed",),
    "cluster_rules.drift": ("clusters.drift",),
    "cluster_rules.resummarize_share": ("cluster_summaries.resummarize_share",),
    "entity_extractor.types": ("entities.types",),
    "entity_extractor.known": ("entities.known",),
    "entity_extractor.records*": ("entities.records",),
    "resolution_rules.records*": ("entities.records",),
    "entity_extractor.characters": ("entities.characters",),
    "entity_extractor.model.model": ("entities.model", "llm.model"),
    "resolution_rules.largest": ("entities.largest",),
    "pair_judge.model.model": ("entities.model", "llm.model"),
    "relation_extractor.characters": ("entities.characters",),
    "relation_extractor.types": ("entities.relationship_types",),
    "relation_extractor.model.model": ("entities.model", "llm.model"),
    "merge_rules.most": ("entities.most_relationships",),
    "profile_writer": ("llm.provider",),
    "described.bounds.mentions": ("entities.profile_mentions",),
    "described.bounds.most": ("entities.most_profiles",),
    "described.bounds.passages": ("entities.profile_passages",),
    "profile_judge.accept": ("judge.accept",),
    "profile_judge.reject": ("judge.reject",),
    "profile_judge.thresholds.accept": ("judge.accept",),
    "profile_judge.thresholds.reject": ("judge.reject",),
    "profile_judge.model.model": ("judge.model",),
    "category_rules.smallest": ("categories.smallest",),
    "category_rules.seed": ("clusters.seed",),
    "indexing.vector_index_rows": ("search_index.vector_index_rows",),
    "source.ocr.languages": ("ocr.languages",),
    "source.ocr.missing": ("ocr.languages",),
    "source.ocr.dpi": ("ocr.dpi",),
    "source.ocr": ("ocr.enabled",),
    "source.most_unread_pages": ("pdf.most_unread_pages",),
    "selection.examples": ("examples.file",),
    "material.now.table": ("clusters.table",),
}
# Parts that a key has under one value of a setting only: path -> (setting, its value without the part, its value with it).
SWITCHES = {
    "cluster.texts": ("cluster_summaries.members_by", "ids", "content"),
    "member_texts.texts": ("cluster_summaries.members_by", "ids", "content"),
}
# By the name of a resource or of a part, the setting under which a published result is kept although it differs.
_KEEPING = {
    "summarizer": "summaries.when_model_changes",
    "concept_extractor": "concepts.when_model_changes",
    "judge": "judge.when_model_changes",
    "reviser": "judge.when_model_changes",
    "cluster_judge": "judge.when_model_changes",
    "cluster_reviser": "judge.when_model_changes",
    "entity_extractor": "entities.when_model_changes",
    "relation_extractor": "entities.when_model_changes",
    "profile_judge": "judge.when_model_changes",
    "profile_reviser": "judge.when_model_changes",
    "version": "extraction.when_version_changes",
    "parser": "extraction.when_version_changes",
    "source": "extraction.when_version_changes",
}


def setting_of(path: str, settings: Settings | None = None) -> str:
    """Return the setting that decides the part of a key at this path, such as `summarizer.words`; "" if none does.

    Where several settings may decide it, the first that is set is meant, and otherwise the last. Without settings, all of them
    are named.
    """
    names = _NAMES.get(path) or next((found for name, found in _NAMES.items() if fnmatchcase(path, name)), ())
    if not names and "." in path:
        below = path.partition(".")[2]
        names = next((found for name, found in _OF_MODELS.items() if fnmatchcase(below, name)), ())
    if settings is None or len(names) < 2:
        return " or ".join(names)
    return next((name for name in names if _is_set(settings, name)), names[-1])


def keeping_setting(part: str) -> str:
    """Return the setting under which results are kept although this part of their key differs; "" if there is none."""
    return _KEEPING.get(part, "")


def _is_set(settings: Settings, name: str) -> bool:
    section, _, own = name.partition(".")
    table: Any = getattr(settings, section)
    return bool(getattr(table, own) != type(table).model_fields[own].default)
