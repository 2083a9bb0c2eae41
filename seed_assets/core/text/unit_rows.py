"""Rows of a matrix brought to length 1. Rows for exact products are in core.clusters.neighbours, which rounds them."""

import numpy as np
from numpy.typing import NDArray


def unit_rows(rows: NDArray[np.float64]) -> NDArray[np.float64]:
    """The rows at length 1; a row of hardly any length becomes zeros."""
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    return np.divide(rows, lengths, out=np.zeros_like(rows), where=lengths > 1e-9)
