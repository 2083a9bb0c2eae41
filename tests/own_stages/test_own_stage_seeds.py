"""Seeds with stages of the user: nothing is computed twice, whatever changes or fails, and nothing is lost when a module goes."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from resources.errors import ConfigurationError
from seed_assets.checking.check_run import checks_of, run_check
from seed_assets.explaining.explanation import explain
from seed_assets.seeding.seeding import SeedOptions
from seed_assets.session.forgetting import forget
from seed_assets.session.stage_notes import stage_notes
from tests.support.model_answers import Call
from tests.support.model_server import ModelServer
from tests.support.own_modules import COUNTING, OwnModules, own_modules_in
from tests.support.pipelines import World, essay

pytestmark = pytest.mark.slow
OWN = ("word_count", "lance_word_counts")


@pytest.fixture
def modules(tmp_path: Path, own_environment: None) -> Iterator[OwnModules]:
    yield from own_modules_in(tmp_path / "mine")


@pytest.fixture
def world(plain_world: World, modules: OwnModules) -> World:
    """Six documents, seeded before the module was named."""
    modules.write("my_stages", COUNTING)
    plain_world.settings = modules.settings("my_stages")
    return plain_world


def own(calls: dict[str, int]) -> dict[str, int]:
    assert calls.keys() <= set(OWN), calls
    return calls


def notes(world: World, *, unlisted: bool = False) -> list[str]:
    with world.session() as session:
        return list(stage_notes(session).sentences(unlisted=unlisted))


def test_a_module_that_is_named_computes_its_stages_alone_and_once(world: World) -> None:
    assert own(world.seed().calls) == {"word_count": 6, "lance_word_counts": 6}
    assert [row["words"] for row in world_rows(world)] == [
        len((world.corpus / row["document_id"]).read_text().split()) for row in world_rows(world)
    ]
    assert world.seed().calls == {}
    assert world.all_states() == {"current"}
    assert notes(world, unlisted=True) == []


def world_rows(world: World) -> list[dict[str, Any]]:
    with world.session() as session:
        return session.tables.read("word_counts").to_pylist()


def test_one_edited_document_is_computed_again_alone_and_a_removed_one_leaves_the_table(world: World) -> None:
    world.seed()
    world.write("reefs/corals.txt", essay("corals", 5))
    calls = world.seed().calls
    assert {name: calls[name] for name in OWN} == {"word_count": 1, "lance_word_counts": 1}
    (world.corpus / "reefs/corals.txt").unlink()
    world.seed()
    assert len(world_rows(world)) == 5


def test_a_module_that_is_taken_out_and_named_again_costs_nothing(world: World) -> None:
    """Documents that were removed meanwhile leave its table too."""
    world.seed()
    settings, world.settings = world.settings, {}
    assert world.seed().calls == {}
    assert notes(world) == []
    (said,) = notes(world, unlisted=True)
    assert "lance_word_counts (6 results), word_count (6 results), table word_counts" in said
    assert "seedbank forget" in said
    (world.corpus / "reefs/corals.txt").unlink()
    world.seed()
    world.settings = settings
    assert own(world.seed().calls) == {}
    assert len(world_rows(world)) == 5
    assert world.all_states() == {"current"}


def test_what_is_forgotten_is_gone_and_computes_nothing_when_it_comes_back(world: World) -> None:
    world.seed()
    settings, world.settings = world.settings, {}
    with world.session() as session:
        with pytest.raises(ConfigurationError, match=r"summaries is in use"):
            forget(session, ["lance_word_counts", "summaries"])
        with pytest.raises(ConfigurationError, match=r"'word_counted'\. Did you mean word_count.*Nothing was removed"):
            forget(session, ["word_counted"])
        found = forget(session, ["word_count", "lance_word_counts"])
    assert found.results == {"word_count": 6, "lance_word_counts": 6}
    assert found.tables == ["word_counts"]
    assert notes(world, unlisted=True) == []
    world.settings = settings
    assert own(world.seed().calls) == {"lance_word_counts": 6}
    assert len(world_rows(world)) == 6


def test_changed_code_is_reported_until_the_version_is_raised(world: World, modules: OwnModules) -> None:
    world.seed()
    changed = COUNTING.replace("text.split()", "text.split(' ')")
    modules.write("my_stages", changed)
    assert world.seed().calls == {}
    (said,) = notes(world)
    assert said.startswith("The code of word_count has changed since its version 1 was first used")
    with world.session() as session:
        (change,) = stage_notes(session).changed
        explained = explain(session, "reefs/corals.txt", "word_count")
    assert "+    return len(extracted_text.text.split(' '))" in change.lines
    assert explained.code == (change,)
    assert explained.stages[0].outcome == "reused"
    modules.write("my_stages", changed.replace('@value_stage(version="1"', '@value_stage(version="2"'))
    assert own(world.seed().calls)["word_count"] == 6
    assert notes(world) == []


def test_a_sink_whose_code_or_columns_change_is_written_again_without_computing(
    world: World, modules: OwnModules
) -> None:
    """Rows cost nothing, and a column of another type must not need a new table."""
    world.seed()
    modules.write("my_stages", COUNTING.replace('{"words": word_count}', '{"words": word_count + 1}'))
    before = [row["words"] for row in world_rows(world)]
    assert own(world.seed().calls) == {"lance_word_counts": 6}
    assert [row["words"] for row in world_rows(world)] == [words + 1 for words in before]
    text = COUNTING.replace('"words", "int64"', '"words", "string"').replace(
        '"words": word_count', '"words": str(word_count)'
    )
    modules.write("my_stages", text)
    assert own(world.seed().calls) == {"lance_word_counts": 6}
    assert [row["words"] for row in world_rows(world)] == [str(words) for words in before]


@pytest.mark.parametrize(
    ("before", "after", "reason"),
    [
        ("return len(", "return 1 // 0 or len(", "ZeroDivisionError"),
        ("return len(", "raise SystemExit(3)\n    return len(", "SystemExit"),
        ("return len(extracted_text.text.split())", "return extracted_text.text", "returns int, and this is none"),
        ("return len(extracted_text.text.split())", "return object()", "returns int, and this is none"),
        ("preview=str", "preview=lambda value: 1 // 0", "ZeroDivisionError"),
        ('{"words": word_count}', '{"words": 1 // 0}', "ZeroDivisionError"),
        ('{"words": word_count}', "{}", "a row has no words"),
        ('{"words": word_count}', '{"words": "many"}', "a value of words is no int64"),
        ('{"words": word_count}', '{"words": None}', "column words must not be null"),
        ('{"words": word_count}', '{"words": 2**70}', "a value of words is no int64"),
        ("return document_rows(", "return None\n    document_rows(", "'NoneType' object is not iterable"),
        ("return document_rows(", "return 'abc'\n    document_rows(", "returns a str in the place of a row"),
        ("return document_rows(", "return [None]\n    document_rows(", "returns a NoneType in the place of a row"),
        ("return document_rows(", "raise SystemExit(3)\n    document_rows(", "SystemExit: 3"),
        ('{"words": word_count}', '{"words": word_count, "document_id": "other"}', "rows of document_id"),
        (
            '{"words": word_count}',
            '{"words": 1, "row_id": "a"}, {"words": 2, "row_id": "a"}',
            "two rows with the same row_id",
        ),
    ],
)
def test_what_a_stage_does_wrong_fails_its_documents_alone_and_is_right_after_the_correction(
    world: World, modules: OwnModules, before: str, after: str, reason: str
) -> None:
    """Only the document about corals meets the fault."""
    of_rows = "word_count}" in before or "document_rows" in before
    function, line = ("", "document_id") if of_rows else ("word_count", "extracted_text.text")
    wrong = COUNTING.replace(before, after)
    assert wrong != COUNTING
    modules.write("my_stages", wrong)
    failed = world.seed()
    stage = "word_count" if function else "lance_word_counts"
    assert {one.stage for one in failed.report.failures} == {stage}
    assert len(failed.report.failures) == 6
    assert all(reason in one.reason for one in failed.report.failures), failed.report.failures[0].reason
    assert failed.report.exit_code == 1, line
    # Nothing of the project's own was touched.
    assert not failed.calls.keys() - set(OWN)
    modules.write("my_stages", COUNTING)
    right = world.seed(retry_failed=True)
    assert right.failed() == set()
    assert own(right.calls)["lance_word_counts"] == 6
    assert right.calls.get("word_count", 0) == (6 if stage == "word_count" else 0)
    assert world.seed().calls == {}


def test_a_sink_may_return_its_rows_one_by_one(world: World, modules: OwnModules) -> None:
    modules.write("my_stages", COUNTING.replace("return document_rows(", "yield from document_rows("))
    assert own(world.seed().calls) == {"word_count": 6, "lance_word_counts": 6}
    assert len(world_rows(world)) == 6


def test_a_check_whose_code_fails_is_a_finding_and_the_others_are_run(world: World, modules: OwnModules) -> None:
    modules.write(
        "my_stages",
        "from seedbank.stages import Finding, StageCheck\nCHECKS = (\n"
        "    StageCheck('broken', 'error', lambda published: 1 / 0),\n"
        "    StageCheck('quickly', 'error', lambda published: 1 / 0, quick=True),\n"
        "    StageCheck('odd', 'error', lambda published: None),\n"
        "    StageCheck('sound', 'error', lambda published: Finding()),\n)\n"
        + COUNTING.replace("preview=str", "preview=str, checks=CHECKS"),
    )
    assert own(world.seed().calls) == {"word_count": 6, "lance_word_counts": 6}
    with world.session() as session:
        runner = session.runner()
        found = {
            check.name: run_check(runner, check).offenders
            for check in checks_of(session.pipeline)
            if check.stage == "word_count"
        }
    fails = {"word_count": "the check's code failed: ZeroDivisionError: division by zero"}
    assert found == {
        "broken": fails,
        "quickly": fails,
        "odd": {"word_count": "the check's code returned NoneType, and has to return a Finding"},
        "sound": {},
    }


def test_rows_of_two_documents_with_one_key_are_a_fault_of_the_table(world: World, modules: OwnModules) -> None:
    modules.write("my_stages", COUNTING.replace('{"words": word_count}', '{"words": 1, "row_id": "a"}'))
    failed = world.seed()
    assert failed.report.exit_code == 1
    assert any("two rows with the same row_id" in one.reason for one in failed.report.failures)
    modules.write("my_stages", COUNTING)
    assert own(world.seed().calls) == {"lance_word_counts": 6}


def test_a_table_that_another_stage_has_written_is_not_touched(world: World, modules: OwnModules) -> None:
    world.seed()
    rows = world_rows(world)
    other = COUNTING.replace("lance_word_counts", "lance_other").replace('"words", "int64"', '"words", "string"')
    other = other.replace("async def word_count(", "async def other_count(").replace(
        "word_count: int", "other_count: int"
    )
    modules.write("others", other)
    world.settings = modules.settings("others")
    with pytest.raises(
        ConfigurationError, match=r"lance_other \(module others\).*word_counts.*has not written.*another name"
    ):
        world.seed()
    world.settings = modules.settings("my_stages")
    assert world_rows(world) == rows
    assert world.seed().calls == {}


def test_some_stages_may_be_seeded_alone(world: World) -> None:
    assert own(world.seed(SeedOptions(stages=("word_count",))).calls) == {"word_count": 6}


TONES = """
from typing import Annotated

