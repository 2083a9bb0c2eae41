"""Where documents are put so that those on one subject lie together. What belongs here: what a document is clustered
by, and the frozen basis of its coordinates. What does not: who is near whom (neighbours), groups (clustering).

A document's coordinates are two parts of equal weight: its vector less the corpus's mean, which only says what all of it
is about; and what its words say, as the 100 strongest directions of TF-IDF with damped counts. Mean, words and
directions are frozen until all is clustered from scratch, so that a few new documents move none of the others.

Source: Deerwester et al., "Indexing by latent semantic analysis", JASIS 1990.
"""

import hashlib
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from seed_assets.core.neighbours import Sparse, unit_rows
from seed_assets.core.stopwords import stop_words
from seed_assets.core.textrank import terms
from seed_assets.core.words import WORD

_DIRECTIONS = 100
_MOST_TERMS = 20_000
_MOST_CHARACTERS, _ALL_CHARACTERS = 10_000, 100_000_000
_MOST_FITTED = 20_000
_LEAST_SPREAD = 1e-3


@dataclass(frozen=True, slots=True)
class TopicDocument:
    """A document as topics are made of it. vector: the mean of its chunks' embeddings, any length but that of zeros for
    one without meaning; shape (d,), the same d for all.
    """

    document_id: str
    text: str
    vector: NDArray[np.float32]


class TopicBasis(msgspec.Struct, frozen=True):
    """What coordinates are taken in, frozen when all was last clustered from scratch.

    mean: (dimensions,) float32. terms: the words that count, with their weights (float32) and their directions, float16
    (terms, directions). characters: how much of a text is read. spread: the usual size of a cosine of two documents that
    have nothing in common. seen: digest of what each document was placed by.
    """

    method: str
    dimensions: int
    mean: bytes
    terms: tuple[str, ...]
    weights: bytes
    directions: bytes
    characters: int
    spread: float
    seen: dict[str, str]


@dataclass(frozen=True, slots=True)
class TopicSpace:
    """Coordinates, unit rows from `unit_rows`. both: (n, d + directions); meaning: (n, d), the vectors' part alone."""

    both: NDArray[np.float32]
    meaning: NDArray[np.float32]


