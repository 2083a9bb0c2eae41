"""Follow-up questions, put by a model so that they stand alone.

What does not belong here: what is looked for offline (follow_ups).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict

from answering.answers import Question, said
from io_managers.store.fingerprint import Part
from retrieval.search import LONGEST_QUERY_CHARACTERS
from seed_assets.core.prompting.answer_shapes import validated
from seed_assets.core.prompting.model_stage import ModelStage
from seed_assets.core.prompting.prompts import Prompt, load_prompt
from seed_assets.memo.reuse import Reuse

_PROMPTS = Path(__file__).with_name("prompts")


class StandaloneQuestion(BaseModel):
    """A model's question; follow_ups.schema.json describes the same shape to the model."""

    model_config = ConfigDict(extra="forbid")

    question: str


@dataclass(frozen=True)
class ModelFollowUps(ModelStage):
    """Asks a model what a follow-up question means; see FollowUps."""

    role = "follow_ups"
    prompt_name = "follow_ups"

    @cached_property
    def prompt(self) -> Prompt:
        """The prompt of follow-up questions."""
        return load_prompt(self.prompt_name, _PROMPTS)

    @property
    def parameters(self) -> Mapping[str, Part]:
        """There are none."""
        return {}

    async def standalone(self, question: Question, reuse: Reuse) -> str:
        """See FollowUps."""
        turns = self.prompt.turns("whole", question=question.text, turns=said(question.turns))
        return await self.ask(turns, _checked, reuse)


def _checked(found: Any) -> str:
    text = " ".join(validated(StandaloneQuestion, found).question.split())
    if not text:
        raise ValueError("the question is empty")
    if len(text) > LONGEST_QUERY_CHARACTERS:
        raise ValueError(f"the question has {len(text):,} characters, and {LONGEST_QUERY_CHARACTERS:,} are allowed")
    return text
