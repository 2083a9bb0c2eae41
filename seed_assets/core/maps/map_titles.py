"""Titles on a map: which characters can be shown, and where each title is placed.

What belongs here: fonts, lines and free places. What does not: choosing the titles (corpus_map).
"""

import unicodedata
from collections.abc import Sequence
from functools import cache
from itertools import product
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from resources.wording import shortened

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Array = NDArray[np.float64]
Box = tuple[float, float, float, float]

_BUNDLED = "DejaVu Sans"
# Fonts that may be installed and have letters that the bundled font lacks.
_OTHERS = (
    *("Noto Sans CJK JP", "Noto Sans CJK SC", "Source Han Sans", "WenQuanYi Zen Hei", "Droid Sans Fallback"),
    *("PingFang SC", "Hiragino Sans", "Microsoft YaHei", "Yu Gothic", "Malgun Gothic", "SimHei"),
    *("Noto Sans Devanagari", "Noto Sans Thai", "Noto Sans Bengali", "Noto Sans Tamil", "Nirmala UI", "Leelawadee UI"),
    *("FreeSans", "Arial Unicode MS", "Unifont"),
)
# The numbers were chosen by judgement; lengths are in pixels unless another unit is named.
_LINE_CHARACTERS, _LINES = 26, 2
# Stands for a letter that no font has.
_MISSING = "\u25a1"
# In points.
_FONT_SIZE = 9.5
# The space around a title, and between a title and the edge of the map.
_GAP, _EDGE = 3.0, 8.0
# How far a title moves to avoid covering one point: 2,000 / number of points, at least 5 and at most 60.
_WORTH_ALL_POINTS, _LEAST_WORTH, _MOST_WORTH = 2_000.0, 5.0, 60.0
# A title that is farther from its cluster is connected to it by a line.
_TIED = 45.0
# The displacements of a title that are tried, nearest first.
_SHIFTS = sorted(
    ((14.0 * across, 9.0 * along) for across, along in product(range(-14, 15), range(-22, 23))),
    key=lambda shift: (round(float(np.hypot(*shift)), 6), shift),
)


class Alphabet:
    """The characters that the fonts of this machine can show."""

    def __init__(self) -> None:
        self.families = [_BUNDLED]
        """The font families, in the order in which they are tried for a character."""
        self._signs = _signs_of(_BUNDLED)

    def shown(self, title: str, cluster_id: str) -> str:
        """Return a title in at most two lines; the cluster's id if there is no title, or no font for most of it."""
        return _in_lines(self.called(title, cluster_id, _LINE_CHARACTERS * _LINES))

    def called(self, title: str, cluster_id: str, characters: int) -> str:
        """Return a title (or the cluster's id; see `shown`) in one line of at most `characters` characters."""
        return self._drawable(title, characters) or self._drawable(cluster_id, characters) or _MISSING

    def _drawable(self, text: str, characters: int) -> str:
        text = unicodedata.normalize("NFC", " ".join(text[: 8 * characters].split()))
        text = "".join(sign for sign in text if unicodedata.category(sign) not in ("Cc", "Cf", "Cs", "Co", "Cn"))
        text = shortened(text, characters)
        if any(ord(sign) not in self._signs for sign in text):
            self._look_further(text)
        lacking = sum(ord(sign) not in self._signs for sign in text)
        shown = "".join(sign if ord(sign) in self._signs else _stand_in(sign) for sign in text).strip()
        return shown if 2 * lacking <= sum(not sign.isspace() for sign in text) else ""

    def _look_further(self, text: str) -> None:
        for family in _installed():
            lacking = {ord(sign) for sign in text} - self._signs
            if family not in self.families and lacking & _signs_of(family):
                self.families.append(family)
                self._signs = self._signs | _signs_of(family)


def _stand_in(sign: str) -> str:
    """Return what replaces a character that no font has: a box for a letter, nothing for symbols, marks and spaces."""
    return "" if unicodedata.category(sign)[0] in "SMZ" else _MISSING


