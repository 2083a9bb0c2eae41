"""The layout of a map: positions in the plane, with similar documents near each other.

What belongs here: computing positions. What does not: colours, titles, files (corpus_map).

Source: t-SNE (van der Maaten and Hinton, JMLR 9, 2008) with uniform affinities of nearest neighbours, started from the
principal components (Kobak and Berens, Nature Communications 10, 2019), with repulsion by convolution on a grid (Linderman
and others, Nature Methods 16, 2019). No sum is computed by several threads, so that equal input gives equal positions to
the last bit. ADR 0025 compares this module with openTSNE.
"""

from collections.abc import Callable
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from seed_assets.core.text.unit_rows import unit_rows

Array = NDArray[np.float64]
Repulsion = Callable[[Array], tuple[Array, float]]

# The numbers were chosen by judgement, the steps and factors of t-SNE near the usual ones of the sources above.
# At most so many evenly spaced documents are laid out; each other one is put beside its 3 most similar ones. A picture of
# 1,200 x 800 pixels cannot show more, and the time of 10,000 documents is a quarter.
_MOST_LAID_OUT = 2_500
_BESIDE = 3
# Fewer documents are put on a circle.
_FEWEST = 4
_NEIGHBOURS = 12
# Vectors of more than 300 dimensions are reduced to 100 principal components; the rest makes no visible difference.
_LONGEST_VECTOR, _DIRECTIONS = 300, 100
# The steps of the descent; in the first 125, attraction is multiplied by 12 ("early exaggeration").
_STEPS, _GATHERING_STEPS = 500, 125
_GATHERING = 12.0
# With more documents, the grid is faster than comparing all pairs.
_MOST_IN_PAIRS = 400
# The grid has 256 x 256 cells, each at least 0.05 wide.
_CELLS = 256
_FINEST = 0.05
# The rows that are compared at a time, and those of which neighbours are chosen at a time.
_BLOCK, _CHOSEN_AT_ONCE = 1_024, 64


def lay_out(vectors: NDArray[np.float32]) -> Array:
    """Compute positions in the square from -1 to 1, shape (n, 2).

    vectors: shape (n, d). Zero vectors, and vectors with numbers that are not finite, count as similar to no document.
    """
    total = len(vectors)
    if total < _FEWEST:
        angles = np.pi + 2 * np.pi * np.arange(total) / max(1, total)
        return np.stack([np.cos(angles), np.sin(angles)], axis=1) * (0.5 if total > 1 else 0.0)
    found = _centred(vectors)
    chosen = np.unique(np.linspace(0, total - 1, min(total, _MOST_LAID_OUT)).astype(np.int64))
    main = _principal(found[chosen], _DIRECTIONS if found.shape[1] > _LONGEST_VECTOR else 2)
    own = found[chosen] if found.shape[1] <= _LONGEST_VECTOR else unit_rows(main)
    places = _embedded(main[:, :2], own)
    if len(chosen) < total:
        places = _beside(found, chosen, places)
    return _scaled(places)


def put_beside(vectors: NDArray[np.float32], known: NDArray[np.int64], places: Array) -> Array:
    """Return the positions of all documents, shape (n, 2): those of known ones as given, each other one beside the known ones
    that are most similar to it.

    vectors: shape (n, d), as for `lay_out`.
    known: the rows of the documents whose positions are known, ascending, at least one.
    places: their positions, shape (len(known), 2).
    """
    return _beside(_centred(vectors), known, places)


def _centred(vectors: NDArray[np.float32]) -> Array:
    found = np.nan_to_num(np.array(vectors, dtype=np.float64), copy=False, posinf=0.0, neginf=0.0)
    _scale_rows(found)
    found -= np.round(found.mean(axis=0), 9)
    _scale_rows(found)
    return found


def _scale_rows(rows: Array) -> None:
    """Scale rows to length 1, in place."""
    for first in range(0, len(rows), _BLOCK):
        rows[first : first + _BLOCK] = unit_rows(rows[first : first + _BLOCK])


