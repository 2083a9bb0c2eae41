"""The words of a question or a passage that say what it is about, in a form in which they can be compared.

What belongs here: leaving out words that say nothing, and stemming. What does not: how much a word counts (relevance).
"""

import threading
from collections.abc import Sequence
from functools import cache, lru_cache
from typing import Any

from seed_assets.core.text.stopwords import LISTS, covered_by_language
from seed_assets.core.text.words import LONGEST_WORD, UNSPACED, WORD

# Words that begin a question and are in no list of stop words, since they mean something elsewhere.
_ASKING = (
    "what",
    "which",
    "who",
    "whom",
    "whose",
    "when",
    "where",
    "why",
    "how",
    "many",
    "much",
    "name",
    "kind",
    "type",
)
_DEFAULT = "english"
_stemming = threading.Lock()


def language_of_words(texts: Sequence[str]) -> str:
    """Return the language ("english", "german", ...) whose stop words cover most of the words of these texts."""
    words = [match[0].casefold() for text in texts for match in WORD.finditer(text)]
    covered = covered_by_language(words)
    return max(covered, key=lambda language: (covered[language], language == _DEFAULT))


def terms(text: str, language: str = _DEFAULT) -> list[str]:
    """Return the stems of the words of a text in their order, without stop words of the language.

    A run of an unspaced script gives each pair of neighbouring characters. If the text has stop words only, they are kept.
    """
    words = [piece for match in WORD.finditer(text) for piece in _pieces(match[0].casefold()[:LONGEST_WORD])]
    stop = LISTS.get(language, frozenset())
    chosen = [word for word in words if word not in stop and word not in _ASKING]
    return [_stem(word, language) for word in chosen or words]


def _pieces(word: str) -> list[str]:
    if word.isascii() or not UNSPACED.search(word):
        return [word]
    return [word[place : place + 2] for place in range(len(word) - 1)] or [word]


@lru_cache(maxsize=65_536)
def _stem(word: str, language: str) -> str:
    # A stemmer keeps the word that it works on, so two threads that share one get wrong stems, or an IndexError.
    with _stemming:
        return _stemmer(language).stemWord(word)


@cache
def _stemmer(language: str) -> Any:
    import snowballstemmer

    return snowballstemmer.stemmer(language)
