"""Pictures of a clustering, as PNG files: a map of the documents, and a chart of the clusters' sizes.

What belongs here: what is drawn. What does not: the settings of matplotlib (drawing), the positions of documents (map_places),
placing titles and choosing fonts (map_titles), finding clusters (clustering) and naming them (cluster_summarizing).

The pictures are drawn without a display and without the user's matplotlib settings. Equal input gives equal bytes with the
same release of matplotlib and the same fonts.
"""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from resources.wording import counted
from seed_assets.core.clusters.clusters import Clustering, Placement
from seed_assets.core.maps.drawing import (
    CAPTION_HEIGHT,
    COLOURS,
    INK,
    MARGIN,
    WIDTH,
    caption,
    drawing,
    figure_of,
    png_of,
)
from seed_assets.core.maps.map_titles import Alphabet, place_titles

# The sizes are in pixels and, like the limits, were chosen by judgement.
_HEIGHT, _BAR_HEIGHT = 800, 26
_MOST_BARS, _MOST_TITLES = 40, 40
_BAR_TITLE_CHARACTERS = 60
_OUTLIER = "#b5b5b5"
# Each next twelve clusters get the same colours with another marker.
_FORMS = ("o", "s", "^", "D", "v")


def draw_map(
    places: NDArray[np.float64],
    placements: Mapping[str, Placement],
    document_ids: Sequence[str],
    titles: Mapping[str, str],
) -> bytes:
    """Draw a map of 1200 x 800 pixels, as PNG, on which clusters have colours and titles.

    Outliers, and documents without an assignment, are grey. At most the 40 largest clusters are named.

    places: the positions of the documents, each coordinate from -1 to 1, shape (len(document_ids), 2).
    placements: document id -> its assignment.
    document_ids: in any order, which does not matter.
    titles: cluster id -> title; a cluster without a title is shown with its id.
    """
    order = sorted(range(len(document_ids)), key=document_ids.__getitem__)
    places = places[order]
    across = MARGIN + (places[:, 0] + 1) / 2 * (WIDTH - 2 * MARGIN)
    along = MARGIN + (places[:, 1] + 1) / 2 * (_HEIGHT - CAPTION_HEIGHT - 2 * MARGIN)
    points = np.round(np.stack([across, along], axis=1), 2)
    members: dict[str, list[int]] = {}
    for row, place in enumerate(order):
        placement = placements.get(document_ids[place])
        members.setdefault(placement.cluster_id if placement else "", []).append(row)
    outliers = points[members.pop("", [])]
    with drawing():
        figure, axes = figure_of(_HEIGHT, (0, 0, 1, 1 - CAPTION_HEIGHT / _HEIGHT))
        axes.set_axis_off()
        axes.set_xlim(0, WIDTH)
        axes.set_ylim(0, _HEIGHT - CAPTION_HEIGHT)
        size = float(np.clip(14_000 / max(1, len(order)), 5, 42))
        axes.scatter(outliers[:, 0], outliers[:, 1], s=size * 0.7, c=_OUTLIER, linewidths=0)
        clusters = sorted(members, key=lambda cluster_id: (-len(members[cluster_id]), _by_number(cluster_id)))
        for cluster_id in clusters:
            own = points[members[cluster_id]]
            colour, form = _look(cluster_id)
            axes.scatter(own[:, 0], own[:, 1], s=size, c=colour, marker=form, alpha=0.8, linewidths=0)
        named = clusters[:_MOST_TITLES]
        alphabet = Alphabet()
        place_titles(
            axes,
            [alphabet.shown(titles.get(cluster_id, ""), cluster_id) for cluster_id in named],
            [points[members[cluster_id]] for cluster_id in named],
            [_look(cluster_id)[0] for cluster_id in named],
            alphabet.families,
        )
        none = f", {len(outliers):,} of them in none" if len(outliers) else ""
        unnamed = f" (the {len(named)} largest are named)" if len(clusters) > len(named) else ""
        caption(figure, f"{_in_clusters(len(order), len(clusters))}{none}{unnamed}")
        return png_of(figure)


def draw_sizes(clustering: Clustering, titles: Mapping[str, str]) -> bytes:
    """Draw a chart of the clusters' sizes, as PNG: one bar per cluster, the largest first, and one for the outliers.

    At most 40 clusters are shown, followed by the number of others. The picture is 1200 pixels wide, and its height depends
    on the number of bars.

    titles: cluster id -> title, as in draw_map.
    """
    clusters = sorted(clustering.clusters, key=lambda found: (-len(found.members), _by_number(found.cluster_id)))
    shown, left = clusters[:_MOST_BARS], clusters[_MOST_BARS:]
    alphabet = Alphabet()
    with drawing():
        # (its name, its length, its colour, the text after it)
        bars = [
            (
                alphabet.called(titles.get(found.cluster_id, ""), found.cluster_id, _BAR_TITLE_CHARACTERS),
                len(found.members),
                _look(found.cluster_id)[0],
                f"{len(found.members):,}",
            )
            for found in shown
        ]
        if left:
            # They get no bar: together they are not a cluster, and the bar would dwarf the others.
            documents = sum(len(found.members) for found in left)
            bars.append((counted(len(left), "more cluster"), 0, _OUTLIER, f"{documents:,} together"))
        outliers = sum(not placement.cluster_id for placement in clustering.placements.values())
        if outliers:
            bars.append(("in no cluster", outliers, _OUTLIER, f"{outliers:,}"))
        height = CAPTION_HEIGHT + _BAR_HEIGHT * (max(1, len(bars)) + 1)
        figure, axes = figure_of(height, None)
        places = range(len(bars))
        axes.barh(places, [bar[1] for bar in bars], color=[bar[2] for bar in bars], height=0.72)
        axes.set_yticks(places, [bar[0] for bar in bars])
        for label in axes.get_yticklabels():
            label.set(parse_math=False, fontfamily=alphabet.families, fontsize=9, color=INK)
        for place, bar in zip(places, bars, strict=True):
            axes.text(bar[1], place, f" {bar[3]}", va="center_baseline", fontsize=9, color=INK)
        axes.set_ylim(max(1, len(bars)) - 0.5, -0.5)
        axes.set_xlim(0, max([1, *(bar[1] for bar in bars)]) * 1.06)
        axes.set_xticks([])
        axes.tick_params(left=False)
        for side in ("top", "right", "bottom"):
            axes.spines[side].set_visible(False)
        axes.spines["left"].set_color(_OUTLIER)
        caption(figure, _in_clusters(len(clustering.placements), len(clusters)))
        return png_of(figure)


def _look(cluster_id: str) -> tuple[str, str]:
    """Return the (colour, marker) of a cluster's points, which depend only on the number in its id."""
    number = max(0, _by_number(cluster_id)[0] - 1)
    return COLOURS[number % len(COLOURS)], _FORMS[number // len(COLOURS) % len(_FORMS)]


def _by_number(cluster_id: str) -> tuple[int, str]:
    number = cluster_id.rpartition("/")[2]
    return (int(number) if number.isascii() and number.isdecimal() and len(number) < 16 else 0), cluster_id


def _in_clusters(documents: int, clusters: int) -> str:
    return f"{counted(documents, 'document')} in {counted(clusters, 'cluster')}"
