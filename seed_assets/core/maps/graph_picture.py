"""A picture of a graph of entities, as a PNG file, for pages that show no SVG. What belongs here: drawing it.

What does not: which nodes it has, and their positions (core.entity_graph).
"""

import io

from seed_assets.core.entities.name_types import TYPES
from seed_assets.core.entity_graph.graph import EntityGraph
from seed_assets.core.entity_graph.layout import positions
from seed_assets.core.maps.drawing import CAPTION_HEIGHT, COLOURS, INK, caption, drawing, figure_of, png_of
from seed_assets.core.maps.map_titles import Alphabet

# Chosen by judgement.
_HEIGHT = 900
_ROOM, _MOST_COLOURS = 1.12, 48
_NAME_CHARACTERS, _FONT_POINTS = 28, 8.5
_NODE_POINTS, _LINE, _NAMED = 90, "#c9ced4", "#1a5fb4"


def draw_graph(graph: EntityGraph) -> bytes:
    """Draw a graph of 1200 x 900 pixels, as PNG. Nodes have the colours of their types; relationships that a model named are blue
    lines, and others grey ones.
    """
    places = positions(graph)
    alphabet = Alphabet()
    with drawing():
        figure, axes = figure_of(_HEIGHT, (0, 0, 1, 1 - CAPTION_HEIGHT / _HEIGHT))
        axes.set_axis_off()
        axes.set_xlim(-_ROOM, _ROOM)
        axes.set_ylim(-_ROOM, _ROOM)
        for edge in graph.edges:
            ends = (places[edge.source], places[edge.target])
            colour = _NAMED if edge.is_named else _LINE
            axes.plot(*zip(*ends, strict=True), color=colour, linewidth=0.6 + 1.8 * edge.strength, zorder=1)
        colours = [COLOURS[TYPES.index(node.type) if node.type in TYPES else -1] for node in graph.nodes]
        points = [places[node.entity_id] for node in graph.nodes]
        axes.scatter(*zip(*points, strict=True), s=_NODE_POINTS, c=colours, linewidths=0, zorder=2)
        for node, (x, y) in zip(graph.nodes, points, strict=True):
            axes.annotate(
                alphabet.called(node.name, node.entity_id, _NAME_CHARACTERS),
                (x, y),
                xytext=(0, 7),
                textcoords="offset points",
                ha="center",
                color=INK,
                fontsize=_FONT_POINTS,
                fontfamily=alphabet.families,
                parse_math=False,
                zorder=3,
            )
        caption(figure, f"The most connected entities ({len(graph.nodes)}), and how they are related")
        return _with_few_colours(png_of(figure))


def _with_few_colours(png: bytes) -> bytes:
    """The same picture in a quarter of the bytes, since it is kept with each change."""
    from PIL import Image

    file = io.BytesIO()
    Image.open(io.BytesIO(png)).convert("RGB").quantize(_MOST_COLOURS).save(file, "png", optimize=True)
    return file.getvalue()