def _principal(vectors: Array, count: int) -> Array:
    """Return the first `count` principal components, shape (n, count), with a fixed sign of each.

    They are computed by subspace iteration, which does not separate directions of nearly equal strength.
    """
    width = vectors.shape[1]
    basis = np.random.default_rng(0).normal(size=(width, min(width, count + 8)))
    for _ in range(8):
        basis = np.linalg.qr(vectors.T @ (vectors @ basis))[0]
    _, _, directions = np.linalg.svd(vectors @ basis, full_matrices=False)
    basis = basis @ directions.T[:, :count]
    signs = np.sign(basis[np.abs(basis).argmax(axis=0), np.arange(basis.shape[1])])
    found = np.zeros((len(vectors), count))
    found[:, : basis.shape[1]] = vectors @ (basis * signs)
    return np.round(found, 9)


def _nearest(vectors: Array, others: Array, count: int, *, same: bool) -> tuple[NDArray[np.int64], Array]:
    """Return (places among the others, cosines) of the nearest neighbours of each vector, shape (n, count), unordered.

    same: whether both arrays are the same; a vector is then not its own neighbour. core.clusters.neighbours searches in float32
    over rows that it has rounded, in a fixed order: with its cosines the stored pictures would change.
    """
    places = np.empty((len(vectors), count), dtype=np.int64)
    likeness = np.empty((len(vectors), count))
    for start in range(0, len(vectors), _BLOCK):
        block = vectors[start : start + _BLOCK] @ others.T
        np.negative(np.round(block, 9, out=block), out=block)
        if same:
            block[np.arange(len(block)), np.arange(start, start + len(block))] = np.inf
        for first in range(0, len(block), _CHOSEN_AT_ONCE):
            distances = block[first : first + _CHOSEN_AT_ONCE]
            rows = slice(start + first, start + first + len(distances))
            places[rows] = np.argpartition(distances, count - 1, axis=1)[:, :count]
            likeness[rows] = -np.take_along_axis(distances, places[rows], axis=1)
    return places, likeness


def _beside(vectors: Array, chosen: NDArray[np.int64], places: Array) -> Array:
    nearest, likeness = _nearest(vectors, vectors[chosen], min(_BESIDE, len(chosen)), same=False)
    weights = np.maximum(likeness, 0.0) ** 2 + 1e-6
    found = (places[nearest] * weights[..., None]).sum(axis=1) / weights.sum(axis=1)[:, None]
    # A little noise, so that no document lies exactly on another.
    found += np.random.default_rng(0).normal(scale=0.004 * np.ptp(places, axis=0).max(), size=found.shape)
    found[chosen] = places
    return found


def _embedded(start: Array, vectors: Array) -> Array:
    total = len(vectors)
    rows, columns, weights = _affinities(vectors)
    repulsion: Repulsion = _in_pairs if total <= _MOST_IN_PAIRS else _on_a_grid
    # Without a little noise, equal documents would stay on one point.
    noise = np.random.default_rng(0).normal(size=start.shape)
    places = 1e-4 * start / max(float(start[:, 0].std()), 1e-9) + 1e-6 * noise
    moved, gains = np.zeros_like(places), np.ones_like(places)
    rate = max(total / _GATHERING, 50.0)
    for step in range(_STEPS):
        gathering = step < _GATHERING_STEPS
        apart = places[rows] - places[columns]
        pull = weights / (1 + apart[:, 0] ** 2 + apart[:, 1] ** 2)
        attraction = np.stack([np.bincount(rows, pull * apart[:, axis], total) for axis in (0, 1)], axis=1)
        push, normaliser = repulsion(places)
        gradient = (_GATHERING if gathering else 1.0) * attraction - push / max(normaliser, 1e-9)
        gains = np.maximum(np.where((gradient > 0) != (moved > 0), gains + 0.2, gains * 0.8), 0.01)
        moved = (0.5 if gathering else 0.8) * moved - rate * gains * gradient
        places = places + moved
        places -= places.mean(axis=0)
    return places


