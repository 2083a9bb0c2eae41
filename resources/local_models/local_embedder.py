"""The embedder of `embeddings.provider = "local"`: a model from a folder, loaded once a process.

What belongs here: identity, pooling, running several texts at the same time. What does not: reading the folder (model_folder),
and the forward pass (bert_encoder, onnx_encoder).

What is guaranteed: each text is encoded by itself, without padding, by one thread. So on one machine, with the same releases of
numpy or onnxruntime, its vector has the same bits alone and beside any other texts, on one processor and on many. Another kind of
processor or another release may round differently in the last digits (more for quantized weights); such vectors can be compared,
so neither is in the key.
"""

import asyncio
import os
import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import cache, cached_property
from hashlib import sha256
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from io_managers.store.fingerprint import Part
from resources.endpoints.llm import RequestCosts
from resources.errors import ConfigurationError, StoppedError
from resources.local_models.bert_encoder import BertEncoder, shape_of
from resources.local_models.file_digests import FileDigests
from resources.local_models.model_folder import SETTING, ModelFolder, read_folder
from resources.local_models.onnx_encoder import OnnxEncoder
from resources.local_models.text_tokens import TextTokens
from resources.memory_errors import is_memory_error

# Raise it when the same files give other vectors.
_METHOD = "1"


class _Encoder(Protocol):
    """Gives a vector for each token of a text."""

    @property
    def dimensions(self) -> int:
        """How many numbers a vector has."""
        ...

    def encode(self, token_ids: NDArray[np.int64]) -> NDArray[np.float32]:
        """The vectors of one text's tokens, shape (len(token_ids), dimensions)."""
        ...

    def one_thread_each(self) -> AbstractContextManager[None]:
        """While this is open, a text is encoded by one thread."""
        ...


@dataclass(frozen=True, slots=True)
class _Model:
    tokens: TextTokens
    encoder: _Encoder


