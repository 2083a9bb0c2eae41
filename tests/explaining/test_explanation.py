"""What is said about a result: the difference of the keys, the values and texts behind it, and what a seed would do.

What belongs here: one change of a seeded home for each case, and the words about it. What does not: the names of settings
(test_key_changes), how values are compared (test_value_changes), and what is printed (tests/cli/test_explain).
"""

import re
import shutil
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from io_managers.store.action_cache import Provenance
from io_managers.store.failures import FailureRecord
from io_managers.store.fingerprint import Part, content_digest
from io_managers.store.refs import Ref
from resources.corpus.corpus import Corpus, Scan
from resources.errors import ConfigurationError, DocumentError
from resources.settings.config import load_settings
from seed_assets.core.prompting.model_stage import ModelStage
from seed_assets.core.summaries.summarizing import Summary
from seed_assets.explaining.explanation import Explanation, StageExplanation, explain
from seed_assets.explaining.sentences import summary, what_follows
from seed_assets.graph.pipeline import Pipeline
from seed_assets.graph.stage import OfPrompts
from seed_assets.planning.plan import Plan
from seed_assets.seeding.seeding import SeedOptions
from seed_assets.wiring import build_pipeline
from tests.support.pipelines import ALONE, EVERY_STAGE, World, essay, refusal

CORALS = "reefs/corals.txt"
MODEL = {"provider": "openai", "base_url": "http://models.example/v1", "model": "writer"}


def explained(world: World, unit: str = CORALS, stage: str = "") -> Explanation:
    with world.session() as session:
        return explain(session, unit, stage)


def one(world: World, stage: str, unit: str = CORALS) -> StageExplanation:
    (found,) = explained(world, unit, stage).stages
    return found


def texts(found: StageExplanation) -> list[str]:
    return [change.text for change in found.changes]


def edit(world: World) -> None:
    """Change one of three paragraphs."""
    path = world.corpus / CORALS
    path.write_text(path.read_text().replace("note 1.", "entry 1."))


def read(world: World) -> None:
    edit(world)
    world.seed(SeedOptions(stages=("extracted_text",)))


def summarize(world: World) -> None:
    world.summarizer.words = 5
    world.seed(SeedOptions(stages=("summaries",)))


def rename(world: World) -> None:
    path = world.corpus / CORALS
    path.rename(path.with_suffix(".md"))


def with_changed(**resources: Callable[[Any], Any]) -> Callable[[World], None]:
    """A world whose resources are replaced by others made of them."""

    def change(world: World) -> None:
        world.change = lambda pipeline: pipeline.with_resources(
            **{name: make(pipeline.resources[name]) for name, make in resources.items()}
        )

    return change


class Otherwise:
    """A resource with another identity than the one it stands for."""

    def __init__(self, real: Any, **parts: Part) -> None:
        self._real = real
        self._parts = parts

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)

    @property
    def identity(self) -> dict[str, Part]:
        """The real one with these parts."""
        return {**self._real.identity, **self._parts}


def other(**parts: Part) -> Callable[[Any], Any]:
    return lambda real: Otherwise(real, **parts)


def set_to(**settings: Any) -> Callable[[World], None]:
    return lambda world: world.settings.update(settings)


def raised(*stages: str) -> Callable[[World], None]:
    return lambda world: world.raise_version(*stages)


def words(world: World) -> None:
    world.summarizer.words = 5


def lose_the_table(world: World) -> None:
    shutil.rmtree(world.home / "lancedb" / "chunks.lance")


def lose_the_value(world: World) -> None:
    store = world.store()
    digest = store.refs.get("summaries", [CORALS])[CORALS].content_digest
    store.database.write(("DELETE FROM objects WHERE content_digest = ?", [(digest,)])).result()
    store.database.write(("DELETE FROM actions WHERE content_digest = ?", [(digest,)])).result()
    store.close()


