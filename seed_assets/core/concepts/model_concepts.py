"""Concepts found by a model. What belongs here: the questions, and verifying that each concept's evidence is in the document.

What does not: the offline default (concepts), prompts (seed_assets/prompts), sending requests (model_stage).
"""

import re
from bisect import bisect_left
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import accumulate, zip_longest
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from io_managers.plain_text import seen_places
from io_managers.store.fingerprint import Part
from resources.endpoints.llm import Usage
from seed_assets.core.concepts.concepts import Concept, Concepts
from seed_assets.core.prompting.answer_shapes import validated
from seed_assets.core.prompting.model_stage import ModelStage
from seed_assets.core.text.text_work import TextWork
from seed_assets.memo.concurrently import all_of
from seed_assets.memo.reuse import Reuse

# The numbers were chosen by judgement.
# Used for estimates: the tokens of one concept in an answer.
_TOKENS_PER_CONCEPT = 55
# An answer is refused if less than this share of its concepts have evidence that is in the document.
_LEAST_GROUNDED = 0.5
# An answer without concepts is accepted only for a text of fewer words.
_LEAST_WORDS = 20
# The prompt asks for evidence of at most so many characters.
_SHOWN_EVIDENCE = 200
_WORD = re.compile(r"\w+")


class ConceptAnswer(BaseModel):
    """One concept of an answer."""

    model_config = ConfigDict(extra="forbid")

    name: str = Field(min_length=1)
    kind: Literal["term", "method", "technology", "person", "organisation", "place", "event", "work", "other"]
    evidence: str = Field(min_length=1)


class ConceptsAnswer(BaseModel):
    """A model's answer; concepts.schema.json describes the same shape to the model."""

    model_config = ConfigDict(extra="forbid")

    concepts: list[ConceptAnswer]


@dataclass(frozen=True, slots=True)
class _Grounded:
    """A concept, with the place of its evidence in the part that was asked about.

    start, end: offsets in characters.
    """

    name: str
    kind: str
    start: int
    end: int


@dataclass(frozen=True)
class ModelConceptExtractor(ModelStage):
    """Asks a model for concepts, each with a passage of the document as evidence.

    count: the most concepts of a document.
    work: the workers that cut a text into parts; None means a thread of this process.
    """

    count: int
    work: TextWork | None = field(default=None, compare=False, repr=False)

    role = "extractor"
    prompt_name = "concepts"

    @property
    def parameters(self) -> Mapping[str, Part]:
        """The most concepts of a document."""
        return {"count": self.count}

    def estimate(self, characters: int) -> Usage:
        """Estimate the cost of a document of `characters`; see Priced."""
        return self.estimated(characters, self.count * _TOKENS_PER_CONCEPT)

    async def extract(self, text: str, title: str, reuse: Reuse) -> Concepts:
        """Find concepts; see ConceptExtractor. If a document is read in parts, the best concepts of each part come first."""
        if not text.strip():
            return Concepts(())
        from seed_assets.core.text.text_parts import split_for_model

        parts = await split_for_model(self.work, text, self.model, self.prompt.turns("whole", title=title))
        found = await all_of(self._ask(part, title, place, len(parts), reuse) for place, part in enumerate(parts, 1))
        starts: list[int] = []
        for part in parts:
            starts.append(text.index(part, starts[-1] if starts else 0))
        return Concepts(tuple(self._ranked(text, list(zip(starts, found, strict=True)))))

    def example_answer(self, value: Concepts, text: str) -> Any:
        """The answer with these concepts; None if they are not a model's; see GivesExamples."""
        named = [
            {"name": one.name, "kind": one.kind, "evidence": text[one.start : one.end][:_SHOWN_EVIDENCE]}
            for one in value.concepts
        ]
        try:
            return ConceptsAnswer.model_validate({"concepts": named}).model_dump() if named else None
        except ValidationError:
            return None

    async def _ask(self, part: str, title: str, place: int, parts: int, reuse: Reuse) -> list[_Grounded]:
        which = "whole" if parts == 1 else "part"
        turns = self.prompt.turns(which, title=title, text=part, count=self.count, part=place, parts=parts)
        return await self.ask(turns, _grounding(part), reuse)

    def _ranked(self, text: str, found: Sequence[tuple[int, Sequence[_Grounded]]]) -> Iterator[Concept]:
        folded = text.casefold()
        seen: set[str] = set()
        by_rank = zip_longest(*([(start, concept) for concept in concepts] for start, concepts in found))
        for start, concept in (entry for rank in by_rank for entry in rank if entry is not None):
            name = concept.name.casefold()
            if name in seen:
                continue
            if len(seen) == self.count:
                return
            seen.add(name)
            score = round(1 - (len(seen) - 1) / self.count, 6)
            count = max(1, folded.count(name))
            yield Concept(name, score, count, start + concept.start, start + concept.end, concept.kind)


def _grounding(part: str) -> Callable[[Any], list[_Grounded]]:
    # Answers are stored without invisible characters, so the evidence is searched for in the text without them.
    part, places = seen_places(part) or (part, None)
    words = _Words(part)

    def in_document(start: int, end: int) -> tuple[int, int]:
        return (start, end) if places is None else (places[start], places[end - 1] + 1)

    def check(found: Any) -> list[_Grounded]:
        concepts = validated(ConceptsAnswer, found).concepts
        grounded = [
            _Grounded(" ".join(concept.name.split()), concept.kind, *in_document(*place))
            for concept in concepts
            if concept.name.strip() and (place := _find(concept.evidence, part, words)) is not None
        ]
        if len(grounded) < _LEAST_GROUNDED * len(concepts):
            strange = next((c.evidence for c in concepts if _find(c.evidence, part, words) is None), "")
            if not strange:
                raise ValueError("a concept has an empty name")
            raise ValueError(
                f"the evidence of {len(concepts) - len(grounded)} of {len(concepts)} concepts is not in the document, "
                f"such as {strange[:120]!r}: copy it character by character"
            )
        if not grounded and len(words.spans) >= _LEAST_WORDS:
            raise ValueError("there is no concept in the answer")
        return grounded

    return check


class _Words:
    """The words of a text, for searching by words."""

    def __init__(self, text: str) -> None:
        found = [(match[0].casefold(), match.span()) for match in _WORD.finditer(text)]
        self.spans = [span for _, span in found]
        """The span of each word in the text."""
        self.starts = list(accumulate((len(word) + 1 for word, _ in found), initial=0))
        """The place in `joined` at which each word begins."""
        self.joined = f" {' '.join(word for word, _ in found)} "
        """The case-folded words, with spaces around them."""


def _find(evidence: str, part: str, words: _Words) -> tuple[int, int] | None:
    """Return the span of a passage. An exact match is tried first, then its words alone, ignoring what is between them.

    core.text.quotations also joins broken words and folds Unicode forms, and takes whole words only. Here the offsets decide
    stored concepts and which answers are refused, so results that were paid for would change with it.
    """
    evidence = evidence.strip()
    at = part.find(evidence) if evidence else -1
    if at >= 0:
        return at, at + len(evidence)
    sought = [word.casefold() for word in _WORD.findall(evidence)]
    if not sought:
        return None
    at = words.joined.find(f" {' '.join(sought)} ")
    if at < 0:
        return None
    first = bisect_left(words.starts, at)
    return words.spans[first][0], words.spans[first + len(sought) - 1][1]
