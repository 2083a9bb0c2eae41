"""Features for the detailed comparison of a passage with a query: its tokens and the vectors of its sentences.

They are computed once per passage and cached for the next query. Scores are computed in ranking.py.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

# The features of a passage of 1,000 characters take 7 KB (measured), so this is about 30 MB. Each token vector is kept once;
# together they are at most as large as the embedder's own table.
_KEPT_PASSAGES = 4_096
# A simple pattern is enough: a passage is scored by its best sentence, so a wrong boundary changes the score only a little.
_SENTENCE_END = re.compile(r"(?<=[.!?…])[\"'”’)\]]*\s+|[。！？]|\n+")


class TextEmbedder(Protocol):
    """The embedder that search needs."""

    def embed_sync(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Vectors of norm 1, shape (len(texts), dimensions); zeros for a text without content."""
        ...

    def token_vectors(self, text: str) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """The ids of the text's tokens, shape (n,), and their vectors of norm 1, shape (n, dimensions).

        The vectors are static: a token has the same vector in every text.
        """
        ...


@dataclass(frozen=True, slots=True)
class PassageFeatures:
    """The features of one passage."""

    token_ids: NDArray[np.int32]
    """The distinct token ids in ascending order, shape (n,)."""
    sentence_vectors: NDArray[np.float32]
    """One vector per sentence, shape (m, dimensions) with m > 0."""


class PassageCache:
    """Computes and caches the features of passages, by their text. It may be used from several threads."""

    def __init__(self, embedder: TextEmbedder) -> None:
        self._embedder = embedder
        self._vectors: dict[int, NDArray[np.float32]] = {}
        self.features_of = lru_cache(maxsize=_KEPT_PASSAGES)(self._compute)

    def token_vectors(self, token_ids: NDArray[np.int32]) -> NDArray[np.float32]:
        """The vectors of tokens that occur in passages seen before, shape (len(token_ids), dimensions)."""
        return np.stack([self._vectors[token] for token in token_ids.tolist()])

    def _compute(self, text: str) -> PassageFeatures:
        token_ids, vectors = self._embedder.token_vectors(text)
        distinct, first = np.unique(token_ids, return_index=True)
        for token, place in zip(distinct.tolist(), first.tolist(), strict=True):
            if token not in self._vectors:
                self._vectors[token] = vectors[place].copy()
        return PassageFeatures(distinct.astype(np.int32), self._embedder.embed_sync(_sentences(text)))


def _sentences(passage: str) -> list[str]:
    return [sentence for sentence in _SENTENCE_END.split(passage) if sentence.strip()] or [passage]