def fit_basis(documents: Sequence[TopicDocument], method: str, seed: int) -> TopicBasis:
    """The basis of these documents, which are in the order of their ids."""
    vectors = _vectors(documents)
    mean = mean_of(vectors)
    characters = min(_MOST_CHARACTERS, _ALL_CHARACTERS // max(1, len(documents)))
    step = -(-len(documents) // _MOST_FITTED) or 1
    counts = [_telling(document.text[:characters]) for document in documents[::step]]
    held = Counter(term for one in counts for term in one)
    most = max(2, len(counts) // 2)
    usable = sorted(((-n, term) for term, n in held.items() if 2 <= n <= most))[:_MOST_TERMS]
    names = sorted(term for _, term in usable)
    weights = np.array([np.log((1 + len(counts)) / (1 + held[term])) + 1 for term in names], dtype=np.float32)
    directions = _directions(_weighted(counts, names, weights), seed)
    return TopicBasis(
        method=method,
        dimensions=vectors.shape[1],
        mean=mean.tobytes(),
        terms=tuple(names),
        weights=weights.tobytes(),
        directions=directions.tobytes(),
        characters=characters,
        spread=spread_of(centred(vectors, mean)),
        seen={},
    )


def _telling(text: str) -> Counter[str]:
    """The terms of a text but for those of stop words, which are as many in any text on any subject."""
    stopped = stop_words(match.group() for match in WORD.finditer(text.casefold()))
    counts = terms(text)
    for term in counts.keys() & _terms_of(stopped):
        del counts[term]
    return counts


@cache
def _terms_of(words: frozenset[str]) -> frozenset[str]:
    """Of one language's stop words."""
    return frozenset(term for word in words for term in terms(word))


def coordinates(documents: Sequence[TopicDocument], basis: TopicBasis) -> TopicSpace:
    """Where the documents are. Raises ValueError where a vector is not as long as those the basis was made of."""
    vectors = _vectors(documents)
    if len(documents) and vectors.shape[1] != basis.dimensions:
        raise ValueError(f"Vectors of {vectors.shape[1]} numbers do not fit a basis of {basis.dimensions}.")
    meaning = centred(vectors, np.frombuffer(basis.mean, np.float32))
    if not basis.terms:
        return TopicSpace(meaning, meaning)
    weights = np.frombuffer(basis.weights, np.float32)
    directions = np.frombuffer(basis.directions, np.float16).reshape(len(basis.terms), -1).astype(np.float64)
    counts = (terms(document.text[: basis.characters]) for document in documents)
    wording = unit_rows(_weighted(counts, basis.terms, weights) @ directions)
    return TopicSpace(unit_rows(np.hstack([meaning, wording])), meaning)


def digest_of(document: TopicDocument, characters: int) -> str:
    """Of what the document is placed by."""
    digest = hashlib.sha256(np.ascontiguousarray(document.vector, np.float32).tobytes())
    digest.update(document.text[:characters].encode("utf-8", "surrogatepass"))
    return digest.hexdigest()[:16]


def _vectors(documents: Sequence[TopicDocument]) -> NDArray[np.float32]:
    """At length 1, NaN and infinity as zeros. Raises ValueError where they differ in length."""
    lengths = {document.vector.shape for document in documents}
    if len(lengths) > 1:
        raise ValueError(f"Vectors of different shapes cannot be compared: {sorted(lengths)}.")
    if not documents:
        return np.zeros((0, 0), np.float32)
    return unit_rows(np.nan_to_num(np.stack([d.vector for d in documents]), nan=0.0, posinf=0.0, neginf=0.0))


def mean_of(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    """The mean, (d,), of those that mean something; zeros where all are the same, since nothing would be left of them."""
    meant = vectors[vectors.any(axis=1)].astype(np.float64)
    if not len(meant):
        return np.zeros(vectors.shape[1], np.float32)
    mean = meant.mean(axis=0)
    spread = np.sqrt(((meant - mean) ** 2).sum(axis=1).mean())
    return (mean if spread > _LEAST_SPREAD else np.zeros_like(mean)).astype(np.float32)


def centred(vectors: NDArray[np.float32], mean: NDArray[np.float32]) -> NDArray[np.float32]:
    """Unit rows of what is left without the mean; zeros stay zeros."""
    centred = unit_rows(vectors - mean)
    centred[~vectors.any(axis=1)] = 0.0
    return centred


def spread_of(meaning: NDArray[np.float32]) -> float:
    """Root mean square of the cosines of all pairs: through the matrix of second moments, without the pairs."""
    size = len(meaning)
    if size < 2:
        return 0.0
    moments = meaning.T @ meaning
    squares = (moments.astype(np.float64) ** 2).sum()
    own = ((meaning.astype(np.float64) ** 2).sum(axis=1) ** 2).sum()
    return round(float(np.sqrt(max(0.0, squares - own) / (size * (size - 1)))), 4)


def _weighted(counts: Iterable[Counter[str]], names: Sequence[str], weights: NDArray[np.float32]) -> Sparse:
    """TF-IDF with logarithmic counts, rows of length 1: (documents, names)."""
    from scipy.sparse import csr_array

    columns = {name: column for column, name in enumerate(names)}
    starts, at, values = [0], [], []
    for one in counts:
        for term in sorted(one.keys() & columns.keys()):
            at.append(columns[term])
            values.append(1.0 + np.log(one[term]))
        starts.append(len(at))
    data = np.array(values, np.float64) * weights[at]
    rows = np.repeat(np.arange(len(starts) - 1), np.diff(starts))
    lengths = np.sqrt(np.bincount(rows, data**2, len(starts) - 1))
    data /= lengths[rows]
    return csr_array((data, np.array(at, np.int32), np.array(starts, np.int32)), shape=(len(starts) - 1, len(names)))


def _directions(matrix: Sparse, seed: int) -> NDArray[np.float16]:
    """The strongest right singular vectors, (names, directions)."""
    from scipy.sparse.linalg import svds
    from threadpoolctl import threadpool_limits

    count = min(_DIRECTIONS, min(matrix.shape) - 1)
    if count < 1:
        return np.zeros((matrix.shape[1], 0), np.float16)
    first = np.random.default_rng(seed).normal(size=min(matrix.shape))
    with threadpool_limits(1):
        decomposed: Any = svds(matrix, k=count, v0=first)
    return decomposed[2].T.astype(np.float16)
