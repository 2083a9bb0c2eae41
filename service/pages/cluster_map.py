"""The map of a cluster type as a drawing (SVG): a dot for each document, from the positions that are stored with the pictures.

What belongs here: places and colours of dots and titles, in the drawing's own units. What does not: computing positions
(seed_assets.core.maps), and the markup (templates), which names a document under the pointer.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from resources.wording import shortened
from seed_assets.core.maps.pictures import Pictures
from seed_assets.session.session import Session
from service.replies import Cluster

WIDTH, HEIGHT = 1_000, 640
_MARGIN = 24
COLOURS = 12
"""The style sheet has so many colours; each next cluster gets the same ones again."""
_MOST_TITLES, _TITLE_CHARACTERS = 24, 30
# The size of a letter of a title: its usual width and its height.
_LETTER_WIDTH, _LETTER_HEIGHT = 8.4, 18.0


class Dot(NamedTuple):
    """A document on the map. colour: from 1 to COLOURS; 0 for a document in no cluster."""

    document: str
    x: float
    y: float
    colour: int
    cluster: str


class Title(NamedTuple):
    """The title of a cluster, centred at a place."""

    text: str
    x: float
    y: float


class ClusterMap(NamedTuple):
    """A map. radius: of its dots."""

    dots: list[Dot]
    titles: list[Title]
    radius: float


def cluster_map(session: Session, cluster_type: str, clusters: Sequence[Cluster]) -> ClusterMap | None:
    """The map of a cluster type; None if no positions are stored. Raises StoreError."""
    for stage in session.pipeline.stages.values():
        if stage.returns is Pictures:
            ref = session.store.refs.get(stage.name, [cluster_type]).get(cluster_type)
            pictures = session.store.load(ref.content_digest, Pictures) if ref is not None else None
            if pictures is not None and pictures.places is not None:
                places = {one: (place.x, place.y) for one, place in pictures.places.places.items()}
                return drawn(places, clusters)
    return None


def drawn(places: dict[str, tuple[float, float]], clusters: Sequence[Cluster]) -> ClusterMap:
    """The map of documents at these places, each coordinate from -1 to 1, with the second one upwards."""
    points = {
        document: (
            round(_MARGIN + (x + 1) / 2 * (WIDTH - 2 * _MARGIN), 1),
            round(_MARGIN + (1 - y) / 2 * (HEIGHT - 2 * _MARGIN), 1),
        )
        for document, (x, y) in places.items()
    }
    owner = {member: cluster for cluster in clusters for member in cluster.members}
    dots = [
        Dot(
            document,
            *points[document],
            colour_of(owner[document].cluster_id) if document in owner else 0,
            owner[document].title or owner[document].cluster_id if document in owner else "",
        )
        for document in sorted(points)
    ]
    return ClusterMap(
        dots, list(_titles(points, clusters)), round(min(9.0, max(2.5, 160 / max(1, len(dots)) ** 0.5)), 1)
    )


def colour_of(cluster_id: str) -> int:
    """The colour of a cluster, which depends only on the number in its id."""
    number = cluster_id.rpartition("/")[2]
    return (int(number) - 1) % COLOURS + 1 if number.isascii() and number.isdecimal() and len(number) < 16 else 1


def _titles(points: dict[str, tuple[float, float]], clusters: Sequence[Cluster]) -> Iterable[Title]:
    """The titles of the largest clusters, each above the middle of its members; one that would cover another is left out."""
    taken: list[tuple[float, float, float]] = []
    for cluster in sorted(clusters, key=lambda one: (-one.size, one.cluster_id))[:_MOST_TITLES]:
        own = [points[member] for member in cluster.members if member in points]
        if not own:
            continue
        text = shortened(cluster.title or cluster.cluster_id, _TITLE_CHARACTERS)
        half = len(text) * _LETTER_WIDTH / 2
        x = min(max(_middle(point[0] for point in own), half), WIDTH - half)
        y = min(max(_middle(point[1] for point in own) - _LETTER_HEIGHT, _LETTER_HEIGHT), HEIGHT - _LETTER_HEIGHT)
        if all(abs(x - a) > half + other or abs(y - b) > _LETTER_HEIGHT for a, b, other in taken):
            taken.append((x, y, half))
            yield Title(text, round(x, 1), round(y, 1))


def _middle(values: Iterable[float]) -> float:
    ordered = sorted(values)
    return ordered[len(ordered) // 2]
