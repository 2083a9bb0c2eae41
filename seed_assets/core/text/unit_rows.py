"""Rows of a matrix brought to length 1, and the mean of rows. core.clusters.neighbours rounds rows for exact products."""

import numpy as np
from numpy.typing import NDArray


def unit_rows(rows: NDArray[np.float64]) -> NDArray[np.float64]:
    """The rows at length 1; a row of hardly any length becomes zeros."""
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    return np.divide(rows, lengths, out=np.zeros_like(rows), where=lengths > 1e-9)


def mean_row(rows: NDArray[np.float32]) -> NDArray[np.float32]:
    """The mean of the rows, shape (d,); zeros if there are none."""
    return rows.mean(axis=0) if len(rows) else np.zeros(rows.shape[1], np.float32)
