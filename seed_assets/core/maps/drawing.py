"""Drawing with matplotlib: without a display, one picture at a time, and without the user's settings.

What belongs here: figures, their captions, and their bytes. What does not: what is drawn (corpus_map, graph_picture).
"""

import io
import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# The sizes are in pixels and were chosen by judgement.
_DPI = 100
WIDTH, MARGIN, CAPTION_HEIGHT = 1_200, 26, 44
INK = "#333333"
# Twelve colours that are easy to distinguish on white, after Paul Tol and Sasha Trubetskoy.
COLOURS = (
    *("#4363d8", "#e6550d", "#2f9e44", "#c2255c", "#0c9bb3", "#8a3ffc"),
    *("#a67c00", "#d6409f", "#5c7d0b", "#7a4a2b", "#1f3a93", "#e03131"),
)
# The settings of matplotlib are global to the process.
_DRAWING = threading.Lock()


@contextmanager
def drawing() -> Iterator[None]:
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


def figure_of(height: int, box: tuple[float, float, float, float] | None) -> "tuple[Figure, Axes]":
    """Return a figure of this height in pixels, with axes in the given box, or as large as their labels allow."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(WIDTH / _DPI, height / _DPI), dpi=_DPI, layout=None if box else "constrained")
    FigureCanvasAgg(figure)
    if box:
        return figure, figure.add_axes(box)
    engine: Any = figure.get_layout_engine()
    engine.set(rect=(0.008, 0, 0.984, 1 - CAPTION_HEIGHT / height))
    return figure, figure.add_subplot()


def caption(figure: "Figure", text: str) -> None:
    height = float(figure.get_size_inches()[1]) * _DPI
    figure.text(MARGIN / 2 / WIDTH, 1 - CAPTION_HEIGHT / 2 / height, text, va="center", fontsize=12, color=INK)


def png_of(figure: "Figure") -> bytes:
    file = io.BytesIO()
    figure.savefig(file, format="png", dpi=_DPI, metadata={"Software": None})
    return file.getvalue()
