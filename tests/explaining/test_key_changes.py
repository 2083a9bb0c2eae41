"""The differences of two keys in words: every setting that decides a key is named as it stands in the configuration.

What belongs here: keys of pipelines that differ in one setting, compared as parts. What does not: the values and texts behind
them (test_explanation), and how they are printed (tests/cli/test_explain).
"""

import json
from collections.abc import Mapping
from typing import Any

import pytest

from io_managers.store.action_cache import encode_parts
from io_managers.store.fingerprint import Part
from resources.settings.config import PREFIX, Settings, load_settings
from resources.settings.config_errors import variable_name
from seed_assets.explaining.key_changes import Change, key_changes
from seed_assets.graph.pipeline import Pipeline
from seed_assets.graph.stage import SOURCE
from seed_assets.wiring import build_pipeline
from tests.resources.settings.test_config import EVERY_SETTING, OTHER_VALUES
from tests.support.plain_runs import without_dagster

pytestmark = pytest.mark.usefixtures("own_environment")

MODEL: Mapping[str, Any] = {"provider": "openai", "base_url": "http://models.example/v1", "model": "writer"}
VECTORS: Mapping[str, Any] = {**MODEL, "model": "vectors", "dimensions": 300}
MODELS: Mapping[str, Any] = {"llm": MODEL, "embeddings": VECTORS}
SHOWING: Mapping[str, Any] = {**MODELS, "examples": {"show": {"summaries": 3}}}
ENTITIES: Mapping[str, Any] = {"entities": {"enabled": True}}
RELATED: Mapping[str, Any] = {"entities": {"enabled": True, "relationships": True, "profiles": True}}

# What is changed beside a setting, a value of it, and the stages whose keys have it.
DECIDING: list[tuple[str, Any, Mapping[str, Any], set[str]]] = [
    ("chunks.characters", 500, {}, {"chunks"}),
    ("chunks.overlap", 50, {}, {"chunks"}),
    ("summaries.words", 120, {}, {"summaries"}),
    ("concepts.count", 30, {}, {"concepts"}),
    ("judge.accept", 0.8, {}, {"judgements", "cluster_judgements"}),
    ("judge.reject", 0.3, {}, {"judgements", "cluster_judgements"}),
    ("clusters.smallest", 5, {}, {"clusters", "corpus_map"}),
    ("clusters.largest", 50, {}, {"clusters", "corpus_map"}),
    ("clusters.seed", 7, {}, {"clusters", "corpus_map", "categories"}),
    ("clusters.drift", 0.3, {}, {"clusters", "corpus_map"}),
    ("cluster_summaries.resummarize_share", 0.2, {}, {"clusters", "corpus_map"}),
    ("categories.smallest", 5, {}, {"categories"}),
    ("search_index.vector_index_rows", 300, {}, {"search_index"}),
    ("entities.types", ["person"], ENTITIES, {"entities"}),
    ("entities.records", {"person": {"name": "given name"}}, ENTITIES, {"entities", "canonical_entities"}),
    ("entities.characters", 900, {**ENTITIES, **MODELS}, {"entities"}),
    ("entities.model", "other", {**ENTITIES, **MODELS}, {"entities", "canonical_entities"}),
    ("entities.largest", 50, ENTITIES, {"canonical_entities"}),
    ("llm.provider", "openai", ENTITIES, {"entities", "canonical_entities"}),
    ("entities.characters", 900, {**RELATED, **MODELS}, {"entities", "entity_relations"}),
    ("entities.model", "other", {**RELATED, **MODELS}, {"entities", "canonical_entities", "entity_relations"}),
    ("entities.relationship_types", ["works for"], {**RELATED, **MODELS}, {"entity_relations"}),
    ("entities.most_relationships", 50, RELATED, {"relationships"}),
    ("llm.provider", "openai", RELATED, {"entity_relations", "entity_profiles", "entity_profile_judgements"}),
    ("judge.accept", 0.8, RELATED, {"entity_profile_judgements"}),
    ("judge.model", "other", {**RELATED, **MODELS}, {"entity_profile_judgements"}),
    ("ocr.enabled", False, {}, {SOURCE}),
    ("ocr.languages", ["eng", "deu"], {}, {SOURCE}),
    ("ocr.dpi", 200, {}, {SOURCE}),
    ("pdf.most_unread_pages", 0.25, {}, {SOURCE}),
    ("llm.provider", "openai", {}, {"summaries", "concepts", "judgements", "cluster_summaries", "cluster_judgements"}),
    ("llm.provider", "ollama", MODELS, {"summaries", "concepts", "judgements", "cluster_judgements"}),
    ("llm.model", "other", MODELS, {"summaries", "concepts", "judgements", "cluster_judgements"}),
    ("summaries.model", "other", MODELS, {"summaries", "judgements"}),
    ("concepts.model", "other", MODELS, {"concepts"}),
    ("judge.model", "other", MODELS, {"judgements", "cluster_judgements"}),
    ("llm.base_url", "http://elsewhere.example/v1", MODELS, {"summaries", "concepts", "judgements"}),
    ("llm.identity", "the house", MODELS, {"summaries", "concepts", "judgements"}),
    ("llm.max_output_tokens", 1_000, MODELS, {"summaries", "concepts", "judgements"}),
    ("llm.context_tokens", 8_000, MODELS, {"summaries", "concepts", "judgements"}),
    ("llm.temperature", 0.5, MODELS, {"summaries", "concepts", "judgements"}),
    ("llm.parameters", {"top_k": 1}, MODELS, {"summaries", "concepts", "judgements"}),
    ("summaries.words", 120, MODELS, {"summaries", "judgements"}),
    ("concepts.count", 30, MODELS, {"concepts"}),
    ("judge.accept", 0.8, MODELS, {"judgements", "cluster_judgements"}),
    ("examples.show", {"summaries": 2}, SHOWING, {"summaries_examples"}),
    ("examples.tokens", 500, SHOWING, {"summaries_examples"}),
    ("embeddings.provider", "openai", {}, {"embeddings"}),
    ("embeddings.model", "other", MODELS, {"embeddings"}),
    ("embeddings.dimensions", 256, MODELS, {"embeddings"}),
    ("embeddings.base_url", "http://elsewhere.example/v1", MODELS, {"embeddings"}),
    ("embeddings.identity", "the house", MODELS, {"embeddings"}),
    ("embeddings.parameters", {"dimensions": 300}, MODELS, {"embeddings"}),
]
JUDGING_MODELS = ("judge.model.model", "cluster_judge.model.model", "profile_judge.model.model")
DECIDED = {name for name, *_ in DECIDING}
# They need a file, a folder or other stages, decide a key through what a stage sees of the corpus, or decide which model judges.
NOT_TRIED = {
    "stages.modules",  # its module would have to exist
    "clusters.types",
    "clusters.table",
    "embeddings.folder",
    "entities.known",
    "examples.file",
    "entities.profile_mentions",
    "entities.profile_passages",
    "entities.most_profiles",
    "prices",
    "cluster_summaries.model",
    "corpus",
    "home",
}


