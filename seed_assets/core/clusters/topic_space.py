"""Coordinates in which documents on one subject lie near each other. What belongs here: what a document is clustered by, and
the frozen basis of its coordinates. What does not: nearest neighbours (neighbours), and groups (clustering).

A document's coordinates have two parts of equal weight: its vector minus the mean of the corpus, which only reflects the
subject of the whole corpus; and its wording, projected onto the 100 strongest directions of TF-IDF with logarithmic counts.
If the corpus has several languages, the means of each are subtracted (language_means), so that subjects are grouped and not
languages. The means, the words and the directions are frozen until everything is clustered from scratch, so that a few new
documents do not move the others.

Source: Deerwester et al., "Indexing by latent semantic analysis", JASIS 1990.
"""

import hashlib
from array import array
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from seed_assets.core.clusters.language_means import LanguageMeans, language_means, languages_of, means_for
from seed_assets.core.clusters.neighbours import Sparse, rounded_unit_rows, row_blocks, unit_values
from seed_assets.core.text.header_block import header_end
from seed_assets.core.text.stopwords import stop_words
from seed_assets.core.text.textrank import terms
from seed_assets.core.text.words import WORD

# The numbers were chosen by judgement; docs/benchmarks.md (Clusters) shows the quality, time and memory that they give.
_DIRECTIONS = 100
_MOST_TERMS = 20_000
MOST_CHARACTERS = 10_000
"""The most characters that are read of one document."""
# The most characters that are read of all documents together.
_ALL_CHARACTERS = 100_000_000
# Words and directions are computed from at most about so many documents, evenly spaced.
_MOST_FITTED = 20_000
# The mean is not subtracted from vectors that differ less than this, since nothing but rounding errors would be left.
_LEAST_SPREAD = 1e-3


@dataclass(frozen=True, slots=True)
class TopicDocument:
    """A document to cluster by topic.

    text: at least its first MOST_CHARACTERS; the rest is not read.
    vector: the mean of its chunks' embeddings, shape (d,), with the same d for all documents. Its length does not matter;
        a document without content has zeros.
    """

    document_id: str
    text: str
    vector: NDArray[np.float32]


