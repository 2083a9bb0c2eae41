"""Exchanges words of a text for their antonyms. What belongs here: the antonyms of WordNet, and their forms. What does not: other
alterations (altered_texts). The judge's own lists of opposites are not used, since they would show themselves.

WordNet is not a part of the project: Debian's package wordnet-base has its files, in /usr/share/wordnet.
"""

import random
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path

from benchmarks.altered_texts import Altered

_PARTS = ("adj", "adv", "noun", "verb")
# A rarer antonym, by WordNet's counts in tagged texts, is often one of a rare sense.
_LEAST_COUNT = 3
_LEAST_LETTERS = 3
_WORD = re.compile(r"[A-Za-z]+")
_MARK = re.compile(r"\(.*\)")
# Function words, of which WordNet lists a sense that a text hardly ever means.
_SKIPPED_WORDS = """
man men woman boy girl he she more most some being may will now then here there have take be go come do get
"""
_SKIPPED = frozenset(_SKIPPED_WORDS.split())
_ENDINGS = {
    "s": lambda word: (word[:-1], word[:-2], word[:-3] + "y"),
    "ed": lambda word: (word[:-2], word[:-1], word[:-3]),
    "ing": lambda word: (word[:-3], word[:-3] + "e", word[:-4]),
    "est": lambda word: (word[:-3], word[:-2]),
    "er": lambda word: (word[:-2], word[:-1]),
    "ly": lambda word: (word[:-2],),
}


class Antonyms:
    """The antonyms of a folder with WordNet's files. Raises FileNotFoundError."""

    def __init__(self, folder: Path) -> None:
        counts: Counter[str] = Counter()
        for line in (folder / "cntlist.rev").read_text("utf-8").splitlines():
            sense, _, count = line.split()
            counts[sense.split("%")[0]] += int(count)
        self._opposites: dict[str, dict[str, int]] = defaultdict(dict)
        for word, other in _pairs(folder):
            count = min(counts[word], counts[other])
            if count >= _LEAST_COUNT and min(len(word), len(other)) >= _LEAST_LETTERS:
                self._opposites[word][other] = self._opposites[other][word] = count

    def exchanged(self, text: str, chance: random.Random, *, prefixed: bool) -> Altered | None:
        """Exchange a random word for its antonym. None if no word has one.

        prefixed: whether the antonym is the word with or without a prefix or ending that negates it.
        """
        places = list(_WORD.finditer(text))
        chance.shuffle(places)
        for place in places:
            word = place.group()
            if word != word.lower() or word in _SKIPPED:
                continue
            for base, form in _bases(word):
                others = {o: n for o, n in self._opposites.get(base, {}).items() if _is_prefixed(base, o) == prefixed}
                if others:
                    other = form(max(others, key=lambda one: (others[one], one)))
                    kind = "negated word" if prefixed else "antonym"
                    return Altered(
                        kind, text[: place.start()] + other + text[place.end() :], place.start(), word, other
                    )
        return None


def _pairs(folder: Path) -> Iterator[tuple[str, str]]:
    for part in _PARTS:
        words: dict[str, list[str]] = {}
        links: list[tuple[str, str, int, int]] = []
        for line in (folder / f"data.{part}").read_text("utf-8").splitlines():
            if line.startswith(" "):
                continue
            fields = line.split("|")[0].split()
            count = int(fields[3], 16)
            words[fields[0]] = [_MARK.sub("", one).lower() for one in fields[4 : 4 + 2 * count : 2]]
            first = 5 + 2 * count
            for place in range(first, first + 4 * int(fields[first - 1]), 4):
                sign, target, _, ends = fields[place : place + 4]
                if sign == "!":
                    links.append((fields[0], target, int(ends[:2], 16) - 1, int(ends[2:], 16) - 1))
        for source, target, one, other in links:
            if target in words and (words[source][one] + words[target][other]).isalpha():
                yield words[source][one], words[target][other]


def _bases(word: str) -> Iterator[tuple[str, Callable[[str], str]]]:
    """Yield the words of which a word may be a form, each with the function that makes this form of another word."""
    yield word, str
    for ending, bases in _ENDINGS.items():
        if word.endswith(ending):
            for base in bases(word):
                yield base, lambda other, ending=ending: _form(other, ending)


def _form(word: str, ending: str) -> str:
    consonant_y = word.endswith("y") and word[-2] not in "aeiou"
    if ending == "s":
        return word[:-1] + "ies" if consonant_y else word + ("es" if re.search("(?:s|x|ch|sh)$", word) else "s")
    if ending == "ly":
        return word + ending
    if word.endswith("e"):
        return word[:-1] + ending
    if consonant_y and ending != "ing":
        return word[:-1] + "i" + ending
    doubled = len(word) <= 5 and re.search(r"[^aeiou][aeiou][bdgmnprt]$", word)
    return word + (word[-1] if doubled else "") + ending


def _is_prefixed(one: str, other: str) -> bool:
    short, long = sorted((one, other), key=len)
    return long.endswith(short) or one.replace("ful", "less") == other or one.replace("less", "ful") == other
