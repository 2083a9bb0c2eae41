"""The terms by which categories may be named, and which documents have them. What belongs here: which terms are readable names,
and where they occur. What does not: choosing one of them for a group of documents (categories).

A name is a whole concept of at most three words, or a noun on which concepts are built ("market" in "stock market"). Forms that
differ in number are one term. Dates and whatever has a digit are no names.
"""

import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from seed_assets.core.clusters.distinguishing import stem
from seed_assets.core.clusters.neighbours import Sparse
from seed_assets.core.text.header_block import header_end
from seed_assets.core.text.words import LONGEST_WORD, UNSPACED, WORD

Key = tuple[str, ...]
"""The stems of the words of a term, which all its forms have in common."""
Numbers = NDArray[np.int32]
"""The numbers of some terms, sorted."""

# The numbers were chosen by judgement.
# The most words of a name, and the fewest characters of a name of one word (in scripts with spaces).
_MOST_WORDS, _FEWEST_CHARACTERS = 3, 3
# In scripts without spaces, terms of so many characters are looked for in the text.
_UNSPACED_CHARACTERS = range(2, 7)
# A word is one on which concepts are built if it is the head of so large a share of the concepts that have it.
_LEAST_HEAD = 0.33
MOST_CHARACTERS = 10_000
"""The most characters that are read of one document."""
# The most characters that are read of all documents together (about two seconds).
_ALL_CHARACTERS = 20_000_000
# The languages, in ISO 639-1, in which the head of a noun phrase is its first word.
_HEAD_FIRST = frozenset({"ca", "es", "fr", "it", "pt", "ro"})
# Months and days of the week, in English, German, French, Spanish, Italian, Portuguese and Dutch.
_DATE_WORDS = """
january february march april may june july august september october november december
jan feb mar apr jun jul aug sep sept oct nov dec
monday tuesday wednesday thursday friday saturday sunday mon tue wed thu fri sat sun
januar februar märz mai juni juli oktober dezember
montag dienstag mittwoch donnerstag freitag samstag sonnabend sonntag
janvier février mars avril juin juillet août septembre octobre novembre décembre
lundi mardi mercredi jeudi vendredi samedi dimanche
enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre
lunes martes miércoles jueves viernes sábado domingo
gennaio febbraio aprile maggio giugno luglio settembre ottobre dicembre
lunedì martedì mercoledì giovedì venerdì sabato domenica
janeiro fevereiro março maio junho julho setembro outubro novembro dezembro
januari februari maart mei augustus maandag dinsdag woensdag donderdag vrijdag zaterdag zondag
"""
_DATES = frozenset(_DATE_WORDS.split())


@dataclass(frozen=True, slots=True)
class Terms:
    """The terms that at least two of n documents have among their concepts, sorted by their stems.

    keys: the stems of each term.
    forms: the most frequent form of each term among the concepts.
    in_concepts: which documents have which terms within their concepts; ones of float32, shape (n, terms).
    in_documents: the same within their texts or concepts.
    read: the words of each text and of each concept, case-folded, between spaces.
    """

    keys: tuple[Key, ...]
    forms: tuple[str, ...]
    in_concepts: Sparse
    in_documents: Sparse
    read: tuple[str, ...]

    def having(self, term: int) -> tuple[str, set[int]]:
        """Return the form in which a term names a category, and the documents that have a word (or words) beginning so.

        The form is the one that equals the stems, usually the singular, unless twice as many documents have the form that is
        most frequent among the concepts.
        """
        column = self.in_documents[:, [term]].nonzero()[0].tolist()
        most, plain = self.forms[term], " ".join(self.keys[term])
        of_most = {at for at in column if f" {most} " in self.read[at]}
        of_plain = {at for at in column if f" {plain} " in self.read[at]}
        form = plain if of_plain and 2 * len(of_plain) >= len(of_most) else most
        beginning = form if UNSPACED.search(form) else f" {form}"
        return form, {at for at in column if beginning in self.read[at]}


