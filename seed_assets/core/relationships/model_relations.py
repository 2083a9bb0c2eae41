"""Relations found by a model. What belongs here: the questions, and that both ends and the evidence stand in the text.

What does not: the offline default (together), prompts (seed_assets/prompts), sending requests (model_stage).
"""

from bisect import bisect_left
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from io_managers.store.fingerprint import Part
from resources.endpoints.llm import Tokens, Usage
from resources.models.tokens import usual_tokens
from seed_assets.core.entities.entities import Entities, Entity
from seed_assets.core.entities.name_types import AMOUNT
from seed_assets.core.entities.normal_names import name_key, normal_name
from seed_assets.core.prompting.answer_shapes import validated
from seed_assets.core.prompting.model_stage import ModelStage
from seed_assets.core.relationships.relations import TOGETHER, Relation, Relations, relations_of
from seed_assets.core.text.boundaries import pieces_of
from seed_assets.core.text.quotations import QuotedText
from seed_assets.core.text.words import Span
from seed_assets.memo.concurrently import all_of
from seed_assets.memo.reuse import Reuse

# The numbers were chosen by judgement. Used for estimates: the tokens of the answer, and those of the listed names, about one
# token of text.
_ANSWER_SHARE, _NAMES_SHARE = 0.4, 0.15
# An answer is refused if less than this share of its relations have ends and evidence in the text.
_LEAST_FOUND = 0.5
# So many names of a piece are listed, each with so many characters; and a type has at most so many.
_MOST_NAMES, _NAME_CHARACTERS, _LONGEST_TYPE = 100, 200, 60


class NamedRelation(BaseModel):
    """One relation of an answer."""

    model_config = ConfigDict(extra="forbid")

    source: str = Field(min_length=1)
    relation: str = Field(min_length=1)
    target: str = Field(min_length=1)
    evidence: str = Field(min_length=1)


class RelationsAnswer(BaseModel):
    """A model's answer; relations.schema.json describes the same shape to the model."""

    model_config = ConfigDict(extra="forbid")

    relations: list[NamedRelation]


@dataclass(frozen=True, slots=True)
class _Piece:
    """A piece of a text. named: the entities that it mentions, by their places, with their mentions in characters of it."""

    start: int
    text: str
    named: Mapping[int, list[Span]]

    @property
    def forms(self) -> Mapping[int, list[str]]:
        """The names by which it mentions each entity."""
        return {at: list(dict.fromkeys(self.text[slice(*span)] for span in spans)) for at, spans in self.named.items()}


