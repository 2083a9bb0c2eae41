"""Embedders turn texts into vectors. What belongs here: the protocol of all embedders, and the offline default.

What does not: what is done with vectors (search, clustering, summaries), caching (in the store), and batches of documents (in the
stage).

The offline default reads two files of the pinned wordllama package (a token table and a tokenizer) and does not import the
package, since the import sets up the root logger, loads an HTTP client and may use the network. The weights derive in part from
the token tables of Llama 2 and other open models: see wordllama's own notes on licences.
"""

import asyncio
import re
import sys
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import metadata, util
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Protocol, runtime_checkable

from io_managers.store.fingerprint import Part
from resources.endpoints.llm import RequestCosts
from resources.errors import ConfigurationError
from resources.models.float_arrays import Float32Array

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from resources.models.word_tokenizer import WordTokenizer

_PACKAGE = "wordllama"
_MODEL = "l2_supercat"
_DIMENSIONS = 256
_TENSOR = "embedding.weight"
# How many token vectors are summed at once: 8 MB of float32. All at once, a text of a million tokens would need a gigabyte.
_TOKENS_A_BLOCK = 8192
_SURROGATE = re.compile("[\ud800-\udfff]")


class Embedder(Protocol):
    """Turns texts into vectors. The vector of a text does not depend on the other texts of a call."""

    @property
    def identity(self) -> Mapping[str, Part]:
        """Everything that decides a vector; it is a part of the action key of each embedding."""
        ...

    @property
    def dimensions(self) -> int:
        """How many numbers a vector has."""
        ...

    @property
    def batch(self) -> int:
        """The most texts that one call of `embed` may have."""
        ...

    async def embed(self, texts: Sequence[str], costs: RequestCosts) -> Float32Array:
        """Return vectors of shape (len(texts), dimensions), each of length 1; a text without tokens may get a row of zeros.

        Raises DocumentError if it sends requests to a model and one of them fails; `costs` records what they cost.
        """
        ...


@runtime_checkable
class QueryEmbedder(Protocol):
    """An embedder that runs in this process and embeds a query in another way than a passage."""

    def embed_query(self, query: str) -> Float32Array:
        """Return the vector of a query, of length 1, to compare with those of `Embedder.embed`; shape (dimensions,)."""
        ...


class LocalEmbedder(Protocol):
    """An embedder that works in this process and without `await`, for code that needs vectors during other computations."""

    @property
    def identity(self) -> Mapping[str, str | int | float | bool]:
        """Everything that decides a vector, as in `Embedder.identity`."""
        ...

    def embed_sync(self, texts: Sequence[str]) -> Float32Array:
        """Return vectors, as `Embedder.embed` does."""
        ...


@dataclass(frozen=True, slots=True)
class _Model:
    tokenizer: "WordTokenizer"
    table: Float32Array


class WordLlamaEmbedder:
    """The mean of a text's token vectors, from the table bundled with wordllama: no network, no key, 32 MB.

    A row is the mean of the token vectors, divided by its length, so the cosine of two rows is their dot product. Each text is
    summed by itself, in the order of its tokens, in float64, so its vector is exactly the same alone or in any batch. Only the
    empty text has no tokens, since unknown characters are encoded as their bytes. It gets a row of zeros, whose cosine with every
    vector is 0. Lone surrogates count as U+FFFD.

    The table is read once, at the first use. Several threads may use it at the same time.
    """

    def __init__(self) -> None:
        self._model: _Model | None = None
        self._loading = threading.Lock()

    @property
    def identity(self) -> Mapping[str, str | int | float | bool]:
        """Provider, model, version of the package with the weights, dimensions, pooling and normalization."""
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
        """How many numbers a vector has: 256."""
        return _DIMENSIONS

    @property
    def batch(self) -> int:
        """There is no limit, since texts are embedded one after the other."""
        return sys.maxsize

    async def embed(self, texts: Sequence[str], costs: RequestCosts | None = None) -> Float32Array:
        """Return vectors as `embed_sync` does, in another thread: the tokenizer releases the interpreter lock while it works."""
        return await asyncio.to_thread(self.embed_sync, texts)

    def embed_sync(self, texts: Sequence[str]) -> Float32Array:
        """Return vectors of shape (len(texts), 256), each of length 1, or of zeros for an empty text.

        Raises ConfigurationError if the installed wordllama lacks the table or the tokenizer.
        """
        import numpy as np

        model = self._loaded()
        pooled = np.zeros((len(texts), _DIMENSIONS), dtype=np.float64)
        for row, text in zip(pooled, texts, strict=True):
            token_ids = model.tokenizer.ids(_well_formed(text))
            for start in range(0, len(token_ids), _TOKENS_A_BLOCK):
                row += model.table[token_ids[start : start + _TOKENS_A_BLOCK]].sum(axis=0, dtype=np.float64)
        return _unit_rows(pooled)

    def token_ids(self, text: str) -> "NDArray[np.int64]":
        """Return the ids of a text's tokens in their order, shape (n,). Raises ConfigurationError as `embed_sync` does."""
        return self._loaded().tokenizer.ids(_well_formed(text))

    def token_rows(self, token_ids: "NDArray[np.integer]") -> Float32Array:
        """Return the vectors of tokens, not normalised, shape (len(token_ids), 256); a text's vector is parallel to their sum.

        Raises ConfigurationError as `embed_sync` does.
        """
        return self._loaded().table[token_ids]

    def _loaded(self) -> _Model:
        if self._model is None:
            with self._loading:
                if self._model is None:
                    self._model = _load()
        return self._model


def _well_formed(text: str) -> str:
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return _SURROGATE.sub("\ufffd", text)
    return text


def _unit_rows(rows: "NDArray[np.float64]") -> Float32Array:
    import numpy as np

    lengths = np.sqrt(np.square(rows).sum(axis=1, keepdims=True))
    return np.divide(rows, lengths, out=np.zeros_like(rows), where=lengths > 0).astype(np.float32)


@cache
def _installed_version() -> str:
    # Read once: it takes a millisecond, and is asked for each document.
    try:
        return metadata.version(_PACKAGE)
    except metadata.PackageNotFoundError as error:
        raise ConfigurationError(_missing("the package is not installed")) from error


def bundled_file(folder: Literal["weights", "tokenizers"]) -> Path:
    """Return the path of the package's weights or tokenizer. Raises ConfigurationError if the file is missing."""
    found = util.find_spec(_PACKAGE)  # finds the package without importing it
    if found is None or not found.submodule_search_locations:
        raise ConfigurationError(_missing("the package is not installed"))
    names = {"weights": f"{_MODEL}_{_DIMENSIONS}.safetensors", "tokenizers": f"{_MODEL}_tokenizer_config.json"}
    path = Path(found.submodule_search_locations[0]) / folder / names[folder]
    if not path.is_file():
        raise ConfigurationError(_missing(f"{path} is missing"))
    return path


def _load() -> _Model:
    import numpy as np
    from safetensors import safe_open

    from resources.models.word_tokenizer import WordTokenizer

    weights, tokenizer = bundled_file("weights"), bundled_file("tokenizers")
    with safe_open(weights, framework="np") as opened:
        table = opened.get_tensor(_TENSOR).astype(np.float32)
    return _Model(WordTokenizer(tokenizer), table)


def _missing(found: str) -> str:
    return f"The offline embedder reads the wordllama package's token table, but {found}. Run `make setup`."
