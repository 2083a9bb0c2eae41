"""The ids of a text's tokens, word by word: the same ids as from the whole text, in a third of the time.

What belongs here: where a text may be divided without changing its tokens, and the words that were seen before. What does not:
the vectors of tokens (embedder).

The tokenizer's file holds byte-pair merges without a step that divides the text first, so the library merges over the whole text
at once. But no token of its vocabulary has letters beside digits or other characters, a space behind another character, or a line
end, so no merge crosses these places, and the tokens of a word do not depend on its neighbours. A test checks this.
"""

import re
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

# How the vocabulary writes a space; one stands before each text, too.
_SPACE = "\u2581"
# Letters, digits or other characters, with the spaces before them. The vocabulary has "²)." among the others.
_WORD = re.compile(f"{_SPACE}*(?:[^\\W\\d_²]+|\\d+|(?:[^\\w{_SPACE}\n]|[_²])+)|{_SPACE}+|\n")
# 212 PEPs have 32,000 different words. About 6 MB.
_KEPT_WORDS = 32_768
# A longer word is rarely seen twice: an address, or a sentence in a script without spaces.
_LONGEST_KEPT = 32


class WordTokenizer:
    """Encodes texts without special tokens at their ends. Several threads may use it at the same time."""

    def __init__(self, path: Path) -> None:
        """path: a tokenizer of the library `tokenizers`, as JSON, whose words are independent (see above)."""
        from tokenizers import Tokenizer

        self._library = Tokenizer.from_file(str(path))
        # It merges one word and changes nothing before: spaces are written as the vocabulary does for the whole text, below.
        self._merge = self._library.model.tokenize
        added = self._library.get_added_tokens_decoder().values()
        self._special = re.compile("|".join(re.escape(token.content) for token in added))
        self._known: dict[str, list[int]] = {}

    def ids(self, text: str) -> NDArray[np.int64]:
        """Return the ids of a text's tokens in their order, shape (n,); n is 0 only for an empty text."""
        # Special tokens are found before anything else, so the text between them is divided by the library.
        if self._special.search(text):
            return np.array(self._library.encode(text, add_special_tokens=False).ids, dtype=np.int64)
        found: list[int] = []
        if text:
            known = self._known
            for word in _WORD.findall(_SPACE + text.replace(" ", _SPACE)):
                found += known.get(word) or self._encode(word)
        return np.array(found, dtype=np.int64)

    def _encode(self, word: str) -> list[int]:
        ids = [token.id for token in self._merge(word)]
        if len(word) <= _LONGEST_KEPT:
            if len(self._known) >= _KEPT_WORDS:
                self._known = {}
            self._known[word] = ids
        return ids
