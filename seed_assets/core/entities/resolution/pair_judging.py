"""Whether a model calls two entities one. What belongs here: the protocol of judges, the question, and its bounds. What
does not: which pairs are undecided (canonical).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from pydantic import BaseModel, ConfigDict

from io_managers.store.fingerprint import Part
from resources.endpoints.llm import Tokens, Usage
from resources.errors import DocumentError
from seed_assets.core.entities.resolution.grouping import Pair, pair_of
from seed_assets.core.entities.resolution.local_entities import LocalEntity
from seed_assets.core.prompting.answer_shapes import validated
from seed_assets.core.prompting.model_stage import ModelStage
from seed_assets.memo.concurrently import all_of
from seed_assets.memo.reuse import Reuse

# So much of an entity's context is shown, in pieces; and the usual tokens of a question and its answer. Chosen by judgement, as
# is how many characters of all documents there are at least for each undecided pair.
_SHOWN_CONTEXT, _QUESTION_TOKENS, _ANSWER_TOKENS = 40, 450, 12
_CHARACTERS_PER_PAIR = 100

Pairs = Sequence[tuple[LocalEntity, LocalEntity]]


class PairJudge(Protocol):
    """Says of undecided pairs whether they are one entity."""

    @property
    def identity(self) -> Mapping[str, Part]:
        """Everything that decides the verdicts besides the pairs."""
        ...

    async def judge(self, pairs: Pairs, reuse: Reuse) -> dict[Pair, bool]:
        """Return the verdicts on the first pairs, as many as the settings allow; what it does not know is left out."""
        ...


@dataclass(frozen=True, slots=True)
class NoPairJudge:
    """Says nothing, where no model is configured."""

    @property
    def identity(self) -> Mapping[str, Part]:
        """That nobody judges."""
        return {"judge": "none"}

    async def judge(self, pairs: Pairs, reuse: Reuse) -> dict[Pair, bool]:
        """See PairJudge."""
        return {}


class PairAnswer(BaseModel):
    """A model's answer; entity_pairs.schema.json describes the same shape to the model."""

    model_config = ConfigDict(extra="forbid")

    verdict: Literal["same", "different", "unknown"]


@dataclass(frozen=True)
class ModelPairJudge(ModelStage):
    """Asks a model about each pair by a request of its own, which holds what both documents say and nothing else of the corpus.

    most: the most pairs that are asked about at once.
    """

    most: int = 200

    role = "judge"
    prompt_name = "entity_pairs"

    @property
    def parameters(self) -> Mapping[str, Part]:
        """The most pairs."""
        return {"most": self.most}

    def estimate(self, characters: int) -> Usage:
        """Estimate the most that one resolution costs, of documents with so many characters in all; see Priced."""
        most = min(self.most, 1 + characters // _CHARACTERS_PER_PAIR)
        return self.charge(most, Tokens(most * _QUESTION_TOKENS, most * _ANSWER_TOKENS))

    async def judge(self, pairs: Pairs, reuse: Reuse) -> dict[Pair, bool]:
        """See PairJudge. A pair about which the model gives no valid answer stays undecided. Raises transient errors."""
        verdicts = await all_of(self._ask(one, other, reuse) for one, other in pairs[: self.most])
        asked = zip(pairs, verdicts, strict=False)
        return {pair_of(*pair): verdict == "same" for pair, verdict in asked if verdict in ("same", "different")}

    async def _ask(self, one: LocalEntity, other: LocalEntity, reuse: Reuse) -> str:
        first, second = sorted((one, other), key=lambda entity: entity.digest)
        turns = self.prompt.turns("pair", first=_said(first), second=_said(second))
        try:
            return await self.ask(turns, _verdict, reuse)
        except DocumentError as error:
            if error.transient:
                raise
            return "unknown"


def _verdict(found: Any) -> str:
    return validated(PairAnswer, found).verdict


def _said(entity: LocalEntity) -> str:
    lines = [f"name: {entity.name}", f"type: {entity.type}"]
    if entity.aliases:
        lines.append(f"other names: {', '.join(entity.aliases)}")
    if entity.fields:
        lines += [f"{name}: {value}" for name, value in entity.fields]
    elif entity.context:
        lines.append(f"its document also speaks of: {', '.join(sorted(entity.context)[:_SHOWN_CONTEXT])}")
    return "\n".join(lines)
