"""Entities over all documents. What belongs here: the types, and resolving them from the entities of documents. What does
not: scores of pairs (likeness), groups (grouping), and what people decide (decisions_file).
"""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, Protocol

import msgspec

from io_managers.store.fingerprint import Part
from seed_assets.core.entities.entity_ids import ENTITY
from seed_assets.core.entities.name_types import OTHER
from seed_assets.core.entities.records.record_kinds import RecordKind, kinds_part
from seed_assets.core.entities.resolution.candidates import candidates
from seed_assets.core.entities.resolution.grouping import (
    Decisions,
    Group,
    GroupRules,
    Pair,
    group_by_name,
    join_groups,
    pair_of,
)
from seed_assets.core.entities.resolution.likeness import EVEN, UNDECIDED, Likeness
from seed_assets.core.entities.resolution.local_entities import LocalEntity
from seed_assets.core.entities.resolution.record_likeness import Place, RecordLikeness, place_of

# So many hexadecimal digits name an entity, and so many other names of it are kept.
_ID, _MOST_ALIASES = 10, 50
# So many undecided pairs are kept for people and models to look at.
_MOST_UNDECIDED = 10_000


class Said(Protocol):
    """What people say of entities."""

    def of(self, one: LocalEntity, other: LocalEntity) -> bool | None:
        """Return whether a pair is one entity; None if nobody says."""
        ...

    @property
    def keys(self) -> Collection[str]:
        """The names of which anything is said, as keys."""
        ...

    def required(self, groups: Sequence[Group]) -> Iterable[tuple[int, int]]:
        """Return the indexes of groups of which somebody says that they are one."""
        ...


class Member(msgspec.Struct, frozen=True, array_like=True):
    """An entity of a document. index: its place among the document's entities. digest: see LocalEntity."""

    document_id: str
    index: int
    digest: str


class CanonicalEntity(msgspec.Struct, frozen=True, array_like=True):
    """Someone or something that documents speak of.

    entity_id: `entity/<number>`, which stays while most of its members do. name: the fullest of its frequent names. aliases: the
    others. members: the entities of documents that it consists of, by document.
    """

    entity_id: str
    name: str
    type: str
    aliases: tuple[str, ...]
    mentions: int
    members: tuple[Member, ...]


class CanonicalEntities(msgspec.Struct, frozen=True):
    """All entities.

    undecided: pairs whose scores are guesses, by the digests of their members, the least certain first. judged: what a
    model says of pairs, True for one entity. decided: the names that people had decided something about, as keys.
    looked_at: the number of pairs that this resolution looked at.
    """

    entities: tuple[CanonicalEntity, ...]
    undecided: tuple[tuple[str, str, float], ...] = ()
    judged: tuple[tuple[str, str, bool], ...] = ()
    decided: tuple[str, ...] = ()
    looked_at: int = 0


@dataclass(frozen=True, slots=True)
class ResolutionRules:
    """How entities are resolved. largest: the most members of an entity. records: the kinds of records."""

    largest: int = 20_000
    records: tuple[RecordKind, ...] = ()

    changes: ClassVar[Mapping[str, str]] = {}

    @property
    def identity(self) -> Mapping[str, Part]:
        """The method, its version and the bound; the kinds of records if there are any."""
        return {"method": "contexts", "version": "1", "largest": self.largest, **kinds_part(self.records)}


@dataclass(frozen=True, slots=True)
class Resolution:
    """One resolution: groups, and the decisions that led to them."""

    groups: list[Group]
    decisions: Decisions
    previous: CanonicalEntities | None
    decided: tuple[str, ...] = ()

    def undecided(self) -> list[tuple[str, str, float]]:
        """The pairs whose scores are guesses, by the digests of their members, the least certain first."""
        found = {pair: score for pair, (_, _, score) in self.decisions.looked.items() if abs(score - EVEN) < UNDECIDED}
        present = {one.digest for group in self.groups for one in group.members}
        for one, other, score in self.previous.undecided if self.previous else ():
            if one in present and other in present and (one, other) not in self.decisions.judged:
                found.setdefault((one, other), score)
        ranked = sorted(found.items(), key=lambda item: (abs(item[1] - EVEN), item[0]))
        return [(*pair, score) for pair, score in ranked[:_MOST_UNDECIDED]]

    def to_judge(self) -> list[tuple[LocalEntity, LocalEntity]]:
        """The entities of the undecided pairs, the least certain first, without those that a model or people have decided."""
        of = {one.digest: one for group in self.groups for one in group.members}
        pairs = [(of[one], of[other]) for one, other, _ in self.undecided() if one in of and other in of]
        decisions = self.decisions
        return [pair for pair in pairs if pair_of(*pair) not in decisions.judged and decisions.said(*pair) is None]


def resolve(
    entities: Sequence[LocalEntity],
    rules: ResolutionRules,
    previous: CanonicalEntities | None = None,
    judged: Mapping[Pair, bool] | None = None,
    said: Said | None = None,
) -> Resolution:
    """Put entities together. What was put together before stays, unless people or a model now say something of its members.

    previous: the former result. judged, said: see Decisions.
    """
    documents = Counter(piece for pieces in _contexts(entities).values() for piece in pieces)
    # What was decided before and is not any more has to be looked at again, too.
    decided = {*(said.keys if said is not None else ()), *(previous.decided if previous else ())}
    before = {(one, other) for one, other, _ in previous.judged} if previous else set[Pair]()
    judged_now = {digest for pair in (judged or {}) if pair not in before for digest in pair}

    def is_decided(entity: LocalEntity) -> bool:
        return entity.digest in judged_now or not decided.isdisjoint(entity.keys)

    groups, new = _kept_groups(entities, previous, is_decided)
    records = RecordLikeness(rules.records, entities, frozenset(map(place_of, new)))
    decisions = Decisions(Likeness(documents, len({entity.document_id for entity in entities}), records), judged or {})
    if said is not None:
        decisions.said = said.of
    bounds = GroupRules(rules.largest)
    group_by_name(groups, new, decisions, bounds)
    required = said.required(groups) if said is not None else ()
    pairs = {*_nearly_named(groups), *_groups_of(groups, records.pairs(EVEN - UNDECIDED))}
    groups = join_groups(groups, sorted(pairs), required, decisions, bounds)
    return Resolution(groups, decisions, previous, tuple(sorted(said.keys)) if said is not None else ())