def _affinities(vectors: Array) -> tuple[NDArray[np.int64], NDArray[np.int64], Array]:
    """Return (rows, columns, weights) of a symmetric matrix whose weights sum to one."""
    total = len(vectors)
    count = min(_NEIGHBOURS, max(2, total // 4))
    nearest, _ = _nearest(vectors, vectors, count, same=True)
    one, other = np.repeat(np.arange(total), count), nearest.ravel()
    pairs, counts = np.unique(np.concatenate([one * total + other, other * total + one]), return_counts=True)
    return pairs // total, pairs % total, counts / counts.sum()


def _in_pairs(places: Array) -> tuple[Array, float]:
    """Return (the repulsion of each point, the sum of all similarities), computed over all pairs."""
    across = places[:, None, 0] - places[None, :, 0]
    along = places[:, None, 1] - places[None, :, 1]
    near = 1 / (1 + across**2 + along**2)
    squared = near**2
    push = np.stack([(squared * across).sum(axis=1), (squared * along).sum(axis=1)], axis=1)
    return push, float(near.sum()) - len(places)


def _on_a_grid(places: Array) -> tuple[Array, float]:
    """Approximate `_in_pairs`: each point is distributed over the corners of its cell."""
    low = places.min(axis=0)
    needed = float(np.ptp(places, axis=0).max()) / (_CELLS - 3)
    # The width of a cell changes in steps, so that kernels are rarely computed again.
    step = _FINEST * 2.0 ** (np.ceil(4 * np.log2(max(needed / _FINEST, 1.0))) / 4)
    cells = (places - low) / step
    corner = np.floor(cells).astype(np.int64)
    part = cells - corner
    first = corner[:, 0] * _CELLS + corner[:, 1]
    corners = np.stack([first, first + _CELLS, first + 1, first + _CELLS + 1], axis=1)
    x, y = part[:, 0], part[:, 1]
    shares = np.stack([(1 - x) * (1 - y), x * (1 - y), (1 - x) * y, x * y], axis=1)
    density = np.bincount(corners.ravel(), shares.ravel(), _CELLS**2).reshape(_CELLS, _CELLS)
    size = (2 * _CELLS, 2 * _CELLS)
    fft = _fft()
    spectrum = fft.rfft2(density.astype(np.float32), size, workers=1)
    fields = [fft.irfft2(spectrum * kernel, size, workers=1)[:_CELLS, :_CELLS].ravel() for kernel in _kernels(step)]
    near, push_x, push_y = ((field[corners] * shares).sum(axis=1) for field in fields)
    return np.stack([push_x, push_y], axis=1), float(near.sum()) - len(places)


@lru_cache(maxsize=4)
def _kernels(step: float) -> list[NDArray[np.complex64]]:
    """Return the spectra of similarity and of the repulsion in x and y, on a grid with cells of width `step`."""
    fft = _fft()
    line = fft.fftfreq(2 * _CELLS, 1 / (2 * _CELLS)) * step
    # No two points are so far apart, so the value at this distance does not matter.
    line[_CELLS] = 0.0
    x, y = np.meshgrid(line, line, indexing="ij")
    near = 1 / (1 + x**2 + y**2)
    kernels = (near, near**2 * x, near**2 * y)
    return [fft.rfft2(kernel.astype(np.float32), workers=1) for kernel in kernels]


def _fft() -> Any:
    # Typed as Any, since scipy.fft has no useful type annotations.
    import scipy.fft

    return scipy.fft


def _scaled(places: Array) -> Array:
    low, high = places.min(axis=0), places.max(axis=0)
    return 2 * (places - low) / np.maximum(high - low, 1e-9) - 1
