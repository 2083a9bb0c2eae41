"""Text to vectors. What belongs here: the seam that every embedder fills, and the offline default behind it.

What does not: what is done with vectors (search, clustering, summaries), caching (the store's), batching by
documents (the stage's).

The offline default reads the two files that the pinned wordllama package carries (a token table and a
tokenizer) instead of importing the package: importing it sets up the root logger, pulls in an HTTP client and
can reach for the network. The weights derive in part from the token tables of Llama 2 and other open models:
see wordllama's own notes on licences.
"""

import asyncio
import re
import sys
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import metadata, util
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from io_managers.store.fingerprint import Part
from resources.errors import ConfigurationError
from resources.llm import Payer

if TYPE_CHECKING:
    from tokenizers import Tokenizer

_PACKAGE = "wordllama"
_MODEL = "l2_supercat"
_DIMENSIONS = 256
_TENSOR = "embedding.weight"
# Rows are gathered this many at a time, 8 MB of float32: a text of a million tokens would need a gigabyte.
_TOKENS_A_BLOCK = 8192
_SURROGATE = re.compile("[\ud800-\udfff]")


class Embedder(Protocol):
    """Turns texts into vectors. A text's vector is the same whatever other texts it is asked with."""

    @property
    def identity(self) -> Mapping[str, Part]:
        """Everything that decides a vector: part of the action key of each embedding."""
        ...

    @property
    def dimensions(self) -> int:
        """Length of a vector."""
        ...

    @property
    def batch(self) -> int:
        """The most texts that it is asked for at once."""
        ...

    async def embed(self, texts: Sequence[str], payer: Payer) -> NDArray[np.float32]:
        """Vectors of shape (len(texts), dimensions), rows of length 1; a text without a token may be a row of zeros.

        Raises DocumentError, where it asks somebody, for whom `payer` pays.
        """
        ...


class LocalEmbedder(Protocol):
    """An embedder that works in this process, for those who need vectors in the middle of other computing."""

    @property
    def identity(self) -> Mapping[str, str | int | float | bool]:
        """As `Embedder.identity`."""
        ...

    def embed_sync(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """As `Embedder.embed`."""
        ...


@dataclass(frozen=True, slots=True)
class _Model:
    tokenizer: "Tokenizer"
    table: NDArray[np.float32]


class WordLlamaEmbedder:
    """The mean of a text's token vectors, from the table bundled with wordllama: no network, no key, 32 MB.

    A row is the token vectors' mean divided by its length, so cosine is a dot product. Each text is summed on
    its own, in the order of its tokens, in float64: its vector is bit for bit the same alone or in any batch.
    A text without a token (only the empty one: unknown characters fall back to their bytes) has no direction
    and gets a row of zeros, whose cosine to everything is 0. Lone surrogates count as U+FFFD.

    The table is read at the first use, once, and may be used from several threads at once.
    """

    def __init__(self) -> None:
        self._model: _Model | None = None
        self._loading = threading.Lock()

    @property
    def identity(self) -> Mapping[str, str | int | float | bool]:
        """Provider, model, version of the package with the weights, dimensions, pooling, normalisation."""
        return {
            "provider": _PACKAGE,
            "model": _MODEL,
            "version": _installed_version(),
            "dimensions": _DIMENSIONS,
            "pooling": "mean",
            "normalised": True,
        }

    @property
    def dimensions(self) -> int:
        """256."""
        return _DIMENSIONS

    @property
    def batch(self) -> int:
        """Any number: texts are embedded one after the other."""
        return sys.maxsize

    async def embed(self, texts: Sequence[str], payer: Payer | None = None) -> NDArray[np.float32]:
        """As `embed_sync`, on another thread: the tokenizer releases the interpreter lock while it works."""
        return await asyncio.to_thread(self.embed_sync, texts)

    def embed_sync(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Vectors of shape (len(texts), 256), each of length 1, or of zeros for an empty text.

        Raises ConfigurationError if the installed wordllama does not carry its table.
        """
        model = self._loaded()
        pooled = np.zeros((len(texts), _DIMENSIONS), dtype=np.float64)
        for row, text in zip(pooled, texts, strict=True):
            token_ids = _token_ids(model.tokenizer, text)
            for start in range(0, len(token_ids), _TOKENS_A_BLOCK):
                row += model.table[token_ids[start : start + _TOKENS_A_BLOCK]].sum(axis=0, dtype=np.float64)
        return _unit_rows(pooled)

    def token_vectors(self, text: str) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """The text's token ids, shape (n,), and their vectors, shape (n, 256), of length 1, in text order.

        For late interaction: the best cosine of a query's token over a passage's tokens is the maximum of a
        row of `query_vectors @ passage_vectors.T`.
        Raises as `embed_sync`.
        """
        model = self._loaded()
        token_ids = _token_ids(model.tokenizer, text)
        return token_ids, _unit_rows(model.table[token_ids].astype(np.float64))

    def _loaded(self) -> _Model:
        if self._model is None:
            with self._loading:
                if self._model is None:
                    self._model = _load()
        return self._model


def _token_ids(tokenizer: "Tokenizer", text: str) -> NDArray[np.int64]:
    # One text at a time: encode_batch starts a thread pool, which complains on stderr in every later fork.
    encoding = tokenizer.encode(_well_formed(text), add_special_tokens=False)
    return np.array(encoding.ids, dtype=np.int64)


def _well_formed(text: str) -> str:
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return _SURROGATE.sub("\ufffd", text)
    return text


def _unit_rows(rows: NDArray[np.float64]) -> NDArray[np.float32]:
    lengths = np.sqrt(np.square(rows).sum(axis=1, keepdims=True))
    return np.divide(rows, lengths, out=np.zeros_like(rows), where=lengths > 0).astype(np.float32)


def _installed_version() -> str:
    try:
        return metadata.version(_PACKAGE)
    except metadata.PackageNotFoundError as error:
        raise ConfigurationError(_missing("the package is not installed")) from error


def bundled_file(folder: Literal["weights", "tokenizers"]) -> Path:
    """The package's file of weights or of the tokenizer. Raises ConfigurationError where it is not there."""
    found = util.find_spec(_PACKAGE)  # locates the package without running it
    if found is None or not found.submodule_search_locations:
        raise ConfigurationError(_missing("the package is not installed"))
    names = {"weights": f"{_MODEL}_{_DIMENSIONS}.safetensors", "tokenizers": f"{_MODEL}_tokenizer_config.json"}
    path = Path(found.submodule_search_locations[0]) / folder / names[folder]
    if not path.is_file():
        raise ConfigurationError(_missing(f"{path} is missing"))
    return path


def _load() -> _Model:
    from safetensors import safe_open
    from tokenizers import Tokenizer

    weights, tokenizer = bundled_file("weights"), bundled_file("tokenizers")
    with safe_open(weights, framework="np") as opened:
        table = opened.get_tensor(_TENSOR).astype(np.float32)
    return _Model(Tokenizer.from_file(str(tokenizer)), table)


def _missing(found: str) -> str:
    return f"The offline embedder reads the wordllama package's token table, but {found}. Run `make setup`."
