"""How passages are scored against a query, and how the scores become one. What belongs here: arithmetic on arrays.

What does not: where passages come from (candidates.py), how they are taken apart (passages.py), what a hit shows.

The recipe is a convex sum of scores, each stretched to 0..1 over the candidates of the query: full text (BM25), the
passage's vector, its best sentence, and its tokens (each token of the query finds its nearest in the passage, as in
ColBERT; Khattab and Zaharia 2020, here on static token vectors). Fusing ranks instead (RRF) was measured to be worse
than full text alone, since it gives weak scores the same say. The weights are round numbers on purpose: they were
measured on two collections and hold on both.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from retrieval.passages import Passage

Scores = NDArray[np.float64]

TEXT_WEIGHT = 0.4
VECTOR_WEIGHT = 0.2
SENTENCE_WEIGHT = 0.2
TOKEN_WEIGHT = 0.2

# Scores of equal texts differ in their last bits by where they stand in an array; ties must be ties.
DECIMALS = 6


def stretched(scores: Scores) -> Scores:
    """The scores of one query's candidates moved to 0..1; where all are equal, 1 if they are positive, else 0."""
    if not scores.size:
        return scores
    lowest, highest = float(scores.min()), float(scores.max())
    if highest <= lowest:
        return np.full_like(scores, 1.0 if highest > 0 else 0.0)
    return (scores - lowest) / (highest - lowest)


def best(scores: Scores, limit: int) -> NDArray[np.intp]:
    """Positions of the `limit` highest scores, best first, equal ones in the order given."""
    return np.argsort(-scores.round(DECIMALS), kind="stable")[:limit]


def coarse_scores(text_scores: Scores, vector_scores: Scores) -> Scores:
    """The part of the final score that is known of every candidate: full text and vector, 0 to .6."""
    return TEXT_WEIGHT * stretched(text_scores) + VECTOR_WEIGHT * stretched(vector_scores)


def fine_scores(sentence_scores: Scores, token_scores: Scores) -> Scores:
    """The part of the final score that takes a close look: best sentence and tokens, 0 to .4."""
    return SENTENCE_WEIGHT * stretched(sentence_scores) + TOKEN_WEIGHT * stretched(token_scores)


def best_sentence_scores(query_vector: NDArray[np.float32], passages: Sequence[Passage]) -> Scores:
    """For each passage the cosine of the query to the passage's nearest sentence, shape (len(passages),)."""
    if not passages:
        return np.zeros(0)
    cosines = np.concatenate([passage.sentence_vectors for passage in passages]) @ query_vector
    return np.maximum.reduceat(cosines, _starts([len(passage.sentence_vectors) for passage in passages])).astype(float)


def token_scores(
    query_token_ids: NDArray[np.int64],
    query_token_vectors: NDArray[np.float32],
    passages: Sequence[Passage],
    distinct_token_ids: NDArray[np.int32],
    distinct_token_vectors: NDArray[np.float32],
) -> Scores:
    """For each passage the mean over the query's tokens of the cosine to the passage's nearest token.

    A token of the query counts the more, the fewer of the passages contain it. The distinct tokens are those of all
    passages, in ascending order of their ids. Shape (len(passages),).
    """
    scores = np.zeros(len(passages))
    filled = [place for place, passage in enumerate(passages) if len(passage.token_ids)]
    if not filled or not len(query_token_ids):
        return scores
    # Each token is compared once, whatever the passages: one product instead of many small ones.
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
