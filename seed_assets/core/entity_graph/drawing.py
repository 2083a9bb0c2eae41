"""A graph as a picture that a browser shows without a script (SVG). What belongs here: the drawing.

What does not: positions (layout), and the style sheets, which give classes their colours by day and by night.

Every text is escaped, after invisible and control characters are removed. There is no style, script or address in the picture but
those of links, which the caller gives.
"""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from html import escape

from io_managers.plain_text import plain
from resources.wording import counted, cut_at_word
from seed_assets.core.entities.name_types import TYPES
from seed_assets.core.entity_graph.graph import EntityGraph
from seed_assets.core.entity_graph.layout import positions

# In units of the drawing, chosen by judgement.
WIDTH, HEIGHT, _LEGEND_HEIGHT = 1_000, 730, 30
_MARGIN_X, _MARGIN_Y = 90, 40
_LETTER_WIDTH, _LINE_HEIGHT = 8.6, 18
_NAME_CHARACTERS = 28
_LEAST_RADIUS, _MOST_RADIUS = 5.0, 14.0
# The types of more relationships than this would hide each other.
_MOST_TYPES = 25
_ARROW = (
    'viewBox="0 0 8 8" refX="7" refY="4" markerUnits="userSpaceOnUse" markerWidth="11" markerHeight="11" orient="auto"'
)

_Places = Mapping[str, tuple[float, float]]


def picture(graph: EntityGraph, address: Callable[[str], str]) -> str:
    """Return the graph as an element `svg` of the class `graph`.

    Each node is a link of one of the classes c0 to c10, by its type. A name that would cover another is shown when its node is
    pointed at or has the focus (the class `quiet`). The nodes can be reached with the keyboard, in their order.

    address: where the link of an entity leads, by its id; "" for none.
    """
    middle = (HEIGHT - _LEGEND_HEIGHT) / 2
    places = {
        name: (round(WIDTH / 2 + x * (WIDTH / 2 - _MARGIN_X), 1), round(middle * (1 + y) - y * _MARGIN_Y, 1))
        for name, (x, y) in positions(graph).items()
    }
    names = {node.entity_id: plain(node.name) for node in graph.nodes}
    most = max((node.mentions for node in graph.nodes), default=1)
    radii = {
        node.entity_id: round(_LEAST_RADIUS + (_MOST_RADIUS - _LEAST_RADIUS) * (node.mentions / most) ** 0.5, 1)
        for node in graph.nodes
    }
    said = f"{counted(len(graph.nodes), 'entity', 'entities')} and {counted(len(graph.edges), 'relationship')}"
    return "\n".join(
        [
            f'<svg class="graph" viewBox="0 0 {WIDTH} {HEIGHT}" role="group" aria-label="Graph of {said}">',
            *_lines(graph, places, names, radii),
            *_nodes(graph, places, names, radii, address),
            *_legend(graph),
            "</svg>",
        ]
    )


def _lines(graph: EntityGraph, places: _Places, names: Mapping[str, str], radii: Mapping[str, float]) -> Iterator[str]:
    """The relationships; those that a model named end in an arrow, and have their types beside them if they are few."""
    yield f'<defs><marker id="arrow" {_ARROW}><path d="M0 0L8 4L0 8z"/></marker></defs>'
    few = sum(edge.is_named for edge in graph.edges) <= _MOST_TYPES
    for edge in graph.edges:
        (x1, y1), (x2, y2) = places[edge.source], places[edge.target]
        kind, sign, arrow = ("named", "→", ' marker-end="url(#arrow)"') if edge.is_named else ("together", "–", "")
        if arrow:
            # The arrow ends at the edge of the dot.
            length = math.dist((x1, y1), (x2, y2)) or 1.0
            kept = max(0.0, 1 - (radii[edge.target] + 2) / length)
            x2, y2 = round(x1 + (x2 - x1) * kept, 1), round(y1 + (y2 - y1) * kept, 1)
        label = f"{names[edge.source]} {sign} {names[edge.target]}: {plain(edge.type)}"
        ends = f'x1="{x1}" y1="{y1}" x2="{x2}" y2="{y2}" stroke-width="{round(1 + 3 * edge.strength, 1)}"{arrow}'
        yield f'<line class="{kind}" {ends}><title>{escape(label)}</title></line>'
        if arrow and few:
            at = f'x="{round((x1 + x2) / 2, 1)}" y="{round((y1 + y2) / 2, 1)}"'
            yield f'<text class="relation" {at}>{escape(cut_at_word(plain(edge.type), _NAME_CHARACTERS))}</text>'


def _nodes(
    graph: EntityGraph,
    places: _Places,
    names: Mapping[str, str],
    radii: Mapping[str, float],
    address: Callable[[str], str],
) -> Iterator[str]:
    shown = _labelled(graph, places, names)
    for node in graph.nodes:
        (x, y), name, radius = places[node.entity_id], names[node.entity_id], radii[node.entity_id]
        kinds = [_colour(node.type)]
        kinds += ["middle"] * (node.entity_id in graph.middle) + ["quiet"] * (node.entity_id not in shown)
        where = address(node.entity_id)
        link = f' href="{escape(where)}"' if where else ' tabindex="0"'
        title = f"{name} ({plain(node.type)}), {counted(node.mentions, 'mention')}"
        yield (
            f'<a{link} class="{" ".join(kinds)}"><title>{escape(title)}</title><circle cx="{x}" cy="{y}" r="{radius}"/>'
            f'<text x="{x}" y="{round(y - radius - 4, 1)}">{escape(cut_at_word(name, _NAME_CHARACTERS))}</text></a>'
        )


def _colour(kind: str) -> str:
    return f"c{TYPES.index(kind) if kind in TYPES else len(TYPES)}"


def _legend(graph: EntityGraph) -> Iterator[str]:
    """The types of the nodes with their colours, in one line as long as there is room."""
    x, y = 20.0, HEIGHT - 16
    for kind in dict.fromkeys(sorted(plain(node.type) for node in graph.nodes)):
        end = x + 24 + len(kind) * _LETTER_WIDTH
        if end > WIDTH:
            return
        yield (
            f'<g class="legend {_colour(kind)}"><circle cx="{round(x, 1)}" cy="{y}" r="6"/>'
            f'<text x="{round(x + 12, 1)}" y="{y + 5}">{escape(kind)}</text></g>'
        )
        x = end + 8


def _labelled(graph: EntityGraph, places: _Places, names: Mapping[str, str]) -> frozenset[str]:
    """The nodes whose names are always shown: those in the middle, then the most connected, as long as no name covers another."""
    degree = dict.fromkeys(places, 0)
    for edge in graph.edges:
        degree[edge.source] += 1
        degree[edge.target] += 1
    order: Sequence[str] = sorted(places, key=lambda one: (one not in graph.middle, -degree[one], one))
    taken: list[tuple[float, float, float]] = []
    shown: set[str] = set()
    for one in order:
        x, y = places[one]
        half = min(len(names[one]), _NAME_CHARACTERS) * _LETTER_WIDTH / 2
        if all(abs(x - other) >= half + width or abs(y - line) >= _LINE_HEIGHT for other, line, width in taken):
            taken.append((x, y, half))
            shown.add(one)
    return frozenset(shown)
