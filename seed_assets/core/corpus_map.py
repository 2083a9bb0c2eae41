"""Pictures of a clustering, as PNG files: a map of the documents, and a chart of the clusters' sizes.

What belongs here: drawing. What does not: finding clusters (clustering) and naming them (cluster_summarizing).

Figures are drawn without a display and without matplotlib's global state; equal input gives equal bytes with the same
release of matplotlib.
"""

import io
import unicodedata
import warnings
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from seed_assets.core.clusters import Clustering, Placement

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_DPI = 100
_WIDTH, _HEIGHT = 12.0, 8.0
_MOST_BARS = 40
_TITLE_CHARACTERS = 38
_OUTLIER = "#b8b8b8"
# Of more documents only so many are laid out by their neighbours; the others are put beside those they are like.
_MOST_LAID_OUT = 2_000
_MOST_TITLES = 40
_PERPLEXITY = 30.0
_NEIGHBOURS = 3
_STEPS = 500
_RANKS = 0.5


def draw_map(
    vectors: NDArray[np.float32],
    placements: Mapping[str, Placement],
    document_ids: Sequence[str],
    titles: Mapping[str, str],
) -> bytes:
    """A map, 1200 x 800 pixels: documents that are alike lie together, clusters are coloured and called by their titles.

    vectors: shape (len(document_ids), d), of any length. titles: by cluster id; a cluster without one is called by its id.
    Outliers, and documents without a placement, are grey.
    """
    figure, axes = _figure(_HEIGHT)
    points = _layout(np.asarray(vectors, dtype=np.float64))
    of_cluster: dict[str, list[int]] = {}
    for row, document in enumerate(document_ids):
        placement = placements.get(document)
        of_cluster.setdefault(placement.cluster_id if placement else "", []).append(row)
    size = float(np.clip(7_000 / max(1, len(document_ids)), 4, 60))
    outliers = points[of_cluster.pop("", [])]
    axes.scatter(outliers[:, 0], outliers[:, 1], s=size * 0.6, c=_OUTLIER, linewidths=0)
    colours = _colours(sorted(of_cluster, key=_by_number))
    labels: list[tuple[float, float, str, str]] = []
    for cluster_id in sorted(of_cluster, key=lambda c: (-len(of_cluster[c]), _by_number(c))):
        own = points[of_cluster[cluster_id]]
        axes.scatter(own[:, 0], own[:, 1], s=size, color=colours[cluster_id], alpha=0.85, linewidths=0)
        centre = np.median(own, axis=0)
        labels.append(
            (float(centre[0]), float(centre[1]), _shortened(titles.get(cluster_id) or cluster_id), cluster_id)
        )
    axes.set_axis_off()
    axes.set_xlim(-1.12, 1.12)
    axes.set_ylim(-1.08, 1.08)
    grey = f", {len(outliers):,} of them in none" if len(outliers) else ""
    axes.set_title(
        f"{_counted(len(document_ids), 'document')} in {_counted(len(of_cluster), 'cluster')}{grey}", fontsize=11
    )
    _write_labels(axes, labels[:_MOST_TITLES], colours)
    return _png(figure)


def draw_sizes(clustering: Clustering, titles: Mapping[str, str]) -> bytes:
    """A bar a cluster, the largest first, and one for the outliers: at most 40, then how many more there are."""
    clusters = sorted(clustering.clusters, key=lambda found: (-len(found.members), _by_number(found.cluster_id)))
    colours = _colours(sorted((found.cluster_id for found in clusters), key=_by_number))
    shown = clusters[:_MOST_BARS]
    left = clusters[_MOST_BARS:]
    bars = [(_named(found.cluster_id, titles), len(found.members), colours[found.cluster_id]) for found in shown]
    if left:
        members = sum(len(found.members) for found in left)
        bars.append((f"{len(left)} more clusters", members, "#dddddd"))
    outliers = sum(not placement.cluster_id for placement in clustering.placements.values())
    if outliers:
        bars.append(("in no cluster", outliers, _OUTLIER))
    figure, axes = _figure(max(2.0, 0.6 + 0.26 * len(bars)))
    places = np.arange(len(bars))
    axes.barh(places, [size for _, size, _ in bars], color=[colour for _, _, colour in bars], height=0.72)
    axes.set_yticks(places, [name for name, _, _ in bars], fontsize=8)
    for place, (_, size, _) in zip(places, bars, strict=True):
        axes.text(size, place, f" {size:,}", va="center", fontsize=8)
    axes.invert_yaxis()
    axes.set_xticks([])
    for side in ("top", "right", "bottom"):
        axes.spines[side].set_visible(False)
    documents = _counted(len(clustering.placements), "document")
    axes.set_title(f"{documents} in {_counted(len(clusters), 'cluster')}", fontsize=11)
    return _png(figure)


def _layout(vectors: NDArray[np.float64]) -> NDArray[np.float64]:
    """Places in the square from -1 to 1, of shape (n, 2), the same for the same vectors."""
    total = len(vectors)
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True) if total else np.zeros((0, 1))
    unit = np.nan_to_num(np.divide(vectors, lengths, out=np.zeros_like(vectors), where=lengths > 1e-9))
    chosen = np.unique(np.linspace(0, total - 1, min(total, _MOST_LAID_OUT)).astype(int)) if total else np.zeros(0, int)
    laid_out = _laid_out(unit[chosen])
    if len(chosen) == total:
        return _squared(laid_out)
    points = np.empty((total, 2))
    for start in range(0, total, 2_048):
        likeness = unit[start : start + 2_048] @ unit[chosen].T
        nearest = np.argsort(-np.round(likeness, 6), axis=1, kind="stable")[:, :_NEIGHBOURS]
        weights = np.maximum(np.take_along_axis(likeness, nearest, axis=1), 0) + 1e-6
        points[start : start + 2_048] = (laid_out[nearest] * weights[..., None]).sum(1) / weights.sum(1)[:, None]
    points[chosen] = laid_out
    return _squared(points)


