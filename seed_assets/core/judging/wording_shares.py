"""How much of a claim's wording each part of the sources contains. What belongs here: shares by slot, and windows of slots.
What does not: which terms a claim has, and what follows from the shares (evidence).
"""

from collections.abc import Iterable, Mapping

import numpy as np
from numpy.typing import NDArray

Mask = NDArray[np.bool_]
"""One truth value per slot: shape (slots,). Each sentence has a slot, with empty slots between two sources."""
Shares = NDArray[np.float64]
"""One share from 0 to 1 per slot: shape (slots,)."""

# Results are rounded, because the last bits of a sum differ between machines.
_DECIMALS = 6


class WordingShares:
    """How much of a claim's wording each part of the sources contains."""

    def __init__(self, masks: Mapping[str, Mask], weights: Mapping[str, float]) -> None:
        self.wanted = set(masks)
        """The terms of the claim."""
        self._masks, self._weights = masks, weights
        self._found: dict[tuple[tuple[str, ...], int], Shares] = {}

    def of(self, wanted: Iterable[str], window: int) -> Shares:
        """Return for each slot the share of the terms that are at most `window` slots away; rare terms weigh more."""
        key = (tuple(sorted(wanted)), window)
        if key not in self._found:
            found = np.zeros(len(self._masks[key[0][0]]))
            for term in key[0]:
                found += self._weights[term] * dilated(self._masks[term], window)
            self._found[key] = np.round(found / sum(self._weights[term] for term in key[0]), _DECIMALS)
        return self._found[key]


def ratio(shares: Shares, where: Mask) -> float:
    """Return the best share within the mask, divided by the best share anywhere."""
    best = float(shares.max())
    if not best:
        return 1.0
    return float(shares[where].max()) / best if where.any() else 0.0


def dilated(mask: Mask, distance: int) -> Mask:
    """Return the mask extended by `distance` slots on each side of each slot in it."""
    wide = mask.copy()
    for step in range(1, min(distance, len(mask) - 1) + 1):
        wide[step:] |= mask[:-step]
        wide[:-step] |= mask[step:]
    return wide
