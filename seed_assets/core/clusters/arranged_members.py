"""Which members of a cluster are typical.

What belongs here: the order of the members. What does not: the members themselves (cluster_members), and writing the summary
(cluster_summarizing, model_cluster_summarizing).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import zip_longest

import numpy as np
from numpy.typing import NDArray

from resources.models.embedder import LocalEmbedder
from seed_assets.core.clusters.cluster_members import ClusterMaterial, Member
from seed_assets.core.text.mmr import spread

# The numbers of this module were chosen by judgement.
_MOST_TYPICAL, _MOST_UNTYPICAL = 3, 3
# A cluster of fewer members has no untypical ones.
_TINY = 5
# The part of a member's text that is embedded; it suffices for the subject.
_READ_CHARACTERS = 1_000


@dataclass(frozen=True, slots=True)
class ArrangedMembers:
    """The members of a cluster, ordered by how typical they are.

    members: the most typical first.
    vectors: one per member in the same order, shape (n, d).
    centre: the unit vector of the mean of all members, shape (d,).
    typical: the ids of the most typical members, at most three.
    untypical: the ids of the least typical members, at most three, none of them typical. It is empty for a cluster of fewer
        than five members, or of members that are all equally typical.
    """

    members: tuple[Member, ...]
    vectors: NDArray[np.float32]
    centre: NDArray[np.float32]
    typical: tuple[str, ...]
    untypical: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ComparedMembers:
    """The members of a cluster, sorted by their ids, before they are ordered.

    vectors, centre: as those of ArrangedMembers.
    nearness: the nearness of each to the centre, from 0 to 1, shape (n,).
    strength: its strength, from 0 to 1, which depends on the cluster type and on the documents around the cluster.
    """

    members: list[Member]
    vectors: NDArray[np.float32]
    centre: NDArray[np.float32]
    nearness: NDArray[np.float64]
    strength: NDArray[np.float64]

    def arranged(self, *, by_strength: bool = True) -> ArrangedMembers:
        """Order the members by their nearness, and their strength if it counts; ties are ordered by id."""
        members = self.members
        scores = np.round(self.nearness + self.strength if by_strength else self.nearness, 5)
        order = np.argsort(-scores, kind="stable")
        ids = [members[place].document_id for place in order]
        typical = tuple(ids[:_MOST_TYPICAL])
        untypical: tuple[str, ...] = ()
        if len(ids) >= _TINY:
            least = scores[order[_MOST_TYPICAL - 1]]
            last = [place for place in order[_MOST_TYPICAL:][::-1] if scores[place] < least]
            untypical = tuple(members[place].document_id for place in last[:_MOST_UNTYPICAL])
        found = tuple(members[place] for place in order)
        return ArrangedMembers(found, self.vectors[order], self.centre, typical, untypical)


def compared_members(material: ClusterMaterial, embedder: LocalEmbedder) -> ComparedMembers:
    """Compare the members with the centre of all. Raises ValueError for a cluster without members."""
    if not material.members:
        raise ValueError(f"the cluster {material.cluster_id} has no members, so it cannot be summarized")
    members = sorted(
        {member.document_id: member for member in sorted(material.members, key=_by_content)}.values(),
        key=lambda member: member.document_id,
    )
    vectors = embedder.embed_sync([f"{member.title}\n{member.text[:_READ_CHARACTERS]}" for member in members])
    # Rounded, because the last bits of a sum differ between machines and must not decide ties.
    centre = np.round(_unit(vectors.mean(axis=0, dtype=np.float64)), 6).astype(np.float32)
    nearness = spread(np.round((vectors @ centre).astype(np.float64), 5))
    strength = np.round(np.nan_to_num(np.array([member.strength for member in members], dtype=np.float64)), 6)
    return ComparedMembers(members, vectors, centre, nearness, spread(strength))


def spread_of_members(arranged: ArrangedMembers, count: int) -> list[int]:
    """Return the places of `count` members that represent the whole cluster: the most typical ones first, then in turns the
    member least similar to those chosen before and the least typical one.
    """
    total = len(arranged.members)
    if count >= total:
        return list(range(total))
    chosen = list(range(min(_MOST_TYPICAL, max(1, count // 2))))
    untypical = list(range(total - 1, total - 1 - max(1, count // 6), -1))
    different = _different(arranged.vectors, chosen, count)
    for pair in zip_longest(different, untypical):
        chosen += [place for place in dict.fromkeys(pair) if place is not None and place not in chosen]
    if count > 1 and untypical[0] not in chosen[:count]:
        chosen[count - 1] = untypical[0]
    return chosen[:count]


def _different(vectors: NDArray[np.float32], chosen: Sequence[int], count: int) -> list[int]:
    """Return at most `count` places, each time the member least similar to those chosen before."""
    nearest = np.max(vectors @ vectors[list(chosen)].T, axis=1)
    found: list[int] = []
    taken = np.zeros(len(vectors), dtype=bool)
    taken[list(chosen)] = True
    while len(found) < count and not taken.all():
        place = int(np.where(taken, np.inf, np.round(nearest, 5)).argmin())
        found.append(place)
        taken[place] = True
        nearest = np.maximum(nearest, vectors @ vectors[place])
    return found


def _by_content(member: Member) -> tuple[str, str, str, tuple[str, ...], float]:
    return member.document_id, member.title, member.text, member.concepts, member.strength


def _unit(vector: NDArray[np.float64]) -> NDArray[np.float64]:
    # The norm of one vector is summed in another order than the norms of rows, and may differ in its last bit.
    length = float(np.linalg.norm(vector))
    return vector / length if length > 1e-9 else np.zeros_like(vector)
