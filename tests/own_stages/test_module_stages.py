"""What modules of users declare: it becomes a part of the pipeline, or is refused with its name and the reason."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from resources.errors import ConfigurationError
from resources.settings.config import load_settings
from seed_assets.graph.pipeline import Pipeline
from seed_assets.wiring import build_pipeline
from tests.support.own_modules import COUNTING, OwnModules, own_modules_in

IMPORTS = """
from typing import Annotated, Any
import msgspec
from pydantic import BaseModel
from seedbank.stages import *
"""
MODEL = {"llm": {"provider": "openai", "base_url": "http://127.0.0.1:9/v1", "model": "scripted"}}
PROMPTED = (
    IMPORTS
    + """
class Tone(BaseModel):
    tone: str

@value_stage(version="1", preview=str)
async def tone(
    extracted_text: ExtractedText, *, model: Annotated[PromptedModel[Tone], Prompted("tone.md", Tone)], reuse: Reuse
) -> Tone:
    return await model.answer(extracted_text.text, reuse)

@value_stage(version="1", preview=str)
async def louder(tone: Tone) -> str:
    return tone.tone.upper()
"""
)


@pytest.fixture
def modules(tmp_path: Path, own_environment: None) -> Iterator[OwnModules]:
    yield from own_modules_in(tmp_path / "mine")


def built(modules: OwnModules, *names: str, **settings: object) -> Pipeline:
    modules.forget()
    return build_pipeline(load_settings({**modules.settings(*(names or ("my_stages",))), **settings}))


def test_the_stages_of_a_module_are_in_the_pipeline_with_their_table_and_files(modules: OwnModules) -> None:
    path = modules.write("my_stages", COUNTING)
    pipeline = built(modules)
    assert list(pipeline.stages)[-2:] == ["word_count", "lance_word_counts"]
    assert pipeline.stages["word_count"].declared_in == "module my_stages"
    assert [column.name for column in pipeline.tables["word_counts"].columns] == [
        *("row_id", "document_id", "words", "content_digest")
    ]
    assert str(path) in pipeline.files
    assert pipeline.templates["word_count"].action({"extracted_text": "sha256:0"}).parts == {
        "version": "1",
        "extracted_text": "sha256:0",
    }


def test_what_a_module_imports_of_the_project_is_not_its_own(modules: OwnModules) -> None:
    modules.write("my_stages", COUNTING + "from seed_assets.stages.documents.chunks import chunks\n")
    assert list(built(modules).stages)[-2:] == ["word_count", "lance_word_counts"]


def test_stages_of_several_modules_may_use_each_other(modules: OwnModules) -> None:
    modules.write("first", "from second import word_count\n" + IMPORTS + _value("longer", "word_count: int", "int"))
    modules.write("second", COUNTING)
    stages = built(modules, "first", "second").stages
    assert [name for name in stages if stages[name].declared_in] == ["word_count", "longer", "lance_word_counts"]


def test_front_matter_is_read_if_a_stage_needs_it(modules: OwnModules) -> None:
    modules.write("my_stages", IMPORTS + _value("subjects", "fields: Any", "str"))
    assert {"fields", "subjects"} <= built(modules).stages.keys()


def _value(name: str, parameters: str, returns: str, decorator: str = 'value_stage(version="1", preview=str)') -> str:
    return f"@{decorator}\nasync def {name}({parameters}) -> {returns}: ...\n"


def _sink(name: str, parameters: str, table: str = "document_table('mine')") -> str:
    return f'@sink_stage(version="1", table={table})\ndef {name}({parameters}) -> list[dict[str, Any]]: ...\n'


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", r"my_stages of `stages.modules` declares no stage"),
        ("def stage(): ...", r"declares no stage"),
        ("from seed_assets.stages.documents.chunks import chunks", r"declares no stage"),
        (_value("a", "extracted_text: ExtractedText, *rest: str", "str"), r"a \(module my_stages\).*`\*`"),
        (_value("a", "", "str"), r"a .*has no inputs"),
        (_value("a", "source: Source", "str").replace("async ", ""), r"has to be `async def`"),
        (_value("a", "source: Source", "str").replace(" -> str", ""), r"has to say what it returns"),
        ("class Odd: pass\n" + _value("a", "source: Source", "Odd"), r"it returns Odd, which no codec can store"),
        ("class Odd: pass\n" + _value("a", "source: Source", "list[Odd]"), r"it returns Odd, which no codec"),
        ("class Odd(msgspec.Struct):\n  x: complex\n" + _value("a", "source: Source", "Odd"), r"it returns complex"),
        (_value("a", "textt: ExtractedText", "str"), r"its input textt is no stage with values.*extracted_text"),
        (_value("a", "b: str", "str") + _value("b", "a: str", "str"), r"a \(module my_stages\), b .*in a circle"),
        (_value("a", "a: str", "str"), r"a \(module my_stages\) are made of each other in a circle"),
        *(
            (_value("a", "source: Source", "str").replace("preview=str", f"preview=str, checks={checks}"), problem)
            for checks, problem in (
                ("(len,)", r"have to be a tuple of StageCheck"),
                ("StageCheck('b', 'error', len)", r"have to be a tuple of StageCheck"),
                ("(StageCheck('b c', 'error', len),)", r"the name of its check 'b c' has to"),
                ("(StageCheck('b', 'loud', len),)", r"the severity of its check b has to be one of error, warning"),
                ("2 * (StageCheck('b', 'error', len),)", r"two checks of the name b"),
            )
        ),
        (
            _value("a", "source: Source, *, model: Annotated[Any, Prompted('a.md', dict)]", "str"),
            r"stage a declares dict as the shape of its answers.*pydantic",
        ),
        (2 * _value("a", "source: Source", "str"), r"a \(module my_stages\).*two functions of this name"),
        (_value("summaries", "source: Source", "str"), r"summaries.*the project has a stage of this name"),
        (_value("source", "extracted_text: ExtractedText", "str"), r"source .*the document's file among the inputs"),
        (_value("fields", "source: Source", "str"), r"fields.*the project has a stage of this name"),
        (_value("a", "source: Source, *, model: Any", "str"), r"a uses \['model'\], which the pipeline does not have"),
        (_sink("a", "document_id: str, content_digest: str"), r"at least one stage"),
        (_sink("a", "document_id: str, content_digest: str, chunks: Chunks, *, reuse: Any"), r"no keyword-only"),
        ("async " + _sink("a", "i: str, d: str, chunks: Chunks").partition("\n")[2], r"declares no stage"),
        (_sink("a", "i: str, d: str, chunks: Chunks").replace("\ndef", "\nasync def"), r"without `async`"),
        (_sink("a", "i: str, d: str, chunks: Chunks", "'chunks'"), r"chunks is one of the project's own"),
        (_sink("a", "i: str, d: str, chunks: Chunks", "document_table('chunks')"), r"one of the project's own"),
        (
            _sink("a", "i: str, d: str, chunks: Chunks", "document_table('mine', Column('row_id', 'string'))"),
            r"two columns of the name row_id",
        ),
        (
            '@maintenance_stage(version="1", table="chunks", works_on=())\ndef a(tables: Any) -> str: ...\n',
            r"may declare stages with values and sinks only",
        ),
    ],
)
def test_what_cannot_work_is_refused_with_the_stage_and_the_reason(
    modules: OwnModules, text: str, problem: str
) -> None:
    modules.write("my_stages", IMPORTS + text)
    (modules.folder / "a.md").write_text("{text}")
    with pytest.raises(ConfigurationError, match=problem):
        built(modules)


def test_two_stages_of_one_name_are_refused(modules: OwnModules) -> None:
    modules.write("first", COUNTING)
    modules.write("second", COUNTING.replace("word_counts", "other_counts"))
    with pytest.raises(
        ConfigurationError, match=r"word_count \(module second\).*module first has a stage of this name"
    ):
        built(modules, "first", "second")


def test_a_stage_that_asks_a_model_has_its_prompt_and_the_model_in_its_key(modules: OwnModules) -> None:
    modules.write("my_stages", PROMPTED)
    prompt = modules.folder / "tone.md"
    prompt.write_text("What is the tone?\n\n{text}\n")
    pipeline = built(modules, **MODEL)
    model = pipeline.used_by(pipeline.stages["tone"])["model"]
    assert model.prompt.turns("whole", text="Hi </document>!")[1].text == (
        "What is the tone?\n\n<document>\nHi ‹/document>!\n</document>"
    )
    assert model.prompt.schema.json["additionalProperties"] is False
    assert model.files == [str(prompt)]
    assert model.estimate(10_000).requests == 1
    key = pipeline.action(pipeline.stages["tone"], {"extracted_text": "sha256:0"}).key
    prompt.write_text("What is its tone?\n\n{text}\n")
    changed = built(modules, **MODEL)
    assert changed.action(changed.stages["tone"], {"extracted_text": "sha256:0"}).key != key


def test_without_a_model_a_stage_that_asks_one_is_left_out_and_the_others_are_not(modules: OwnModules) -> None:
    modules.write("my_stages", PROMPTED)
    modules.write("others", COUNTING)
    (modules.folder / "tone.md").write_text("{text}")
    pipeline = built(modules, "my_stages", "others")
    assert "word_count" in pipeline.stages
    assert list(pipeline.left_out) == ["tone", "louder"]
    assert "no model is set" in pipeline.left_out["tone"]
    assert pipeline.left_out["louder"] == "it needs tone, which is left out"


@pytest.mark.parametrize(
    ("prompt", "problem"),
    [
        (None, r"tone\.md of the stage tone cannot be read: No such file"),
        (b"What is the tone?", r"tone\.md of the stage tone has no \{text\}"),
        (b"\xff{text}", r"tone\.md of the stage tone cannot be read"),
        (b"{text}" + b"Which tone? " * 100_000, r"tone\.md of the stage tone takes about .* tokens, and the context"),
    ],
)
def test_a_prompt_that_cannot_be_used_is_named(modules: OwnModules, prompt: bytes | None, problem: str) -> None:
    modules.write("my_stages", PROMPTED)
    if prompt is not None:
        (modules.folder / "tone.md").write_bytes(prompt)
    with pytest.raises(ConfigurationError, match=problem):
        built(modules, **MODEL)
