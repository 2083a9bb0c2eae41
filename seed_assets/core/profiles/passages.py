"""The passages of a document that say most about each of its entities. What belongs here: the types, and choosing by rules.

What does not: profiles made from the passages of all documents (profiles).
"""

import asyncio
import re
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from operator import itemgetter
from typing import ClassVar

import msgspec

from io_managers.store.codecs.codecs import encode
from io_managers.store.fingerprint import Part, content_digest
from seed_assets.core.entities.entities import Entities, Entity
from seed_assets.core.entities.name_types import AMOUNT, DATE
from seed_assets.core.text.sentences import split_long, split_sentences
from seed_assets.core.text.text_work import TextWork
from seed_assets.core.text.words import Span, count_words

# The numbers of this module were chosen by judgement.
# So many passages are kept of an entity, and so many of its mentions are looked at.
_KEPT, _LOOKED_AT = 3, 60
# A passage is a sentence, or a piece of one with so many words; one of fewer than _SHORT words says little.
_LONGEST_WORDS, _SHORT = 60, 6
# What a passage gains: the name begins it; what follows the name says what it is; the name is the fullest one; the mention is the
# first one; the document is about it. A passage that is short, or that lists many names, loses.
_BEGINS, _SAYS_WHAT, _FULLEST, _FIRST, _TITLED, _POOR = 1.0, 1.5, 0.75, 1.0, 1.0, 3.0
_MOST_NAMES = 6
_SAYS = re.compile(
    r"\s*(?:\([^()]{1,80}\)\s*)?,?\s*(?:(?:is|was|are|were|has been|ist|war|sind|est|était|sont|es|fue|son|è|era|é|foi)\b"
    r"|(?:a|an|the|der|die|das|ein|eine|le|la|un|une|el|una|il)\b)",
    re.IGNORECASE,
)


class Passage(msgspec.Struct, frozen=True, array_like=True):
    """A part of a text, in characters."""

    start: int
    end: int
    text: str


class BestPassage(msgspec.Struct, frozen=True, array_like=True):
    """That a passage says something of an entity. entity, passage: their places. score: how much, from -3 to 5.25."""

    entity: int
    passage: int
    score: float


class EntityPassages(msgspec.Struct, frozen=True):
    """The passages of a document that say most about its entities, in the order of the text.

    best: by entity, the best first. entities: the digest of the entities whose places these are.
    """

    title: str
    passages: tuple[Passage, ...]
    best: tuple[BestPassage, ...]
    entities: str


@dataclass(frozen=True, slots=True)
class PassageChooser:
    """Chooses passages by rules; it is deterministic.

    work: the workers that choose; None means a thread of this process.
    """

    work: TextWork | None = field(default=None, compare=False, repr=False)

    changes: ClassVar[Mapping[str, str]] = {}

    @property
    def identity(self) -> Mapping[str, Part]:
        """The method and its version."""
        return {"chooser": "rules", "version": "1"}

    async def choose(self, text: str, title: str, entities: Entities) -> EntityPassages:
        """Do what `entity_passages_in` does, in a worker or a thread; see `work`."""
        if self.work is None:
            return await asyncio.to_thread(entity_passages_in, text, title, entities)
        return await self.work.run("passages", text, title, entities)


def entity_passages_in(text: str, title: str, entities: Entities) -> EntityPassages:
    """Return the passages of a text that say most about each entity but dates and amounts.

    title: the document's title.
    """
    sentences = split_sentences(text)
    starts = [start for start, _ in sentences]
    heading = title.casefold()
    named = [0] * (len(sentences) + 1)
    for entity in entities.entities:
        for place in {bisect_right(starts, start) for start, _ in entity.mentions}:
            named[place] += 1
    pieces: dict[int, list[Span]] = {}
    found: dict[Span, int] = {}
    best: list[BestPassage] = []
    for at, entity in enumerate(entities.entities):
        if entity.type in (DATE, AMOUNT):
            continue
        titled = entity.name.casefold() in heading
        scores: dict[Span, float] = {}
        for number, mention in enumerate(entity.mentions[:_LOOKED_AT]):
            place = bisect_right(starts, mention[0])
            if not place or mention[0] >= sentences[place - 1][1]:
                continue
            if place not in pieces:
                pieces[place] = split_long(text, sentences[place - 1], _LONGEST_WORDS)
            spans = pieces[place]
            span = spans[max(0, bisect_right(spans, mention[0], key=itemgetter(0)) - 1)]
            score = _score(text, span, entity, mention, named[place]) + _TITLED * titled + _FIRST * (not number)
            scores[span] = max(scores.get(span, score), score)
        kept = sorted(scores, key=lambda one: (-scores[one], one))[:_KEPT]
        best += [BestPassage(at, found.setdefault(span, len(found)), round(scores[span], 2)) for span in kept]
    passages = tuple(Passage(*span, " ".join(text[slice(*span)].split())) for span in found)
    return EntityPassages(title, passages, tuple(best), content_digest(encode(entities).data))


def _score(text: str, span: Span, entity: Entity, mention: Span, names: int) -> float:
    # A quotation mark, an article or a title may stand before a name that begins its passage.
    begins = len(text[span[0] : mention[0]].split()) < 2
    says = begins and _SAYS.match(text, mention[1]) is not None
    poor = count_words(text[slice(*span)]) < _SHORT or names > _MOST_NAMES
    return _BEGINS * begins + _SAYS_WHAT * says + _FULLEST * (text[slice(*mention)] == entity.name) - _POOR * poor


def by_entity(found: EntityPassages) -> Mapping[int, Sequence[BestPassage]]:
    """Return the best passages of each entity, by its place."""
    of: dict[int, list[BestPassage]] = {}
    for one in found.best:
        of.setdefault(one.entity, []).append(one)
    return of
