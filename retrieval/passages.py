"""What close comparison needs of a passage: its tokens and its sentences' vectors, kept for the next query.

What belongs here: taking passages apart. What does not: scores (ranking.py).
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

# 7 KB a passage of a thousand characters. Token vectors are kept once each, at most the embedder's own table.
_KEPT_PASSAGES = 4_096
# A boundary missed, or one too many, moves a score by little: a passage is judged by its best sentence.
_SENTENCE_END = re.compile(r"(?<=[.!?…])[\"'”’)\]]*\s+|[。！？]|\n+")


class TextEmbedder(Protocol):
    """What search needs of an embedder."""

    def embed_sync(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Vectors of shape (len(texts), dimensions), of length 1, or of zeros for a text without content."""
        ...

    def token_vectors(self, text: str) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """Ids of the text's tokens, shape (n,), and their vectors, shape (n, dimensions), of length 1.

        A token has the same vector wherever it stands.
        """
        ...


@dataclass(frozen=True, slots=True)
class Passage:
    """A passage taken apart: its distinct token ids, shape (n,), and its sentences' vectors, (m, dimensions), m > 0."""

    token_ids: NDArray[np.int32]
    sentence_vectors: NDArray[np.float32]


class Passages:
    """Passages by their text. May be used from several threads."""

    def __init__(self, embedder: TextEmbedder) -> None:
        self._embedder = embedder
        self._vectors: dict[int, NDArray[np.float32]] = {}
        self.of = lru_cache(maxsize=_KEPT_PASSAGES)(self._taken_apart)

    def token_vectors(self, token_ids: NDArray[np.int32]) -> NDArray[np.float32]:
        """Vectors, shape (len(token_ids), dimensions), of tokens of passages seen before."""
        return np.stack([self._vectors[token] for token in token_ids.tolist()])

    def _taken_apart(self, text: str) -> Passage:
        token_ids, vectors = self._embedder.token_vectors(text)
        distinct, first = np.unique(token_ids, return_index=True)
        for token, place in zip(distinct.tolist(), first.tolist(), strict=True):
            if token not in self._vectors:
                self._vectors[token] = vectors[place].copy()
        return Passage(distinct.astype(np.int32), self._embedder.embed_sync(_sentences(text)))


def _sentences(passage: str) -> list[str]:
    return [sentence for sentence in _SENTENCE_END.split(passage) if sentence.strip()] or [passage]
