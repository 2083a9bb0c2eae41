"""Where the nodes of a graph are drawn. What belongs here: positions. What does not: choosing nodes (graph), drawing (drawing).

Source of the method: Fruchterman and Reingold, "Graph drawing by force-directed placement", 1991.
"""

import math
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from seed_assets.core.entity_graph.graph import EntityGraph

_STEPS = 300
# Nodes further apart than so many usual distances do not push each other, so that parts that are not connected stay near.
_REACH = 2.5
# How strongly nodes are pulled to the middle.
_GRAVITY = 0.05
_DECIMALS = 4
# The turn from one node to the next on the spiral that the nodes start from; a part of the circle that no two nodes repeat.
_TURN = math.pi * (3 - math.sqrt(5))


def positions(graph: EntityGraph) -> Mapping[str, tuple[float, float]]:
    """Return entity id -> (x, y), each from -1 to 1. The same graph has the same positions; the time is quadratic.

    A graph about one entity has it in the middle.
    """
    ids = [node.entity_id for node in graph.nodes]
    count = len(ids)
    if count < 2:
        return dict.fromkeys(ids, (0.0, 0.0))
    at = {entity_id: place for place, entity_id in enumerate(ids)}
    turns = np.arange(count) * _TURN
    places = np.sqrt((np.arange(count) + 0.5) / count)[:, None] * np.stack([np.cos(turns), np.sin(turns)], axis=1)
    pulls = np.zeros((count, count))
    for edge in graph.edges:
        one, other = at[edge.source], at[edge.target]
        pulls[one, other] = pulls[other, one] = max(pulls[one, other], 0.3 + 0.7 * edge.strength)
    # A node with many relationships is pulled by each of them less, or its neighbours would lie on it.
    often = np.sqrt(np.maximum(pulls.sum(axis=1), 1.0))
    pulls /= often[:, None] * often[None, :] / often.min() ** 2
    fixed = [at[one] for one in graph.middle] if len(graph.middle) == 1 else []
    wanted = 1.6 / math.sqrt(count)
    for step in range(_STEPS):
        places = _moved(places, pulls, wanted, 0.2 * (1 - step / _STEPS) + 0.002)
        places[fixed] = 0.0
    reach = np.maximum(np.abs(places).max(axis=0), 1e-9)
    scaled = np.round(places / reach, _DECIMALS) + 0.0
    return {entity_id: (float(scaled[place, 0]), float(scaled[place, 1])) for entity_id, place in at.items()}


def _moved(places: NDArray[np.float64], pulls: NDArray[np.float64], wanted: float, most: float) -> NDArray[np.float64]:
    """The places after one step. wanted: the distance of neighbours. most: the longest way of a node."""
    apart = places[:, None, :] - places[None, :, :]
    distance = np.maximum(np.sqrt((apart**2).sum(axis=2)), 1e-6)
    pushed = np.where(distance < _REACH * wanted, wanted**2 / distance**2, 0.0)
    force = pushed - pulls * distance / wanted
    move = (apart * force[:, :, None]).sum(axis=1) - _GRAVITY * places
    length = np.maximum(np.sqrt((move**2).sum(axis=1, keepdims=True)), 1e-9)
    return places + move / length * np.minimum(length, most)
