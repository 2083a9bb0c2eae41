"""A cluster's members, and which of them stand for it.

What belongs here: the material that a summary of a cluster is made of, and the order in which its members are looked at.
What does not: what is written of them (cluster_summarizing, model_cluster_summarizing).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import zip_longest

import msgspec
import numpy as np
from numpy.typing import NDArray

from resources.embedder import LocalEmbedder
from seed_assets.core.mmr import spread

_MOST_TYPICAL, _MOST_UNTYPICAL = 3, 3
# Of fewer members none is far from the others.
_TINY = 5
# A document's direction is plain from so much of its summary or lead.
_READ_CHARACTERS = 1_000


class Member(msgspec.Struct, frozen=True):
    """A document of a cluster. text: its summary, or how it begins; concepts: best first; strength: see Placement."""

    document_id: str
    title: str
    text: str
    concepts: tuple[str, ...]
    strength: float


class ClusterMaterial(msgspec.Struct):
    """What a summary of a cluster is made of, in any order of the members.

    background: concept -> how many documents of the corpus have it. documents: in the corpus.
    """

    cluster_id: str
    cluster_type: str
    members: tuple[Member, ...]
    background: Mapping[str, int]
    documents: int


@dataclass(frozen=True, slots=True)
class ArrangedMembers:
    """Members by how well they stand for the cluster, best first; vectors: one a member, in the same order.

    centre: the direction of all members together. typical, untypical: ids of those that stand for it best and worst, at
    most three each, none in both; of a cluster of fewer than five, or of members that are all alike, none is untypical.
    """

    members: tuple[Member, ...]
    vectors: NDArray[np.float32]
    centre: NDArray[np.float32]
    typical: tuple[str, ...]
    untypical: tuple[str, ...]


def arranged_members(material: ClusterMaterial, embedder: LocalEmbedder) -> ArrangedMembers:
    """The members by their strength and by how near they are to the centre of all; of equals, the first by name.

    Raises ValueError for a cluster without members.
    """
    if not material.members:
        raise ValueError(f"the cluster {material.cluster_id} has no members, so there is nothing to say of it")
    members = sorted(
        {member.document_id: member for member in sorted(material.members, key=_by_content)}.values(),
        key=lambda member: member.document_id,
    )
    vectors = embedder.embed_sync([f"{member.title}\n{member.text[:_READ_CHARACTERS]}" for member in members])
    # Rounded, so that the last bits of a sum, which differ between machines, decide no tie.
    centre = np.round(_unit(vectors.mean(axis=0, dtype=np.float64)), 6).astype(np.float32)
    nearness = spread(np.round((vectors @ centre).astype(np.float64), 5))
    strength = np.round(np.nan_to_num(np.array([member.strength for member in members], dtype=np.float64)), 6)
    scores = np.round(nearness + spread(strength), 5)
    order = np.argsort(-scores, kind="stable")
    ids = [members[place].document_id for place in order]
    typical = tuple(ids[:_MOST_TYPICAL])
    untypical: tuple[str, ...] = ()
    if len(ids) >= _TINY:
        least = scores[order[_MOST_TYPICAL - 1]]
        last = [place for place in order[_MOST_TYPICAL:][::-1] if scores[place] < least]
        untypical = tuple(members[place].document_id for place in last[:_MOST_UNTYPICAL])
    return ArrangedMembers(tuple(members[place] for place in order), vectors[order], centre, typical, untypical)


def spread_of_members(arranged: ArrangedMembers, count: int) -> list[int]:
    """Places of `count` members that show the whole cluster: the most typical first, then in turns those that are least
    like all before, and the least typical.
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
    """Farthest first from what is chosen."""
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
    length = float(np.linalg.norm(vector))
    return vector / length if length > 1e-9 else np.zeros_like(vector)
