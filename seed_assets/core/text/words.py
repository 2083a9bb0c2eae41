"""Words in any script. What belongs here: finding and counting words. What does not: which words matter (stopwords), and
phrases (phrases).

In scripts without spaces between words (Chinese, Japanese, Thai, Lao, Khmer, Burmese), a whole run of characters is found as
one word; when words are counted, two such characters count as one word, which is about their usual length.
"""

import re

Span = tuple[int, int]
"""Start and end offset in characters, as in text[start:end]."""

MARKS = (
    "\u0300-\u036f\u0483-\u0487\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u0610-\u061a\u064b-\u065f"
    "\u06d6-\u06dc\u06df-\u06e4\u0900-\u0963\u0981-\u09e3\u0a01-\u0a75\u0a81-\u0ae3\u0b01-\u0b63\u0b82-\u0bd7"
    "\u0c00-\u0c63\u0c81-\u0ce3\u0d00-\u0d63\u0d82-\u0df3\u0e31-\u0e3a\u0e47-\u0e4e\u0eb1-\u0ebc\u0ec8-\u0ecd"
    "\u102b-\u103e\u17b4-\u17d3"
)
"""Ranges for a character class: vowel signs and accents that `\\w` does not match, although they are part of a word."""

# Possessive quantifiers, since backtracking would need megabytes for one long word.
_LETTERS = rf"(?:[^\W_]++|[{MARKS}]++)++"

WORD = re.compile(rf"{_LETTERS}(?:['’‐-]{_LETTERS})*+")
"""A word: letters, digits and marks, with single apostrophes and hyphens inside it. No underscore."""

UNSPACED = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3005-\u3007\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff"
    "\uf900-\ufaff\uff66-\uff9f\U00020000-\U0003134f]"
)
"""One character of a script that is written without spaces between words."""

LONGEST_WORD = 50
"""The most characters of a word, chosen by judgement; anything longer is a code."""


def count_words(text: str) -> int:
    """Count words as a word processor does (separated by spaces); two characters of an unspaced script count as one.

    A piece without a letter or digit (a dash between spaces, a row of dots) does not count. A long code (a key, an encoded
    image) counts as one word per 50 characters.
    """
    unspaced = 0 if text.isascii() else sum(1 for _ in UNSPACED.finditer(text))
    spaced = UNSPACED.sub(" ", text) if unspaced else text
    words = sum(1 + (len(piece) - 1) // LONGEST_WORD for piece in spaced.split() if WORD.search(piece))
    return words + (unspaced + 1) // 2
