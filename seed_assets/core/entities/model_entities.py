"""Entities found by a model. What belongs here: the questions, and that each name stands in the text. What does not: the
offline default (entities), prompts (seed_assets/prompts), sending requests (model_stage).
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from io_managers.store.fingerprint import Part
from resources.endpoints.llm import Tokens, Usage
from resources.models.tokens import usual_tokens
from seed_assets.core.entities.aliases import NameGroups, members
from seed_assets.core.entities.entities import Entities, Entity, of_quantities, with_records
from seed_assets.core.entities.known_list import KnownNames
from seed_assets.core.entities.known_names import Terms
from seed_assets.core.entities.name_spans import without_overlaps
from seed_assets.core.entities.name_types import AMOUNT, DATE, OTHER, TYPES
from seed_assets.core.entities.name_words import name_words
from seed_assets.core.entities.normal_names import normal_name
from seed_assets.core.entities.records.record_kinds import RecordKind, kinds_part
from seed_assets.core.prompting.answer_shapes import validated
from seed_assets.core.prompting.model_stage import ModelStage
from seed_assets.core.text.boundaries import pieces_of
from seed_assets.core.text.quotations import QuotedText
from seed_assets.core.text.words import Span
from seed_assets.memo.concurrently import all_of
from seed_assets.memo.reuse import Reuse

# The numbers were chosen by judgement. Used for estimates: the tokens of the answer about one token of text.
_ANSWER_SHARE = 0.3
# An answer is refused if less than this share of its names stand in the text.
_LEAST_FOUND = 0.5
# So many of the known names that stand in a piece are shown to the model.
_MOST_KNOWN = 50


class NamedEntity(BaseModel):
    """One entity of an answer."""

    model_config = ConfigDict(extra="forbid")

    name: str = Field(min_length=1)
    type: str
    aliases: list[str]


class EntitiesAnswer(BaseModel):
    """A model's answer; entities.schema.json describes the same shape to the model."""

    model_config = ConfigDict(extra="forbid")

    entities: list[NamedEntity]


@dataclass(frozen=True, slots=True)
class _Found:
    """An entity of one piece. places: name -> where it stands first, in characters of the text; the first name is the fullest."""

    kind: str
    places: Mapping[str, Span]


@dataclass(frozen=True)
class ModelEntityExtractor(ModelStage):
    """Asks a model for the entities of each piece of a document; each piece is an action of its own.

    A name that does not stand in its piece is left out. Dates and amounts are found by their forms, since a model adds nothing.

    characters: the length of a piece. types: the types that are wanted. known: the names that the user knows; a model is shown
    those that stand in its piece. records: the kinds of records, which are found without a model.
    """

    characters: int = 4_000
    types: tuple[str, ...] = TYPES
    known: KnownNames = field(default_factory=KnownNames)
    records: tuple[RecordKind, ...] = ()

    role = "extractor"
    prompt_name = "entities"

    @property
    def parameters(self) -> Mapping[str, Part]:
        """The length of a piece, the types, the known names, and the kinds of records if there are any."""
        known = {"characters": self.characters, "types": list(self.types), "known": self.known.digest}
        return {**known, **kinds_part(self.records)}

    @property
    def files(self) -> Sequence[str]:
        """The list of known names; see OfFiles."""
        return self.known.files

    def estimate(self, characters: int) -> Usage:
        """Estimate the cost of a document of `characters`; see Priced."""
        pieces = max(1, -(-characters // self.characters))
        around = usual_tokens(len(self.prompt.texts["system"]) + len(self.prompt.texts["piece"]))
        text = usual_tokens(characters)
        return self.charge(pieces, Tokens(text + pieces * around, int(text * _ANSWER_SHARE)))

    async def extract(self, text: str, title: str, reuse: Reuse) -> Entities:
        """Find the entities; see EntityExtractor."""
        pieces = pieces_of(text, self.characters)
        found = await all_of(self._ask(start, piece, title, reuse) for start, piece in pieces)
        merged = await asyncio.to_thread(_merged, text, [one for entities in found for one in entities], self.types)
        return await asyncio.to_thread(with_records, merged, text, self.records)

    async def _ask(self, start: int, piece: str, title: str, reuse: Reuse) -> list[_Found]:
        asked = [kind for kind in self.types if kind not in (DATE, AMOUNT)]
        known = [f"{name} ({kind or OTHER})" for name, (kind, _) in self.known.names.items() if name in piece]
        turns = self.prompt.turns(
            "piece", title=title, text=piece, types=", ".join(asked), known="; ".join(known[:_MOST_KNOWN]) or "none"
        )
        return await self.ask(turns, _standing(piece, start, asked), reuse)


def _standing(piece: str, start: int, types: Sequence[str]) -> Callable[[Any], list[_Found]]:
    """Return the check of an answer: it gives the entities whose names stand in the piece.

    start: where the piece begins in the text.
    """
    quoted = QuotedText(piece)

    def place(name: str) -> Span | None:
        span = quoted.locate(name)
        return None if span is None else (span[0] + start, span[1] + start)

    def check(answer: Any) -> list[_Found]:
        entities = validated(EntitiesAnswer, answer).entities
        wrong = next((one.type for one in entities if one.type not in types), None)
        if wrong is not None and OTHER not in types:
            raise ValueError(f"{wrong[:60]!r} is none of the types: {', '.join(types)}")
        found: list[_Found] = []
        for one in entities:
            places = {name: at for name in (one.name, *one.aliases) if (at := place(name)) is not None}
            if one.name in places:
                found.append(_Found(one.type if one.type in types else OTHER, places))
        if len(found) < _LEAST_FOUND * len(entities):
            strange = next(one.name for one in entities if place(one.name) is None)
            raise ValueError(
                f"{len(entities) - len(found)} of {len(entities)} names are not in the document, such as {strange[:120]!r}: "
                "copy them character by character"
            )
        return found

    return check


def _merged(text: str, found: Sequence[_Found], types: Sequence[str]) -> Entities:
    """The entities of all pieces together, with all their mentions."""
    spans = _mentions(text, found)
    names = [text[slice(*span)] for span in spans]
    groups = NameGroups(names)
    kinds: dict[str, Counter[str]] = {}
    for one in found:
        standing = [text[slice(*span)] for span in one.places.values()]
        for alias in standing[1:]:
            groups.join(alias, standing[0])
    for one in found:
        first = text[slice(*next(iter(one.places.values())))]
        kinds.setdefault(groups.key(first), Counter())[one.kind] += 1
    entities: list[Entity] = []
    for key, places in members(groups, names).items():
        counts = Counter(names[at] for at in places)
        name = max(counts, key=lambda one: (len(one.split()), counts[one], one))
        kind = max(sorted(kinds[key]), key=lambda one: kinds[key][one]) if key in kinds else OTHER
        aliases = tuple(sorted(one for one in counts if one != name))
        entities.append(Entity(name, normal_name(name), kind, tuple(spans[at] for at in places), aliases))
    entities += of_quantities(text, spans, types)
    return Entities(tuple(sorted(entities, key=lambda entity: entity.mentions[0])))


def _mentions(text: str, found: Sequence[_Found]) -> list[Span]:
    """Where the names stand: at their first places, and wherever the same words have the same capitals."""
    first = {span for one in found for span in one.places.values()}
    standing = {text[slice(*span)] for span in first}
    words = name_words(text)
    terms = Terms(standing)
    everywhere = [span for sentence in words.sentences for span in terms.within(sentence)]
    same = [span for span in (*everywhere, *terms.in_unspaced(text)) if text[slice(*span)] in standing]
    return without_overlaps([*first, *same])
