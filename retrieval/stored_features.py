"""The features of a passage in the form in which they are stored. How they are computed is in passage_features.py."""

from typing import TYPE_CHECKING, Any

import msgspec

if TYPE_CHECKING:
    from numpy.typing import NDArray

COLUMNS = ("token_ids", "sentence_ends", "sentence_lengths")
"""The columns of PassageFeatures in the table of chunks."""
INTEGERS, FLOATS = "<i4", "<f4"
"""How the numbers are stored, on every machine, as NumPy names these types."""


class PassageFeatures(msgspec.Struct, frozen=True, array_like=True):
    """The features of one passage, as they are stored with its document's chunks.

    token_ids: the ids of its tokens (int32), sentence after sentence.
    sentence_ends: for each sentence, the number of tokens up to its end (int32).
    sentence_lengths: for each sentence, the length of the sum of its token vectors (float32).
    """

    token_ids: bytes
    sentence_ends: bytes
    sentence_lengths: bytes

    @property
    def columns(self) -> "dict[str, NDArray[Any]]":
        """The three arrays, by the names of the columns that hold them."""
        import numpy as np

        kinds = (INTEGERS, INTEGERS, FLOATS)
        return {name: np.frombuffer(getattr(self, name), kind) for name, kind in zip(COLUMNS, kinds, strict=True)}
