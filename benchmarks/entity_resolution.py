"""Measures entities over documents, on documents of Re-DocRED that are changed and on generated ones (see
benchmarks.entities).
"""

import random
import re
import time
from collections import Counter, defaultdict
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass

from resources.models.embedder import WordLlamaEmbedder
from seed_assets.core.concepts.concepts import StatisticalConceptExtractor
from seed_assets.core.entities.entities import Entities, Entity, entities_in
from seed_assets.core.entities.name_types import ORGANISATION, PERSON, PLACE, TYPES
from seed_assets.core.entities.normal_names import normal_name
from seed_assets.core.entities.resolution.canonical import CanonicalEntities, ResolutionRules, canonical, resolve
from seed_assets.core.entities.resolution.local_entities import QUANTITIES, LocalEntity, local_entities
from seed_assets.core.text.words import Span

_NAMES = (
    *("Li Wei", "John Smith", "Maria Garcia", "Anna Weber", "David Lee", "Michael Brown"),
    *("Wang Fang", "Peter Müller", "James Taylor", "Kim Min", "Elena Petrova", "Ahmed Khan"),
)
_DOCUMENTS, _ENTITIES, _TOPICS, _WORLD = 6_000, 12, 200, 20_000


@dataclass(frozen=True, slots=True)
class Annotated:
    """A document with the entities that people annotated: for each, (span, label) of its mentions."""

    title: str
    text: str
    entities: Sequence[Sequence[tuple[Span, str]]]


def resolution_figures(documents: Sequence[Annotated]) -> Mapping[str, Mapping[str, float]]:
    """Return the figures by name: of the documents with even numbers, of those with odd ones, and of generated documents."""
    return {
        "chosen with": _of_halves(documents[::2], 0),
        "kept aside": _of_halves(documents[1::2], 1),
        "generated": _of_generated(),
    }


def _of_halves(documents: Sequence[Annotated], seed: int) -> Mapping[str, float]:
    concepts = StatisticalConceptExtractor(WordLlamaEmbedder(), 15)
    renamed = _renamed(documents, seed)
    found: list[LocalEntity] = []
    for number, document in enumerate(documents):
        text = document.text
        if number in renamed:
            old, new = renamed[number]
            text = text.replace(old, new)
            for part, other in ((-1, -1), (0, 0)):
                text = re.sub(rf"\b{re.escape(old.split()[part])}\b", new.split()[other], text)
        lines = [line for line in text.split("\n")[1:] if line.strip()]
        half = len(lines) // 2
        for part, own in (("a", lines[:half]), ("b", lines[half:])):
            body = " ".join(own)
            names = concepts.extract_sync(body, "").names
            found += local_entities(f"{number}{part}", entities_in(body, "", list(TYPES), {}), names)
    entities = canonical(resolve(found, ResolutionRules()))
    of = {(member.document_id, member.index): one.entity_id for one in entities.entities for member in one.members}
    namesakes = {normal_name(new) for _, new in renamed.values()}
    gold: list[Hashable] = []
    own_keys: list[Hashable] = []
    for one in found:
        number = int(one.document_id[:-1])
        if one.type in QUANTITIES or len(one.normal.split()) < 2 or (one.normal in namesakes and number not in renamed):
            continue
        gold.append((number, one.normal) if one.normal in namesakes else one.key)
        own_keys.append(of[one.document_id, one.index])
    counts = Counter(gold)
    several = [at for at, key in enumerate(gold) if counts[key] > 1 or isinstance(key, tuple)]
    apart = [at for at, key in enumerate(gold) if isinstance(key, tuple)]
    return {
        "all": b_cubed(gold, own_keys),
        "in several": b_cubed([gold[at] for at in several], [own_keys[at] for at in several]),
        "namesakes": b_cubed([gold[at] for at in apart], [own_keys[at] for at in apart]),
    }


