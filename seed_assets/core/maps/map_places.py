"""The positions of documents on a map, which stay while few documents change.

What belongs here: which documents keep their positions. What does not: computing positions (map_layout), and drawing
(corpus_map).
"""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from io_managers.store.fingerprint import content_digest
from seed_assets.core.maps.map_layout import lay_out, put_beside
from seed_assets.core.maps.pictures import MapPlace, MapPlaces

# The numbers were chosen by judgement.
# Positions are rounded to so many digits: a tenth of a pixel.
_DIGITS = 4
# A changed document stays where it is if it would move by less than this: 36 of 1,200 pixels.
_STAYS = 0.06
# Beside fewer documents, positions would be the same.
_FEWEST_KNOWN = 4
# Hexadecimal digits of a vector's digest, which are enough to notice a change.
_DIGEST = 16
# No document has an id that begins like this, since ids are paths below a folder.
_GONE = "/gone/"


def place_documents(
    document_ids: Sequence[str], vectors: NDArray[np.float32], previous: MapPlaces | None, drift: float
) -> MapPlaces:
    """Return the positions of the documents, in which similar documents lie near each other.

    While at most a share `drift` of the documents came, went or changed since all positions were computed together, the others
    keep theirs, and a new or changed document is put beside the most similar ones; a changed one stays where it is if it would
    hardly move. Beyond that share all positions are computed together.

    document_ids: sorted.
    vectors: one row per document, shape (len(document_ids), d).
    previous: the result of the last call, or None.
    """
    digests = [content_digest(np.ascontiguousarray(row).tobytes())[-_DIGEST:] for row in vectors]
    places = None
    changed: set[str] = set()
    if previous is not None:
        before = previous.places
        known = [row for row, one in enumerate(document_ids) if one in before and before[one].vector == digests[row]]
        present = set(document_ids)
        changed = {*previous.changed, *(before.keys() ^ present)} - {_mark(one) for one in present}
        changed = {one if one in present or one.startswith(_GONE) else _mark(one) for one in changed}
        changed |= present - {document_ids[row] for row in known}
        if len(known) >= _FEWEST_KNOWN and len(changed) <= drift * len(document_ids):
            places = _continued(document_ids, vectors, np.array(known, dtype=np.int64), before)
    if places is None:
        places, changed = lay_out(vectors), set()
    return MapPlaces(
        {
            one: MapPlace(round(x, _DIGITS), round(y, _DIGITS), digest)
            for one, (x, y), digest in zip(document_ids, places.tolist(), digests, strict=True)
        },
        tuple(sorted(changed)),
    )


def _mark(document_id: str) -> str:
    """What stands for a document that is gone. Nobody needs its name any more, and a document may have to be erased."""
    return f"{_GONE}{content_digest(document_id.encode('utf-8', 'surrogatepass'))[-_DIGEST:]}"


def _continued(
    document_ids: Sequence[str], vectors: NDArray[np.float32], known: NDArray[np.int64], before: Mapping[str, MapPlace]
) -> NDArray[np.float64]:
    old = np.array([(before[one].x, before[one].y) if one in before else (np.nan, np.nan) for one in document_ids])
    if len(known) == len(document_ids):
        return old
    places = np.clip(put_beside(vectors, known, old[known]), -1, 1)
    stays = np.hypot(*(places - old).T) < _STAYS  # false for a new document
    places[stays] = old[stays]
    return places
