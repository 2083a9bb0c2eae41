"""Runs encoders of the families BERT and RoBERTa from a .safetensors file, with numpy.

What belongs here: the forward pass of these encoders (Devlin et al. 2019; Liu et al. 2019), without dropout. What does not: which
files there are (model_folder), the tokens of texts, pooling.

One text is encoded at a time and without padding, so its vector cannot depend on other texts. Several threads may encode at the
same time; the caller limits BLAS to one thread each.
"""

import math
import threading
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from resources.local_models.model_folder import ModelFolder, position_offset, unsupported

Array = NDArray[np.float32]

# The encoders whose tensors have the names and the meaning of BERT's.
FAMILIES = ("bert", "roberta", "xlm-roberta", "camembert")
# Before the names of the tensors, if the file was saved from a model with a head.
_PREFIXES = ("", "bert.", "roberta.", "0.auto_model.")
_NUMBERS = ("num_attention_heads", "num_hidden_layers", "layer_norm_eps")
_EMBEDDINGS = "embeddings.word_embeddings.weight"
# How many tokens attend at once: with 12 heads and 8,192 tokens, their weights take 100 MB, and all at once 3 GB.
_ROWS_AT_ONCE = 256


@dataclass(frozen=True, slots=True)
class _Layer:
    """The weights of one layer. Matrices have the shape (outputs, inputs); `qkv` are those of query, key and value."""

    qkv: tuple[Array, Array]
    attended: tuple[Array, Array]
    attended_norm: tuple[Array, Array]
    inner: tuple[Array, Array]
    outer: tuple[Array, Array]
    outer_norm: tuple[Array, Array]


class BertEncoder:
    """An encoder that gives a vector for each token of a text."""

    def __init__(self, folder: ModelFolder) -> None:
        """Load the weights into memory, as float32. Raises ConfigurationError for another architecture or missing tensors."""
        shape = shape_of(folder)
        self._heads, self._epsilon, self._offset = shape["heads"], shape["epsilon"], shape["first_position"]
        self._blas = _OneThreadEach()
        tensors = _Tensors(folder)
        self._words = tensors.take(_EMBEDDINGS)
        self._places = tensors.take("embeddings.position_embeddings.weight")
        # Every token is of the first type, since a text has one part.
        self._type = tensors.take("embeddings.token_type_embeddings.weight")[0]
        self._norm = tensors.pair("embeddings.LayerNorm")
        self._layers = [_layer(tensors, f"encoder.layer.{number}") for number in range(shape["layers"])]
        if self._words.shape[1] % self._heads:
            raise unsupported(folder, f"{self._words.shape[1]} numbers cannot be divided among {self._heads} heads")

    @property
    def dimensions(self) -> int:
        """How many numbers the vector of a token has."""
        return self._words.shape[1]

    def one_thread_each(self) -> AbstractContextManager[None]:
        """While this is open, BLAS computes with one thread, so that each text is encoded by one."""
        return self._blas.limited()

    def encode(self, token_ids: NDArray[np.int64]) -> Array:
        """Return the vectors of one text's tokens, shape (len(token_ids), dimensions)."""
        count = len(token_ids)
        x = self._words[token_ids] + self._places[self._offset : self._offset + count] + self._type
        x = _normed(x, self._norm, self._epsilon)
        for layer in self._layers:
            x = _normed(x + _linear(self._attention(x, layer), layer.attended), layer.attended_norm, self._epsilon)
            x = _normed(x + _linear(_gelu(_linear(x, layer.inner)), layer.outer), layer.outer_norm, self._epsilon)
        return x

    def _attention(self, x: Array, layer: _Layer) -> Array:
        """The values of all tokens, weighted for each token; shape as x."""
        count, width = x.shape
        size = width // self._heads
        query, key, value = _linear(x, layer.qkv).reshape(count, 3, self._heads, size).transpose(1, 2, 0, 3)
        query = query * np.float32(1 / math.sqrt(size))
        key = np.ascontiguousarray(key.transpose(0, 2, 1))
        value = np.ascontiguousarray(value)
        found = np.empty((self._heads, count, size), np.float32)
        for start in range(0, count, _ROWS_AT_ONCE):
            rows = slice(start, start + _ROWS_AT_ONCE)
            weights = np.matmul(query[:, rows], key)
            weights -= weights.max(axis=-1, keepdims=True)
            np.exp(weights, out=weights)
            weights /= weights.sum(axis=-1, keepdims=True)
            np.matmul(weights, value, out=found[:, rows])
        return found.transpose(1, 0, 2).reshape(count, width)