def place_titles(
    axes: "Axes",
    titles: Sequence[str],
    clusters: Sequence[Array],
    colours: Sequence[str],
    families: Sequence[str],
) -> None:
    """Draw each title as near to its cluster's centre as possible, without covering another title or many points.

    Earlier titles take precedence; a title that fits nowhere is omitted.

    axes: their units must be pixels.
    titles: one per cluster.
    clusters: the points of each title's cluster in pixels, each of shape (n, 2).
    colours: one per title.
    families: the font families to use; see Alphabet.
    """
    from matplotlib.patheffects import withStroke

    points = np.concatenate([*clusters, np.empty((0, 2))])
    width, height = axes.get_xlim()[1], axes.get_ylim()[1]
    taken: list[Box] = []
    for title, cluster, colour in zip(titles, clusters, colours, strict=True):
        # The member nearest to the median is used: the median of a cluster in several pieces may lie in none of them.
        centre = cluster[np.abs(cluster - np.median(cluster, axis=0)).sum(axis=1).round(3).argmin()]
        text = axes.text(
            float(centre[0]),
            float(centre[1]),
            title,
            ha="center",
            va="center",
            ma="center",
            fontsize=_FONT_SIZE,
            fontfamily=list(families),
            linespacing=1.05,
            color=_darker(colour),
            parse_math=False,
            zorder=4,
            path_effects=[withStroke(linewidth=2.5, foreground="white", alpha=0.9)],
        )
        extent = text.get_window_extent()
        half = np.array([extent.width, extent.height]) / 2 + _GAP
        place = _free_place(centre, half, (width, height), points, taken)
        if place is None:
            text.remove()
            continue
        taken.append((place[0] - half[0], place[1] - half[1], place[0] + half[0], place[1] + half[1]))
        text.set_position((float(place[0]), float(place[1])))
        if float(np.hypot(*(place - centre))) > _TIED:
            axes.plot(*zip(place, centre, strict=True), color=_darker(colour), linewidth=0.8, alpha=0.7, zorder=3)


def _free_place(
    centre: Array, half: Array, size: tuple[float, float], points: Array, taken: Sequence[Box]
) -> Array | None:
    """Return the best centre for a title near a cluster's centre; None if there is no room.

    half: half the width and height of the title.
    size: the size of the map.
    """
    middle = np.divide(size, 2)
    first, last = np.minimum(half + _EDGE, middle), np.maximum(size - half - _EDGE, middle)
    inside = np.clip(centre, first, last)
    worth = float(np.clip(_WORTH_ALL_POINTS / max(1, len(points)), _LEAST_WORTH, _MOST_WORTH))
    best, least = None, np.inf
    for shift in _SHIFTS:
        moved = float(np.hypot(*shift))
        if moved >= least:
            break
        place = inside + shift
        low, high = place - half, place + half
        if bool((place < first).any()) or bool((place > last).any()):
            continue
        if any(low[0] < box[2] and high[0] > box[0] and low[1] < box[3] and high[1] > box[1] for box in taken):
            continue
        covered = int(((points > low) & (points < high)).all(axis=1).sum())
        cost = moved + worth * min(covered, 12)
        if cost < least:
            best, least = place, cost
    return best


def _in_lines(title: str) -> str:
    """Break a long title at the space nearest to its middle; if there is none near, shorten it to one line."""
    if len(title) <= _LINE_CHARACTERS:
        return title
    spaces = [
        place for place, sign in enumerate(title) if sign == " " and abs(2 * place - len(title)) <= len(title) / 2
    ]
    if not spaces:
        return f"{title[: _LINE_CHARACTERS - 1]}…"
    middle = min(spaces, key=lambda place: (abs(2 * place - len(title)), place))
    return f"{title[:middle]}\n{title[middle + 1 :]}"


def _darker(colour: str) -> tuple[float, float, float]:
    from matplotlib.colors import to_rgb

    red, green, blue = to_rgb(colour)
    return red * 0.7, green * 0.7, blue * 0.7


@cache
def _installed() -> tuple[str, ...]:
    from matplotlib.font_manager import fontManager

    names = {font.name for font in fontManager.ttflist}
    return tuple(family for family in _OTHERS if family in names)


@cache
def _signs_of(family: str) -> frozenset[int]:
    """Return the code points that a font has."""
    from matplotlib.font_manager import findfont, get_font

    try:
        return frozenset(get_font(findfont(family, fallback_to_default=False)).get_charmap())
    except (OSError, RuntimeError, ValueError):
        # The font is listed, but was removed or damaged since.
        return frozenset()
