"""Estimates how many tokens a text has, without a request.

What belongs here: estimates before a request; the real count is in the reply. What does not: cutting texts.

Every model has its own tokenizer. The one that is bundled with wordllama (that of Llama 2) usually counts more tokens than newer
ones, so a text that fits by its count also fits a model.
"""

import threading
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from resources.models.embedder import bundled_file

if TYPE_CHECKING:
    from tokenizers import Tokenizer

# By this factor other tokenizers may count more than the bundled one.
_MARGIN = 1.1
# The usual length of a token in English. Plans use it, since they estimate many documents without reading them.
_USUAL_CHARACTERS_A_TOKEN = 4.0
# Texts are counted in pieces of this length, since their tokens take a hundred times the memory of the characters.
_COUNTED_CHARACTERS = 1_000_000
_loading = threading.Lock()


def at_most_tokens(text: str) -> int:
    """Return a number of tokens that a text will not exceed, for limits and budgets."""
    return int(count_tokens(text) * _MARGIN) + 1


def usual_tokens(characters: int) -> int:
    """Return how many tokens a text of so many characters usually has, within a quarter."""
    return int(characters / _USUAL_CHARACTERS_A_TOKEN) + 1


def count_tokens(text: str) -> int:
    """Count the tokens of a text with the bundled tokenizer, which takes about 20 ms for 100,000 characters.

    A text of more than a million characters is counted in pieces, each of which may add one token.
    """
    starts = range(0, max(len(text), 1), _COUNTED_CHARACTERS)
    return sum(_count(text[start : start + _COUNTED_CHARACTERS]) for start in starts)


def _count(text: str) -> int:
    return len(_tokenizer().encode(text.encode("utf-8", "replace").decode(), add_special_tokens=False).ids)


def _tokenizer() -> "Tokenizer":
    with _loading:
        return _opened(bundled_file("tokenizers"))


@lru_cache(maxsize=1)
def _opened(path: Path) -> "Tokenizer":
    from tokenizers import Tokenizer

    return Tokenizer.from_file(str(path))
