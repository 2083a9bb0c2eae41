"""Which entities of a document are mentioned together, and how strongly: the relations that are found without a model.

What belongs here: the pairs that are compared, and their strength. What does not: relations with a type (model_relations).

The strength of a pair is the probability that two that are mentioned in this way are related, by a logistic model whose weights
were learnt on every other document of Re-DocRED: python -m benchmarks.entities --relations measures it on the rest.
"""

import asyncio
import math
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from heapq import nlargest
from itertools import combinations, islice
from typing import ClassVar

from io_managers.store.fingerprint import Part
from seed_assets.core.entities.entities import Entities, Entity
from seed_assets.core.entities.name_types import AMOUNT, DATE, EVENT, ORGANISATION, OTHER, PERSON, PLACE, PRODUCT, WORK
from seed_assets.core.relationships.relations import TOGETHER, Relation, Relations, relations_of
from seed_assets.core.text.sentences import split_sentences
from seed_assets.core.text.text_work import TextWork
from seed_assets.core.text.words import Span
from seed_assets.memo.reuse import Reuse

# The logarithm of the odds that two entities of these types are related, whatever is said of them; _USUAL for any others.
_ODDS: Mapping[frozenset[str], float] = {
    frozenset(types): odds
    for odds, pairs in {
        -1.3: [(ORGANISATION, WORK), (PLACE,)],
        -1.5: [(PERSON, WORK)],
        -1.6: [(ORGANISATION, PLACE), (PERSON, PLACE), (EVENT, PERSON)],
        -1.8: [(WORK,), (DATE, WORK), (OTHER, PLACE), (EVENT, PLACE)],
        -2.0: [(PLACE, WORK), (OTHER, WORK), (OTHER, PERSON), (PERSON,), (ORGANISATION, PERSON), (EVENT, OTHER)],
        -2.5: [(ORGANISATION,), (ORGANISATION, OTHER), (DATE, EVENT), (PERSON, PRODUCT), (DATE, PERSON)],
        -2.7: [(OTHER, PRODUCT)],
        -3.1: [(DATE, OTHER)],
        -3.4: [(DATE, ORGANISATION)],
        -4.2: [(DATE, PLACE)],
        -6.2: [(DATE,)],
    }.items()
    for types in pairs
}
_USUAL = -2.3
_BASE, _OF_TYPES, _SAME_SENTENCE, _OFTEN, _IN_TITLE, _NEAR, _LATE, _LATER = (
    0.8,
    1.06,
    0.34,
    0.3,
    0.22,
    0.59,
    -1.66,
    -0.93,
)
# The distance in characters at which being near counts half.
_HALF_NEAR = 50
# Each of the entities that are mentioned most often is compared with all others. Those of one sentence are compared with each
# other; if there are more than _CROWD, with those that follow. So the time is linear. Chosen by judgement.
_CENTRAL, _CROWD, _FOLLOWING = 12, 40, 10
# So many pairs are kept: for each entity two, and at least and at most so many.
_FOR_EACH, _LEAST_KEPT, _MOST_KEPT = 2, 20, 2_000
_DECIMALS = 4


@dataclass(frozen=True, slots=True)
class TogetherExtractor:
    """Finds which entities are mentioned together; it is deterministic, and it never says what relates them.

    work: the workers that find them; None means a thread of this process.
    """

    work: TextWork | None = field(default=None, compare=False, repr=False)

    changes: ClassVar[Mapping[str, str]] = {}

    @property
    def identity(self) -> Mapping[str, Part]:
        """The method and its version."""
        return {"extractor": "together", "version": "1"}

    async def extract(self, text: str, title: str, entities: Entities, reuse: Reuse | None = None) -> Relations:
        """Do what `mentioned_together` does, in a worker or a thread; see `work`."""
        if self.work is None:
            return await asyncio.to_thread(mentioned_together, text, title, entities)
        return await self.work.run("relations", text, title, entities)


def mentioned_together(text: str, title: str, entities: Entities) -> Relations:
    """Return the pairs of entities of a text that are mentioned together most closely.

    title: the document's title.
    """
    found = entities.entities
    heading = title.casefold()
    titled = [entity.name.casefold() in heading for entity in found]
    length = max(1, len(text))

    def relation(one: int, other: int, same: bool) -> Relation:
        a, b = found[one], found[other]
        start, end, gap = _nearest(a.mentions, b.mentions)
        late, later = sorted((a.mentions[0][0] / length, b.mentions[0][0] / length))
        score = (
            _BASE
            + _OF_TYPES * _ODDS.get(frozenset((a.type, b.type)), _USUAL)
            + _SAME_SENTENCE * same
            + _OFTEN * math.log(len(a.mentions) * len(b.mentions))
            + _IN_TITLE * (titled[one] or titled[other])
            + _NEAR * _HALF_NEAR / (_HALF_NEAR + gap)
            + _LATE * late
            + _LATER * later
        )
        strength = round(1 / (1 + math.exp(-score)), _DECIMALS)
        return Relation(one, other, TOGETHER, start, end, strength)

    kept = min(_MOST_KEPT, max(_LEAST_KEPT, _FOR_EACH * len(found)))
    every = (relation(*pair, same) for pair, same in _pairs(text, found).items())
    best = nlargest(kept, every, key=lambda one: (one.strength, -one.source, -one.target))
    return relations_of(best, entities)


def _pairs(text: str, entities: Sequence[Entity]) -> Mapping[tuple[int, int], bool]:
    """The pairs that are compared, by their places, and whether a sentence names both."""
    named = [at for at, entity in enumerate(entities) if entity.type != AMOUNT]
    pairs = {pair: True for own in _by_sentence(text, entities, named) for pair in _of_sentence(own)}
    central = sorted(named, key=lambda at: (-len(entities[at].mentions), entities[at].mentions[0]))[:_CENTRAL]
    for one in central:
        for other in named:
            if one != other:
                pairs.setdefault((min(one, other), max(one, other)), False)
    return pairs


def _by_sentence(text: str, entities: Sequence[Entity], named: Iterable[int]) -> Iterable[list[int]]:
    """For each sentence, the entities that it names, in the order of their places among the entities."""
    starts = [start for start, _ in split_sentences(text)]
    found: dict[int, set[int]] = {}
    for at in named:
        for start, _ in entities[at].mentions:
            found.setdefault(bisect_right(starts, start), set()).add(at)
    return [sorted(own) for own in found.values()]


def _of_sentence(own: Sequence[int]) -> Iterable[tuple[int, int]]:
    if len(own) <= _CROWD:
        return combinations(own, 2)
    return ((one, other) for at, one in enumerate(own) for other in islice(own, at + 1, at + 1 + _FOLLOWING))


def _nearest(one: Sequence[Span], other: Sequence[Span]) -> tuple[int, int, int]:
    """Return (start, end, gap): the passage from the one to the other where they are nearest, and the characters between them."""
    few, many = (one, other) if len(one) <= len(other) else (other, one)
    best: tuple[int, int, int] | None = None
    for start, end in few:
        at = bisect_left(many, (start, end))
        for near in many[max(0, at - 1) : at + 1]:
            gap = max(0, near[0] - end, start - near[1])
            found = (gap, min(start, near[0]), max(end, near[1]))
            best = found if best is None else min(best, found)
    assert best is not None  # every entity has a mention
    return best[1], best[2], best[0]