def settings(base: Mapping[str, Any], name: str = "", value: Any = None) -> Settings:
    """The settings of a base with one more."""
    found: dict[str, Any] = {table: dict(values) for table, values in base.items()}
    table, _, own = name.partition(".")
    if name == "llm.provider" and "llm" not in base:
        found["llm"] = dict(MODEL)
    if name == "embeddings.provider" and "embeddings" not in base:
        found["embeddings"] = dict(VECTORS)
    if own:
        found.setdefault(table, {})[own] = value
    return load_settings(found)


def pipeline_of(found: Settings) -> Pipeline:
    with without_dagster([]):
        return build_pipeline(found)


def parts_of(pipeline: Pipeline) -> dict[str, Mapping[str, Part]]:
    """What all keys of each stage have in common, and what the file of a PDF and of a picture contribute to a key."""
    found = {name: template.action({}).parts for name, template in pipeline.templates.items()}
    formats = {format: pipeline.source_part("sha256:a", format) for format in ("pdf", "picture", "text")}
    return {**found, **{f"{SOURCE} {format}": {SOURCE: part} for format, part in formats.items()}}


def changes(before: Settings, now: Settings) -> dict[str, list[Change]]:
    """By stage, how its keys under `before`, as the store has them, differ from those under `now`."""
    old, new = pipeline_of(before), pipeline_of(now)
    stored = {name: json.loads(encode_parts(parts)) for name, parts in parts_of(old).items()}
    reading = new.document_stages[0]
    found = {
        name: key_changes(new, new.stages.get(name, reading), stored[name], parts, settings=now)
        for name, parts in parts_of(new).items()
        if name in stored  # a setting may add stages, and no key of theirs is published
    }
    return {name: one for name, one in found.items() if one}