from pydantic import BaseModel, field_validator
from seedbank.stages import ExtractedText, Prompted, PromptedModel, Reuse, value_stage


class Tone(BaseModel):
    tone: str

    @field_validator("tone")
    @classmethod
    def known(cls, value: str) -> str:
        if value != "glad":
            raise ValueError("the tone has to be glad")
        return value


@value_stage(version="1", preview=lambda tone: tone.tone)
async def tones(
    extracted_text: ExtractedText, *, model: Annotated[PromptedModel[Tone], Prompted("tones.md", Tone)], reuse: Reuse
) -> Tone:
    return await model.answer(extracted_text.text, reuse)
"""


@pytest.mark.integration
def test_what_a_validator_of_an_answer_refuses_is_asked_once_more(plain_world: World, modules: OwnModules) -> None:
    """Kept answers are checked by the code as it is now, so that a changed validator never fails a stage with its own error."""

    def answer(call: Call) -> str:
        told = "has to be glad" in call.texts()[-1]
        corals = any("coral" in text for text in call.texts())
        return json.dumps({"tone": "glad" if told or not corals else "sad"})

    modules.write("my_stages", TONES)
    (modules.folder / "tones.md").write_text("Which tone?\n\n{text}\n")
    with ModelServer(answer=answer) as server:
        llm = {"provider": "openai", "base_url": f"{server.url}/v1", "model": "scripted", "rpm": 0}
        plain_world.settings = {**modules.settings("my_stages"), "llm": llm}
        only = SeedOptions(stages=("tones",))
        assert plain_world.seed(only).failed() == set()
        assert len(server.calls) == 7
        modules.write("my_stages", TONES.replace('"glad":', '"sad":').replace('version="1"', 'version="2"'))
        failed = plain_world.seed(only)
        assert len(failed.report.failures) == 5
        assert "the tone has to be glad" in failed.report.failures[0].reason
        # What this code has refused and accepted before is known.
        asked = len(server.calls)
        modules.write("my_stages", TONES.replace('version="1"', 'version="3"'))
        assert plain_world.seed(only).failed() == set()
        assert len(server.calls) == asked