def _renamed(documents: Sequence[Annotated], seed: int) -> Mapping[int, tuple[str, str]]:
    """The number of a document -> (the name of the person it speaks of most, the name that two such people get)."""
    people: list[tuple[int, str]] = []
    for number, document in enumerate(documents):
        persons = [entity for entity in document.entities if entity[0][1] == "PER"]
        most = max(persons, key=len, default=[])
        name = max((document.text[slice(*span)] for span, _ in most), key=len, default="")
        if len(most) >= 3 and len(name.split()) == 2:
            people.append((number, name))
    random.Random(seed).shuffle(people)
    return {number: (old, _NAMES[at // 2]) for at, (number, old) in enumerate(people[: 2 * len(_NAMES)])}


def _of_generated() -> Mapping[str, float]:
    made = _Made()
    found = [one for number in range(_DOCUMENTS) for one in made.document(number)]
    more = [one for number in range(_DOCUMENTS, _DOCUMENTS + _DOCUMENTS // 100) for one in made.document(number)]
    first, seconds = _timed(found, None)
    grown, grown_seconds = _timed(found + more, first)
    one_more, _ = _timed(found + made.document(-1), first)
    gone = {f"d{number}" for number in range(85)}
    fewer, _ = _timed([one for one in found if one.document_id not in gone], first)
    return {
        "mentions": float(sum(one.mentions for one in found)),
        "seconds": seconds,
        "1% more, seconds": grown_seconds,
        "pairs": float(first.looked_at),
        "1% more, pairs": float(grown.looked_at),
        "one more, pairs": float(one_more.looked_at),
        "85 fewer, pairs": float(fewer.looked_at),
    }


def _timed(entities: Sequence[LocalEntity], previous: CanonicalEntities | None) -> tuple[CanonicalEntities, float]:
    started = time.process_time()
    found = canonical(resolve(entities, ResolutionRules(), previous))
    return found, time.process_time() - started


class _Made:
    """Documents of generated names, which are mentioned together more often if they belong together."""

    def __init__(self) -> None:
        self._random = chance = random.Random(1)
        starts = ("Al", "Bel", "Cor", "Dan", "El", "Fin", "Gar", "Hol", "Iv", "Jon")
        first = [a + b for a in starts for b in ("a", "o", "in", "ert", "is", "us", "ena", "ro")]
        ends = [b + c for b in ["ba", "cho", "di", "fo", "gu", "hi"] for c in ["ton", "man", "sky", "er", "ov"]]
        last = [a + b for a in ["Ber", "Cal", "Dor", "Fen", "Gil", "Har", "Kol", "Lam", "Mor", "Nor"] for b in ends]
        heads = ["Bank", "Institute", "Works", "University", "Group"]
        self._world: list[tuple[str, str]] = []
        for _ in range(_WORLD):
            kind = chance.random()
            if kind < 0.5:
                self._world.append((f"{chance.choice(first)} {chance.choice(last)}", PERSON))
            elif kind < 0.8:
                self._world.append(
                    (f"{chance.choice(last)} {chance.choice(heads)} of {chance.choice(last)}", ORGANISATION)
                )
            else:
                self._world.append((chance.choice(last) + chance.choice(["ville", "burg", "stadt"]), PLACE))

    def document(self, number: int) -> list[LocalEntity]:
        """The entities of one more document."""
        chance, base, found = self._random, self._random.randrange(_WORLD), list[Entity]()
        for at in range(_ENTITIES):
            often = int(chance.paretovariate(0.8)) * 7 if chance.random() < 0.4 else base + chance.randrange(40)
            name, kind = self._world[often % _WORLD]
            starts = [at * 100, at * 100 + 50] if chance.random() < 0.4 else [at * 100]
            found.append(Entity(name, normal_name(name), kind, tuple((start, start + 5) for start in starts)))
        topic = chance.randrange(_TOPICS)
        concepts = [f"topic{topic} word{word}" for word in chance.sample(range(10), 6)]
        return local_entities(f"d{number}", Entities(tuple(found)), concepts)


def b_cubed(gold: Sequence[Hashable], found: Sequence[Hashable]) -> float:
    """Return the B-cubed F1 of two groupings of the same things, given as the group of each thing.

    Source: Bagga and Baldwin, "Algorithms for scoring coreference chains", 1998.
    """
    gold_groups, found_groups = _groups(gold), _groups(found)
    precision = recall = 0.0
    for one, other in zip(gold, found, strict=True):
        common = len(gold_groups[one] & found_groups[other])
        precision += common / len(found_groups[other])
        recall += common / len(gold_groups[one])
    precision, recall = precision / len(gold), recall / len(gold)
    return 2 * precision * recall / (precision + recall)


def _groups(keys: Sequence[Hashable]) -> Mapping[Hashable, set[int]]:
    groups: defaultdict[Hashable, set[int]] = defaultdict(set)
    for at, key in enumerate(keys):
        groups[key].add(at)
    return groups
