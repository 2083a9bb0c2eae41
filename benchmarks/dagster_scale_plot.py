"""Draws dagster_scale's figures: seconds by number of documents, both on logarithmic scales.

python -m benchmarks.dagster_scale --documents 212 1000 10000 --json > figures.json
python -m benchmarks.dagster_scale_plot < figures.json > docs/pictures/dagster_scale.svg
"""

import json
import math
import sys
from collections.abc import Iterator
from typing import Any

from benchmarks.dagster_scale_report import whole_seconds

_WIDTH, _HEIGHT = 640, 330
_LEFT, _RIGHT, _TOP, _BOTTOM = 60, 205, 20, 45
_SECONDS = (0.1, 1, 10, 100, 1_000, 10_000)
_SERIES = (
    ("rematerialize_stock", "all reused, stock Dagster", "#b3501f"),
    ("rematerialize", "all reused, Seedbank", "#1f5fb3"),
    ("cocoindex", "nothing to do, CocoIndex", "#d99a2b"),
    ("nothing_to_do", "nothing to do, Seedbank", "#4a9ad4"),
)


def draw(figures: dict[int, dict[str, Any]]) -> Iterator[str]:
    """Return the lines of an SVG file. A hollow point is extrapolated from the part that was measured."""
    sizes = sorted(figures)
    yield f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" font-family="sans-serif" font-size="12">'
    yield f'<rect width="{_WIDTH}" height="{_HEIGHT}" fill="#fff"/>'

    def x(documents: float) -> float:
        along = math.log(documents / sizes[0]) / math.log(sizes[-1] / sizes[0])
        return round(_LEFT + 10 + along * (_WIDTH - _LEFT - _RIGHT - 10), 1)

    def y(seconds: float) -> float:
        up = math.log(seconds / _SECONDS[0]) / math.log(_SECONDS[-1] / _SECONDS[0])
        return round(_HEIGHT - _BOTTOM - up * (_HEIGHT - _TOP - _BOTTOM), 1)

    for seconds in _SECONDS:
        yield f'<path d="M{_LEFT} {y(seconds)}H{_WIDTH - _RIGHT}" stroke="#ddd"/>'
        yield f'<text x="{_LEFT - 8}" y="{y(seconds) + 4}" text-anchor="end" fill="#555">{seconds:,g} s</text>'
    for size in sizes:
        yield f'<text x="{x(size)}" y="{_HEIGHT - _BOTTOM + 18}" text-anchor="middle" fill="#555">{size:,}</text>'
    middle = (_LEFT + _WIDTH - _RIGHT) / 2
    yield f'<text x="{middle}" y="{_HEIGHT - 8}" text-anchor="middle" fill="#555">documents</text>'
    for name, label, color in _SERIES:
        points = [
            (x(size), y(seconds), of.get("documents", size) == size)
            for size in sizes
            if (seconds := whole_seconds(of := figures[size][name], size)) is not None
        ]
        if not points:
            continue
        line = "L".join(f"{across} {down}" for across, down, _ in points)
        yield f'<path d="M{line}" fill="none" stroke="{color}" stroke-width="2"/>'
        for across, down, whole in points:
            fill = color if whole else "#fff"
            yield f'<circle cx="{across}" cy="{down}" r="3.5" fill="{fill}" stroke="{color}" stroke-width="2"/>'
        across, down, _ = points[-1]
        yield f'<text x="{across + 10}" y="{down + 4}" fill="{color}">{label}</text>'
    yield "</svg>"


if __name__ == "__main__":
    _figures = json.load(sys.stdin)["figures"]
    print("\n".join(draw({int(size): found for size, found in _figures.items()})))
