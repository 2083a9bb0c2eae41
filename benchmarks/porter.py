"""The Porter stemmer, so that ROUGE here means what it means in publications. Nothing else belongs here.

Source: Porter, "An algorithm for suffix stripping", Program 14(3), 1980, without later extensions.
"""

import re

_CONSONANT = "(?:[^aeiouy]|(?<![^aeiou])y)"
_VOWEL = "(?:[aeiou]|(?<=[^aeiou])y)"
_MEASURE = re.compile(f"{_VOWEL}{_CONSONANT}")
_HAS_VOWEL = re.compile(_VOWEL)
_DOUBLE = re.compile(r"([^aeiouylsz])\1$")
_SHORT = re.compile(f"{_CONSONANT}{_VOWEL}(?![wxy]){_CONSONANT}$")

_STEP_2 = {
    "ational": "ate", "tional": "tion", "enci": "ence", "anci": "ance", "izer": "ize", "abli": "able", "alli": "al",
    "entli": "ent", "eli": "e", "ousli": "ous", "ization": "ize", "ation": "ate", "ator": "ate", "alism": "al",
    "iveness": "ive", "fulness": "ful", "ousness": "ous", "aliti": "al", "iviti": "ive", "biliti": "ble",
}  # fmt: skip
_STEP_3 = {"icate": "ic", "ative": "", "alize": "al", "iciti": "ic", "ical": "ic", "ful": "", "ness": ""}
_STEP_4 = (
    "ement", "ance", "ence", "able", "ible", "ment", "ant", "ent", "ion", "ism", "ate", "iti", "ous", "ive", "ize",
    "al", "er", "ic", "ou",
)  # fmt: skip


def stem(word: str) -> str:
    """The stem of a lower-case English word of at least three letters; shorter ones are their own."""
    if len(word) < 3:
        return word
    word = _step_1(word)
    word = _replaced(_replaced(word, _STEP_2), _STEP_3)
    for suffix in _STEP_4:
        if word.endswith(suffix):
            left = word[: -len(suffix)]
            if _measure(left) > 1 and (suffix != "ion" or left.endswith(("s", "t"))):
                word = left
            break
    if word.endswith("e"):
        left = word[:-1]
        if _measure(left) > 1 or (_measure(left) == 1 and not _SHORT.search(left)):
            word = left
    return word[:-1] if word.endswith("ll") and _measure(word) > 1 else word


def _step_1(word: str) -> str:
    if word.endswith(("sses", "ies")):
        word = word[:-2]
    elif word.endswith("s") and not word.endswith("ss"):
        word = word[:-1]
    if word.endswith("eed"):
        word = word[:-1] if _measure(word[:-3]) > 0 else word
    else:
        for suffix in ("ed", "ing"):
            if word.endswith(suffix) and _HAS_VOWEL.search(word[: -len(suffix)]):
                word = _repaired(word[: -len(suffix)])
                break
    if word.endswith("y") and _HAS_VOWEL.search(word[:-1]):
        word = word[:-1] + "i"
    return word


def _repaired(left: str) -> str:
    if left.endswith(("at", "bl", "iz")):
        return left + "e"
    if _DOUBLE.search(left):
        return left[:-1]
    return left + "e" if _measure(left) == 1 and _SHORT.search(left) else left


def _replaced(word: str, suffixes: dict[str, str]) -> str:
    for suffix in sorted(suffixes, key=lambda suffix: (-len(suffix), suffix)):
        if word.endswith(suffix):
            left = word[: -len(suffix)]
            return left + suffixes[suffix] if _measure(left) > 0 else word
    return word


def _measure(left: str) -> int:
    return len(_MEASURE.findall(left))