class TopicBasis(msgspec.Struct, frozen=True):
    """The basis of coordinates, frozen when everything was last clustered from scratch.

    method: the version of the clustering method.
    dimensions: the length of the documents' vectors.
    mean: the mean of all vectors, float32, shape (dimensions,).
    terms: the terms by which wording is compared.
    weights: the weights of the terms, float32, shape (terms,).
    directions: the directions of wording, float16, shape (terms, directions).
    characters: how many characters of a text are read.
    spread: the root mean square of the cosines of two documents' vectors, without the mean.
    seen: document id -> digest of what its coordinates were computed from.
    languages: the means of each language, by its code; empty if the corpus has only one.
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
    languages: dict[str, LanguageMeans] = {}


@dataclass(frozen=True, slots=True)
class TopicSpace:
    """The coordinates of n documents, as rows from `rounded_unit_rows`.

    both: vectors and wording, shape (n, d + directions).
    meaning: the vectors alone, shape (n, d).
    """

    both: NDArray[np.float32]
    meaning: NDArray[np.float32]


def fit_basis(documents: Sequence[TopicDocument], method: str, seed: int) -> TopicBasis:
    """Compute the basis of these documents, which are sorted by their ids.

    method: see TopicBasis.
    seed: the seed of the decomposition's start vector.

    Raises ValueError if vectors differ in length.
    """
    vectors = _vectors(documents)
    mean = mean_of(vectors)
    characters = min(MOST_CHARACTERS, _ALL_CHARACTERS // max(1, len(documents)))
    step = -(-len(documents) // _MOST_FITTED) or 1
    counts = TermCounts.of(_telling(_read(document.text, characters)) for document in documents[::step])
    names, weights = _vocabulary(counts)
    weighted = _weighted(counts, names, weights)
    directions = _directions(weighted, seed)
    codes = languages_of([document.text for document in documents])
    languages = language_means(codes[::step], vectors[::step], _wording(weighted, directions))
    basis = TopicBasis(
        method=method,
        dimensions=vectors.shape[1],
        mean=mean.tobytes(),
        terms=tuple(names),
        weights=weights.tobytes(),
        directions=directions.tobytes(),
        characters=characters,
        spread=0.0,
        seen={},
        languages=languages,
    )
    return msgspec.structs.replace(basis, spread=spread_of(_meaning(vectors, basis, codes)))


def _read(text: str, characters: int) -> str:
    """Return the part of a text whose wording is compared; the words of a header block are the same for all subjects."""
    beginning = text[:characters]
    return beginning[header_end(beginning) :]


def _telling(text: str) -> Counter[str]:
    """Count the terms of a text without those of stop words, which are equally frequent in texts on any subject."""
    stopped = stop_words(match.group() for match in WORD.finditer(text.casefold()))
    counts = terms(text)
    for term in counts.keys() & _terms_of(stopped):
        del counts[term]
    return counts


@cache
def _terms_of(words: frozenset[str]) -> frozenset[str]:
    """Return the terms of the stop words of one language."""
    return frozenset(term for word in words for term in terms(word))


def coordinates(documents: Sequence[TopicDocument], basis: TopicBasis) -> TopicSpace:
    """Compute the coordinates of the documents. Raises ValueError if their vectors have another length than the basis."""
    vectors = _vectors(documents)
    if len(documents) and vectors.shape[1] != basis.dimensions:
        raise ValueError(f"Vectors of {vectors.shape[1]} dimensions do not fit a basis of {basis.dimensions}.")
    codes = languages_of([document.text for document in documents]) if basis.languages else []
    meaning = _meaning(vectors, basis, codes)
    if not basis.terms:
        return TopicSpace(meaning, meaning)
    weights = np.frombuffer(basis.weights, np.float32)
    directions = np.frombuffer(basis.directions, np.float16).reshape(len(basis.terms), -1)
    counts = TermCounts.of(terms(_read(document.text, basis.characters)) for document in documents)
    wording = _wording(_weighted(counts, basis.terms, weights), directions)
    if codes:
        wording = rounded_unit_rows(wording - means_for(codes, vectors, basis.languages)[1])
    return TopicSpace(rounded_unit_rows(np.hstack([meaning, wording])), meaning)


def _meaning(vectors: NDArray[np.float32], basis: TopicBasis, codes: Sequence[str]) -> NDArray[np.float32]:
    """Return the vectors without the mean of the corpus, or without those of the languages with these codes."""
    means = np.frombuffer(basis.mean, np.float32)
    if codes and basis.languages:
        means, _ = means_for(codes, vectors, basis.languages)
    return centred(vectors, means)


def _wording(weighted: Sparse, directions: NDArray[np.float16]) -> NDArray[np.float32]:
    return rounded_unit_rows(weighted @ directions.astype(np.float64))


def digest_of(document: TopicDocument, characters: int) -> str:
    """Return the digest of what a document's coordinates are computed from."""
    digest = hashlib.sha256(np.ascontiguousarray(document.vector, np.float32).tobytes())
    digest.update(document.text[:characters].encode("utf-8", "surrogatepass"))
    return digest.hexdigest()[:16]


def _vectors(documents: Sequence[TopicDocument]) -> NDArray[np.float32]:
    """Return the unit vectors of the documents, with NaN and infinity as 0. Raises ValueError if they differ in length."""
    lengths = {document.vector.shape for document in documents}
    if len(lengths) > 1:
        raise ValueError(f"Vectors of different shapes cannot be compared: {sorted(lengths)}.")
    if not documents:
        return np.zeros((0, 0), np.float32)
    return rounded_unit_rows(np.nan_to_num(np.stack([d.vector for d in documents]), nan=0.0, posinf=0.0, neginf=0.0))


