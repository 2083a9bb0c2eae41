"""Concepts found by a model. What belongs here: asking, and seeing that each concept is in the document.

What does not: the offline default (concepts), prompts (seed_assets/prompts), asking (model_stage).
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from io_managers.store.fingerprint import Part
from seed_assets.core.concepts import Concept, Concepts
from seed_assets.core.concurrently import all_of
from seed_assets.core.model_stage import ModelStage
from seed_assets.core.structured_output import shaped
from seed_assets.core.text_parts import split_to_fit
from seed_assets.reuse import Reuse, Usage

_TOKENS_A_CONCEPT = 55
_LEAST_GROUNDED = 0.5
# A shorter text may well be about nothing.
_LEAST_WORDS = 20
_WORD = re.compile(r"\w+")


class ConceptAnswer(BaseModel):
    """One concept of an answer."""

    model_config = ConfigDict(extra="forbid")

    name: str = Field(min_length=1)
    kind: Literal["term", "method", "technology", "person", "organisation", "place", "event", "work", "other"]
    evidence: str = Field(min_length=1)


class ConceptsAnswer(BaseModel):
    """What a model answers; concepts.schema.json says the same to it."""

    model_config = ConfigDict(extra="forbid")

    concepts: list[ConceptAnswer]


@dataclass(frozen=True, slots=True)
class _Grounded:
    """A concept, and where in the part its evidence is, in characters."""

    name: str
    kind: str
    start: int
    end: int


@dataclass(frozen=True)
class ModelConceptExtractor(ModelStage):
    """Asks a model for at most `count` concepts; each has to be shown by a passage that is in the document."""

    count: int

    role = "extractor"
    prompt_name = "concepts"

    @property
    def parameters(self) -> Mapping[str, Part]:
        """The number."""
        return {"count": self.count}

    def estimate(self, characters: int) -> Usage:
        """See Priced."""
        return self.estimated(characters, self.count * _TOKENS_A_CONCEPT)

    async def extract(self, text: str, title: str, reuse: Reuse) -> Concepts:
        """See ConceptExtractor. Of a document in parts, the best of each part come first."""
        if not text.strip():
            return Concepts(())
        parts = split_to_fit(text, self.model, self.prompt.turns("whole", title=title))
        found = await all_of(self._ask(part, title, place, len(parts), reuse) for place, part in enumerate(parts, 1))
        starts: list[int] = []
        for part in parts:
            starts.append(text.index(part, starts[-1] if starts else 0))
        return Concepts(tuple(self._ranked(text, list(zip(starts, found, strict=True)))))

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
    words = [(match[0].casefold(), match.start(), match.end()) for match in _WORD.finditer(part)]

    def check(found: Any) -> list[_Grounded]:
        concepts = shaped(ConceptsAnswer, found).concepts
        grounded = [
            _Grounded(" ".join(concept.name.split()), concept.kind, *place)
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
        if not grounded and len(words) >= _LEAST_WORDS:
            raise ValueError("there is no concept in the answer")
        return grounded

    return check


def _find(evidence: str, part: str, words: Sequence[tuple[str, int, int]]) -> tuple[int, int] | None:
    """Where a passage is: as it stands, else by its words alone, whatever signs and spaces are between them."""
    evidence = evidence.strip()
    at = part.find(evidence) if evidence else -1
    if at >= 0:
        return at, at + len(evidence)
    sought = [word.casefold() for word in _WORD.findall(evidence)]
    if not sought:
        return None
    for place in range(len(words) - len(sought) + 1):
        if words[place][0] == sought[0] and [word for word, _, _ in words[place : place + len(sought)]] == sought:
            return words[place][1], words[place + len(sought) - 1][2]
    return None