class _OneThreadEach:
    """Limits the BLAS of this process to one thread for as long as anybody needs it."""

    def __init__(self) -> None:
        from threadpoolctl import ThreadpoolController

        self._controller = ThreadpoolController()
        self._changing = threading.Lock()
        self._users = 0
        self._limit: Any = None

    @contextmanager
    def limited(self) -> Iterator[None]:
        """Limit it, unless that was done already; the last user lifts the limit."""
        with self._changing:
            if not self._users:
                self._limit = self._controller.limit(limits=1, user_api="blas")
            self._users += 1
        try:
            yield
        finally:
            with self._changing:
                self._users -= 1
                if not self._users:
                    self._limit.restore_original_limits()


class _Tensors:
    """The tensors of a .safetensors file, by their names without a prefix."""

    def __init__(self, folder: ModelFolder) -> None:
        from safetensors import SafetensorError, safe_open

        self._folder = folder
        try:
            self._file = safe_open(folder.weights, framework="np")
            names = set(self._file.keys())
        except (SafetensorError, OSError) as error:
            raise unsupported(folder, f"{folder.weights.name} cannot be read ({error})") from error
        prefix = next((prefix for prefix in _PREFIXES if prefix + _EMBEDDINGS in names), None)
        if prefix is None:
            raise unsupported(folder, f"{folder.weights.name} has no tensor {_EMBEDDINGS}")
        self._prefix, self._names = prefix, names

    def take(self, name: str) -> Array:
        """A tensor as float32."""
        if self._prefix + name not in self._names:
            raise unsupported(self._folder, f"{self._folder.weights.name} has no tensor {name}")
        try:
            tensor = self._file.get_tensor(self._prefix + name)
        except TypeError as error:  # a type of numbers that numpy does not have
            raise unsupported(self._folder, f"the numbers of {name} cannot be read ({error})") from error
        if tensor.dtype.kind != "f":
            raise unsupported(self._folder, f"the numbers of {name} are {tensor.dtype}, not floating point")
        return np.ascontiguousarray(tensor, np.float32)

    def pair(self, name: str) -> tuple[Array, Array]:
        """Weight and bias of one part."""
        return self.take(f"{name}.weight"), self.take(f"{name}.bias")


def shape_of(folder: ModelFolder) -> dict[str, Any]:
    """Return what config.json says of the encoder that decides its results, and the tensors do not show.

    Raises ConfigurationError for another architecture.
    """
    config = folder.config
    expected: Mapping[str, tuple[object, ...]] = {
        "model_type": FAMILIES,
        "hidden_act": ("gelu",),
        "position_embedding_type": ("absolute", None),
        "is_decoder": (False, None),
    }
    for name, allowed in expected.items():
        if config.get(name) not in allowed:
            raise unsupported(folder, f"its {name} in config.json is {config.get(name)!r}")
    heads, layers, epsilon = (config.get(name) for name in _NUMBERS)
    if not (
        isinstance(heads, int) and isinstance(layers, int) and heads > 0 and layers > 0 and isinstance(epsilon, float)
    ):
        raise unsupported(folder, f"config.json lacks one of {', '.join(_NUMBERS)}")
    return {"heads": heads, "layers": layers, "epsilon": epsilon, "first_position": position_offset(config)}


def _layer(tensors: _Tensors, name: str) -> _Layer:
    parts = [tensors.pair(f"{name}.attention.self.{part}") for part in ("query", "key", "value")]
    return _Layer(
        qkv=(np.concatenate([weight for weight, _ in parts]), np.concatenate([bias for _, bias in parts])),
        attended=tensors.pair(f"{name}.attention.output.dense"),
        attended_norm=tensors.pair(f"{name}.attention.output.LayerNorm"),
        inner=tensors.pair(f"{name}.intermediate.dense"),
        outer=tensors.pair(f"{name}.output.dense"),
        outer_norm=tensors.pair(f"{name}.output.LayerNorm"),
    )


def _linear(x: Array, weights: tuple[Array, Array]) -> Array:
    matrix, bias = weights
    found = x @ matrix.T
    found += bias
    return found


def _normed(x: Array, weights: tuple[Array, Array], epsilon: float) -> Array:
    """Each row with mean 0 and variance 1, scaled and shifted."""
    scale, shift = weights
    x = x - x.mean(axis=-1, keepdims=True)
    variance = np.square(x).mean(axis=-1, keepdims=True)
    x /= np.sqrt(variance + np.float32(epsilon))
    x *= scale
    x += shift
    return x


def _gelu(x: Array) -> Array:
    """The Gaussian error linear unit in its exact form (Hendrycks and Gimpel 2016)."""
    from scipy.special import erf

    found = erf(x * np.float32(math.sqrt(0.5)))
    found += 1
    found *= x
    found *= np.float32(0.5)
    return found