class LocalModelEmbedder:
    """An Embedder (resources.models.embedder) that runs a model from a folder; see the module.

    Files are read when they are first needed: those that say what the model is for the first key, the weights for the first
    vector. Several threads may use it at the same time.
    """

    def __init__(
        self, folder: Path, weights: str = "", *, dimensions: int = 0, batch: int = 64, memory: Path | None = None
    ) -> None:
        """folder: of the model. weights: see read_folder. dimensions: how long its vectors have to be; 0 for any length.

        batch: after how many texts their vectors are stored. memory: a file that remembers the digests of large files.
        """
        self._path = folder
        self._weights = weights
        self._wanted = dimensions
        self._digests = FileDigests(memory)
        self._batch = batch

    @cached_property
    def _folder(self) -> ModelFolder:
        found = read_folder(self._path, self._weights)
        if self._wanted and found.dimensions != self._wanted:
            raise ConfigurationError(
                f"`embeddings.dimensions` is {self._wanted}, and the model in {self._path} (`{SETTING}`) gives vectors of "
                f"{found.dimensions} numbers. Set it to {found.dimensions}, or to 0 for the model's own length."
            )
        return found

    @cached_property
    def identity(self) -> Mapping[str, Part]:
        """Digests of weights and tokenizer, and all else that decides a vector. Raises ConfigurationError.

        The path is not a part of it, nor is what the files say besides: a copy of the model has the same identity.
        """
        folder = self._folder
        return {
            "provider": "local",
            "method": _METHOD,
            "weights": self._digest(folder.weights, *folder.weights_beside),
            "tokenizer": self._digest(folder.tokenizer),
            "encoder": shape_of(folder) if folder.weights.suffix == ".safetensors" else {},
            "pooling": folder.pooling,
            "max_tokens": folder.max_tokens,
            "lower": folder.lower,
            "prompt": folder.passage_prompt,
            "dimensions": folder.dimensions,
        }

    @property
    def dimensions(self) -> int:
        """How many numbers a vector has. Raises ConfigurationError."""
        return self._folder.dimensions

    @property
    def batch(self) -> int:
        """After how many texts their vectors are stored. They are encoded one by one in any case."""
        return self._batch

    @property
    def files(self) -> Sequence[str]:
        """The files that decide its identity, also those that do not exist. Raises ConfigurationError."""
        folder = self._folder
        # A file of weights that is added to one of these folders may be preferred to the one in use.
        places = (folder.folder, folder.tokenizer.parent, folder.tokenizer.parent / "onnx", folder.weights.parent)
        found = (folder.weights, *folder.weights_beside, folder.tokenizer, *folder.read)
        return [str(path) for path in dict.fromkeys((*places, *found))]

    async def embed(self, texts: Sequence[str], costs: RequestCosts) -> NDArray[np.float32]:
        """Return vectors of passages, shape (len(texts), dimensions), each of length 1; all processors encode.

        Raises ConfigurationError if the model cannot be run, StoppedError if the run is stopped meanwhile.
        """
        loop = asyncio.get_running_loop()
        model = await asyncio.to_thread(self._loaded)
        prompt = self._folder.passage_prompt
        rows = np.zeros((len(texts), self.dimensions), np.float32)
        with model.encoder.one_thread_each():
            begun = [loop.run_in_executor(_threads(), self._vector, model, prompt + text) for text in texts]
            try:
                for number, vector in enumerate(begun):
                    if number and (reason := costs.stop_reason()):
                        raise StoppedError(reason)
                    rows[number] = await vector
            finally:
                for vector in begun:
                    vector.cancel()
        return rows

    def embed_sync(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Do what `embed` does, without being stopped."""
        return self._embedded([self._folder.passage_prompt + text for text in texts])

    def embed_query(self, query: str) -> NDArray[np.float32]:
        """Return the vector of a query, with the model's prompt for queries, shape (dimensions,). Raises ConfigurationError."""
        return self._embedded([self._folder.query_prompt + query])[0]

    def _embedded(self, texts: Sequence[str]) -> NDArray[np.float32]:
        model = self._loaded()
        with model.encoder.one_thread_each():
            rows = list(_threads().map(lambda text: self._vector(model, text), texts))
        return np.stack(rows) if rows else np.zeros((0, self.dimensions), np.float32)

    def _vector(self, model: _Model, text: str) -> NDArray[np.float32]:
        token_ids = model.tokens.ids(text)
        try:
            vectors = model.encoder.encode(token_ids)
        except Exception as error:
            if is_memory_error(error):
                raise
            why = str(error).partition("\n")[0]
            raise self._unusable(
                f"{self._folder.weights.name} cannot be run on {len(token_ids)} tokens ({type(error).__name__}: {why})"
            ) from error
        pooled = _pooled(vectors, self._folder.pooling)
        if not np.isfinite(pooled).all():
            raise self._unusable("it gives vectors that hold what is no number")
        length = float(np.sqrt(np.square(pooled).sum()))
        return (pooled / length if length else pooled).astype(np.float32)

    def _loaded(self) -> _Model:
        identity = tuple(sorted((name, repr(part)) for name, part in self.identity.items()))
        with _LOADING:
            if _LOADED.get("identity") != identity:
                _LOADED.clear()  # the memory of one model at a time
                _LOADED["model"] = self._load()
                _LOADED["identity"] = identity
            found = _LOADED["model"]
        assert isinstance(found, _Model)
        return found

    def _load(self) -> _Model:
        folder = self._folder
        made = OnnxEncoder if folder.weights.suffix == ".onnx" else BertEncoder
        found = _Model(TextTokens(folder), made(folder))
        if found.encoder.dimensions != folder.dimensions:
            raise self._unusable(
                f"{folder.weights.name} gives vectors of {found.encoder.dimensions} numbers, and the configuration of the "
                f"pooling says {folder.dimensions}"
            )
        again = LocalModelEmbedder(self._path, self._weights)
        again._digests = self._digests
        if again.identity != self.identity:
            raise ConfigurationError(
                f"The model in {self._path} (`{SETTING}`) was changed while it was used. Run again, so that the vectors belong "
                "to one model."
            )
        return found

    def _digest(self, *paths: Path) -> str:
        try:
            found = [self._digests.of(path) for path in paths]
        except OSError as error:
            raise self._unusable(f"{error.filename} cannot be read ({error.strerror or error})") from error
        return "sha256:" + (found[0] if len(found) == 1 else sha256("\n".join(found).encode()).hexdigest())

    def _unusable(self, what: str) -> ConfigurationError:
        return ConfigurationError(
            f"The model in {self._path} (`{SETTING}`) cannot be used: {what}. Get its files once more, or use another model."
        )


_LOADED: dict[str, object] = {}
_LOADING = threading.Lock()


@cache
def _threads() -> ThreadPoolExecutor:
    """One thread for each processor that this process may use; they run the texts of all embedders."""
    count = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return ThreadPoolExecutor(count, thread_name_prefix="model")


def _pooled(vectors: NDArray[np.float32], pooling: str) -> NDArray[np.float64]:
    if pooling == "cls":
        return vectors[0].astype(np.float64)
    if pooling == "max":
        return vectors.max(axis=0).astype(np.float64)
    return vectors.mean(axis=0, dtype=np.float64)