def find_terms(texts: Sequence[str], concepts: Sequence[Sequence[str]], languages: Sequence[str]) -> Terms:
    """Find the terms of n documents.

    texts: of which the beginnings are read, without their header blocks.
    concepts: the names of the concepts of each document.
    languages: the code of the language of each text in ISO 639-1, "" if it is not known.
    """
    forms = _forms(concepts, languages)
    finder = _Finder(forms)
    within = [_sorted(set[int]().union(*(finder.within(words_of(name)) for name in names))) for names in concepts]
    held = np.bincount(np.concatenate([_sorted(()), *within]), minlength=len(forms))
    keys = sorted(key for key, documents in zip(forms, held.tolist(), strict=True) if documents > 1)
    finder = _Finder(keys)
    columns = np.array([finder.numbers.get(key, -1) for key in forms], np.int32)
    names_of = tuple(map(forms.__getitem__, keys))
    del forms
    within = [np.sort(own[own >= 0]) for own in (columns[numbers] for numbers in within)]
    characters = min(MOST_CHARACTERS, _ALL_CHARACTERS // max(1, len(texts)))
    occurring: list[Numbers] = []
    read: list[str] = []
    for text, names, own in zip(texts, concepts, within, strict=True):
        beginning = text[:characters]
        of_text = words_of(beginning[header_end(beginning) :])
        occurring.append(_sorted(finder.within(of_text).union(own.tolist())))
        read.append(f" {' | '.join(' '.join(some) for some in [of_text, *map(words_of, names)])} ")
    return Terms(tuple(keys), names_of, _ones(within, len(keys)), _ones(occurring, len(keys)), tuple(read))


def words_of(text: str) -> list[str]:
    """Return the words of a text, case-folded, in their order."""
    return WORD.findall(text.casefold())


def is_word(word: str) -> bool:
    """Whether a case-folded word can be understood by itself: it has letters only, is not too short or long, and no date."""
    if UNSPACED.search(word):
        return len(word) in _UNSPACED_CHARACTERS and not any(map(str.isdigit, word))
    long_enough = _FEWEST_CHARACTERS <= len(word) <= LONGEST_WORD
    return long_enough and word not in _DATES and not any(map(str.isdigit, word))


def _forms(concepts: Iterable[Sequence[str]], languages: Iterable[str]) -> dict[Key, str]:
    """Return key -> its most frequent form among the concepts, for all that may be names."""
    held: Counter[str] = Counter()
    uses: Counter[str] = Counter()
    stems = _Stems()
    for names, language in zip(concepts, languages, strict=True):
        head = 0 if language in _HEAD_FIRST else -1
        seen: set[str] = set()
        used: set[str] = set()
        for name in names:
            words = words_of(name)
            form = " ".join(words)
            if not words or form != " ".join(name.casefold().split()):
                continue  # What has punctuation in it does not occur as these words.
            used.update(stems[word] for word in words)
            seen.add(words[head])
            if 1 < len(words) <= _MOST_WORDS and all(map(_may_be_part, words)) and any(map(is_word, words)):
                seen.add(form)
        uses.update(used)
        held.update(seen)
    frequent: dict[Key, str] = {}
    documents: Counter[Key] = Counter()
    for form, count in held.items():
        key = tuple(stems[word] for word in form.split(" "))
        best = frequent.setdefault(key, form)
        if (-count, form) < (-held[best], best):
            frequent[key] = form
        documents[key] += count
    return {
        key: form
        for key, form in frequent.items()
        if len(key) > 1 or (is_word(form) and documents[key] >= _LEAST_HEAD * uses["".join(key)])
    }


class _Stems(dict[str, str]):
    """The stems of words, each of which is kept once, however many terms have it."""

    def __missing__(self, word: str) -> str:
        """Find and keep the stem of a word."""
        self[word] = found = sys.intern(stem(word))
        return found


def _may_be_part(word: str) -> bool:
    return word not in _DATES and len(word) <= LONGEST_WORD and not any(map(str.isdigit, word))


class _Finder:
    """Finds terms in lists of words."""

    def __init__(self, keys: Iterable[Key]) -> None:
        """keys: the terms, each once."""
        self.numbers = {key: number for number, key in enumerate(keys)}
        self._first = {key[0] for key in self.numbers if len(key) > 1}
        self._unspaced = {key[0] for key in self.numbers if len(key) == 1 and UNSPACED.search(key[0])}
        self._lengths = sorted({len(one) for one in self._unspaced})
        self._stems = _Stems()

    def within(self, words: Sequence[str]) -> set[int]:
        """Return the numbers of the terms that occur in these words."""
        stems = [self._stems[word] for word in words]
        found = {self.numbers[(part,)] for part in set(stems) if (part,) in self.numbers}
        for at, part in enumerate(stems):
            if part in self._first:
                longer = (tuple(stems[at : at + size]) for size in range(2, _MOST_WORDS + 1))
                found.update(self.numbers[key] for key in longer if key in self.numbers)
        if self._unspaced:
            pieces = (one for word in set(words) for one in self._pieces(word))
            found.update(self.numbers[(one,)] for one in pieces if one in self._unspaced)
        return found

    def _pieces(self, word: str) -> Iterator[str]:
        """Yield the pieces of a run of characters of an unspaced script that are as long as terms are."""
        if not word.isascii() and UNSPACED.search(word):
            for length in self._lengths:
                yield from (word[at : at + length] for at in range(len(word) - length + 1))


def _sorted(numbers: Iterable[int]) -> Numbers:
    return np.array(sorted(numbers), np.int32)


def _ones(found: Sequence[Numbers], columns: int) -> Sparse:
    """Return a matrix with so many columns, and a one for each term of each document."""
    from scipy.sparse import csr_array

    starts = np.concatenate([[0], np.cumsum([len(numbers) for numbers in found], dtype=np.int64)]).astype(np.int32)
    at = np.concatenate([_sorted(()), *found])
    return csr_array((np.ones(len(at), np.float32), at, starts), shape=(len(found), columns))