def _nearly_named(groups: Sequence[Group]) -> Iterator[tuple[int, int]]:
    """The indexes of two groups whose names are nearly alike. Records are not among them: their fields are compared."""
    places = [at for at, group in enumerate(groups) if not group.members[0].fields]
    for one, other in candidates([groups[at] for at in places]):
        yield places[one], places[other]


def _groups_of(groups: Sequence[Group], pairs: Iterable[tuple[Place, Place]]) -> Iterator[tuple[int, int]]:
    """The indexes of the two groups of each pair of entities that are in different ones, the smaller one first."""
    at = {place_of(one): index for index, group in enumerate(groups) for one in group.members if one.fields}
    for one, other in pairs:
        if at[one] != at[other]:
            yield min(at[one], at[other]), max(at[one], at[other])


def _contexts(entities: Iterable[LocalEntity]) -> Mapping[str, set[str]]:
    found: dict[str, set[str]] = {}
    for entity in entities:
        found.setdefault(entity.document_id, set()).update(entity.context)
    return found


def _kept_groups(
    entities: Sequence[LocalEntity], previous: CanonicalEntities | None, is_decided: Callable[[LocalEntity], bool]
) -> tuple[list[Group], list[LocalEntity]]:
    """The former groups with the members that are still there, and the entities that are in none of them.

    Entities are recognized by what is said of them, so a document that was renamed has the same ones.
    """
    waiting: dict[str, list[LocalEntity]] = {}
    for entity in sorted(entities, key=lambda one: (one.digest, one.document_id, one.index), reverse=True):
        waiting.setdefault(entity.digest, []).append(entity)
    groups: list[Group] = []
    for former in previous.entities if previous else ():
        found = [waiting[one.digest].pop() for one in former.members if waiting.get(one.digest)]
        if any(map(is_decided, found)):
            for entity in found:
                waiting[entity.digest].append(entity)
        elif found:
            groups.append(Group())
            for entity in found:
                groups[-1].add(entity)
    new = [entity for left in waiting.values() for entity in left]
    return groups, sorted(new, key=lambda one: (one.digest, one.document_id, one.index))


def canonical(resolution: Resolution) -> CanonicalEntities:
    """Return the groups as entities with names and ids.

    An entity keeps the id of the former one that most of its members were in, if that had no larger part elsewhere.
    """
    ids = _ids(resolution.groups, resolution.previous)
    entities = [_entity(group, entity_id) for group, entity_id in zip(resolution.groups, ids, strict=True)]
    present = {member.digest for entity in entities for member in entity.members}
    return CanonicalEntities(
        tuple(sorted(entities, key=lambda entity: entity.entity_id)),
        tuple(resolution.undecided()),
        tuple(
            (*pair, verdict)
            for pair, verdict in sorted(resolution.decisions.judged.items())
            if present.issuperset(pair)
        ),
        resolution.decided,
        len(resolution.decisions.looked),
    )


def _entity(group: Group, entity_id: str) -> CanonicalEntity:
    members = sorted(group.members, key=lambda one: (one.document_id, one.index))
    kinds: Counter[str] = Counter()
    for one in members:
        kinds[one.type] += one.mentions if one.type != OTHER else 0
    names = [one.name for one in members]
    counts, others = Counter(names), Counter(alias for one in members for alias in one.aliases)
    name = max(counts, key=lambda one: (len(one.split()) > 1, counts[one], len(one), one))
    aliases = [alias for alias, _ in (counts + others).most_common(_MOST_ALIASES + 1) if alias != name]
    return CanonicalEntity(
        entity_id,
        name,
        max(kinds, key=lambda kind: (kinds[kind], kind)) if kinds.total() else members[0].type,
        tuple(sorted(aliases[:_MOST_ALIASES])),
        sum(one.mentions for one in members),
        # In the order in which they joined, since the first ones are compared with new ones.
        tuple(Member(one.document_id, one.index, one.digest) for one in group.members),
    )


def _ids(groups: Sequence[Group], previous: CanonicalEntities | None) -> list[str]:
    former = {
        member.digest: entity.entity_id
        for entity in (previous.entities if previous else ())
        for member in entity.members
    }
    shares: list[tuple[int, int, str]] = []
    for at, group in enumerate(groups):
        counts = Counter(former[one.digest] for one in group.members if one.digest in former)
        shares += [(-count, at, entity_id) for entity_id, count in counts.items()]
    ids: dict[int, str] = {}
    taken: set[str] = set()
    for _, at, entity_id in sorted(shares):
        if at not in ids and entity_id not in taken:
            ids[at] = entity_id
            taken.add(entity_id)
    for at, group in enumerate(groups):
        if at not in ids:
            number = min(one.digest for one in group.members)
            ids[at] = next(one for one in _numbers(number) if one not in taken)
            taken.add(ids[at])
    return [ids[at] for at in range(len(groups))]


def _numbers(digest: str) -> Iterable[str]:
    yield f"{ENTITY}/{digest[:_ID]}"
    count = 2
    while True:
        yield f"{ENTITY}/{digest[:_ID]}-{count}"
        count += 1
