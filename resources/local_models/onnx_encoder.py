"""Runs encoders from an .onnx file, with onnxruntime (the extra `local`).

What belongs here: the session and what its graph takes and gives. What does not: which files there are (model_folder), the tokens
of texts, pooling.

One text is run at a time and without padding. A graph that was quantized dynamically scales its numbers by all numbers of a run,
so in a batch the vector of a text would depend on the other texts. The session has one thread, and the caller runs several texts
at the same time.
"""

from contextlib import AbstractContextManager, nullcontext
from typing import Any

import numpy as np
from numpy.typing import NDArray

from resources.errors import ConfigurationError
from resources.local_models.model_folder import SETTING, ModelFolder
from resources.project_folder import PROGRAMS

_INPUTS = ("input_ids", "attention_mask", "token_type_ids")
# The names of the output with the vectors of tokens, as Optimum and sentence-transformers give them.
_OUTPUTS = ("last_hidden_state", "token_embeddings")
_INSTALL = f"{PROGRAMS}python -m pip install onnxruntime"
# Errors only: warnings of the library would be mixed with what a command prints.
_LOG_ERRORS = 3


class OnnxEncoder:
    """An encoder that gives a vector for each token of a text."""

    def __init__(self, folder: ModelFolder) -> None:
        """Load the graph. Raises ConfigurationError if the library is missing, or the graph is not that of an encoder."""
        try:
            import onnxruntime
        except ImportError as error:
            raise ConfigurationError(
                f'`embeddings.provider = "local"` runs {folder.weights} with the package onnxruntime, which is not there '
                f"({error}). Install it (the extra `local`): {_INSTALL}"
            ) from error
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.use_deterministic_compute = True
        # Texts differ in length, and a plan of memory for each length would be kept for ever.
        options.enable_mem_pattern = False
        options.log_severity_level = _LOG_ERRORS
        try:
            self._session = onnxruntime.InferenceSession(
                str(folder.weights), options, providers=["CPUExecutionProvider"]
            )
        except Exception as error:
            why = str(error).partition("\n")[0]
            raise _unusable(folder, f"{folder.weights.name} cannot be loaded ({why})") from error
        self._inputs = _inputs(folder, self._session.get_inputs())
        self._output, self.dimensions = _output(folder, self._session.get_outputs())

    def one_thread_each(self) -> AbstractContextManager[None]:
        """The session has one thread in any case."""
        return nullcontext()

    def encode(self, token_ids: NDArray[np.int64]) -> NDArray[np.float32]:
        """Return the vectors of one text's tokens, shape (len(token_ids), dimensions)."""
        row = token_ids[None, :]
        given = {"input_ids": row, "attention_mask": np.ones_like(row), "token_type_ids": np.zeros_like(row)}
        feed = {name: given[name].astype(kind) for name, kind in self._inputs.items()}
        found: Any = self._session.run([self._output], feed)[0]
        return found[0].astype(np.float32, copy=False)


def _inputs(folder: ModelFolder, inputs: Any) -> dict[str, type[np.integer]]:
    """The type of each input."""
    kinds = {"tensor(int64)": np.int64, "tensor(int32)": np.int32}
    found: dict[str, type[np.integer]] = {}
    for one in inputs:
        if one.name not in _INPUTS or one.type not in kinds:
            raise _unusable(
                folder, f"its graph takes {one.name} ({one.type}), and only {', '.join(_INPUTS)} can be given to it"
            )
        found[one.name] = kinds[one.type]
    if "input_ids" not in found:
        raise _unusable(folder, "its graph does not take input_ids")
    return found


def _output(folder: ModelFolder, outputs: Any) -> tuple[str, int]:
    """The name of the output with the vectors of tokens, and how many numbers each has."""
    of_tokens = [one for one in outputs if len(one.shape) == 3 and isinstance(one.shape[2], int)]
    named = [one for name in _OUTPUTS for one in of_tokens if one.name == name]
    found = next(iter((*named, *of_tokens)), None)
    if found is None:
        shown = ", ".join(f"{one.name} {one.shape}" for one in outputs)
        raise _unusable(folder, f"its graph gives no vectors of tokens, of a known length, but {shown}")
    return found.name, found.shape[2]


def _unusable(folder: ModelFolder, what: str) -> ConfigurationError:
    return ConfigurationError(
        f"The model in {folder.folder} (`{SETTING}`) cannot be used: {what}. Use an export of the task feature-extraction, "
        "or name another file of weights in `embeddings.weights`."
    )
