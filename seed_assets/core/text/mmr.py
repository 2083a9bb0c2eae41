"""Maximal marginal relevance: choosing items that are good and differ from each other. What does not belong here: scoring
items and measuring their similarity.

Source: Carbonell and Goldstein, "The Use of MMR, Diversity-Based Reranking", SIGIR 1998.
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
    """Return the indices of the chosen items, in order: each time the affordable item with the best marginal score.

    scores: shape (n,), about 1 for the best item and 0 for the worst.
    similarity: shape (n, n), 1 for equal items.
    costs: shape (n,), in the unit of `budget`.
    budget: the most that all chosen items may cost.
    relevance: the weight of an item's score against its greatest similarity to a chosen item; 1 means the score alone.

    The first of equal items wins.
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
    """Scale the values linearly to the range from 0 to 1; the result is zeros if all are equal.

    Equal scores decide nothing here. retrieval.ranking.stretched gives 1 for equal positive scores, which a search needs.
    """
    if not len(values) or values.max() - values.min() < 1e-9:
        return np.zeros(len(values))
    return (values - values.min()) / (values.max() - values.min())
