"""Features for the detailed comparison of passages with a query: the tokens of a passage, sentence after sentence.

They are computed once, when a document is seeded, and stored with its chunk (stored_features.py); a query only reads them. Scores
are computed in ranking.py.
"""

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, Self, TypeVar

import numpy as np
from numpy.typing import NDArray

from retrieval.stored_features import COLUMNS, FLOATS, INTEGERS, PassageFeatures

if TYPE_CHECKING:
    import pyarrow as pa

# A simple pattern is enough: a passage is scored by its best sentence, so a wrong boundary changes the score only a little.
_SENTENCE_END = re.compile(r"(?<=[.!?…])[\"'”’)\]]*\s+|[。！？]|\n+")
# The numbers as they are stored, on every machine.
_INTEGERS, _FLOATS = np.dtype(INTEGERS), np.dtype(FLOATS)

_Number = TypeVar("_Number", np.int64, np.float32)


class StaticEmbedder(Protocol):
    """An embedder whose vector of a text is the mean of the vectors of its tokens, which are the same in every text."""

    def token_ids(self, text: str) -> NDArray[np.int64]:
        """The ids of a text's tokens in their order, shape (n,); empty for a text without tokens."""
        ...

    def token_rows(self, token_ids: NDArray[np.integer]) -> NDArray[np.float32]:
        """The vectors of tokens, not normalised, shape (len(token_ids), dimensions)."""
        ...


def features_of(passage: str, embedder: StaticEmbedder) -> PassageFeatures:
    """Compute the features of a passage."""
    sentences = [embedder.token_ids(sentence) for sentence in _SENTENCE_END.split(passage) if sentence.strip()]
    counts = np.array([len(token_ids) for token_ids in sentences], dtype=np.int64)
    if not len(counts):
        return PassageFeatures(b"", b"", b"")
    token_ids, ends = np.concatenate(sentences), np.cumsum(counts)
    sums = np.add.reduceat(embedder.token_rows(token_ids), ends - counts)
    lengths = np.sqrt(np.square(sums).sum(axis=1))
    return PassageFeatures(
        token_ids.astype(_INTEGERS).tobytes(), ends.astype(_INTEGERS).tobytes(), lengths.astype(_FLOATS).tobytes()
    )


@dataclass(frozen=True, slots=True)
class Passages:
    """The features of several passages, one after the other in flat arrays.

    token_ids, token_counts: the tokens of all passages, and how many each passage has, shape (passages,).
    sentence_ends: for each sentence, the number of tokens of all passages up to its end.
    sentence_lengths, sentence_counts: the lengths of all sentences (see PassageFeatures), and how many each passage has.
    """

    token_ids: NDArray[np.int64]
    token_counts: NDArray[np.int64]
    sentence_ends: NDArray[np.int64]
    sentence_lengths: NDArray[np.float32]
    sentence_counts: NDArray[np.int64]

    @classmethod
    def of_rows(cls, rows: "pa.Table") -> Self:
        """The passages of rows with the columns of PassageFeatures."""
        token_ids, ends, lengths = (rows[name].combine_chunks() for name in COLUMNS)
        token_counts = _numbers(token_ids.value_lengths(), np.int64)
        sentence_counts = _numbers(ends.value_lengths(), np.int64)
        before = np.cumsum(token_counts) - token_counts
        return cls(
            _numbers(token_ids.flatten(), np.int64),
            token_counts,
            _numbers(ends.flatten(), np.int64) + np.repeat(before, sentence_counts),
            _numbers(lengths.flatten(), np.float32),
            sentence_counts,
        )


def _numbers(values: Any, kind: type[_Number]) -> NDArray[_Number]:
    return values.to_numpy(zero_copy_only=False).astype(kind)
