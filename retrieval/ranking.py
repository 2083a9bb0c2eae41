"""How passages are scored against a query, and how the scores are combined into one.

The final score is a convex combination of four scores, each scaled to 0..1 over the candidates of the query: full text
(BM25), the vector of the passage, its best sentence, and its tokens (each token of the query is compared with the nearest
token of the passage, as in ColBERT, Khattab and Zaharia 2020, but with static token vectors). Reciprocal rank fusion was
measured to be worse than full text alone, since it gives weak scores the same weight as strong ones. The weights were
measured on two collections and are rounded on purpose; they hold on both.
"""

import numpy as np
from numpy.typing import NDArray

from retrieval.passage_features import Passages

Scores = NDArray[np.float64]

TEXT_WEIGHT = 0.4
VECTOR_WEIGHT = 0.2
SENTENCE_WEIGHT = 0.2
TOKEN_WEIGHT = 0.2

# Scores of equal texts differ in their last bits, depending on their position in an array. Rounding makes them equal.
DECIMALS = 6


def stretched(scores: Scores) -> Scores:
    """The scores of one query's candidates scaled to 0..1; if all are equal, 1 if they are positive and 0 otherwise."""
    if not scores.size:
        return scores
    lowest, highest = float(scores.min()), float(scores.max())
    if highest <= lowest:
        return np.full_like(scores, 1.0 if highest > 0 else 0.0)
    return (scores - lowest) / (highest - lowest)


def best(scores: Scores, limit: int) -> NDArray[np.intp]:
    """The positions of the `limit` highest scores, best first; equal scores keep their order."""
    return np.argsort(-scores.round(DECIMALS), kind="stable")[:limit]


def coarse_parts(text_scores: Scores, vector_scores: Scores) -> tuple[Scores, Scores]:
    """The parts of the final score that are computed for every candidate, from full text and vector: to 0.4 and to 0.2."""
    return TEXT_WEIGHT * stretched(text_scores), VECTOR_WEIGHT * stretched(vector_scores)


def fine_parts(sentence_scores: Scores, token_scores: Scores) -> tuple[Scores, Scores]:
    """The parts that are computed for the best candidates, from sentences and tokens: each to 0.2."""
    return SENTENCE_WEIGHT * stretched(sentence_scores), TOKEN_WEIGHT * stretched(token_scores)


def best_sentence_scores(passages: Passages, products: NDArray[np.float32]) -> Scores:
    """The cosine similarity of the query to the nearest sentence of each passage, shape (passages,); 0 without sentences.

    products: for each token of the passages, the product of its vector with the query's vector of length 1.
    """
    if not len(passages.sentence_ends):
        return np.zeros(len(passages.sentence_counts))
    sums = np.add.reduceat(products, np.concatenate([[0], passages.sentence_ends[:-1]]))
    lengths = passages.sentence_lengths
    return _largest(np.divide(sums, lengths, out=np.zeros_like(sums), where=lengths > 0), passages.sentence_counts)


def token_scores(passages: Passages, query_token_ids: NDArray[np.int64], cosines: NDArray[np.float32]) -> Scores:
    """The weighted mean, over the query's tokens, of the cosine similarity to the nearest token of each passage.

    A token has a higher weight if fewer passages contain it. cosines: of each token of the passages with each token of the
    query, shape (tokens, len(query_token_ids)). Returns shape (passages,); 0 for a passage without tokens.
    """
    count = len(passages.token_counts)
    if not len(query_token_ids) or not len(passages.token_ids):
        return np.zeros(count)
    owners = np.repeat(np.arange(count), passages.token_counts)
    holding = [len(np.unique(owners[passages.token_ids == token])) for token in query_token_ids]
    weights = np.log1p(count / (1 + np.array(holding)))
    return _largest(cosines, passages.token_counts) @ (weights / weights.sum())


def _largest(values: NDArray[np.float32], counts: NDArray[np.int64]) -> Scores:
    """The largest values of each passage, which has the next `counts` rows of `values`; 0 for a passage without rows."""
    largest = np.zeros((len(counts), *values.shape[1:]))
    filled = counts > 0
    largest[filled] = np.maximum.reduceat(values, (np.cumsum(counts) - counts)[filled])
    return largest
