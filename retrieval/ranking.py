"""How passages are scored against a query, and how the scores become one. What belongs here: arithmetic on arrays.

What does not: where passages come from (candidates.py), and what a hit shows (search.py).

The recipe is a convex sum of scores, each stretched to 0..1 over the candidates of the query: full text (BM25), the
passage's vector, its best sentence, and its tokens (each token of the query finds its nearest in the passage, as in
ColBERT; Khattab and Zaharia 2020, here on static token vectors). Fusing ranks instead (RRF) was measured to be worse
than full text alone, since it gives weak scores the same say. The weights are round numbers on purpose: they were
measured on two collections and hold on both.
"""

import re
from collections import Counter
from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Scores = NDArray[np.float64]

TEXT_WEIGHT = 0.4
VECTOR_WEIGHT = 0.2
SENTENCE_WEIGHT = 0.2
TOKEN_WEIGHT = 0.2

# Sentences and tokens are compared for the best of the candidates only: it takes a quarter of the time that all of
# them take, and the first ten were measured to be no worse.
COMPARED_CLOSELY = 100
# Scores of equal texts differ in their last bits by where they stand in an array; ties must be ties.
_DECIMALS = 6

# A boundary missed or made too many moves a score by little: passages are searched by their best part.
_SENTENCE_END = re.compile(r"(?<=[.!?…])[\"'”’)\]]*\s+|[。！？]|\n+")


class TextEmbedder(Protocol):
    """What ranking needs of an embedder."""

    def embed_sync(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Vectors of shape (len(texts), dimensions), of length 1, or of zeros for a text without content."""
        ...

    def token_vectors(self, text: str) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """Ids of the text's tokens, shape (n,), and their vectors, shape (n, dimensions), of length 1."""
        ...


def stretched(scores: Scores) -> Scores:
    """The scores of one query's candidates moved to 0..1; where all are equal, 1 if they are positive, else 0."""
    if not scores.size:
        return scores
    lowest, highest = float(scores.min()), float(scores.max())
    if highest <= lowest:
        return np.full_like(scores, 1.0 if highest > 0 else 0.0)
    return (scores - lowest) / (highest - lowest)


def rank(
    embedder: TextEmbedder,
    query: str,
    query_vector: NDArray[np.float32],
    passages: Sequence[str],
    text_scores: Scores,
    vector_scores: Scores,
    limit: int,
) -> list[tuple[int, float]]:
    """The best `limit` passages as (position in `passages`, score of 0 to 1), best first, ties in the order given.

    text_scores and vector_scores have shape (len(passages),), higher is better.
    """
    by_text, by_vector = stretched(text_scores), stretched(vector_scores)
    coarse = ((TEXT_WEIGHT * by_text + VECTOR_WEIGHT * by_vector) / (TEXT_WEIGHT + VECTOR_WEIGHT)).round(_DECIMALS)
    close = np.sort(np.argsort(-coarse, kind="stable")[: max(COMPARED_CLOSELY, limit)])
    closest = [passages[place] for place in close]
    scores = (
        TEXT_WEIGHT * by_text[close]
        + VECTOR_WEIGHT * by_vector[close]
        + SENTENCE_WEIGHT * stretched(best_sentence_scores(embedder, query_vector, closest))
        + TOKEN_WEIGHT * stretched(token_scores(embedder, query, closest))
    ).round(_DECIMALS)
    best = np.argsort(-scores, kind="stable")[:limit]
    return [(int(close[place]), float(scores[place])) for place in best]


def best_sentence_scores(embedder: TextEmbedder, query_vector: NDArray[np.float32], passages: Sequence[str]) -> Scores:
    """For each passage the cosine of the query to the passage's nearest sentence, shape (len(passages),)."""
    if not passages:
        return np.zeros(0)
    sentences = [_sentences(passage) for passage in passages]
    cosines = embedder.embed_sync([sentence for group in sentences for sentence in group]) @ query_vector
    starts = np.cumsum([0, *(len(group) for group in sentences[:-1])])
    return np.maximum.reduceat(cosines, starts).astype(np.float64)


def token_scores(embedder: TextEmbedder, query: str, passages: Sequence[str]) -> Scores:
    """For each passage the mean over the query's tokens of the cosine to the passage's nearest token.

    A token counts the more, the fewer of the passages contain it. Shape (len(passages),).
    """
    query_ids, query_vectors = embedder.token_vectors(query)
    scores = np.zeros(len(passages))
    if not len(query_ids):
        return scores
    in_passages: Counter[int] = Counter()
    nearest = np.zeros((len(passages), len(query_ids)))
    for row, passage in enumerate(passages):
        ids, vectors = embedder.token_vectors(passage)
        if len(ids):
            nearest[row] = (vectors @ query_vectors.T).max(axis=0)
            in_passages.update(set(ids.tolist()))
    weights = np.array([np.log1p(len(passages) / (1 + in_passages[token])) for token in query_ids.tolist()])
    return nearest @ (weights / weights.sum()) if len(passages) else scores


def _sentences(passage: str) -> list[str]:
    return [sentence for sentence in _SENTENCE_END.split(passage) if sentence.strip()] or [passage]
