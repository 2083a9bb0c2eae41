"""The stage `corpus_map`: pictures of a cluster type."""

import asyncio
from typing import Annotated

import msgspec

from seed_assets.core.clusters.corpus_views import CorpusPicture
from seed_assets.core.maps.corpus_map import draw_map, draw_sizes
from seed_assets.graph.stage import Units, value_stage
from seed_assets.stages.clusters.inputs import Picture


class Pictures(msgspec.Struct, frozen=True):
    """Pictures of a cluster type, as PNG files.

    map: one point per document, coloured by cluster, with similar documents near each other.
    sizes: one bar per cluster.
    """

    map: bytes
    sizes: bytes


@value_stage(
    version="1",
    preview=lambda value: "",
    units=Units.CLUSTER_TYPES,
    show=lambda value: {"map": value.map, "sizes": value.sizes},
)
async def corpus_map(picture: Annotated[CorpusPicture, Picture()]) -> Pictures:
    """One partition: a map of the corpus with the clusters of one type, and a chart of their sizes.

    The pictures are shown here and stored as files in the folder `pictures` of the home. They are drawn again when the
    clusters, their titles or the documents' vectors change.
    """
    drawn = await asyncio.to_thread(
        draw_map, picture.vectors, picture.clustering.placements, picture.document_ids, picture.titles
    )
    return Pictures(drawn, await asyncio.to_thread(draw_sizes, picture.clustering, picture.titles))
