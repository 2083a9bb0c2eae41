"""Choosing what is both good and different (maximal marginal relevance). What does not belong here: what makes an
item good, or two items alike.

Source: Carbonell and Goldstein, "The Use of MMR", SIGIR 1998.
"""

import numpy as np
from numpy.typing import NDArray


def choose(
    scores: NDArray[np.float64],
    similarity: NDArray[np.float64],
    costs: NDArray[np.int64],
    *,
    budget: int,
    relevance: float,
) -> list[int]:
    """Indices in the order of choice: each time the affordable item of the best marginal score, until none is left.

    scores: (n,), best near 1, worst near 0. similarity: (n, n), 1 on equal items. costs: (n,), in the unit of
    `budget`; the costs of what is chosen never exceed it. relevance: the weight of an item's own score against its
    greatest similarity to what is chosen, 1 for score alone. The first of equal items wins.
    """
    chosen: list[int] = []
    left = budget
    open_items = np.ones(len(scores), dtype=bool)
    nearest = np.zeros(len(scores))
    while (affordable := open_items & (costs <= left)).any():
        marginal = relevance * scores - (1 - relevance) * nearest
        best = int(np.where(affordable, marginal, -np.inf).argmax())
        chosen.append(best)
        open_items[best] = False
        left -= int(costs[best])
        nearest = np.maximum(nearest, similarity[best])
    return chosen


def spread(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """The values moved and scaled to lie from 0 to 1; zeros where all are equal, or there are none."""
    if not len(values) or values.max() - values.min() < 1e-9:
        return np.zeros(len(values))
    return (values - values.min()) / (values.max() - values.min())
