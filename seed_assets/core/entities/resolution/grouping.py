"""Puts entities of documents together. What belongs here: groups, their bounds, and how pairs decide about them. What does
not: scores of pairs (likeness), pairs of different names (candidates), and names and ids of the groups (canonical).

An entity joins the group with the highest mean score of its pairs with some members, if no pair with any member is
forbidden; a score of 0 forbids two records. So one likeness alone never joins two groups, as it would if all that is alike were
joined (A with B, B with C, and so A with C).
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product

from seed_assets.core.entities.name_types import PERSON
from seed_assets.core.entities.resolution.likeness import EVEN, Likeness, names_forbid
from seed_assets.core.entities.resolution.local_entities import QUANTITIES, LocalEntity

Pair = tuple[str, str]
"""The digests of two entities, sorted."""
# So many members of a group are compared with a new one; and of so many groups of one name those with the most in common.
_COMPARED, _MOST_GROUPS = 5, 20


def pair_of(one: LocalEntity, other: LocalEntity) -> Pair:
    """Return the key of a pair."""
    return (one.digest, other.digest) if one.digest <= other.digest else (other.digest, one.digest)


@dataclass(slots=True)
class Group:
    """Entities that are one. forms: the normal names in it. is_new: whether it has members that it did not have before."""

    members: list[LocalEntity] = field(default_factory=list[LocalEntity])
    forms: set[str] = field(default_factory=set[str])
    persons: bool = False
    is_new: bool = False

    def add(self, entity: LocalEntity) -> None:
        """Let an entity join."""
        self.members.append(entity)
        self.forms.add(entity.normal)
        self.persons = self.persons or entity.type == PERSON


@dataclass(slots=True)
class Decisions:
    """What decides about pairs: first what people say, then verdicts of a model, then scores.

    judged: what a model says, by pair. said: what people say of a pair; None for nothing. looked: each pair that was looked
    at with its score.
    """

    likeness: Likeness
    judged: Mapping[Pair, bool] = field(default_factory=dict[Pair, bool])
    said: Callable[[LocalEntity, LocalEntity], bool | None] = lambda one, other: None
    looked: dict[Pair, tuple[LocalEntity, LocalEntity, float]] = field(
        default_factory=dict[Pair, tuple[LocalEntity, LocalEntity, float]]
    )

    def score(self, one: LocalEntity, other: LocalEntity) -> float:
        """Return how likely a pair is to be one."""
        pair = pair_of(one, other)
        known = self.looked.get(pair)
        if known is not None:
            return known[2]
        said = self.said(one, other)
        said = self.judged.get(pair) if said is None else said
        score = self.likeness.score(one, other) if said is None else float(said)
        self.looked[pair] = (one, other, score)
        return score

    def forbids(self, one: LocalEntity, other: LocalEntity) -> bool:
        """Whether people or a model say that a pair is not one."""
        said = self.said(one, other)
        return (self.judged.get(pair_of(one, other)) if said is None else said) is False


@dataclass(frozen=True, slots=True)
class GroupRules:
    """largest: the most members of a group."""

    largest: int = 20_000


def group_by_name(
    groups: list[Group], entities: Iterable[LocalEntity], decisions: Decisions, rules: GroupRules
) -> None:
    """Let entities join the groups that have a name in common with them, or groups of their own.

    groups: those that are there; others are added. entities: those that are in none yet.
    """
    by_key: dict[str, list[int]] = {}
    for at, group in enumerate(groups):
        for key in dict.fromkeys(key for member in group.members for key in _keys(member)):
            by_key.setdefault(key, []).append(at)
    for entity in entities:
        at = _best_group(entity, groups, by_key, decisions, rules)
        if at is None:
            at = len(groups)
            groups.append(Group())
        groups[at].add(entity)
        groups[at].is_new = True
        for key in _keys(entity):
            known = by_key.setdefault(key, [])
            if at not in known[-_MOST_GROUPS:]:
                known.append(at)


def _keys(entity: LocalEntity) -> tuple[str, ...]:
    """The names under which an entity's group is found. Dates and amounts are one only if they are equal."""
    return (f"{entity.type}\0{entity.normal}",) if entity.type in QUANTITIES else entity.keys


