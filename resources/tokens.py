"""How many tokens a text has, without asking anybody.

What belongs here: estimates, before a request; what was really counted is in its reply. What does not: cutting texts.

Every model has its own tokenizer. The one bundled with wordllama (that of Llama 2) gives some more tokens for a text
than newer ones do, so what fits by its count fits.
"""

import threading
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from resources.embedder import bundled_file

if TYPE_CHECKING:
    from tokenizers import Tokenizer

# What other tokenizers may give more than the one that counts here.
_MARGIN = 1.1
# For plans of many documents, which are not read: nearer to what is usual.
_USUAL_CHARACTERS_A_TOKEN = 4.0
_loading = threading.Lock()


def at_most_tokens(text: str) -> int:
    """More tokens than a text will have: for limits and budgets."""
    return int(count_tokens(text) * _MARGIN) + 1


def usual_tokens(characters: int) -> int:
    """What a text of so many characters usually has, within a quarter."""
    return int(characters / _USUAL_CHARACTERS_A_TOKEN) + 1


def count_tokens(text: str) -> int:
    """Tokens of a text by the bundled tokenizer; some 20 ms for 100,000 characters."""
    return len(_tokenizer().encode(text.encode("utf-8", "replace").decode(), add_special_tokens=False).ids)


def _tokenizer() -> "Tokenizer":
    with _loading:
        return _opened(bundled_file("tokenizers"))


@lru_cache(maxsize=1)
def _opened(path: Path) -> "Tokenizer":
    from tokenizers import Tokenizer

    return Tokenizer.from_file(str(path))