@pytest.mark.parametrize(
    ("name", "value", "base", "stages"), DECIDING, ids=lambda given: given if isinstance(given, str) else ""
)
def test_a_setting_is_named_as_in_the_configuration_with_both_values(
    name: str, value: Any, base: Mapping[str, Any], stages: set[str]
) -> None:
    """A path such as `summarizer.model.model` says nothing to somebody who has set `llm.model`."""
    before, now = settings(base), settings(base, name, value)
    found = changes(before, now)
    assert {stage.partition(" ")[0] for stage in found} >= stages
    for stage in stages:
        for one in next(given for named, given in found.items() if named.partition(" ")[0] == stage):
            # Which model judges follows from the others, unless it is set.
            named = "judge.model" if one.part in JUDGING_MODELS else name
            assert one.setting == named, one
            assert one.text.startswith(f"{named}: "), one
            assert one.before != one.now
            assert one.kind in ("setting", "model", "method")


@pytest.mark.parametrize("name", sorted({".".join(path) for path in EVERY_SETTING} - DECIDED - NOT_TRIED))
def test_all_other_settings_decide_no_key(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A new setting that decides a key, and is not named above, would be shown as a path that nobody knows."""
    before = settings(MODELS)
    monkeypatch.setenv(variable_name(tuple(name.split(".")), PREFIX), OTHER_VALUES.get(name, "300"))
    found = changes(before, settings(MODELS))
    assert {change.text for one in found.values() for change in one} == set()


def test_a_model_is_shown_by_name_when_it_takes_the_place_of_an_offline_method_and_back() -> None:
    offline, asked = settings({}), settings(MODELS)
    assert changes(offline, asked)["summaries"][0].text == "llm.provider: extractive → openai (writer)"
    assert changes(asked, offline)["summaries"][0].text == "llm.provider: openai (writer) → extractive"
    assert [change.text for change in changes(offline, asked)["embeddings"]] == [
        "embeddings.provider: wordllama (l2_supercat) → openai (vectors)"
    ]
    texts = {change.part: change.text for change in changes(offline, asked)["judgements"]}
    assert texts == {
        "judge.judge": "llm.provider: similarity → openai (writer)",
        "reviser.reviser": "llm.provider: none → openai (writer)",
    }


def test_every_version_of_a_stage_and_of_a_method_says_what_it_changed() -> None:
    """A version without a sentence would be explained to nobody."""
    pipeline = pipeline_of(settings({"clusters": {"types": ["topic", "field:subject"]}}))
    for stage in pipeline.stages.values():
        assert list(stage.changes) == [str(version) for version in range(2, int(stage.version) + 1)], stage.name
    for name, resource in pipeline.resources.items():
        version = str(getattr(resource, "identity", {}).get("version", "1"))
        if name not in ("embedder", "local_embedder") and version != "1":
            assert version in resource.changes, name
        if "method" in getattr(resource, "identity", {}):
            assert resource.identity["method"] in resource.changes


def test_the_sentences_of_all_versions_between_two_are_shown() -> None:
    pipeline = pipeline_of(settings({}))
    stage = pipeline.stages["lance_documents"]
    now = pipeline.templates[stage.name].action({}).parts
    (change,) = key_changes(pipeline, stage, {**now, "version": "1"}, now)
    assert change.kind == "version"
    assert change.text == (
        "Version 1 → 3: The table has the judged summary, and columns for the verdict. The table has the columns `copied`, "
        "`confidence` and `language`"
    )
    (back,) = key_changes(pipeline, stage, {**now, "version": "4"}, now)
    assert back.text == "Version 4 → 3: What changed with it is not recorded"


def test_a_version_of_a_method_inside_of_a_resource_is_explained_as_well() -> None:
    pipeline = pipeline_of(settings({}))
    stage = pipeline.stages["summaries"]
    now = pipeline.templates[stage.name].action({}).parts
    assert isinstance(now["summarizer"], Mapping)
    (change,) = key_changes(pipeline, stage, {**now, "summarizer": {**now["summarizer"], "version": "1"}}, now)
    assert change.kind == "version"
    assert change.text.startswith("`summarizer.version`: Version 1 → 2: Header blocks and rows of tables are left out")


def test_what_was_not_in_a_key_before_and_what_is_no_more_in_it_is_said() -> None:
    pipeline = pipeline_of(settings({}))
    stage = pipeline.stages["summaries"]
    now = pipeline.templates[stage.name].action({}).parts
    new = key_changes(pipeline, stage, {"version": "1"}, now)
    gone = key_changes(pipeline, stage, {**now, "polisher": {"words": 3}}, now)
    assert [change.text for change in new] == ["`summarizer` is used now"]
    assert [change.text for change in gone] == ["`polisher` is not used any more"]


INPUTS: list[tuple[str, Mapping[str, Part], Mapping[str, Part], list[str]]] = [
    (
        "cluster_summaries",
        {"cluster": {"type": "topic", "members": ["a", "b", "c"]}},
        {"cluster": {"type": "topic", "members": ["b", "c", "d", "e"]}},
        ["The members changed: 2 came (d, e), 1 left (a)"],
    ),
    (
        "cluster_summaries",
        {"cluster": {"type": "topic", "members": ["a", "b"]}},
        {"cluster": {"type": "topic", "texts": ["sha256:1", "sha256:2"]}},
        ["cluster_summaries.members_by: ids → content"],
    ),
    (
        "cluster_summaries",
        {"cluster": {"type": "topic", "texts": ["sha256:1", "sha256:2"]}},
        {"cluster": {"type": "topic", "texts": ["sha256:1", "sha256:3"]}},
        ["The texts of the members changed: 1 of 2"],
    ),
    (
        "clusters",
        {
            "material": {
                "now": {"concepts": "sha256:1", "cluster_type": "concept"},
                "before": {"clustering": "sha256:2"},
            }
        },
        {
            "material": {
                "now": {"concepts": "sha256:3", "cluster_type": "concept"},
                "before": {"clustering": "sha256:4"},
            }
        },
        ["The results of `concepts` changed"],
    ),
    (
        "clusters",
        {"material": {"now": {"fields": "sha256:1", "table": "sha256:5"}, "before": {"clustering": "sha256:2"}}},
        {"material": {"now": {"fields": "sha256:1", "table": "sha256:6"}, "before": {"clustering": "sha256:2"}}},
        ["clusters.table: its values changed"],
    ),
    (
        "clusters",
        {"material": {"now": {"concepts": "sha256:1"}, "before": {"clustering": "sha256:2"}}},
        {"material": {"now": {"concepts": "sha256:1"}, "before": {"clustering": "sha256:3"}}},
        ["It continues from another result than before"],
    ),
    (
        "corpus_map",
        {"picture": {"now": {"titles": {"topic/1": "sha256:1", "topic/2": "sha256:2"}}, "before": {}}},
        {"picture": {"now": {"titles": {"topic/1": "sha256:9", "topic/3": "sha256:3"}}, "before": {}}},
        [
            "Of titles, that of topic/1 changed",
            "Of titles, that of topic/3 came",
            "Of titles, that of topic/2 is gone",
        ],
    ),
    (
        "document_clusters",
        {"placement": "sha256:1"},
        {"placement": "sha256:2"},
        ["What `placement` gives of this unit changed"],
    ),
]


@pytest.mark.parametrize(
    ("stage", "before", "now", "said"), INPUTS, ids=lambda given: given if isinstance(given, str) else ""
)
def test_what_a_stage_sees_of_the_corpus_is_compared_by_its_kind(
    stage: str, before: Mapping[str, Part], now: Mapping[str, Part], said: list[str]
) -> None:
    pipeline = pipeline_of(settings({}))
    assert [change.text for change in key_changes(pipeline, pipeline.stages[stage], before, now)] == said


def test_an_input_that_is_computed_first_is_no_difference_yet() -> None:
    pipeline = pipeline_of(settings({}))
    before = {"extracted_text": "sha256:1"}
    assert key_changes(pipeline, pipeline.stages["chunks"], before, {}, unknown=["extracted_text"]) == []


def test_a_long_value_is_cut() -> None:
    long = settings(MODELS, "llm.parameters", {"stop": "x" * 500})
    assert max(len(change.text) for one in changes(settings(MODELS), long).values() for change in one) < 200


def test_the_model_that_judges_is_called_chosen_if_it_is_not_set() -> None:
    found = changes(settings(MODELS), settings(MODELS, "cluster_summaries.model", "another"))
    said = {change.text for one in found.values() for change in one}
    assert said == {"judge.model: writer → another, chosen among the other models"}