def _best_group(
    entity: LocalEntity,
    groups: Sequence[Group],
    by_key: Mapping[str, list[int]],
    decisions: Decisions,
    rules: GroupRules,
) -> int | None:
    """The index of the group that an entity joins; None if there is none."""
    places = dict.fromkeys(at for key in _keys(entity) for at in by_key.get(key, [])[-_MOST_GROUPS:])
    if entity.type in QUANTITIES:
        return next(iter(places), None)
    best, best_score = None, EVEN
    for at in places:
        group = groups[at]
        # Records are compared by their fields (canonical), and not because they have a name in common.
        if entity.fields and any(member.fields for member in group.members):
            continue
        if len(group.members) >= rules.largest or _is_forbidden(entity, group, decisions):
            continue
        score = mean_score([entity], group.members, decisions)
        if score > best_score or (score == best_score and best is None):
            best, best_score = at, score
    return best


def join_groups(
    groups: list[Group],
    candidates: Iterable[tuple[int, int]],
    required: Iterable[tuple[int, int]],
    decisions: Decisions,
    rules: GroupRules,
) -> list[Group]:
    """Return the groups, with those joined whose names differ and whose pairs are one; the likeliest first.

    candidates: indexes of groups. required: those that people call one, which are joined whatever else is known. Two groups
    without a new member stay as they are.
    """
    scored = [
        (mean_score(groups[a].members, groups[b].members, decisions), a, b)
        for a, b in candidates
        if groups[a].is_new or groups[b].is_new
    ]
    parents = list(range(len(groups)))

    def root(at: int) -> int:
        while parents[at] != at:
            parents[at] = parents[parents[at]]
            at = parents[at]
        return at

    def join(one: int, other: int) -> None:
        for member in groups[other].members:
            groups[one].add(member)
        groups[one].is_new = True
        groups[other] = Group()
        parents[other] = one

    for a, b in required:
        if root(a) != root(b):
            join(root(a), root(b))
    for score, a, b in sorted(scored, key=lambda one: (-one[0], one[1], one[2])):
        one, other = root(a), root(b)
        if score >= EVEN and one != other and _may_join(groups[one], groups[other], decisions, rules):
            join(one, other)
    return [group for group in groups if group.members]


def _may_join(one: Group, other: Group, decisions: Decisions, rules: GroupRules) -> bool:
    if len(one.members) + len(other.members) > rules.largest:
        return False
    if any(_is_forbidden(member, one, decisions) for member in other.members):
        return False
    if any(a.fields and b.fields and not decisions.score(a, b) for a, b in _compared(one.members, other.members)):
        return False
    return mean_score(one.members, other.members, decisions) >= EVEN


def _is_forbidden(entity: LocalEntity, group: Group, decisions: Decisions) -> bool:
    is_person = (group.persons or entity.type == PERSON) and not (entity.fields and group.members[0].fields)
    if entity.normal not in group.forms and any(names_forbid(entity.normal, form, is_person) for form in group.forms):
        return True
    return any(decisions.forbids(entity, member) for member in group.members)


def mean_score(some: Sequence[LocalEntity], others: Sequence[LocalEntity], decisions: Decisions) -> float:
    """Return the mean score of the pairs of some members of both."""
    scores = [decisions.score(one, other) for one, other in _compared(some, others)]
    return sum(scores) / len(scores)


def _compared(some: Sequence[LocalEntity], others: Sequence[LocalEntity]) -> Iterable[tuple[LocalEntity, LocalEntity]]:
    return product(some[:_COMPARED], others[:_COMPARED])
