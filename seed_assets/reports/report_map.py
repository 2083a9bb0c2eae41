"""The map of a cluster type in the report: where each document and each title is.

What belongs here: positions in the drawing. What does not: positions of documents to each other (seed_assets.core.maps), which
the map takes from the pictures of the cluster type, and drawing (the template report.html).
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import median

from resources.wording import cut_at_word
from seed_assets.core.clusters.clusters import Clustering
from seed_assets.core.maps.pictures import MapPlaces

# In units of the drawing, chosen by judgement: its size, its margin, and the size of a letter of a title.
WIDTH, HEIGHT = 1_000, 640
_MARGIN = 24
_LETTER_WIDTH, _LINE_HEIGHT = 10.4, 20
_MOST_TITLES, _TITLE_CHARACTERS = 25, 30
COLOURS = 12
"""How many colours the style sheet has for clusters."""


@dataclass(frozen=True, slots=True)
class MapDot:
    """A document on the map. label: what is shown under the pointer."""

    document: str
    label: str
    x: float
    y: float


@dataclass(frozen=True, slots=True)
class MapTitle:
    """The title of a cluster on the map; x and y are the middle of its baseline."""

    text: str
    x: float
    y: float


@dataclass(frozen=True, slots=True)
class MapGroup:
    """The documents of a cluster. colour: the number of its colour; None for the documents in no cluster."""

    colour: int | None
    dots: list[MapDot]


@dataclass(frozen=True, slots=True)
class ReportMap:
    """A map. radius: that of each dot."""

    groups: list[MapGroup]
    titles: list[MapTitle]
    radius: float


def report_map(
    places: MapPlaces | None, clustering: Clustering, names: Mapping[str, str], titles: Mapping[str, str]
) -> ReportMap | None:
    """The map of a clustering; None if the positions of its documents are not kept.

    names: document id -> title, of the documents in the report. titles: cluster id -> title.
    """
    if places is None:
        return None
    groups: dict[str, list[MapDot]] = {}
    for document, place in places.places.items():
        if document in names:
            cluster = placement.cluster_id if (placement := clustering.placements.get(document)) else ""
            of_cluster = f"\n{titles.get(cluster) or cluster}" if cluster else ""
            label = f"{names[document] or document}\n{document}{of_cluster}"
            x, y = _place(place.x, WIDTH), _place(-place.y, HEIGHT)
            groups.setdefault(cluster, []).append(MapDot(document, label, x, y))
    by_size = sorted((one for one in groups if one), key=lambda one: -len(groups[one]))
    drawn = [MapGroup(colour_of(one), groups[one]) for one in by_size]
    outliers = [MapGroup(None, groups[""])] if "" in groups else []
    named = [(titles.get(one) or one, groups[one]) for one in by_size[:_MOST_TITLES]]
    total = sum(map(len, groups.values()))
    return ReportMap(
        [*outliers, *drawn], list(_titles(named)), round(min(8.0, max(2.5, 120 / max(1, total) ** 0.5)), 1)
    )


def colour_of(cluster_id: str) -> int:
    """The number of a cluster's colour, which depends only on the number in its id."""
    number = cluster_id.rpartition("/")[2]
    return (int(number) - 1) % COLOURS if number.isdecimal() else 0


def _place(position: float, length: int) -> float:
    return round(_MARGIN + (position + 1) / 2 * (length - 2 * _MARGIN), 1)


def _titles(named: Sequence[tuple[str, Sequence[MapDot]]]) -> Iterator[MapTitle]:
    """The titles in the middle of their documents; one that would cover an earlier one is left out."""
    taken: list[tuple[float, float, float]] = []
    for title, dots in named:
        text = cut_at_word(title, _TITLE_CHARACTERS)
        half = len(text) * _LETTER_WIDTH / 2
        x = min(max(median(dot.x for dot in dots), half), WIDTH - half)
        y = min(max(median(dot.y for dot in dots), _LINE_HEIGHT), HEIGHT - _LINE_HEIGHT / 2)
        if all(abs(x - other) >= half + width or abs(y - line) >= _LINE_HEIGHT for other, line, width in taken):
            taken.append((x, y, half))
            yield MapTitle(text, round(x, 1), round(y, 1))