# A change, the stage that is asked about, what a seed does, and the words of the first difference or of the summary.
CASES: list[tuple[str, Callable[[World], None], str, str, str]] = [
    ("the file", edit, "extracted_text", "computed", "The file changed"),
    (
        "the text of an input",
        read,
        "summaries",
        "computed",
        "The result of `extracted_text` changed: 1 of 3 paragraphs",
    ),
    (
        "an input before it is read",
        edit,
        "summaries",
        "perhaps computed",
        "only if `extracted_text` differs, which comes first",
    ),
    (
        "several inputs first",
        edit,
        "judgements",
        "perhaps computed",
        "only if one of `extracted_text`, `summaries` and",
    ),
    ("a summary", summarize, "judgements", "computed", "The result of `summaries` changed: "),
    ("a setting of a method", words, "summaries", "computed", "summaries.words: 12 → 5"),
    ("the length of chunks", set_to(chunks={"characters": 500}), "chunks", "computed", "chunks.characters: 1000 → 500"),
    ("the overlap of chunks", set_to(chunks={"overlap": 50}), "chunks", "computed", "chunks.overlap: 0 → 50"),
    ("the version of a stage", raised("chunks"), "chunks", "computed", "Version 2 → 2+: What changed with it is not"),
    ("the version of a table", raised("lance_concepts"), "lance_concepts", "computed", "Version 2 → 2+: What changed"),
    ("the threshold of the judge", set_to(judge={"accept": 0.7}), "judgements", "computed", "judge.accept: 0.9 → 0.7"),
    ("the judge", set_to(judge={"reject": 0.3}), "judgements", "computed", "judge.reject: 0.5 → 0.3"),
    ("the embedder", with_changed(embedder=other(model="b")), "embeddings", "computed", "embeddings.model: none → b"),
    (
        "the kind of embedder",
        with_changed(embedder=other(provider="x")),
        "embeddings",
        "computed",
        "embeddings.provider: test → x",
    ),
    (
        "the release of an embedder",
        with_changed(embedder=other(version="2")),
        "embeddings",
        "computed",
        "`embedder.version`: Ver",
    ),
    (
        "an offline method",
        with_changed(judge=other(version="3")),
        "judgements",
        "computed",
        "`judge.version`: Version 2 → 3",
    ),
    (
        "the reading",
        with_changed(parser=other(extraction="9")),
        "extracted_text",
        "computed",
        "`parser.extraction`: Version 1",
    ),
    (
        "how concepts are found",
        with_changed(concept_extractor=other(method="new")),
        "concepts",
        "computed",
        "`concept_extractor.",
    ),
    ("a lost table", lose_the_table, "lance_chunks", "computed", "the table is not as it was left"),
    ("a lost value", lose_the_value, "summaries", "computed", "its value was lost"),
    ("a result that is in the store", rename, "extracted_text", "removed", "a seed removes it"),
    ("the rules of clusters", set_to(clusters={"smallest": 2}), "clusters", "computed", "clusters.smallest: 3 → 2"),
    ("the seed of clusters", set_to(clusters={"seed": 5}), "clusters", "computed", "clusters.seed: 0 → 5"),
    (
        "the rules of categories",
        set_to(categories={"smallest": 9}),
        "categories",
        "computed",
        "categories.smallest: 3 → 9",
    ),
    ("the text of a member", read, "clusters", "perhaps computed", "only if `embeddings` differs"),
    (
        "the members' basis",
        set_to(cluster_summaries={"members_by": "content"}),
        "cluster_summaries",
        "computed",
        "cluster_summ",
    ),
    ("nothing", lambda world: None, "summaries", "reused", "current: made on 20"),
    ("nothing of a table", lambda world: None, "lance_chunks", "reused", "current"),
    ("nothing of the corpus", lambda world: None, "categories", "reused", "current: made on 20"),
    (
        "rows from another input",
        read,
        "lance_documents",
        "perhaps computed",
        "only if one of `judgements` and `concepts` differs",
    ),
]
UNITS = {"clusters": "topic", "categories": "corpus", "cluster_summaries": "topic/1"}


