"""How central each sentence is to its text. What belongs here: the graph of sentences and the random walk on it. What does
not: splitting text, and choosing the sentences of a summary.

Two sentences are linked by their similarity in meaning (the cosine of their vectors after subtracting the mean vector, which
only reflects the subject of the whole text) and in wording (the cosine of word counts, where rare words weigh more). A random
walk follows the links and jumps at times; it visits a sentence more often the more central the sentence is.

Sources: Mihalcea and Tarau, "TextRank", EMNLP 2004; Erkan and Radev, "LexRank", JAIR 2004.
"""

from collections import Counter
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from seed_assets.core.text.unit_rows import unit_rows
from seed_assets.core.text.words import UNSPACED, WORD

# The usual damping factor of PageRank and TextRank. After 60 steps the walk has converged to about 0.85**60 = 6e-5.
_DAMPING = 0.85
_STEPS = 60
# The following numbers were chosen by judgement.
# The weight of wording relative to meaning: the mean of a sentence's word vectors blurs what distinguishes it.
_WORDING = 2.0
# The exponent of similarities: strong links count more than proportionally.
_SHARPNESS = 1.3
# Words are compared by their first characters, so that inflected forms of a word match.
_STEM_CHARACTERS = 5
# Results are rounded, because the last bits of a matrix product differ between machines and must not decide ties.
_DECIMALS = 6


def similarities(sentences: Sequence[str], vectors: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return the similarity of each pair of sentences, shape (n, n), from 0 to 1.

    vectors: one per sentence, shape (n, dimensions).
    """
    centred = unit_rows(vectors.astype(np.float64) - vectors.mean(axis=0, dtype=np.float64))
    meaning = np.maximum(centred @ centred.T, 0.0)
    return np.round((meaning + _WORDING * _shared_wording(sentences)) / (1 + _WORDING), _DECIMALS)


def centrality(similarity: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return how often the random walk visits each sentence, shape (n,), relative to the most central one (1).

    similarity: of each pair of sentences, shape (n, n).
    """
    links = similarity**_SHARPNESS
    np.fill_diagonal(links, 0.0)
    outgoing = links.sum(axis=1, keepdims=True)
    steps = np.divide(links, outgoing, out=np.zeros_like(links), where=outgoing > 0)
    visits = np.full(len(links), 1 / len(links))
    for _ in range(_STEPS):
        visits = (1 - _DAMPING) / len(links) + _DAMPING * (steps.T @ visits)
    return np.round(visits / visits.max(), _DECIMALS)


def terms(sentence: str) -> Counter[str]:
    """Count the terms by which wording is compared: beginnings of words, and pairs of characters of unspaced scripts."""
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
    # A term that only one sentence has links nothing; it counts for the length of its row but needs no column.
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
