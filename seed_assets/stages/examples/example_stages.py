"""What the settings of examples change in the pipeline: a stage before each stage that shows examples, which chooses them.

What belongs here: these stages, and the stages that show what they chose. What does not: choosing (core.examples), and the prompt
(core.prompting).
"""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial
from typing import Any, Protocol, runtime_checkable

from resources.errors import ConfigurationError
from resources.models.embedder import LocalEmbedder
from resources.settings.example_settings import ExampleSettings
from resources.wording import counted, did_you_mean
from seed_assets.core.examples.choosing import ExampleChooser
from seed_assets.core.examples.selection import Selection, schema_digest
from seed_assets.core.prompting.model_stage import ModelStage
from seed_assets.core.prompting.shown_examples import ShownExamples
from seed_assets.core.reading.extracted_text import ExtractedText
from seed_assets.graph.additions import Additions
from seed_assets.graph.shown_tables import ShownTable
from seed_assets.graph.stage import Stage, value_stage
from seed_assets.stages.examples.example_inputs import Choice, SelectedExamples

CHOOSER = "example_chooser"
"""The name of what a stage of examples uses."""
NO_MODEL = "it needs a model, and the settings name none. Set llm.provider and llm.model (docs/models.md)"
# The largest share of the context's room that examples take; chosen by judgement.
_MOST_SHARE = 4


@runtime_checkable
class GivesExamples(Protocol):
    """A resource that asks a model, and that can write an accepted value as the answer of the model."""

    def example_answer(self, value: Any, text: str) -> dict[str, Any] | None:
        """Return the answer that gives this value for a text; None if that cannot be known."""
        ...


def examples_stage(name: str) -> str:
    """Return the name of the stage that chooses the examples for another one."""
    return f"{name}_examples"


def answers_digest(asking: ModelStage) -> str:
    """Return the digest of the schema of the answers that a model is asked for."""
    assert asking.prompt.schema is not None
    return schema_digest(asking.prompt.schema.json)


def shows_examples(stage: Stage, resources: Mapping[str, Any]) -> str:
    """Return the parameter of a stage under which it asks a model that can be shown examples; "" if there is none."""
    # What decides the rows of an extraction that reuses by its inputs has no room for examples.
    if stage.reuse != "all" or "extracted_text" not in stage.inputs:
        return ""
    for name in stage.uses:
        used = resources.get(f"{stage.name}.{name}", resources.get(name))
        if isinstance(used, GivesExamples) and isinstance(used, ModelStage):
            return name
    return ""


def left_out(settings: ExampleSettings) -> Additions:
    """Return what is declared without a model: no stage chooses examples, and the others run as they are."""
    return Additions(left_out={examples_stage(name): NO_MODEL for name in settings.show})


@dataclass(frozen=True)
class Examples:
    """The settings of examples, applied to stages.

    selection: the frozen selection. resources: what the stages use, by name.
    """

    settings: ExampleSettings
    selection: Selection
    embedder: LocalEmbedder
    resources: Mapping[str, Any]

    @cached_property
    def _choosers(self) -> dict[str, ExampleChooser]:
        return {}

    def stages(self, stages: Sequence[Stage]) -> list[Stage]:
        """Return the stages, with a stage that chooses examples before each one that shows them."""
        return [one for stage in stages for one in self._with_examples(stage)]

    def added(self, stages: Sequence[Stage]) -> dict[str, Any]:
        """Return the resources of the stages that `stages` adds or changes."""
        found: dict[str, Any] = {}
        for stage in stages:
            if stage.name in self.settings.show:
                chooser = self._chooser(stage)
                asking = replace(self._asking(stage), example_tokens=chooser.most_tokens)
                found[f"{examples_stage(stage.name)}.{CHOOSER}"] = chooser
                found[f"{stage.name}.{self._shown_by(stage)}"] = asking
        return found

    def check(self, stages: Sequence[Stage]) -> None:
        """Raise ConfigurationError if a setting names a stage that cannot show examples. stages: all that there are."""
        able = [stage.name for stage in stages if shows_examples(stage, self.resources)]
        for name in self.settings.show:
            if name not in able:
                raise ConfigurationError(
                    f"examples.show names {name!r}, which cannot show examples.{did_you_mean(name, able)} These stages can: "
                    f"{', '.join(able) or 'none, since no model is set'}."
                )

    def _with_examples(self, stage: Stage) -> Iterator[Stage]:
        if stage.name not in self.settings.show:
            yield stage
            return
        choosing = _choosing_stage(stage.name)
        yield replace(choosing, corpus_inputs={"selection": SelectedExamples(self._chooser(stage))})
        yield _showing(stage, choosing.name, self._shown_by(stage))

    def _shown_by(self, stage: Stage) -> str:
        return shows_examples(stage, self.resources)

    def _chooser(self, stage: Stage) -> ExampleChooser:
        if stage.name not in self._choosers:
            asking = self._asking(stage)
            room = asking.model.context_tokens - asking.model.max_output_tokens
            self._choosers[stage.name] = ExampleChooser(
                self.selection,
                stage.name,
                answers_digest(asking),
                self.settings.show[stage.name],
                min(self.settings.tokens, room // _MOST_SHARE),
                self.embedder,
            )
        return self._choosers[stage.name]

    def _asking(self, stage: Stage) -> ModelStage:
        name = self._shown_by(stage)
        return self.resources.get(f"{stage.name}.{name}", self.resources.get(name))


def _preview(value: ShownExamples) -> str:
    named = ", ".join(one.document_id for one in value.examples)
    return f"{counted(len(value.examples), 'example')}: {named}" if named else "no examples"


def _shown(value: ShownExamples) -> Mapping[str, Any]:
    rows = [(one.document_id, one.title, one.answer) for one in value.examples]
    return {"examples": ShownTable(("document", "title", "answer"), rows)}


def _choosing_stage(name: str) -> Stage:
    async def examples(
        extracted_text: ExtractedText, selection: Choice, *, example_chooser: ExampleChooser
    ) -> ShownExamples:
        return await asyncio.to_thread(selection, extracted_text.text)

    examples.__doc__ = (
        f"One partition: the accepted results of other documents that `{name}` shows its model for one document.\n\n"
        "They are those of the frozen selection that are most similar to the document, by the bundled embedder. They are chosen "
        f"again when the text or the selection changes, in a few milliseconds and without a request; `{name}` is computed again "
        "only if others are chosen."
    )
    declared = value_stage(version="1", preview=_preview, show=_shown)(examples)
    return replace(declared, name=examples_stage(name))


def _showing(stage: Stage, choosing: str, asking: str) -> Stage:
    """The same stage with one more input: the examples, which it shows its model."""

    async def function(*inputs: Any, **used: Any) -> Any:
        *own, shown = inputs
        return await stage.function(*own, **{**used, asking: used[asking].showing(shown)})

    function.__doc__ = f"{stage.description}\n\nThe model is shown examples, which `{choosing}` chooses."
    return replace(
        stage,
        function=function,
        inputs=(*stage.inputs, choosing),
        input_types={**stage.input_types, choosing: ShownExamples},
        problem=partial(_problem, stage),
    )


def _problem(stage: Stage, value: Any, *inputs: Any) -> str:
    return stage.problem(value, *inputs[:-1])
