"""The normal form of a text in which pages are marked.

What does not belong here: what the normal form is (extracted_text).
"""

import unicodedata
from functools import lru_cache

from seed_assets.core.reading.text.normal_text import normalised

# What is known of so many characters is remembered.
_REMEMBERED = 4_096


def normalised_pages(marked: str, mark: str) -> str:
    """Return the text as `normalised` does, with the marks of its pages.

    A text that is in this form already is only looked at: each of its characters once, however often it occurs.
    """
    characters = set(marked) - {" ", "\n", mark}
    if characters and all(map(_stays, characters)) and _is_trimmed(marked) and unicodedata.is_normalized("NFC", marked):
        return marked
    return normalised(marked)


@lru_cache(_REMEMBERED)
def _stays(character: str) -> bool:
    """Whether a character stays as it is in every text in NFC, wherever it stands."""
    if unicodedata.combining(character) or not character.isprintable():
        return False
    return all(normalised(text) == text for text in (f"a{character}", f"{character}a", f"a\n{character}"))


def _is_trimmed(text: str) -> bool:
    return " \n" not in text and not text.startswith("\n") and not text.endswith((" ", "\n"))
