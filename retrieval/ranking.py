"""How passages are scored against a query, and how the scores are combined into one.

The final score is a convex combination of four scores, each scaled to 0..1 over the candidates of the query: full text
(BM25), the vector of the passage, its best sentence, and its tokens (each token of the query is compared with the nearest
token of the passage, as in ColBERT, Khattab and Zaharia 2020, but with static token vectors). Reciprocal rank fusion was
measured to be worse than full text alone, since it gives weak scores the same weight as strong ones. The weights were
measured on two collections and are rounded on purpose; they hold on both.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from retrieval.passage_features import PassageFeatures

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


def coarse_scores(text_scores: Scores, vector_scores: Scores) -> Scores:
    """The part of the final score that is computed for every candidate, from full text and vector: 0 to 0.6."""
    return TEXT_WEIGHT * stretched(text_scores) + VECTOR_WEIGHT * stretched(vector_scores)


def fine_scores(sentence_scores: Scores, token_scores: Scores) -> Scores:
    """The part of the final score that is computed for the best candidates, from sentences and tokens: 0 to 0.4."""
    return SENTENCE_WEIGHT * stretched(sentence_scores) + TOKEN_WEIGHT * stretched(token_scores)


def best_sentence_scores(query_vector: NDArray[np.float32], passages: Sequence[PassageFeatures]) -> Scores:
    """The cosine similarity of the query to the nearest sentence of each passage, shape (len(passages),)."""
    if not passages:
        return np.zeros(0)
    cosines = np.concatenate([passage.sentence_vectors for passage in passages]) @ query_vector
    return np.maximum.reduceat(cosines, _starts([len(passage.sentence_vectors) for passage in passages])).astype(float)


def token_scores(
    query_token_ids: NDArray[np.int64],
    query_token_vectors: NDArray[np.float32],
    passages: Sequence[PassageFeatures],
    distinct_token_ids: NDArray[np.int32],
    distinct_token_vectors: NDArray[np.float32],
) -> Scores:
    """The weighted mean, over the query's tokens, of the cosine similarity to the nearest token of each passage.

    A token has a higher weight if fewer passages contain it. distinct_token_ids: the tokens of all passages in ascending
    order. Returns shape (len(passages),).
    """
    scores = np.zeros(len(passages))
    filled = [place for place, passage in enumerate(passages) if len(passage.token_ids)]
    if not filled or not len(query_token_ids):
        return scores
    # Each distinct token is compared once, in one matrix product instead of one per passage.
    cosines = distinct_token_vectors @ query_token_vectors.T
    places = np.searchsorted(distinct_token_ids, np.concatenate([passages[place].token_ids for place in filled]))
    nearest = np.maximum.reduceat(cosines[places], _starts([len(passages[place].token_ids) for place in filled]))
    in_passages = dict(zip(distinct_token_ids.tolist(), np.bincount(places).tolist(), strict=True))
    weights = np.array(
        [np.log1p(len(passages) / (1 + in_passages.get(token, 0))) for token in query_token_ids.tolist()]
    )
    scores[filled] = nearest @ (weights / weights.sum())
    return scores


def _starts(lengths: Sequence[int]) -> NDArray[np.intp]:
    return np.cumsum([0, *lengths[:-1]])
