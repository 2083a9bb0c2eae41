"""The words of a text as names are found in them. What belongs here: words with their capitals, and what a text's words say about
each other. What does not: which words form a name (name_spans).
"""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from seed_assets.core.text.grammar.languages import language_of
from seed_assets.core.text.sentences import split_sentences
from seed_assets.core.text.stopwords import stop_words
from seed_assets.core.text.words import LONGEST_WORD, WORD

# If a larger share of the words inside sentences is capitalized, capitals mark titles or headings, not names. The share was
# chosen by judgement; lists of people in biographies have up to a half.
_MOST_CAPITALS = 0.6
# The share says nothing about a text of fewer words.
_FEWEST_WORDS = 50
# The languages that write nouns with capitals.
_CAPITAL_NOUNS = frozenset({"de"})
# A line with this share of capitals and at least so many words is a heading or a list of names in capitals.
_HEADING_SHARE, _HEADING_WORDS = 0.7, 4
# A longer line is prose; before it may stand the marker of a list's entry.
_LONGEST_HEADING, _LONGEST_MARKER = 80, 6
_ENDS = frozenset('.!?。:;,"”»)')
# After these signs a capital may be due to the sign.
_BREAKS = frozenset('.!?:;“"«„‘…')
_CLITIC = re.compile(r"['’](?:s|d|m|t|ll|ve|re)$", re.IGNORECASE)
# A hyphen between spaces inside of an ordinary word, as texts have it that were put together from their tokens.
_LOOSE_HYPHEN = re.compile(r"[a-z] - [a-z]")
_TIGHT_HYPHEN = re.compile(r"[a-z]-[a-z]")


class NameWord(NamedTuple):
    """One word.

    form: the word without a possessive ending; start, end: its place in the text. folded: the form, case-folded. is_capital:
    whether it begins with a capital, or has one as in "iPhone". first: whether its place at the beginning of a sentence or a
    quotation explains a capital. between: the text since the word before. possessive: whether it had a possessive ending.
    """

    form: str
    folded: str
    start: int
    end: int
    is_capital: bool
    first: bool
    between: str
    possessive: bool


@dataclass(slots=True)
class NameWords:
    """The words of a text, sentence by sentence.

    headings: for each sentence, whether it is a line of its own without an end, such as a heading or an entry of a list.
    names: how often a word has a capital that its place does not explain. others: the words that occur without a capital.
    bare: the words that occur without a possessive ending. by_capitals: whether capitals mark names in this text. stopped:
    the stop words of its language. loose_hyphens: whether hyphens stand between spaces.
    """

    sentences: list[Sequence[NameWord]] = field(default_factory=list["Sequence[NameWord]"])
    headings: list[bool] = field(default_factory=list[bool])
    names: Counter[str] = field(default_factory=Counter[str])
    others: set[str] = field(default_factory=set[str])
    bare: set[str] = field(default_factory=set[str])
    by_capitals: bool = True
    stopped: frozenset[str] = frozenset()
    loose_hyphens: bool = False


def name_words(text: str) -> NameWords:
    """Return the words of a text, in time linear in its length."""
    found = NameWords(loose_hyphens=len(_LOOSE_HYPHEN.findall(text)) >= len(_TIGHT_HYPHEN.findall(text)))
    inside = 0
    for start, end in split_sentences(text):
        words = list(_words(text, start, end))
        found.sentences.append(words)
        unfinished = text[end - 1] not in _ENDS
        found.headings.append(unfinished and _is_line(text, start, end))
        if found.headings[-1] or (unfinished and _is_capitalized(words)):
            continue
        found.others.update(word.folded for word in words if not word.is_capital)
        found.bare.update(word.folded for word in words if not word.possessive)
        found.names.update(word.folded for word in words if word.is_capital and not word.first)
        inside += sum(not word.first for word in words)
    few = inside < _FEWEST_WORDS or found.names.total() <= _MOST_CAPITALS * inside
    found.by_capitals = few and language_of(text) not in _CAPITAL_NOUNS
    found.stopped = stop_words(word.folded for words in found.sentences for word in words)
    return found


def _is_line(text: str, start: int, end: int) -> bool:
    """Whether a sentence is all of a short line, and its own paragraph or entry."""
    line = text.rfind("\n", max(0, start - _LONGEST_MARKER), start) >= 0 or start <= _LONGEST_MARKER
    return line and end - start <= _LONGEST_HEADING and text[end : end + 1] in ("", "\n", "\r")


def _is_capitalized(words: Sequence[NameWord]) -> bool:
    return len(words) >= _HEADING_WORDS and sum(word.is_capital for word in words) >= _HEADING_SHARE * len(words)


def _words(text: str, start: int, end: int) -> Iterator[NameWord]:
    before, first = start, True
    for match in WORD.finditer(text, start, end):
        between = text[before : match.start()]
        first = first or not _BREAKS.isdisjoint(between)
        form, word_end = match.group(), match.end()
        bare = _CLITIC.sub("", form) if "'" in form or "’" in form else form
        possessive = 0 < len(bare) < len(form)
        if possessive:
            word_end -= len(form) - len(bare)
            form = bare
        yield NameWord(form, form.casefold(), match.start(), word_end, _is_capital(form), first, between, possessive)
        first, before = False, match.end()


def _is_capital(form: str) -> bool:
    """A code (a key, an encoded image) is no name, whatever its letters."""
    if len(form) > LONGEST_WORD or not form[0].isalpha():
        return False
    return form[0].isupper() or not (form.islower() or form == form.lower())
