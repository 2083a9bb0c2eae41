"""How likely the records of all documents are to be one. What belongs here: which of the entities are records, and finding their
scores. What does not: the scores (records.kind_likeness), and putting records together (grouping).
"""

from collections.abc import Collection, Iterator, Sequence
from typing import TYPE_CHECKING

from seed_assets.core.entities.records.record_kinds import RecordKind
from seed_assets.core.entities.resolution.local_entities import LocalEntity

if TYPE_CHECKING:
    from seed_assets.core.entities.records.kind_likeness import KindLikeness

Place = tuple[str, int]
"""An entity of a document: the document's id, and the place among its entities."""


def place_of(entity: LocalEntity) -> Place:
    """Return the place of an entity, which no other one has."""
    return entity.document_id, entity.index


class RecordLikeness:
    """Scores pairs of records of the same kind, and says which pairs are worth a look."""

    def __init__(self, kinds: Sequence[RecordKind], entities: Sequence[LocalEntity], new: Collection[Place]) -> None:
        """new: the places of the entities that are new; pairs of two others are not looked at."""
        self._kinds: list[tuple[KindLikeness, list[Place]]] = []
        self._of: dict[Place, tuple[KindLikeness, int]] = {}
        for kind in kinds:
            records = [one for one in entities if one.fields and one.type == kind.type]
            # By their digests, so that the same records give the same estimates in whichever documents they stand.
            records.sort(key=lambda one: (one.digest, one.document_id, one.index))
            if len(records) > 1:
                places = [place_of(one) for one in records]
                likeness = _kind_likeness(kind, records, [place in new for place in places])
                self._kinds.append((likeness, places))
                self._of |= {place: (likeness, row) for row, place in enumerate(places)}

    def score(self, one: LocalEntity, other: LocalEntity) -> float:
        """Return how likely two records are to be one, 0 to 1; 0 if they are of different kinds."""
        kind, row = self._of.get(place_of(one), (None, 0))
        other_kind, other_row = self._of.get(place_of(other), (None, 0))
        return kind.score(row, other_row) if kind is not None and kind is other_kind else 0.0

    def pairs(self, least: float) -> Iterator[tuple[Place, Place]]:
        """Yield the pairs of records, one of them new, that have something rare in common and at least this score."""
        for kind, places in self._kinds:
            for one, other in kind.pairs(least):
                yield places[one], places[other]


def _kind_likeness(kind: RecordKind, records: Sequence[LocalEntity], new: Sequence[bool]) -> "KindLikeness":
    # Imported here, since what it computes with takes long to import, and few homes have records.
    from seed_assets.core.entities.records.kind_likeness import KindLikeness

    return KindLikeness(kind, [one.fields for one in records], new)
