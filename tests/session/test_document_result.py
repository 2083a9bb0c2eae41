"""One result of one document: it is found by name, and its state is the one that a plan of all documents gives.

What belongs here: states, values and names. What does not: how they are printed (tests/cli/test_show).
"""

import shutil

import pytest

from resources.errors import ConfigurationError
from seed_assets.core.concepts.concepts import Concepts
from seed_assets.core.reading.extracted_text import ExtractedText
from seed_assets.graph.stage import Units
from seed_assets.seeding.seeding import SeedOptions
from seed_assets.session.document_result import DocumentResult, document_result
from tests.support.pipelines import World, essay, refusal

CORALS = "reefs/corals.txt"


def result(world: World, document: str = CORALS, stage: str = "") -> DocumentResult:
    with world.session() as session:
        return document_result(session, document, stage)


@pytest.mark.slow
def test_every_state_is_that_of_a_plan_of_all_documents(plain_world: World) -> None:
    """`show` plans one document by itself, and `status` all of them: a user must not get two answers."""
    world = plain_world
    world.write("broken/empty.txt", b"")
    world.write("rails/other.txt", essay("flour and sleepers"))
    world.summarizer.failing = {"sleepers": refusal()}
    world.seed()
    world.write("reefs/fish.txt", essay("trout"))
    world.write("reefs/new.txt", essay("anemones"))
    world.raise_version("chunks")
    states = world.plan().states()
    seen: set[str] = set()
    with world.session() as session:
        stages = [stage.name for stage in session.pipeline.of_units(Units.DOCUMENTS) if stage.kind == "value"]
        for document in states:
            for stage in stages:
                found = document_result(session, document, stage)
                assert found.state == states[document][stage], (document, stage)
                assert (found.value is None) == (stage not in published(world, document)), (document, stage)
                seen.add(found.state)
    assert seen == {"current", "stale", "failed", "blocked", "missing"}


def published(world: World, document: str) -> set[str]:
    store = world.store()
    try:
        return {stage for (stage,) in store.database.read("SELECT stage FROM refs WHERE partition = ?", (document,))}
    finally:
        store.close()


def test_the_text_is_shown_by_default_and_concepts_come_with_the_text_that_they_are_from(plain_world: World) -> None:
    text = result(plain_world)
    assert (text.document, text.stage, text.state, text.reason) == (CORALS, "extracted_text", "current", "")
    assert isinstance(text.value, ExtractedText)
    concepts = result(plain_world, stage="concepts")
    assert isinstance(concepts.value, Concepts)
    assert concepts.inputs == (text.value,)


def test_what_a_result_was_made_from_is_the_earlier_text_if_the_text_has_changed_since(plain_world: World) -> None:
    """The places of concepts in another text would be any words."""
    before = result(plain_world).value
    plain_world.write(CORALS, essay("polyps"))
    plain_world.seed(SeedOptions(stages=("extracted_text",)))
    concepts = result(plain_world, stage="concepts")
    assert concepts.state == "stale"
    assert concepts.inputs == (before,)
    assert result(plain_world).value != before


@pytest.mark.slow
def test_a_reason_or_a_failure_says_why_a_result_is_not_current(plain_world: World) -> None:
    world = plain_world
    world.summarizer.failing = {"anemones": refusal()}
    world.write("reefs/new.txt", essay("anemones"))
    missing = result(world, "reefs/new.txt")
    assert (missing.state, missing.reason, missing.value) == ("missing", "new document", None)
    world.seed()
    failed = result(world, "reefs/new.txt", "summaries")
    assert (failed.state, failed.failed_in) == ("failed", "summaries")
    assert failed.failure is not None
    assert (failed.failure.reason, failed.failure.remedy) == ("the model refused.", "Ask another one.")
    blocked = result(world, "reefs/new.txt", "judgements")
    assert (blocked.state, blocked.failed_in, str(blocked.failure)) == ("blocked", "summaries", str(failed.failure))
    world.write(CORALS, essay("polyps"))
    stale = result(world)
    assert (stale.state, stale.value is None) == ("stale", False)
    assert stale.reason.startswith("source")


def test_what_is_published_is_found_when_the_file_or_the_whole_corpus_is_gone(plain_world: World) -> None:
    (plain_world.corpus / CORALS).unlink()
    gone = result(plain_world)
    assert (gone.state, isinstance(gone.value, ExtractedText)) == ("gone", True)
    shutil.rmtree(plain_world.corpus)
    unknown = result(plain_world, stage="summaries")
    assert unknown.state == "unknown"
    assert "There is no corpus folder" in unknown.reason
    assert unknown.value is not None


def test_a_document_may_be_named_by_its_file(plain_world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """A shell completes paths, not ids."""
    odd = plain_world.write("reefs/50%, at most.md", essay("shares"))
    for named in (str(odd), "reefs/50%, at most.md", "./reefs/50%, at most.md", "reefs/50%25%2C at most.md"):
        assert result(plain_world, named).document == "reefs/50%25%2C at most.md"
    monkeypatch.chdir(plain_world.corpus / "reefs")
    assert result(plain_world, "corals.txt").document == CORALS
    assert result(plain_world, "../rails/points.md").document == "rails/points.md"


@pytest.mark.parametrize(
    ("document", "stage", "message"),
    [
        (
            "old.doc",
            "",
            "'old.doc'. Files with the suffix .doc are not read. Save such files in a word processor as DOCX.",
        ),
        ("data.XYZ", "", "'data.XYZ'. Files with the suffix .xyz are not read. `seedbank status"),
        ("corals.txt", "", "There is no document 'corals.txt'. Did you mean reefs/corals.txt"),
        ("reef/coral.txt", "", "Did you mean reefs/corals.txt"),
        ("zzzz\udce9", "", "There is no document 'zzzz"),
        (CORALS, "sumaries", "There is no stage 'sumaries'. Did you mean summaries?"),
        (CORALS, "clusters", "The stage clusters has results of cluster types, and none of a single document."),
        (
            CORALS,
            "lance_chunks",
            "it works on the table chunks. The stages with a result of each document are extracted_text",
        ),
    ],
)
def test_an_unknown_name_is_refused_with_the_nearest_ones(
    plain_world: World, document: str, stage: str, message: str
) -> None:
    with pytest.raises(ConfigurationError) as raised:
        result(plain_world, document, stage)
    assert message in str(raised.value)