@pytest.mark.parametrize(
    ("change", "stage", "outcome", "said"), [case[1:] for case in CASES], ids=[case[0] for case in CASES]
)
def test_a_change_is_explained_by_what_differs(
    change: Callable[[World], None], stage: str, outcome: str, said: str, plain_world: World
) -> None:
    """A user who is told the wrong part changes the wrong thing, and pays for it."""
    change(plain_world)
    found = one(plain_world, stage, UNITS.get(stage, CORALS))
    assert found.outcome == outcome, found
    assert summary(found).startswith(said), summary(found)
    if outcome == "computed" and found.changes:
        assert summary(found) == found.changes[0].text


def of_models(**settings: Any) -> Pipeline:
    """The pipeline with a model, with these settings of it."""
    return build_pipeline(load_settings({"llm": {**MODEL, **settings}}))


def use_models(world: World, **settings: Any) -> None:
    """Let a model write the summaries of a world, without any of its other resources."""
    model = of_models(**settings).resources["summarizer"]
    world.change = lambda pipeline: pipeline.with_resources(summarizer=model)


def publish_by_model(world: World, prompt: bytes, *, keep: bool = True) -> None:
    """Publish a summary as a model would have written it with another prompt."""
    with world.session() as session:
        store, stage = session.store, session.pipeline.stages["summaries"]
        text = store.refs.get("extracted_text", [CORALS])[CORALS].content_digest
        identity = {**session.pipeline.resources["summarizer"].identity, "prompt": content_digest(prompt)}
        pipeline = session.pipeline.with_resources(
            summarizer=Otherwise(session.pipeline.resources["summarizer"], **identity)
        )
        action = pipeline.templates[stage.name].action({"extracted_text": text})
        paid = Provenance(2.125, 1, 900, 100, 0.0021, model="writer")
        (digest,) = store.commit([(action, Summary("It says so."), paid)]).result()
        store.refs.publish([Ref("summaries", CORALS, action.key, digest)])
        if keep:
            store.keep_texts({content_digest(prompt): prompt})


def test_the_lines_of_a_prompt_that_changed_are_shown(plain_world: World) -> None:
    """`prompt: changed` tells nobody what was asked before."""
    use_models(plain_world)
    now = of_models().resources["summarizer"].prompt.data
    publish_by_model(plain_world, now.replace(b"in plain prose", b"in verse", 1))
    found = one(plain_world, "summaries")
    (change,) = found.changes
    assert (found.outcome, change.kind, change.part) == ("computed", "prompt", "summarizer.prompt")
    assert change.text == "The prompt of `summarizer` changed"
    assert [line for line in change.details if line.startswith("-")][:1] == ["--- before.toml"]
    assert any(line.startswith("-") and "in verse" in line for line in change.details)
    assert any(line.startswith("+") and "in plain prose" in line for line in change.details)
    assert "--- before.schema.json" not in change.details


def test_it_is_said_if_the_text_of_the_earlier_prompt_was_not_kept(plain_world: World) -> None:
    """Homes that were seeded by earlier versions know only its digest."""
    use_models(plain_world)
    publish_by_model(plain_world, b'version = "0"', keep=False)
    (change,) = one(plain_world, "summaries").changes
    assert change.text.endswith("; the text of the earlier prompt was not kept")
    assert change.details == ()


def test_another_model_is_shown_with_what_the_published_result_had_cost(plain_world: World) -> None:
    use_models(plain_world)
    publish_by_model(plain_world, of_models().resources["summarizer"].prompt.data)
    current = one(plain_world, "summaries")
    assert re.fullmatch(r"current: made on 20\d\d-\d\d-\d\d by writer in 2.12 s, for \$0.0021", summary(current))
    use_models(plain_world, model="poet", context_tokens=9_000)
    found = one(plain_world, "summaries")
    assert [change.kind for change in found.changes] == ["model", "setting"]
    assert [change.part for change in found.changes] == ["summarizer.model.model", "summarizer.context_tokens"]
    assert summary(found).endswith(": writer → poet; and 1 more difference")
    assert found.made is not None
    assert (found.made.tokens, found.made.requests, found.made.usd) == (1_000, 1, 0.0021)


