"""Proper names in a text, recognized by their capitals. What belongs here: finding the words of names. What does not: which
person a name refers to, and whether another text has the same names (evidence).
"""

import re
from collections.abc import Iterable, Iterator

from seed_assets.core.text.stopwords import stop_words
from seed_assets.core.text.words import WORD

# If a larger share of the words inside sentences is capitalized, capitals mark nouns (German) or titles, not names. The
# share was chosen by judgement.
_MOST_CAPITALS = 0.3
_HONORIFICS = "mr mrs ms miss dr prof sir lord lady madam herr frau monsieur madame señor señora"
_TITLES = frozenset(_HONORIFICS.split())
_BREAKS = frozenset('.!?:;“"«„(‘…—')
_CLITIC = re.compile(r"['’](?:s|d|m|t|ll|ve|re)$", re.IGNORECASE)


class ProperNames:
    """The names of a text, which are also recognized in other texts about it."""

    def __init__(self, sentences: Iterable[str]) -> None:
        inside = capitals = 0
        self._names: set[str] = set()
        self._others: set[str] = set()
        for sentence in sentences:
            for first, word in _words(sentence):
                if word[0].islower():
                    self._others.add(word.casefold())
                if first:
                    continue
                inside += 1
                if word[0].isupper():
                    capitals += 1
                    self._names.add(word.casefold())
        self.by_capitals = capitals <= _MOST_CAPITALS * inside
        """Whether capitals mark names in this text."""

    def within(self, sentence: str) -> list[str]:
        """Return the words of the names in a sentence, case-folded, without possessive endings; each once, in order.

        The first word of a sentence counts only if the text has it as a name and never in lower case. The list is empty if
        capitals do not mark names in this text.
        """
        if not self.by_capitals:
            return []
        words = list(_words(sentence))
        stopped = stop_words(word.casefold() for _, word in words)
        found: dict[str, None] = {}
        for first, word in words:
            folded = word.casefold()
            if not word[0].isupper() or len(word) < 2 or folded in stopped or folded in _TITLES:
                continue
            if folded not in self._others and (folded in self._names or not first):
                found[folded] = None
        return list(found)


def _words(sentence: str) -> Iterator[tuple[bool, str]]:
    """Yield (whether the place of a word requires a capital, the word) for each word of a sentence."""
    end = 0
    first = True
    for match in WORD.finditer(sentence):
        between = sentence[end : match.start()]
        first = first or any(sign in between for sign in '.!?:;“"«„(‘…—')
        word = match.group()
        yield first, (_CLITIC.sub("", word) or word) if "'" in word or "’" in word else word
        first, end = False, match.end()
