"""The language of the full-text index. What belongs here: which tokenizer and stemmer fit the texts of a table. What does not:
making indexes (lance_indexes), and finding the language of a text, which the caller does.

A table has one index for each column, so one language for all of its rows. MRR@10 on XQuAD (237 questions, full text alone):
Russian .870 with English stemming and .950 with its own, Spanish .953 and .967, German .927 and .935; Chinese .117 with the
simple tokenizer and .962 with that of ICU, which knows the words of unspaced scripts, Thai .633 and .974. English has .967 with
the simple tokenizer and .964 with that of ICU.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

# The languages whose stemmers and stop words LanceDB has.
_STEMMED = {
    "ar": "Arabic",
    "da": "Danish",
    "de": "German",
    "el": "Greek",
    "en": "English",
    "es": "Spanish",
    "fi": "Finnish",
    "fr": "French",
    "hu": "Hungarian",
    "it": "Italian",
    "nl": "Dutch",
    "no": "Norwegian",
    "pt": "Portuguese",
    "ro": "Romanian",
    "ru": "Russian",
    "sv": "Swedish",
    "tr": "Turkish",
}
_UNSPACED = frozenset({"zh", "ja", "th", "lo", "km", "my"})
_DEFAULT, _SIMPLE, _WORDS_OF_UNSPACED = "English", "simple", "icu"
# Both shares are of the texts of known language. Below the first a table is mixed, and English stemming is no worse than none
# (Spanish .953 and .950); above the second some texts are in an unspaced script. Chosen by judgement.
_MOST_TEXTS, _SOME_TEXTS = 0.8, 0.02

SAMPLED_ROWS = 200
"""The most rows whose language is looked at, evenly spaced; a judgement."""


@dataclass(frozen=True, slots=True)
class TextIndex:
    """How texts are cut into words, and the language whose stemmer and stop words are used, as LanceDB names both."""

    tokenizer: str = _SIMPLE
    language: str = _DEFAULT

    def is_that_of(self, details: Mapping[str, Any] | None) -> bool:
        """Whether an index with these details is such an index; True if LanceDB does not say what it is."""
        if not details or "base_tokenizer" not in details:
            return True
        return (details["base_tokenizer"], details.get("language")) == (self.tokenizer, self.language)


def text_index_for(texts: Sequence[str], language_of: Callable[[str], str]) -> TextIndex:
    """Return the index that fits a sample of texts: that of English, unless most are in another language.

    language_of: returns the code of a text's language in ISO 639-1, "" if it is not known.
    """
    counts = Counter(code for code in map(language_of, texts) if code)
    if not counts:
        return TextIndex()
    unspaced = sum(count for code, count in counts.items() if code in _UNSPACED)
    spaced = Counter({code: count for code, count in counts.items() if code not in _UNSPACED})
    tokenizer = _WORDS_OF_UNSPACED if unspaced > _SOME_TEXTS * counts.total() else _SIMPLE
    if not spaced:
        return TextIndex(tokenizer)
    code, most = min(spaced.items(), key=lambda item: (-item[1], item[0]))
    is_most = most >= _MOST_TEXTS * spaced.total()
    return TextIndex(tokenizer, _STEMMED.get(code, _DEFAULT) if is_most else _DEFAULT)