def _laid_out(unit: NDArray[np.float64]) -> NDArray[np.float64]:
    flat = _principal(unit)
    # Of few documents, or of ones that are all alike, there is no neighbourhood to keep.
    if len(unit) < 8 or np.ptp(flat) < 1e-6:
        return flat
    from sklearn.manifold import TSNE

    perplexity = min(_PERPLEXITY, (len(unit) - 1) / 4)
    start = flat / max(float(flat[:, 0].std()), 1e-9) * 1e-4
    with warnings.catch_warnings():
        # Equal documents have no distance to be scaled by.
        warnings.simplefilter("ignore", RuntimeWarning)
        options: dict[str, Any] = {
            "perplexity": perplexity,
            "init": start.astype(np.float32),
            "metric": "cosine",
            "max_iter": _STEPS,
            "random_state": 0,
        }
        layout = TSNE(**options)
        return np.asarray(layout.fit_transform(unit.astype(np.float32)), dtype=np.float64)


def _principal(unit: NDArray[np.float64]) -> NDArray[np.float64]:
    """The two directions in which the vectors differ most, each with one sign."""
    if not len(unit):
        return np.zeros((0, 2))
    centred = unit - unit.mean(axis=0)
    _, values, directions = np.linalg.svd(centred, full_matrices=False)
    flat = np.zeros((len(unit), 2))
    for place in range(min(2, len(values))):
        if values[place] > 1e-6:
            direction = directions[place]
            flat[:, place] = centred @ (direction * np.sign(direction[np.abs(direction).argmax()]))
    return flat


def _squared(points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Scaled to the square, and drawn apart where they lie close together: a dense cluster is more than a dot."""
    if not len(points):
        return points
    from scipy.stats import rankdata

    return _scaled(_scaled(points) + _RANKS * _scaled(rankdata(np.round(points, 6), axis=0)))


def _scaled(points: NDArray[np.float64]) -> NDArray[np.float64]:
    low, high = points.min(axis=0), points.max(axis=0)
    wide = high - low > 1e-9
    return np.where(wide, 2 * (points - low) / np.where(wide, high - low, 1.0) - 1, 0.0)


def _figure(height: float) -> "tuple[Figure, Any]":
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(_WIDTH, height), dpi=_DPI, layout="constrained")
    FigureCanvasAgg(figure)
    return figure, figure.add_subplot()


def _png(figure: "Figure") -> bytes:
    file = io.BytesIO()
    with warnings.catch_warnings():
        # A script that the bundled font does not have is shown as boxes.
        warnings.filterwarnings("ignore", message=r"Glyph .* missing")
        figure.savefig(file, format="png", metadata={"Software": None})
    return file.getvalue()


def _write_labels(axes: Any, labels: Sequence[tuple[float, float, str, str]], colours: Mapping[str, Any]) -> None:
    """Titles at their places, moved up or down where they would lie on each other."""
    taken: list[tuple[float, float, float]] = []
    for x, y, title, cluster_id in labels:
        half = 0.0095 * len(title)
        x = float(np.clip(x, -1.1 + half, 1.1 - half)) if half < 1.1 else 0.0
        place = next(
            (
                y + step
                for step in sorted((0.02 * n for n in range(-30, 31)), key=lambda move: (abs(move), move))
                if -1.05 < y + step < 1.05
                and not any(abs(x - ox) < half + other and abs(y + step - oy) < 0.052 for ox, oy, other in taken)
            ),
            None,
        )
        if place is None:
            continue
        taken.append((x, place, half))
        axes.text(
            x,
            place,
            title,
            ha="center",
            va="center",
            fontsize=8,
            parse_math=False,
            bbox={"boxstyle": "round,pad=0.2", "fc": "white", "ec": colours[cluster_id], "alpha": 0.82, "lw": 1},
        )


def _colours(cluster_ids: Sequence[str]) -> dict[str, Any]:
    """As far from each other as may be for neighbours in the list; a cluster keeps its colour while its number stays."""
    from matplotlib.colors import hsv_to_rgb

    numbers = {cluster_id: _by_number(cluster_id)[0] for cluster_id in cluster_ids}
    return {
        cluster_id: hsv_to_rgb(
            ((0.11 + number * 0.618034) % 1.0, (0.75, 0.55)[number % 2], (0.82, 0.68, 0.92)[number % 3])
        )
        for cluster_id, number in numbers.items()
    }


def _by_number(cluster_id: str) -> tuple[int, str]:
    number = cluster_id.rpartition("/")[2]
    return (int(number) if number.isdecimal() and number.isascii() else 0, cluster_id)


def _named(cluster_id: str, titles: Mapping[str, str]) -> str:
    number = cluster_id.rpartition("/")[2]
    title = titles.get(cluster_id)
    return f"{_shortened(title, 60)}  ({number})".replace("$", r"\$") if title else cluster_id.replace("$", r"\$")


def _shortened(title: str, characters: int = _TITLE_CHARACTERS) -> str:
    """One line of so many characters at most, without signs that no font has."""
    shown = "".join(
        sign for sign in " ".join(title.split()) if unicodedata.category(sign) not in ("Cc", "Cs", "Co", "Cn")
    )
    return shown if len(shown) <= characters else shown[: characters - 1].rstrip() + "…"


def _counted(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
