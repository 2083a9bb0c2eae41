"""Other settings tried on some documents: what is compared, that nothing is published, and that adopting them pays nothing twice.

What belongs here: comparisons in this process, with counted resources. What does not: a model's server (test_compared_models),
the choice of documents (test_sample), and what is printed (tests/cli/test_compare).
"""

import copy
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from resources.endpoints.llm import Usage
from resources.errors import ConfigurationError
from seed_assets.comparing.comparing import CompareOptions, compare
from seed_assets.comparing.comparison import Comparison, Spent
from seed_assets.seeding.seeding import SeedOptions
from tests.conftest import DOCUMENTS
from tests.support.pipelines import World, essay, refusal

CORALS = "reefs/corals.txt"


def other(world: World, **summarizer: Any) -> World:
    """The same corpus and home with another summarizer, and settings of its own."""
    found = copy.copy(world)
    found.summarizer = replace(world.summarizer, texts=[], **summarizer)
    found.settings = dict(world.settings)
    return found


def compared(world: World, changed: World, **options: Any) -> Comparison:
    with world.session() as session, changed.session() as trial:
        return compare(session, trial, CompareOptions(**options))


def state_of(world: World) -> dict[str, Any]:
    """Everything that is published: all refs, and the versions of all tables."""
    store = world.store()
    try:
        refs = store.database.read(
            "SELECT stage, partition, action_key, content_digest, state, run_id FROM refs ORDER BY 1, 2"
        )
    finally:
        store.close()
    files = sorted(str(path.relative_to(world.home)) for path in (world.home / "lancedb").rglob("*"))
    return {"refs": refs, "files": files, "rows": world.rows("documents")}


def test_both_results_are_shown_and_nothing_is_published(plain_world: World) -> None:
    """A trial that published would change what readers of the tables see."""
    before = state_of(plain_world)
    found = compared(plain_world, other(plain_world, words=5), sample=3)
    assert state_of(plain_world) == before
    assert plain_world.all_states() == {"current"}
    assert [change.text for change in found.changes["summaries"]] == ["summaries.words: 12 → 5"]
    assert found.stages() == ["summaries", "judgements"]
    assert (len(found.documents), found.candidates, found.stopped, found.failed) == (3, len(DOCUMENTS), "", False)
    for one in found.documents:
        summaries, judgements = one.stages
        assert summaries.before is not None
        assert summaries.now is not None
        assert len(summaries.before.shown.split()) == 12
        assert len(summaries.now.shown.split()) == 5
        assert summaries.difference == "7 of 12 words gone"
        assert judgements.difference.startswith("the summary: 7 of 12 words gone")
    assert found.different("summaries") == 3
    assert found.verdicts()[0][0].decision == found.verdicts()[1][0].decision == "copied"
    # Stages with results of clusters are concerned too, and are not in a sample of documents.
    assert found.elsewhere == ("cluster_summaries", "cluster_judgements", "corpus_map")


@pytest.mark.slow
def test_adopting_the_settings_computes_nothing_twice(plain_world: World) -> None:
    """Otherwise a user would pay for the sample once more."""
    changed = other(plain_world, words=5, usd=0.25)
    found = compared(plain_world, changed, sample=4)
    assert len(changed.summarizer.texts) == 4
    assert found.paid == Spent(4, 440, 1.0, 0, found.paid.seconds)
    adopted = changed.seed()
    assert adopted.calls["summaries"] == adopted.calls["judgements"] == len(DOCUMENTS) - 4
    tried = {one.document for one in found.documents}
    texts = {document: (changed.corpus / document).read_text().strip() for document in tried}
    assert not [text for text in changed.summarizer.texts[4:] if text.strip() in texts.values()]
    assert compared(plain_world, changed, sample=4).paid.requests == 0


@pytest.mark.slow
def test_the_cost_of_all_documents_follows_from_that_of_the_sample(plain_world: World) -> None:
    for document in DOCUMENTS:
        plain_world.write(document, essay(document.replace("/", " "), paragraphs=3))
    plain_world.seed()
    found = compared(plain_world, other(plain_world, words=5, usd=0.25), sample=3)
    assert found.projection is not None
    assert found.projection.documents == 3
    assert found.projection.expected.usd == pytest.approx(0.75, rel=0.05)
    assert found.projection.expected.requests == 3
    before, now = found.costs("summaries")
    assert (before.usd, now.usd, now.requests) == (0.0, 0.75, 3)


def test_a_document_that_fails_is_shown_and_the_others_are_compared(plain_world: World) -> None:
    changed = other(plain_world, words=5, failing={"corals": refusal()})
    found = compared(plain_world, changed, sample=6)
    by_document = {one.document: one.stages for one in found.documents}
    assert found.failed
    assert [stage.failure for stage in by_document[CORALS]] == [
        "the model refused. Ask another one.",
        "summaries failed: the model refused. Ask another one.",
    ]
    assert by_document[CORALS][0].before is not None
    assert sum(bool(stage.failure) for stages in by_document.values() for stage in stages) == 2
    assert len(found.both("summaries")) == 5
    # The failure is that of an action, so a seed does not repeat it, and the settings in use are not affected.
    assert plain_world.all_states() == {"current"}


