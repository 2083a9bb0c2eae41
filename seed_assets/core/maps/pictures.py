"""What the pictures of a cluster type are made from, and the pictures.

What belongs here: the types. What does not: reading them from published results (the inputs of stages), and drawing
(corpus_map).
"""

from collections.abc import Mapping
from dataclasses import dataclass

import msgspec
import numpy as np
from numpy.typing import NDArray

from seed_assets.core.clusters.clusters import Clustering
from seed_assets.core.maps.map_places import MapPlaces


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
    vectors: NDArray[np.float32]
    document_ids: list[str]
    titles: Mapping[str, str]
    previous: Pictures | None