def test_a_run_of_a_stage_keeps_the_texts_of_its_prompts_even_if_it_computes_nothing(plain_world: World) -> None:
    """A prompt that is edited later could not be compared with it otherwise."""
    use_models(plain_world)
    prompt = of_models().resources["summarizer"].prompt
    publish_by_model(plain_world, prompt.data, keep=False)
    with plain_world.session() as session:
        resource = session.pipeline.resources["summarizer"]
        assert isinstance(resource, ModelStage)
        assert isinstance(resource, OfPrompts)
        assert session.store.kept_text(prompt.digest) is None
    plain_world.seed(SeedOptions(documents=CORALS))
    store = plain_world.store()
    try:
        kept = store.kept_text(prompt.digest)
        assert kept is not None
        assert kept.encode() == prompt.data
        assert store.verify() == []
    finally:
        store.close()


def test_a_result_is_kept_by_the_setting_that_says_so(plain_world: World) -> None:
    plain_world.settings["summaries"] = {"when_model_changes": "keep"}
    plain_world.summarizer.words = 5
    found = one(plain_world, "summaries")
    assert (found.state, found.outcome) == ("current", "kept")
    assert texts(found) == ["summaries.words: 12 → 5"]
    assert summary(found) == "kept, although summaries.words: 12 → 5, by summaries.when_model_changes"


@pytest.mark.slow
def test_failures_say_since_when_and_what_makes_a_seed_try_again(plain_world: World) -> None:
    world = plain_world
    world.summarizer.failing = {"entry": refusal()}
    edit(world)
    world.seed()
    failed, blocked = one(world, "summaries"), one(world, "judgements")
    assert (failed.state, failed.outcome, failed.failed and failed.failed.stage) == ("failed", "failed", "summaries")
    assert failed.failed is not None
    assert (failed.failed.reason, failed.failed.remedy) == ("the model refused.", "Ask another one.")
    assert failed.failed.since is not None
    assert "or with `seedbank seed --retry-failed`" in failed.failed.again
    assert texts(failed) == ["The result of `extracted_text` changed: 1 of 3 paragraphs"]
    assert (blocked.outcome, summary(blocked)) == ("blocked", "blocked: `summaries` failed")
    assert blocked.failed == failed.failed


@pytest.mark.parametrize(
    ("transient", "shaped_by", "said"),
    [
        (True, "", "The next seed tries it again."),
        (False, "other settings", "The settings of requests have changed since, so the next seed tries it again."),
        (False, "", "changes, or with `seedbank seed --retry-failed`."),
    ],
)
def test_a_failure_holds_as_long_as_it_would_in_a_seed(
    transient: bool, shaped_by: str, said: str, plain_world: World
) -> None:
    edit(plain_world)
    plain_world.seed(SeedOptions(stages=("extracted_text",)))
    with plain_world.session() as session:
        action = session.plan(explained={CORALS}).stages["summaries"].actions[CORALS]
        failure = FailureRecord(action.key, "summaries", CORALS, "no.", "Wait.", transient, settings=shaped_by)
        session.store.failures.record([failure])
    found = one(plain_world, "summaries")
    assert found.failed is not None
    assert found.failed.again.endswith(said)


def test_a_file_that_cannot_be_read_fails_in_the_first_stage(plain_world: World) -> None:
    plain_world.settings["max_document_mb"] = 1
    plain_world.write("large.txt", b"x " * (1 << 20))
    first, later = one(plain_world, "extracted_text", "large.txt"), one(plain_world, "chunks", "large.txt")
    assert first.failed is not None
    assert (first.outcome, later.outcome, first.failed.since) == ("failed", "blocked", None)
    assert later.failed is not None
    assert later.failed.stage == "extracted_text"


