"""Which passages of a result are nearly the same, such as copies of a document, or the notice at the end of each.

What belongs here: comparing passages with each other. What does not: comparing them with a query (ranking).
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from retrieval.passage_features import Passages

# Passages are nearly the same if they share so much of their pairs of neighbouring tokens (weighted Jaccard similarity, after
# Broder 1997). Chosen by judgement: a copy with a few changed words in it is above, rows of one table with other numbers below.
_NEARLY = 0.85
# Larger than any token id.
_NEXT = 1 << 32


def groups(passages: Passages, order: Sequence[int]) -> list[list[int]]:
    """Put passages that are nearly the same as the first of a group into that group.

    order: the places of the passages, best first; groups and their members keep this order.
    """
    counted = _pairs(passages)
    found: list[list[int]] = []
    for place in order:
        for group in found:
            if _similarity(counted[group[0]], counted[place]) >= _NEARLY:
                group.append(place)
                break
        else:
            found.append([place])
    return found


def _pairs(passages: Passages) -> list[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """For each passage its distinct pairs of neighbouring tokens, sorted, and how often each occurs."""
    ends = np.cumsum(passages.token_counts)
    found: list[tuple[NDArray[np.int64], NDArray[np.int64]]] = []
    for start, end in zip(ends - passages.token_counts, ends, strict=True):
        tokens = passages.token_ids[start:end]
        # A passage of one token has no pair, and is compared by this token.
        pairs = tokens[:-1] * _NEXT + tokens[1:] if len(tokens) > 1 else tokens
        found.append(np.unique(pairs, return_counts=True))
    return found


def _similarity(
    one: tuple[NDArray[np.int64], NDArray[np.int64]], other: tuple[NDArray[np.int64], NDArray[np.int64]]
) -> float:
    """The weighted Jaccard similarity of two passages, 0 to 1; 0 if either has no tokens."""
    sizes = int(one[1].sum()), int(other[1].sum())
    if not min(sizes) or min(sizes) < _NEARLY * max(sizes):
        return 0.0
    _, in_one, in_other = np.intersect1d(one[0], other[0], assume_unique=True, return_indices=True)
    shared = int(np.minimum(one[1][in_one], other[1][in_other]).sum())
    return shared / (sum(sizes) - shared)
