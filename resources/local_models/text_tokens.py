"""The tokens of texts, as a model's own tokenizer makes them: with its tokens at the ends, cut at its maximum."""

import re

import numpy as np
from numpy.typing import NDArray

from resources.errors import ConfigurationError
from resources.local_models.model_folder import SETTING, ModelFolder

_SURROGATE = re.compile("[\ud800-\udfff]")


class TextTokens:
    """Encodes texts. Several threads may use it at the same time."""

    def __init__(self, folder: ModelFolder) -> None:
        """Load the tokenizer. Raises ConfigurationError if its file cannot be read."""
        from tokenizers import Tokenizer

        try:
            self._tokenizer = Tokenizer.from_file(str(folder.tokenizer))
        except Exception as error:
            raise ConfigurationError(
                f"The model in {folder.folder} (`{SETTING}`) cannot be used: {folder.tokenizer.name} cannot be read "
                f"({error}). Get the file once more."
            ) from error
        # A file may say that texts are cut or padded as in training, which is not what the model's own library does.
        self._tokenizer.no_padding()
        self._tokenizer.enable_truncation(folder.max_tokens)
        self._lower = folder.lower

    def ids(self, text: str) -> NDArray[np.int64]:
        """Return the ids of a text's tokens, shape (n,), with n at most the model's maximum. Lone surrogates count as U+FFFD."""
        text = _SURROGATE.sub("\ufffd", text)
        return np.array(self._tokenizer.encode(text.lower() if self._lower else text).ids, dtype=np.int64)
