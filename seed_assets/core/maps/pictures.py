"""What the pictures of a cluster type are made from, and the pictures.

What belongs here: the types. What does not: reading them from published results (the inputs of stages), and drawing
(corpus_map).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import msgspec

from resources.models.float_arrays import Float32Array
from seed_assets.core.clusters.clusters import Clustering

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class MapPlace(msgspec.Struct, frozen=True, array_like=True):
    """The position of a document, each coordinate from -1 to 1, and the digest of the vector that it has this position for."""

    x: float
    y: float
    vector: str


class MapPlaces(msgspec.Struct, frozen=True):
    """The positions of all documents.

    places: document id -> its position.
    changed: the documents that came, went or changed since all positions were computed together, sorted; those that are not there
        any more without their names, see map_places.
    """

    places: dict[str, MapPlace]
    changed: tuple[str, ...] = ()

    def array(self, document_ids: Sequence[str]) -> "NDArray[np.float64]":
        """Return the positions of these documents, shape (len(document_ids), 2). Raises KeyError for an unknown one."""
        import numpy as np

        found = [(self.places[one].x, self.places[one].y) for one in document_ids]
        return np.array(found, dtype=np.float64).reshape(len(document_ids), 2)


# The defaults are those of pictures that were stored before positions were kept.
class Pictures(msgspec.Struct, frozen=True):
    """Pictures of a cluster type, as PNG files.

    map: one point per document, coloured by cluster, with similar documents near each other.
    sizes: one bar per cluster.
    places: the positions of the documents on the map; None if they were not kept.
    on_map, in_chart: the digests of everything that `map` and `sizes` show.
    """

    map: bytes
    sizes: bytes
    places: MapPlaces | None = None
    on_map: str = ""
    in_chart: str = ""


@dataclass(frozen=True, slots=True)
class CorpusPicture:
    """The input of the pictures of one cluster type.

    vectors: one row per document, in the order of `document_ids`, which are sorted.
    titles: cluster id -> the title of the cluster.
    previous: the previous pictures, or None.
    """

    clustering: Clustering
    vectors: Float32Array
    document_ids: list[str]
    titles: Mapping[str, str]
    previous: Pictures | None