def mean_of(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the mean of the vectors that are not zero, shape (d,); zeros if all are the same.

    vectors: shape (n, d).
    """
    meant = vectors[vectors.any(axis=1)]
    if not len(meant):
        return np.zeros(vectors.shape[1], np.float32)
    mean = meant.mean(axis=0, dtype=np.float64)
    distances = np.concatenate([((meant[block] - mean) ** 2).sum(axis=1) for block in row_blocks(len(meant))])
    spread = np.sqrt(distances.mean())
    return (mean if spread > _LEAST_SPREAD else np.zeros_like(mean)).astype(np.float32)


def centred(vectors: NDArray[np.float32], mean: NDArray[np.float32]) -> NDArray[np.float32]:
    """Subtract the mean and scale the rows to length 1; rows of zeros stay zeros."""
    centred = rounded_unit_rows(vectors - mean)
    centred[~vectors.any(axis=1)] = 0.0
    return centred


def spread_of(meaning: NDArray[np.float32]) -> float:
    """Return the root mean square of the cosines of all pairs, computed from second moments instead of pairs."""
    size = len(meaning)
    if size < 2:
        return 0.0
    moments = meaning.T @ meaning
    squares = (moments.astype(np.float64) ** 2).sum()
    lengths = [(meaning[block].astype(np.float64) ** 2).sum(axis=1) for block in row_blocks(size)]
    own = (np.concatenate(lengths) ** 2).sum()
    return round(float(np.sqrt(max(0.0, squares - own) / (size * (size - 1)))), 4)


@dataclass(frozen=True, slots=True)
class TermCounts:
    """How often each of n documents has which terms. Rows of numbers take a tenth of the memory of one Counter per document.

    terms: the term of each number, in no order.
    starts: where the entries of each document begin and end, shape (n + 1,).
    numbers, counts: the numbers of its terms and how often it has them, shape (entries,).
    """

    terms: tuple[str, ...]
    starts: NDArray[np.int64]
    numbers: NDArray[np.int32]
    counts: NDArray[np.int32]

    @classmethod
    def of(cls, documents: Iterable[Counter[str]]) -> "TermCounts":
        """Return the counts of these documents, each of which is needed only once."""
        known: dict[str, int] = {}
        starts, numbers, counts = array("q", [0]), array("i"), array("i")
        for one in documents:
            numbers.extend([known.setdefault(term, len(known)) for term in one])
            counts.extend(one.values())
            starts.append(len(numbers))
        return cls(tuple(known), np.array(starts, np.int64), np.array(numbers, np.int32), np.array(counts, np.int32))

    def every(self, step: int) -> "TermCounts":
        """Return the counts of the first document and of each one that is `step` after another."""
        if step == 1:
            return self
        sizes = np.diff(self.starts)
        chosen = np.arange(len(sizes)) % step == 0
        kept = np.repeat(chosen, sizes)
        starts = np.concatenate([[0], np.cumsum(sizes[chosen])])
        return TermCounts(self.terms, starts, self.numbers[kept], self.counts[kept])


def wording_rows(counts: TermCounts, seed: int) -> NDArray[np.float32]:
    """Return the coordinates of documents that only what they say decides, as unit rows of shape (documents, directions).

    seed: the seed of the decomposition's start vector.
    """
    fitted = counts.every(-(-(len(counts.starts) - 1) // _MOST_FITTED) or 1)
    names, weights = _vocabulary(fitted)
    directions = _directions(_weighted(fitted, names, weights), seed)
    return _wording(_weighted(counts, names, weights), directions)


def _vocabulary(counts: TermCounts) -> tuple[list[str], NDArray[np.float32]]:
    """Return the terms that two documents or more have, and at most half of them, and their inverse frequencies."""
    documents = len(counts.starts) - 1
    held = dict(zip(counts.terms, np.bincount(counts.numbers, minlength=len(counts.terms)).tolist(), strict=True))
    most = max(2, documents // 2)
    usable = sorted(((-n, term) for term, n in held.items() if 2 <= n <= most))[:_MOST_TERMS]
    names = sorted(term for _, term in usable)
    weights = [np.log((1 + documents) / (1 + held[term])) + 1 for term in names]
    return names, np.array(weights, dtype=np.float32)


def _weighted(counts: TermCounts, names: Sequence[str], weights: NDArray[np.float32]) -> Sparse:
    """Return TF-IDF with logarithmic counts, as unit rows of shape (documents, names), which are sorted."""
    from scipy.sparse import csr_array

    columns = {name: column for column, name in enumerate(names)}
    at = np.array([columns.get(term, -1) for term in counts.terms], np.int32)[counts.numbers]
    kept = at >= 0
    sizes = np.diff(np.concatenate([[0], np.cumsum(kept)])[counts.starts])
    at, often = at[kept], counts.counts[kept]
    order = np.lexsort((at, np.repeat(np.arange(len(sizes)), sizes)))
    at, often = at[order], often[order]
    # One number at a time, since numpy's logarithm of an array may differ from that of a number in the last bit.
    different, which = np.unique(often, return_inverse=True)
    values = np.array([1.0 + np.log(count) for count in different.tolist()], np.float64)[which]
    data = unit_values(values * weights[at], sizes)
    starts = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int32)
    return csr_array((data, at, starts), shape=(len(sizes), len(names)))


def _directions(matrix: Sparse, seed: int) -> NDArray[np.float16]:
    """Return the strongest right singular vectors, shape (names, directions)."""
    from scipy.sparse.linalg import svds
    from threadpoolctl import threadpool_limits

    count = min(_DIRECTIONS, min(matrix.shape) - 1)
    if count < 1:
        return np.zeros((matrix.shape[1], 0), np.float16)
    first = np.random.default_rng(seed).normal(size=min(matrix.shape))
    with threadpool_limits(1):
        decomposed: Any = svds(matrix, k=count, v0=first)
    return decomposed[2].T.astype(np.float16)