def test_a_document_that_is_new_or_gone_or_found_in_the_store_is_called_so(plain_world: World) -> None:
    world = plain_world
    world.write("reefs/new.txt", essay("anemones"))
    new = explained(world, "reefs/new.txt").stages
    assert [found.state for found in new] == ["missing"] * len(EVERY_STAGE)
    assert summary(new[0]) == "never computed: new document"
    assert summary(new[1]) == "never computed; `extracted_text` first"
    assert {found.outcome for found in new} == {"computed"}
    text = (world.corpus / CORALS).read_bytes()
    world.write("reefs/copy.txt", text)
    copied = one(world, "extracted_text", "reefs/copy.txt")
    assert copied.outcome == "published"
    assert summary(copied).startswith("found in the store (made on 20")
    (world.corpus / CORALS).unlink()
    assert {found.state for found in explained(world).stages} == {"gone"}
    assert {found.outcome for found in explained(world).stages} == {"removed"}
    assert summary(one(world, "chunks")) == "a seed removes it: the document is not in the corpus any more"


class ClosedFolder(Corpus):
    """A corpus of which one folder cannot be listed."""

    def scan(self, *, verify: bool = False) -> Scan:
        """As Corpus, without the documents below `reefs`."""
        found = super().scan(verify=verify)
        there = {name: file for name, file in found.documents.items() if not name.startswith("reefs/")}
        return replace(found, documents=there, unreadable={"reefs/": DocumentError("it is closed.", "Open it.")})


def test_a_document_in_a_folder_that_cannot_be_read_is_not_called_gone(plain_world: World) -> None:
    """A seed does not remove it, and nobody should think so."""
    plain_world.corpus_reader = ClosedFolder(plain_world.corpus, plain_world.home / "corpus.index", 1 << 20)
    found = one(plain_world, "chunks")
    assert (found.state, found.outcome) == ("unknown", "blocked")
    assert found.failed is not None
    assert (found.failed.reason, found.failed.again) == ("it is closed.", "The next seed reads it again.")


def test_what_follows_from_what_is_said_once(plain_world: World) -> None:
    plain_world.raise_version("chunks")
    plain_world.summarizer.words = 5
    assert list(what_follows(explained(plain_world))) == [
        "From `chunks` follow `embeddings` and `lance_chunks`: they are computed only where results differ.",
        "From `summaries` follow `judgements`, `lance_documents` and `lance_judgements`: they are computed only where results "
        "differ.",
    ]
    edit(plain_world)
    assert list(what_follows(explained(plain_world))) == [
        "From `extracted_text` follow 9 stages after it: they are computed only where results differ.",
    ]


def test_a_result_with_a_reason_of_its_own_is_computed_whatever_comes_out_first(plain_world: World) -> None:
    """Not only if its input differs: a user who waits for that to be known would be surprised by the cost."""
    edit(plain_world)
    plain_world.summarizer.words = 5
    found = one(plain_world, "summaries")
    assert (found.outcome, texts(found), found.waits_for) == (
        "computed",
        ["summaries.words: 12 → 5"],
        ("extracted_text",),
    )
    plain_world.settings["summaries"] = {"when_model_changes": "keep"}
    assert one(plain_world, "summaries").outcome == "perhaps computed"


def test_units_of_all_kinds_are_explained_in_the_stages_that_have_them(plain_world: World) -> None:
    of = {
        name: [found.stage for found in explained(plain_world, name).stages]
        for name in (CORALS, "topic", "topic/1", "corpus")
    }
    assert of[CORALS] == list(EVERY_STAGE)
    assert of["topic"] == ["clusters", "corpus_map"]
    assert of["topic/1"] == ["cluster_summaries", "cluster_judgements", "lance_clusters"]
    assert of["corpus"] == ["categories", "lance_categories", "search_index"]
    plain_world.write("topic", essay("topics"))
    plain_world.write("topic.txt", essay("topics"))
    assert explained(plain_world, "topic.txt").unit == "topic.txt"


def test_maintenance_waits_for_the_rows_that_it_works_on(plain_world: World) -> None:
    current = one(plain_world, "search_index", "corpus")
    assert (current.state, current.outcome) == ("current", "reused")
    edit(plain_world)
    waiting = one(plain_world, "search_index", "corpus")
    assert (waiting.outcome, waiting.waits_for) == (
        "perhaps computed",
        ("lance_documents", "lance_chunks", "lance_concepts"),
    )


