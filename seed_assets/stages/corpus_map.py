"""The stage `corpus_map`: pictures of a cluster type."""

import asyncio

import msgspec

from seed_assets.core.corpus_map import draw_map, draw_sizes
from seed_assets.core.corpus_views import CorpusPicture
from seed_assets.stage import value_stage


class Pictures(msgspec.Struct, frozen=True):
    """PNG files. map: every document where its text stands, coloured by cluster; sizes: a bar a cluster."""

    map: bytes
    sizes: bytes


@value_stage(
    version="1",
    preview=lambda value: "",
    units="cluster_types",
    over=("embeddings", "clusters", "cluster_judgements"),
    show=lambda value: {"map": value.map, "sizes": value.sizes},
)
async def corpus_map(picture: CorpusPicture) -> Pictures:
    """One partition: a map of the corpus with the clusters of one type, and a chart of their sizes.

    Here, and as files in `pictures` of the home. Drawn again when the clusters, their titles or the documents' vectors
    change.
    """
    drawn = await asyncio.to_thread(
        draw_map, picture.vectors, picture.clustering.placements, picture.document_ids, picture.titles
    )
    return Pictures(drawn, await asyncio.to_thread(draw_sizes, picture.clustering, picture.titles))
