"""Pictures of a clustering, as PNG files: a map of the documents, and a chart of the clusters' sizes.

What belongs here: drawing. What does not: the positions of documents (map_places), placing titles and choosing fonts
(map_titles), finding clusters (clustering) and naming them (cluster_summarizing).

The pictures are drawn without a display and without the user's matplotlib settings. Equal input gives equal bytes with the
same release of matplotlib and the same fonts.
"""

import io
import logging
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from resources.wording import counted
from seed_assets.core.clusters.clusters import Clustering, Placement
from seed_assets.core.maps.map_titles import Alphabet, place_titles

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# The sizes are in pixels and, like the limits, were chosen by judgement.
_DPI = 100
_WIDTH, _HEIGHT = 1_200, 800
_MARGIN = 26
_CAPTION_HEIGHT, _BAR_HEIGHT = 44, 26
_MOST_BARS, _MOST_TITLES = 40, 40
_BAR_TITLE_CHARACTERS = 60
_OUTLIER, _INK = "#b5b5b5", "#333333"
# Twelve colours that are easy to distinguish on white, after Paul Tol and Sasha Trubetskoy. Each next twelve clusters get
# the same colours with another marker.
_COLOURS = (
    *("#4363d8", "#e6550d", "#2f9e44", "#c2255c", "#0c9bb3", "#8a3ffc"),
    *("#a67c00", "#d6409f", "#5c7d0b", "#7a4a2b", "#1f3a93", "#e03131"),
)
_FORMS = ("o", "s", "^", "D", "v")
# The settings of matplotlib are global to the process.
_DRAWING = threading.Lock()


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
    across = _MARGIN + (places[:, 0] + 1) / 2 * (_WIDTH - 2 * _MARGIN)
    along = _MARGIN + (places[:, 1] + 1) / 2 * (_HEIGHT - _CAPTION_HEIGHT - 2 * _MARGIN)
    points = np.round(np.stack([across, along], axis=1), 2)
    members: dict[str, list[int]] = {}
    for row, place in enumerate(order):
        placement = placements.get(document_ids[place])
        members.setdefault(placement.cluster_id if placement else "", []).append(row)
    outliers = points[members.pop("", [])]
    with _drawing():
        figure, axes = _figure(_HEIGHT, (0, 0, 1, 1 - _CAPTION_HEIGHT / _HEIGHT))
        axes.set_axis_off()
        axes.set_xlim(0, _WIDTH)
        axes.set_ylim(0, _HEIGHT - _CAPTION_HEIGHT)
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
        _caption(figure, f"{_in_clusters(len(order), len(clusters))}{none}{unnamed}")
        return _png(figure)


def draw_sizes(clustering: Clustering, titles: Mapping[str, str]) -> bytes:
    """Draw a chart of the clusters' sizes, as PNG: one bar per cluster, the largest first, and one for the outliers.

    At most 40 clusters are shown, followed by the number of others. The picture is 1200 pixels wide, and its height depends
    on the number of bars.

    titles: cluster id -> title, as in draw_map.
    """
    clusters = sorted(clustering.clusters, key=lambda found: (-len(found.members), _by_number(found.cluster_id)))
    shown, left = clusters[:_MOST_BARS], clusters[_MOST_BARS:]
    alphabet = Alphabet()
    with _drawing():
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
        height = _CAPTION_HEIGHT + _BAR_HEIGHT * (max(1, len(bars)) + 1)
        figure, axes = _figure(height, None)
        places = range(len(bars))
        axes.barh(places, [bar[1] for bar in bars], color=[bar[2] for bar in bars], height=0.72)
        axes.set_yticks(places, [bar[0] for bar in bars])
        for label in axes.get_yticklabels():
            label.set(parse_math=False, fontfamily=alphabet.families, fontsize=9, color=_INK)
        for place, bar in zip(places, bars, strict=True):
            axes.text(bar[1], place, f" {bar[3]}", va="center_baseline", fontsize=9, color=_INK)
        axes.set_ylim(max(1, len(bars)) - 0.5, -0.5)
        axes.set_xlim(0, max([1, *(bar[1] for bar in bars)]) * 1.06)
        axes.set_xticks([])
        axes.tick_params(left=False)
        for side in ("top", "right", "bottom"):
            axes.spines[side].set_visible(False)
        axes.spines["left"].set_color(_OUTLIER)
        _caption(figure, _in_clusters(len(clustering.placements), len(clusters)))
        return _png(figure)


@contextmanager
def _drawing() -> Iterator[None]:
    """Draw one picture at a time, with matplotlib's default settings and without its messages about its font cache."""
    logger = logging.getLogger("matplotlib")
    with _DRAWING:
        level = logger.level
        logger.setLevel(logging.ERROR)
        try:
            import matplotlib.style

            with matplotlib.style.context("default"):
                yield
        finally:
            logger.setLevel(level)


def _figure(height: int, box: tuple[float, float, float, float] | None) -> "tuple[Figure, Axes]":
    """Return a figure of this height in pixels, with axes in the given box, or as large as their labels allow."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(_WIDTH / _DPI, height / _DPI), dpi=_DPI, layout=None if box else "constrained")
    FigureCanvasAgg(figure)
    if box:
        return figure, figure.add_axes(box)
    engine: Any = figure.get_layout_engine()
    engine.set(rect=(0.008, 0, 0.984, 1 - _CAPTION_HEIGHT / height))
    return figure, figure.add_subplot()


def _caption(figure: "Figure", text: str) -> None:
    height = float(figure.get_size_inches()[1]) * _DPI
    figure.text(_MARGIN / 2 / _WIDTH, 1 - _CAPTION_HEIGHT / 2 / height, text, va="center", fontsize=12, color=_INK)


def _png(figure: "Figure") -> bytes:
    file = io.BytesIO()
    figure.savefig(file, format="png", dpi=_DPI, metadata={"Software": None})
    return file.getvalue()


def _look(cluster_id: str) -> tuple[str, str]:
    """Return the (colour, marker) of a cluster's points, which depend only on the number in its id."""
    number = max(0, _by_number(cluster_id)[0] - 1)
    return _COLOURS[number % len(_COLOURS)], _FORMS[number // len(_COLOURS) % len(_FORMS)]


def _by_number(cluster_id: str) -> tuple[int, str]:
    number = cluster_id.rpartition("/")[2]
    return (int(number) if number.isascii() and number.isdecimal() and len(number) < 16 else 0), cluster_id


def _in_clusters(documents: int, clusters: int) -> str:
    return f"{counted(documents, 'document')} in {counted(clusters, 'cluster')}"
