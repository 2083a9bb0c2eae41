"""A new version of the reading: what is read again, what is paid for again, and what is kept if the settings say so.

What belongs here: homes seeded with one version of the extraction and then with the next, in which one of several texts is
different. What does not: what is kept of another model (test_free_stages), and what readers read (tests/core/reading).
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import msgspec
import pytest
from typer.testing import CliRunner

from cli.main import app
from io_managers.store.refs import Ref
from resources.endpoints.llm import Usage
from seed_assets.core.reading.extracted_text import ExtractedText
from seed_assets.core.workers import parser_pool
from seed_assets.graph.pipeline import Pipeline
from seed_assets.graph.stage import Source
from seed_assets.seeding.seeding import SeedOptions
from tests.conftest import DOCUMENTS
from tests.support.pdf_files import lines, pdf
from tests.support.pipelines import CountingSummarizer, Seeded, World, essay, use_in_commands

pytestmark = pytest.mark.slow

N = len(DOCUMENTS)
USD = 0.25
# What the next version of the reading finds at the end of the one text that it reads otherwise.
FOUND = "\n\nA foot note that nobody had read before."
CHANGED = "reefs/corals.txt"
KEEP = {"extraction": {"when_version_changes": "keep"}}


@dataclass
class PaidSummarizer(CountingSummarizer):
    """One that says beforehand what it will charge: the same for each document."""

    usd: float = USD

    def estimate(self, characters: int) -> Usage:
        return Usage(requests=1, input_tokens=100, output_tokens=10, usd=self.usd)


@pytest.fixture
def paid_world(empty_plain_world: World, monkeypatch: pytest.MonkeyPatch) -> World:
    """Six documents, seeded with summaries that were paid for; commands see the same pipeline as seeds."""
    world = empty_plain_world
    world.write("bread/flour.md", f"---\nsubject: baking\n---\n\n{essay('flour')}")
    world.settings = {"clusters": {"types": ["topic", "field:subject"]}}
    world.summarizer = PaidSummarizer()
    assert spent(world.seed()) == N * USD
    world.summarizer.texts.clear()

    use_in_commands(world, monkeypatch)
    return world


def read_otherwise(world: World) -> None:
    """Let the next version of the reading find more in one of the documents."""

    def change(pipeline: Pipeline) -> Pipeline:
        stage, fields = pipeline.stages["extracted_text"], pipeline.stages["fields"]

        async def extracted_text(source: Source, **used: Any) -> ExtractedText:
            read = await stage.function(source, **used)
            more = FOUND if "corals" in read.text else ""
            return msgspec.structs.replace(read, text=read.text + more)

        newer = replace(stage, version="next", function=extracted_text)
        return pipeline.with_stage(newer).with_stage(replace(fields, version="next"))

    world.change = change


def spent(seeded: Seeded) -> float:
    assert seeded.report.exit_code == 0, seeded.report
    return seeded.report.stages["summaries"].usd


def shown(world: World, command: str, *arguments: str) -> str:
    options = ("--corpus", str(world.corpus), "--home", str(world.home), *arguments)
    done = CliRunner().invoke(app, [command, *options], env={"COLUMNS": "200"})
    assert done.exit_code == 0, done.output
    return done.output


def planned(world: World) -> Mapping[str, Any]:
    return json.loads(shown(world, "plan", "--json"))["stages"]


def published(world: World, document: str) -> Ref:
    with world.session() as session:
        return session.store.refs.get("extracted_text", [document])[document]


def text_of(world: World, document: str) -> str:
    ref = published(world, document)
    with world.session() as session:
        return session.store.load(ref.content_digest, ExtractedText).text


def test_the_plan_says_how_many_documents_are_read_again_and_what_that_costs_at_most(paid_world: World) -> None:
    """An upgrade that asked a model for every document without a word would be paid before it is noticed."""
    read_otherwise(paid_world)
    stages = planned(paid_world)
    assert (stages["extracted_text"]["compute"], stages["extracted_text"]["computed_again"]) == (N, N)
    assert not stages["extracted_text"]["upper_bound"]
    assert (stages["summaries"]["compute"], stages["summaries"]["upper_bound"]) == (N, True)
    assert (stages["summaries"]["requests"], stages["summaries"]["usd"]) == (N, N * USD)
    printed = shown(paid_world, "plan")
    assert f"{N} documents are read again, which asks no model." in printed
    assert f"; at most {N} requests, about {N * 110} tokens, at most ${N * USD:.2f}." in printed
    row = next(line.split() for line in printed.splitlines() if line.startswith("summaries "))
    assert row[3:] == [f"≤{N}", "0", f"≤{N}", f"≤{N * 110}", f"≤{N * USD:.2f}"]
    assert paid_world.summarizer.texts == []


def test_only_the_document_whose_text_is_different_is_paid_for_again(paid_world: World) -> None:
    read_otherwise(paid_world)
    seeded = paid_world.seed()
    assert spent(seeded) == USD
    assert [text.endswith(FOUND) for text in paid_world.summarizer.texts] == [True]
    assert {name: seeded.computed[name] for name in ("extracted_text", "chunks", "summaries")} == {
        "extracted_text": N,
        "chunks": 1,
        "summaries": 1,
    }
    assert paid_world.all_states() == {"current"}


def test_a_plan_after_the_reading_is_exact(paid_world: World) -> None:
    """Reading is free, so the exact cost can be known before anything is paid, as the plan says."""
    read_otherwise(paid_world)
    assert "run `seedbank seed --stages extracted_text` first" in shown(paid_world, "plan")
    assert paid_world.seed(SeedOptions(stages=("extracted_text",))).computed == {"extracted_text": N}
    summaries = planned(paid_world)["summaries"]
    assert (summaries["compute"], summaries["upper_bound"], summaries["usd"]) == (1, False, USD)
    printed = shown(paid_world, "plan")
    assert "; 1 request, about 110 tokens, $0.2500." in printed
    assert "read again" not in printed
    assert spent(paid_world.seed()) == USD


def test_an_edited_document_is_not_said_to_be_read_again(paid_world: World) -> None:
    paid_world.write(CHANGED, essay("polyps"))
    assert planned(paid_world)["extracted_text"]["computed_again"] == 0
    assert "read again" not in shown(paid_world, "plan")


def test_documents_that_are_kept_are_neither_read_nor_paid_for_and_are_counted(paid_world: World) -> None:
    """What is kept would be unknown to its owner, who would think that everything was read by the new version."""
    read_otherwise(paid_world)
    paid_world.settings |= KEEP
    stages = planned(paid_world)
    assert {name: stage["kept"] for name, stage in stages.items() if stage["kept"]} == {
        "extracted_text": {"version: 2 -> next": N},
        "fields": {"version: 2 -> next": N},
    }
    kept = f"Kept from before, as the settings say (version: 2 -> next): extracted_text {N}, fields {N}\n"
    for command in ("plan", "status"):
        assert kept in shown(paid_world, command)
    assert json.loads(shown(paid_world, "status", "--json"))["kept"]["extracted_text"] == {"version: 2 -> next": N}
    assert "Nothing to do." in shown(paid_world, "plan")
    seeded = paid_world.seed()
    assert (seeded.computed, spent(seeded), paid_world.all_states()) == ({}, 0, {"current"})
    assert not text_of(paid_world, CHANGED).endswith(FOUND)


def test_new_and_edited_documents_are_read_by_the_new_version_while_others_are_kept(paid_world: World) -> None:
    read_otherwise(paid_world)
    paid_world.settings |= KEEP
    paid_world.write(CHANGED, essay("corals and polyps"))
    paid_world.write("reefs/new.txt", essay("corals and crabs"))
    seeded = paid_world.seed()
    assert spent(seeded) == 2 * USD
    assert {name: seeded.computed[name] for name in ("extracted_text", "fields")} == {"extracted_text": 2, "fields": 2}
    assert text_of(paid_world, CHANGED).endswith(FOUND)
    assert text_of(paid_world, "reefs/new.txt").endswith(FOUND)
    stages = planned(paid_world)
    assert stages["extracted_text"]["kept"] == stages["fields"]["kept"] == {"version: 2 -> next": N - 1}


def test_the_version_of_the_parser_alone_is_kept_too(paid_world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parser_pool, "EXTRACTION_VERSION", "next")
    assert planned(paid_world)["extracted_text"]["compute"] == N
    paid_world.settings |= KEEP
    stages = planned(paid_world)
    assert stages["extracted_text"]["kept"] == {"parser: extraction: 1 -> next": N}
    assert (stages["extracted_text"]["compute"], stages["fields"]["kept"]) == (0, {})


def test_another_engine_for_pictures_is_kept_too(paid_world: World) -> None:
    world = paid_world
    world.write("scan.pdf", pdf([lines("A page with letters.")]))
    world.seed()
    world.settings = world.settings | {"ocr": {"dpi": 200}}
    assert world.plan().stages["extracted_text"].states["scan.pdf"] == "stale"

    world.settings = world.settings | KEEP

    assert world.plan().stages["extracted_text"].kept_although() == {"source: ocr: dpi: 300 -> 200": 1}
    assert world.seed().calls == {}
    world.write("scan.pdf", pdf([lines("Another page with letters.")]))
    assert world.seed().calls["extracted_text"] == 1


def test_what_was_kept_is_read_again_when_the_setting_is_taken_back(paid_world: World) -> None:
    """A setting in the key would cost what it was to save; one that had changed what is published could not be taken back."""
    read_otherwise(paid_world)
    before = dict(paid_world.settings)
    paid_world.settings |= KEEP
    paid_world.seed()
    paid_world.settings = before
    assert spent(paid_world.seed()) == USD
    assert text_of(paid_world, CHANGED).endswith(FOUND)
    assert all(not stage["kept"] for stage in planned(paid_world).values())


def test_a_kept_text_whose_value_is_lost_is_read_by_the_new_version(paid_world: World) -> None:
    """A value made by the new version under the key of the old one would be a wrong result for ever."""
    read_otherwise(paid_world)
    paid_world.settings |= KEEP
    ref = published(paid_world, CHANGED)
    with paid_world.session() as session:
        lost = ("DELETE FROM objects WHERE content_digest = ?", [(ref.content_digest,)])
        session.store.database.write(lost).result()
    paid_world.raise_version("chunks")  # which has to open the text
    assert spent(paid_world.seed()) == USD
    assert text_of(paid_world, CHANGED).endswith(FOUND)
    assert published(paid_world, CHANGED).action_key != ref.action_key
    assert paid_world.all_states() == {"current"}


def test_what_is_kept_of_another_model_is_counted_in_the_same_way(paid_world: World) -> None:
    paid_world.settings |= {"summaries": {"when_model_changes": "keep"}}
    paid_world.summarizer = PaidSummarizer(words=13)
    assert {name: stage["kept"] for name, stage in planned(paid_world).items() if stage["kept"]} == {
        "summaries": {"summarizer: words: 12 -> 13": N}
    }
    assert "as the settings say (summarizer: words: 12 -> 13): summaries 6" in shown(paid_world, "status")
