"""The stage `corpus_map`: pictures of a cluster type."""

import asyncio
from collections import Counter
from typing import Annotated

import msgspec

from io_managers.store.fingerprint import content_digest
from seed_assets.core.clusters.cluster_rules import ClusterRules
from seed_assets.core.maps.pictures import CorpusPicture, Pictures
from seed_assets.graph.stage import Units, value_stage
from seed_assets.stages.clusters.inputs import Picture


@value_stage(
    version="2",
    changes={"2": "A map keeps the positions of its documents while few of them change."},
    preview=lambda value: "",
    units=Units.CLUSTER_TYPES,
    continues=True,
    show=lambda value: {"map": value.map, "sizes": value.sizes},
)
async def corpus_map(picture: Annotated[CorpusPicture, Picture()], *, cluster_rules: ClusterRules) -> Pictures:
    """One partition: a map of the corpus with the clusters of one type, and a chart of their sizes.

    The pictures are shown here and stored as files in the folder `pictures` of the home. While few documents come, go or
    change, the others keep their places on the map. A picture is drawn again only if something in it changes.
    """
    return await asyncio.to_thread(_pictures, picture, cluster_rules.drift)


def _pictures(picture: CorpusPicture, drift: float) -> Pictures:
    from seed_assets.core.maps.corpus_map import draw_map, draw_sizes
    from seed_assets.core.maps.map_places import place_documents

    ids, titles, placements = picture.document_ids, picture.titles, picture.clustering.placements
    before = picture.previous or Pictures(b"", b"")
    places = place_documents(ids, picture.vectors, before.places, drift)
    positions = places.array(ids)
    on_map = _digest(ids, positions.tolist(), [placements[one].cluster_id for one in ids], titles)
    in_chart = _digest(Counter(placed.cluster_id for placed in placements.values()), titles)
    return Pictures(
        before.map if before.on_map == on_map else draw_map(positions, placements, ids, titles),
        before.sizes if before.in_chart == in_chart else draw_sizes(picture.clustering, titles),
        places,
        on_map,
        in_chart,
    )


def _digest(*shown: object) -> str:
    return content_digest(msgspec.msgpack.encode(shown, order="sorted"))
