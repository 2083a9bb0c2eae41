"""Stages that settings and modules add: their order, and what is refused before anything runs."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import msgspec
import numpy as np
import pytest
from numpy.typing import NDArray

from resources.errors import ConfigurationError
from resources.settings.config import load_settings
from resources.tables.lance_schema import TABLES
from resources.tables.table_spec import Column, TableSpec
from seed_assets.core.reading.extracted_text import ExtractedText
from seed_assets.core.summaries.summarizing import Summary
from seed_assets.graph.additions import Additions, joined
from seed_assets.graph.stage import Stage, sink_stage, value_stage
from seed_assets.wiring import build_pipeline


class Tone(msgspec.Struct, frozen=True):
    """Whether a text is glad."""

    glad: bool


def columns(*more: Column) -> tuple[Column, ...]:
    needed = ("tone_id", "document_id", "content_digest")
    return (*(Column(name, "string", "", "") for name in needed), *more)


TONES = TableSpec("tones", "tone_id", "one row a document", columns(Column("glad", "bool", "", "")))


@value_stage(version="1", preview=str)
async def tone(extracted_text: ExtractedText) -> Tone:
    """One partition: the tone of a document."""
    return Tone("glad" in extracted_text.text)


@value_stage(version="1", preview=str)
async def opposite(tone: Tone) -> Tone:
    """One partition: the other tone."""
    return Tone(not tone.glad)


@sink_stage(version="1", table=TONES)
def lance_tones(document_id: str, content_digest: str, opposite: Tone) -> list[dict[str, Any]]:
    """One partition: the row of a document."""
    return [
        {
            "tone_id": document_id,
            "document_id": document_id,
            "glad": opposite.glad,
            "content_digest": content_digest,
        }
    ]


def project() -> list[Stage]:
    return list(build_pipeline(load_settings()).stages.values())


def added(*stages: Stage, **left_out: str) -> tuple[list[str], Additions]:
    """The names of the added stages, in order, and the additions."""
    own = project()
    marked = [replace(stage, declared_in="module mine") for stage in stages]
    every, found = joined(own, [Additions(marked, left_out=left_out)])
    assert every[: len(own)] == own
    return [stage.name for stage in every[len(own) :]], found


def test_each_stage_comes_after_its_inputs_whatever_the_order_of_its_module() -> None:
    assert added(lance_tones, opposite, tone)[0] == ["tone", "opposite", "lance_tones"]


def test_the_tables_of_a_pipeline_are_those_of_the_project_and_of_its_sinks() -> None:
    pipeline = build_pipeline(load_settings())
    stages = {stage.name: stage for stage in joined(project(), [Additions([tone, opposite, lance_tones])])[0]}
    assert replace(pipeline, stages=stages).tables == {**TABLES, "tones": TONES}
    assert pipeline.tables == TABLES


def test_a_resource_of_one_stage_comes_before_that_of_all_stages() -> None:
    pipeline = build_pipeline(load_settings())
    own = pipeline.with_resources(**{"summaries.summarizer": "its own"})
    assert own.used_by(own.stages["summaries"])["summarizer"] == "its own"
    assert pipeline.used_by(pipeline.stages["summaries"])["summarizer"] is pipeline.resources["summarizer"]


def test_what_depends_on_a_stage_that_is_left_out_is_left_out_with_it() -> None:
    """The rest runs: a missing model must not keep a user from everything else."""

    @value_stage(version="1", preview=str)
    async def length(extracted_text: ExtractedText) -> int:
        """One partition: a length."""
        return len(extracted_text.text)

    names, found = added(lance_tones, opposite, length, tone="it needs a model")
    assert names == ["length"]
    assert found.left_out == {
        "tone": "it needs a model",
        "opposite": "it needs tone, which is left out",
        "lance_tones": "it needs opposite, which is left out",
    }


@pytest.mark.parametrize("annotation", [np.ndarray, NDArray[np.float32], Any, object])
def test_vectors_may_be_annotated_as_arrays_of_any_kind(annotation: Any) -> None:
    assert added(_of({"embeddings": annotation}))[0] == ["other"]


def test_a_stage_that_returns_anything_fits_every_annotation() -> None:
    assert added(opposite, replace(tone, returns=Any))[0] == ["tone", "opposite"]


def _circle() -> list[Stage]:
    first = replace(opposite, name="first", inputs=("second",), input_types={"second": Tone})
    return [first, replace(opposite, name="second", inputs=("first",), input_types={"first": Tone})]


def _of(inputs: dict[str, Any]) -> Stage:
    return replace(opposite, name="other", inputs=tuple(inputs), input_types=inputs)


def _into(table: TableSpec | str) -> list[Stage]:
    spec = None if isinstance(table, str) else table
    return [tone, opposite, replace(lance_tones, table=table if spec is None else spec.name, table_spec=spec)]


@pytest.mark.parametrize(
    ("stages", "problem"),
    [
        (lambda: [tone, replace(opposite, name="tone")], r"tone \(module mine\).*module mine has a stage of this name"),
        (lambda: [replace(tone, name="summaries")], r"summaries.*the project has a stage of this name"),
        (lambda: [replace(tone, name="Tone-1")], r"Tone-1.*small letter"),
        (lambda: [opposite], r"its input tone is no stage with values\. There are source and .*summaries"),
        (lambda: [_of({"lance_documents": Any})], r"lance_documents is no stage with values"),
        (lambda: [_of({"search_index": Any})], r"search_index is no stage with values"),
        (lambda: [_of({"categories": Any})], r"each of the documents.*categories.*each of the corpus.*corpus input"),
        (lambda: [_of({"summaries": Tone})], r"summaries is annotated as Tone, and is a Summary"),
        (_circle, r"first \(module mine\), second \(module mine\) are made of each other in a circle"),
        (lambda: _into("chunks"), r"table chunks is one of the project's own"),
        (lambda: _into(replace(TONES, name="chunks")), r"table chunks is one of the project's own"),
        (lambda: [*_into(TONES), replace(lance_tones, name="again")], r"again.*lance_tones writes the table tones too"),
        (lambda: _into(replace(TONES, name="To-nes")), r"To-nes cannot be made: its name"),
        (lambda: _into(replace(TONES, key="glad")), r"needs a column glad of the type string.*key"),
        (lambda: _into(replace(TONES, columns=TONES.columns[:1])), r"needs a column document_id"),
        (lambda: _into(replace(TONES, columns=columns()[:2])), r"needs a column content_digest"),
        (lambda: _into(replace(TONES, columns=columns(columns()[0]))), r"two columns of the name tone_id"),
        (lambda: _into(replace(TONES, columns=columns(Column("a b", "bool", "", "")))), r"column 'a b'"),
        (lambda: _into(replace(TONES, columns=columns(Column("a", "date", "", "")))), r"type 'date'.*one of string, "),  # pyright: ignore[reportArgumentType]
    ],
)
def test_what_does_not_fit_is_refused_with_its_name_its_place_and_the_reason(
    stages: Callable[[], list[Stage]], problem: str
) -> None:
    with pytest.raises(ConfigurationError, match=problem):
        added(*stages())


def test_an_input_may_be_annotated_as_anything_that_its_stage_gives() -> None:
    assert added(_of({"summaries": Summary}), replace(_of({"summaries": Any}), name="loose"))[0] == ["other", "loose"]
