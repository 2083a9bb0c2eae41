"""Whether a text layer can be read. Fonts without the table that maps their codes to characters give letters that are not those
on the page.

What does not belong here: which page is left out, and what the file's error says (document).
"""

import re
import unicodedata
from collections import Counter
from functools import lru_cache

# Shares and numbers were chosen by judgement, on the PDF corpora of the benchmarks and on made-up pages.
_FEWEST_CHARACTERS = 40
_MOST_STRANGE = 0.1
_MOST_SCRIPTS = 4
_SHARE_OF_A_SCRIPT = 0.05
# Words of natural language are shorter; text without any blank for so long is a run of codes.
_LONGEST_MEAN_WORD = 25
_FEWEST_WORDS = 30
_MOST_WITHOUT_VOWEL = 0.5
# Languages have a third to a half of vowels among their letters.
_USUAL_VOWELS = 0.2
# All but Latin letters, common signs and the marks of hyphens.
_UNUSUAL = re.compile("[^\x02\t-\r -~\xa0-\u024f\u2010-\u2044\u20ac\ufb00-\ufb06\ufffe]")
_WORD = re.compile(r"[^\W\d_]{3,}")
_VOWELS = frozenset("aeiouyæœøåаеёиоуыэюяіїєαεηιουωυ")
# Marks of a hyphen at a line's end (see hyphenation), which are no codes.
_HYPHENS = "\ufffe\x02"
# So few signs of other scripts, or without meaning, are below all of the shares above, whichever they are.
_FEW_UNUSUAL = 0.1
# What is known of so many characters is remembered.
_REMEMBERED = 4_096
_STRANGE = frozenset(["Co", "Cn", "Cc", "Cs"])
# Scripts in which text has no blanks between words.
_WITHOUT_BLANKS = frozenset(["CJK", "HIRAGANA", "KATAKANA", "THAI", "LAO", "KHMER", "MYANMAR", "TIBETAN", "HANGUL"])


def is_legible(text: str) -> bool:
    """Whether a page's text looks like writing; True for text that is too short to say."""
    if _is_plainly_legible(text):
        return True
    # Each character is looked at once, however often it occurs: a page has thousands, most of them equal.
    counts = Counter(text)
    for character in [each for each in counts if each.isspace() or each in _HYPHENS]:
        del counts[character]
    strange = sum(count for character, count in counts.items() if _is_strange(character))
    if counts.total() < _FEWEST_CHARACTERS:
        # A few signs may well be of a private font, but if there is nothing else, then nothing can be read.
        return not strange or strange < counts.total()
    if strange > _MOST_STRANGE * counts.total():
        return False
    letters = Counter({character: count for character, count in counts.items() if character.isalpha()})
    scripts = _scripts(letters)
    many = [name for name, count in scripts.items() if count > _SHARE_OF_A_SCRIPT * scripts.total()]
    if len(many) > _MOST_SCRIPTS:
        return False
    if not _WITHOUT_BLANKS.isdisjoint(many):
        return True
    return not _is_run_together(text) and _has_vowels(text, letters, many)


def _is_plainly_legible(text: str) -> bool:
    """Whether a page in Latin letters looks like writing at a glance, as most pages do; False says nothing."""
    vowels = sum(map(text.count, "aeiouAEIOU"))
    blanks = text.count(" ") + text.count("\n")
    if vowels < _USUAL_VOWELS * (len(text) - blanks) or max(map(len, text.split()), default=0) > _LONGEST_MEAN_WORD:
        return False
    # This costs less than the search.
    if text.isascii() and text.replace("\n", " ").isprintable():
        return True
    return len(_UNUSUAL.findall(text)) <= _FEW_UNUSUAL * vowels


@lru_cache(_REMEMBERED)
def _is_strange(character: str) -> bool:
    return character == "\ufffd" or unicodedata.category(character) in _STRANGE


def _scripts(letters: Counter[str]) -> Counter[str]:
    """Count the letters of each script, which is the first word of a letter's name."""
    scripts: Counter[str] = Counter()
    for letter, count in letters.items():
        scripts[_script(letter)] += count
    return scripts


def _is_run_together(text: str) -> bool:
    """Whether most of the text stands in words of impossible length; addresses and rulers are not made of letters."""
    words = text.split()
    if max(map(len, words)) <= _LONGEST_MEAN_WORD:
        return False
    lengths = sorted((len(word) for word in words if sum(map(str.isalpha, word)) > 0.9 * len(word)), reverse=True)
    half, passed = sum(lengths) / 2, 0
    for length in lengths:
        passed += length
        if passed >= half:
            return length > _LONGEST_MEAN_WORD
    return False


def _has_vowels(text: str, letters: Counter[str], scripts: list[str]) -> bool:
    """Whether words have vowels, where their script writes vowels as letters."""
    if not set(scripts) <= {"LATIN", "CYRILLIC", "GREEK"}:
        return True
    vowels = sum(count for letter, count in letters.items() if _is_vowel(letter))
    if vowels >= _USUAL_VOWELS * letters.total():
        return True
    words = _WORD.findall(text)
    if len(words) < _FEWEST_WORDS:
        return True
    return sum(_VOWELS.isdisjoint(_bare(word)) for word in words) <= _MOST_WITHOUT_VOWEL * len(words)


@lru_cache(_REMEMBERED)
def _is_vowel(letter: str) -> bool:
    return not _VOWELS.isdisjoint(_bare(letter))


@lru_cache(_REMEMBERED)
def _script(letter: str) -> str:
    return unicodedata.name(letter, "UNKNOWN").partition(" ")[0]


def _bare(text: str) -> str:
    """Return letters in lower case, with their accents as characters of their own."""
    return unicodedata.normalize("NFD", text.casefold())