@dataclass(frozen=True)
class ModelRelationExtractor(ModelStage):
    """Asks a model which of the entities of each piece of a document are related; each piece is an action of its own.

    A relation is left out if one of its ends is no entity of the piece, if its evidence does not stand in the piece or names
    neither end, or if it is of a type that is not wanted. No request is sent about a piece with fewer than two entities.

    characters: the length of a piece. types: the types that are wanted; empty if any is.
    """

    characters: int = 4_000
    types: tuple[str, ...] = ()

    role = "extractor"
    prompt_name = "relations"

    @property
    def parameters(self) -> Mapping[str, Part]:
        """The length of a piece, and the types."""
        return {"characters": self.characters, "types": list(self.types)}

    def estimate(self, characters: int) -> Usage:
        """Estimate the cost of a document of `characters`; see Priced."""
        pieces = max(1, -(-characters // self.characters))
        around = usual_tokens(len(self.prompt.texts["system"]) + len(self.prompt.texts["piece"]))
        text = usual_tokens(characters)
        asked = int(text * (1 + _NAMES_SHARE)) + pieces * around
        return self.charge(pieces, Tokens(asked, int(text * _ANSWER_SHARE)))

    async def extract(self, text: str, title: str, entities: Entities, reuse: Reuse) -> Relations:
        """Find the relations; see RelationExtractor."""
        pieces = _pieces(text, entities.entities, self.characters)
        answers = await all_of(self._ask(piece, title, entities.entities, reuse) for piece in pieces)
        found: dict[tuple[int, int, str], Relation] = {}
        for relation in (one for answer in answers for one in answer):
            found.setdefault((relation.source, relation.target, relation.type), relation)
        return relations_of(found.values(), entities)

    async def _ask(self, piece: _Piece, title: str, entities: Sequence[Entity], reuse: Reuse) -> list[Relation]:
        names = [_listed(entities[at], forms) for at, forms in piece.forms.items()]
        turns = self.prompt.turns(
            "piece",
            title=title,
            text=piece.text,
            names="; ".join(names[:_MOST_NAMES]),
            types=", ".join(self.types) or "any; use few different ones",
        )
        return await self.ask(turns, _standing(piece, entities, self.types), reuse)


def _pieces(text: str, entities: Sequence[Entity], characters: int) -> list[_Piece]:
    """The pieces of a text that mention two or more entities, amounts aside."""
    mentions = sorted(
        (span, at) for at, entity in enumerate(entities) if entity.type != AMOUNT for span in entity.mentions
    )
    found: list[_Piece] = []
    for start, piece in pieces_of(text, characters):
        named: dict[int, list[Span]] = {}
        first, last = (bisect_left(mentions, ((place, 0), 0)) for place in (start, start + len(piece)))
        for (begin, end), at in mentions[first:last]:
            if end <= start + len(piece):
                named.setdefault(at, []).append((begin - start, end - start))
        if len(named) > 1:
            found.append(_Piece(start, piece, named))
    return found


def _standing(piece: _Piece, entities: Sequence[Entity], types: Sequence[str]) -> Callable[[Any], list[Relation]]:
    """Return the check of an answer: it gives the relations whose ends and evidence the piece has."""
    quoted = QuotedText(piece.text)
    ends = _ends(piece, entities)

    def relation(said: NamedRelation) -> Relation | None:
        source, target, kind = ends.get(_key(said.source)), ends.get(_key(said.target)), _type(said.relation, types)
        place = quoted.locate(said.evidence)
        if source is None or target is None or source == target or not kind or place is None:
            return None
        spans = (*piece.named[source], *piece.named[target])
        if not any(place[0] <= start and end <= place[1] for start, end in spans):
            return None
        start, end = place[0] + piece.start, place[1] + piece.start
        return Relation(source, target, kind, start, end, 1.0, piece.text[slice(*place)])

    def check(answer: Any) -> list[Relation]:
        said = validated(RelationsAnswer, answer).relations
        found = [one for one in map(relation, said) if one is not None]
        if len(found) < _LEAST_FOUND * len(said):
            strange = next(one for one in said if relation(one) is None)
            raise ValueError(
                f"{len(said) - len(found)} of {len(said)} relations cannot be used, such as {strange.source[:60]!r} "
                f"{strange.relation[:60]!r} {strange.target[:60]!r}: both ends must be listed names, the relation must be one "
                "that is asked for, in a few words, and the evidence must be copied character by character with one of the names"
            )
        return found

    return check


def _ends(piece: _Piece, entities: Sequence[Entity]) -> Mapping[str, int]:
    """The entities of a piece by the names that are listed of them; a name that two of them have is none."""
    found: dict[str, set[int]] = {}
    for at, forms in piece.forms.items():
        for name in (entities[at].name, *forms):
            found.setdefault(_key(name), set()).add(at)
    return {key: min(places) for key, places in found.items() if len(places) == 1}


def _listed(entity: Entity, forms: Sequence[str]) -> str:
    """An entity as it is listed: "Anna Weber (person; also Weber)"."""
    others = "".join(f"; also {form[:_NAME_CHARACTERS]}" for form in forms if form != entity.name)
    return f"{entity.name[:_NAME_CHARACTERS]} ({entity.type}{others})"


def _key(name: str) -> str:
    # Longer names are listed up to this length.
    short = name.strip()[:_NAME_CHARACTERS]
    return name_key(normal_name(short)) or short


def _type(said: str, types: Sequence[str]) -> str:
    """The type in the form in which types are compared; "" for one that is not wanted, too long, or says nothing."""
    found = " ".join(said.replace("_", " ").split()).casefold()
    unusable = len(found) > _LONGEST_TYPE or found == TOGETHER or (types and found not in types)
    return "" if unusable else found