@pytest.mark.slow
def test_a_budget_ends_a_comparison_and_keeps_what_was_paid(plain_world: World) -> None:
    for number in range(34):
        plain_world.write(f"more/{number}.txt", essay(f"subject {number}", paragraphs=1))
    plain_world.seed(SeedOptions(stages=("summaries",)))
    changed = other(plain_world, words=5, usd=0.25)
    found = compared(plain_world, changed, sample=40, max_usd=0.5)
    assert found.stopped == "the budget of $0.5 is spent"
    tried = len(changed.summarizer.texts)
    assert 2 <= tried < 40
    untried = [one.stages[0].failure for one in found.documents if one.stages[0].now is None]
    assert len(untried) == 40 - tried
    assert set(untried) == {"not tried: the budget of $0.5 is spent"}
    assert not found.failed
    changed.seed(SeedOptions(stages=("summaries",)))
    assert len(changed.summarizer.texts) == 40


def test_only_the_stages_that_are_asked_for_are_compared(plain_world: World) -> None:
    changed = other(plain_world, words=5)
    changed.settings["chunks"] = {"characters": 300}
    every = compared(plain_world, changed, sample=1)
    assert every.stages() == ["chunks", "embeddings", "summaries", "judgements"]
    some = compared(plain_world, changed, sample=1, stages=("chunks",))
    assert some.stages() == ["chunks"]
    (one,) = some.documents
    assert one.stages[0].difference.endswith("more than before")
    for wrong, said in (
        ("clusters", "clusters cannot be compared: only results of single documents can."),
        ("lance_chunks", "lance_chunks cannot be compared"),
        ("chunk", "There is no stage chunk."),
    ):
        with pytest.raises(ConfigurationError) as raised:
            compared(plain_world, changed, stages=(wrong,))
        assert str(raised.value).startswith(said)


def test_settings_without_an_effect_run_nothing(plain_world: World) -> None:
    same = other(plain_world)
    found = compared(plain_world, same)
    assert (dict(found.changes), found.documents, found.elsewhere, found.projection) == ({}, [], (), None)
    clusters = other(plain_world)
    clusters.settings["clusters"] = {"smallest": 2}
    elsewhere = compared(plain_world, clusters)
    assert elsewhere.documents == []
    assert "clusters" in elsewhere.elsewhere
    assert same.summarizer.texts == clusters.summarizer.texts == []


def test_what_has_changed_since_the_last_seed_is_compared_without_any_setting(plain_world: World) -> None:
    """A prompt or a version is no setting, and is paid for all the same."""
    plain_world.raise_version("concepts")
    found = compared(plain_world, other(plain_world), sample=2)
    assert [change.part for change in found.changes["concepts"]] == ["version"]
    assert found.stages() == ["concepts", "judgements"]
    assert found.different("concepts") == 0


def test_a_file_that_changed_is_no_change_of_the_settings(plain_world: World) -> None:
    plain_world.write(CORALS, essay("polyps"))
    assert compared(plain_world, other(plain_world)).changes == {}


def test_results_that_the_settings_keep_are_compared_all_the_same(plain_world: World) -> None:
    """A person who compares wants to see the new results, and to know that a seed would keep the old ones."""
    changed = other(plain_world, words=5)
    changed.settings["summaries"] = {"when_model_changes": "keep"}
    found = compared(plain_world, changed, sample=1)
    assert found.kept == ("summaries",)
    assert found.different("summaries") == 1


def test_what_is_tried_is_said_before_anything_is_computed(plain_world: World) -> None:
    said: list[tuple[list[str], int]] = []
    changed = other(plain_world, words=5)

    def announce(documents: Sequence[str], at_most: Usage) -> None:
        said.append((list(documents), len(changed.summarizer.texts)))

    with plain_world.session() as session, changed.session() as trial:
        found = compare(session, trial, CompareOptions(sample=2), announce=announce)
    assert said == [([one.document for one in found.documents], 0)]


def test_documents_are_chosen_among_those_that_match_and_have_a_result(plain_world: World, tmp_path: Path) -> None:
    changed = other(plain_world, words=5)
    plain_world.write("reefs/new.txt", essay("anemones"))
    found = compared(plain_world, changed, sample=10, documents="reefs/*")
    assert [one.document for one in found.documents] == [CORALS, "reefs/fish.txt"]
    with pytest.raises(ConfigurationError, match="No document matches"):
        compared(plain_world, changed, documents="nothing/*")
    with pytest.raises(ConfigurationError, match="No document has a published result to compare with"):
        compared(plain_world, changed, documents="reefs/new.txt")


def test_a_document_with_a_changed_file_is_read_for_the_trial(plain_world: World) -> None:
    """The published result is of the earlier file, and that is what the new one is compared with."""
    plain_world.write(CORALS, essay("polyps"))
    found = compared(plain_world, other(plain_world, words=5), documents=CORALS)
    (one,) = found.documents
    assert one.stages[0].now is not None
    assert one.stages[0].now.shown == "Of polyps the note 0.0"
    assert plain_world.states(CORALS)["extracted_text"] == "stale"