def test_a_cluster_that_no_clustering_has_any_more_is_removed(plain_world: World) -> None:
    with plain_world.session() as session:
        refs = session.store.refs
        refs.publish([replace_ref(ref, "topic/77") for ref in refs.get("lance_clusters", ["topic/1"]).values()])
    found = explained(plain_world, "topic/77")
    assert [(one.stage, one.state, one.outcome) for one in found.stages] == [("lance_clusters", "gone", "removed")]
    assert summary(found.stages[0]) == "a seed removes it: there is no such cluster any more"


def replace_ref(ref: Ref, unit: str) -> Ref:
    return Ref(ref.stage, unit, ref.action_key, ref.content_digest, ref.run_id, ref.state)


@pytest.mark.parametrize(
    ("unit", "stage", "said"),
    [
        ("corals.txt", "", "There is no document 'corals.txt'. Did you mean reefs/corals.txt"),
        ("topic/99", "", "There is no cluster 'topic/99'. Did you mean topic/1"),
        (CORALS, "sumaries", "There is no stage 'sumaries'. Did you mean summaries or"),
        (CORALS, "clusters", "The stage clusters has results of cluster types, such as topic, and none of a document."),
        ("topic", "chunks", "The stage chunks has results of documents, and none of a cluster type."),
        ("corpus", "chunks", "The stages with a result of the corpus as a whole are categories, lance_categories,"),
    ],
)
def test_an_unknown_unit_or_stage_is_refused_with_the_nearest_ones(
    unit: str, stage: str, said: str, plain_world: World
) -> None:
    with pytest.raises(ConfigurationError) as raised:
        explained(plain_world, unit, stage)
    assert said in str(raised.value)


def test_a_plan_that_explains_a_document_says_the_same_as_one_that_does_not(plain_world: World) -> None:
    """`explain` and `plan` must not give two answers."""
    edit(plain_world)
    plain_world.raise_version("concepts")

    def said(plan: Plan) -> list[Any]:
        return [(stage.states, stage.todo, stage.computing, stage.finished) for stage in plan.stages.values()]

    with plain_world.session() as session:
        plain, explaining = session.plan(), session.plan(explained={CORALS, "topic", ""})
        assert said(plain) == said(explaining)
        assert not any(stage.actions for stage in plain.stages.values())
        for name in ALONE:
            action = explaining.stages[name].actions[CORALS]
            ref = session.store.refs.get(name, [CORALS])[CORALS]
            assert action.key in ("", ref.action_key) or explaining.stages[name].states[CORALS] == "stale"


def test_nothing_is_written_by_an_explanation(plain_world: World) -> None:
    edit(plain_world)
    store = plain_world.store()
    before = store.database.read("SELECT COUNT(*), MAX(created_at) FROM actions"), store.refs.get("summaries")
    store.close()
    explained(plain_world)
    store = plain_world.store()
    try:
        assert (
            store.database.read("SELECT COUNT(*), MAX(created_at) FROM actions"),
            store.refs.get("summaries"),
        ) == before
    finally:
        store.close()


def test_the_earlier_value_of_an_input_may_be_lost(plain_world: World) -> None:
    store = plain_world.store()
    digest = store.refs.get("extracted_text", [CORALS])[CORALS].content_digest
    store.close()
    read(plain_world)
    store = plain_world.store()
    store.database.write(("DELETE FROM objects WHERE content_digest = ?", [(digest,)])).result()
    store.close()
    assert texts(one(plain_world, "summaries")) == [
        "The result of `extracted_text` changed; one of the two values is not in the store any more"
    ]


def test_no_change_is_made_up_for_another_document(plain_world: World) -> None:
    edit(plain_world)
    assert {found.outcome for found in explained(plain_world, "rails/points.md").stages[:10]} == {"reused"}
    assert replace(one(plain_world, "chunks", "rails/points.md"), made=None).changes == ()
