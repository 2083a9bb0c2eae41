"""How central each sentence is to a text. What belongs here: the graph of sentences and the walk on it. What does
not: splitting text, choosing a summary's sentences.

Two sentences are linked by what they share in meaning (cosine of their vectors, less the mean vector, which only
says what the whole text is about) and in wording (cosine of word counts, rare words weighing more). A walker who
follows the links, and at times jumps, is the more often at a sentence the more central it is.

Sources: Mihalcea and Tarau, "TextRank", EMNLP 2004; Erkan and Radev, "LexRank", JAIR 2004.
"""

from collections import Counter
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from seed_assets.core.words import UNSPACED, WORD

_DAMPING = 0.85
_STEPS = 60
# Wording counts twice as much as meaning: vectors that average a sentence's words blur what sets it apart.
_WORDING = 2.0
# Stronger links count for more than their share.
_SHARPNESS = 1.3
# A word is compared by how it begins, so that inflected forms meet in languages that end words differently.
_STEM_CHARACTERS = 5
# Rounded, so that the last bits of a matrix product, which differ between machines, decide no tie.
_DECIMALS = 6


def similarities(sentences: Sequence[str], vectors: NDArray[np.float32]) -> NDArray[np.float64]:
    """Similarity of each sentence to each, shape (n, n), from 0 to 1. vectors: (n, dimensions), one a sentence."""
    centred = _unit_rows(vectors.astype(np.float64) - vectors.mean(axis=0, dtype=np.float64))
    meaning = np.maximum(centred @ centred.T, 0.0)
    return np.round((meaning + _WORDING * _shared_wording(sentences)) / (1 + _WORDING), _DECIMALS)


def centrality(similarity: NDArray[np.float64]) -> NDArray[np.float64]:
    """How often the walker is at each sentence, shape (n,), as a share of the visits to the most central one."""
    links = similarity**_SHARPNESS
    np.fill_diagonal(links, 0.0)
    outgoing = links.sum(axis=1, keepdims=True)
    steps = np.divide(links, outgoing, out=np.zeros_like(links), where=outgoing > 0)
    visits = np.full(len(links), 1 / len(links))
    for _ in range(_STEPS):
        visits = (1 - _DAMPING) / len(links) + _DAMPING * (steps.T @ visits)
    return np.round(visits / visits.max(), _DECIMALS)


def terms(sentence: str) -> Counter[str]:
    """What a sentence's wording is compared by: beginnings of words, and pairs of characters of unspaced scripts."""
    folded = sentence.casefold()
    counts: Counter[str] = Counter()
    for match in WORD.finditer(folded):
        word = match.group()
        if word.isascii() or UNSPACED.search(word) is None:
            counts[word[:_STEM_CHARACTERS]] += 1
        else:
            counts.update(word[i : i + 2] for i in range(max(1, len(word) - 1)))
    return counts


def _shared_wording(sentences: Sequence[str]) -> NDArray[np.float64]:
    counted = [terms(sentence) for sentence in sentences]
    holding = Counter(term for counts in counted for term in counts)
    weights = {term: float(np.log(1 + len(sentences) / holders)) for term, holders in holding.items()}
    # A term of one sentence links nothing and only lengthens its row, so it needs no column.
    columns = {term: column for column, term in enumerate(t for t, holders in holding.items() if holders > 1)}
    rows = np.zeros((len(sentences), len(columns)), dtype=np.float32)
    lengths = np.zeros((len(sentences), 1))
    for row, counts in enumerate(counted):
        for term, count in counts.items():
            weight = count * weights[term]
            lengths[row] += weight**2
            if term in columns:
                rows[row, columns[term]] = weight
    rows /= np.sqrt(np.where(lengths > 0, lengths, 1.0))
    return (rows @ rows.T).astype(np.float64)


def _unit_rows(rows: NDArray[np.float64]) -> NDArray[np.float64]:
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    return np.divide(rows, lengths, out=np.zeros_like(rows), where=lengths > 1e-9)
