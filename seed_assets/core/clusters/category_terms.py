"""The terms by which categories may be named, and which documents have them. What belongs here: which terms are readable names,
and where they occur. What does not: choosing one of them for a group of documents (categories).

A name is a whole concept of at most three words, or a noun on which concepts are built ("market" in "stock market"). Forms that
differ in number are one term. Dates and whatever has a digit are no names.
"""

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

# The numbers were chosen by judgement.
# The most words of a name, and the fewest characters of a name of one word (in scripts with spaces).
_MOST_WORDS, _FEWEST_CHARACTERS = 3, 3
# In scripts without spaces, terms of so many characters are looked for in the text.
_UNSPACED_CHARACTERS = range(2, 7)
# A word is one on which concepts are built if it is the head of so large a share of the concepts that have it.
_LEAST_HEAD = 0.33
# The most characters that are read of one document, and of all documents together (about two seconds).
_MOST_CHARACTERS, _ALL_CHARACTERS = 10_000, 20_000_000
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
    words = [[words_of(name) for name in names] for names in concepts]
    within = [set[Key]().union(*map(finder.within, of_document)) for of_document in words]
    held = Counter(key for keys in within for key in keys)
    keys = sorted(key for key, documents in held.items() if documents > 1)
    finder = _Finder(keys)
    characters = min(_MOST_CHARACTERS, _ALL_CHARACTERS // max(1, len(texts)))
    occurring: list[set[Key]] = []
    read: list[str] = []
    for text, names, own in zip(texts, words, within, strict=True):
        beginning = text[:characters]
        of_text = words_of(beginning[header_end(beginning) :])
        occurring.append(finder.within(of_text) | own)
        read.append(f" {' | '.join(' '.join(some) for some in [of_text, *names])} ")
    columns = {key: column for column, key in enumerate(keys)}
    return Terms(
        tuple(keys),
        tuple(map(forms.__getitem__, keys)),
        _ones(within, columns),
        _ones(occurring, columns),
        tuple(read),
    )


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
    forms: dict[Key, Counter[str]] = {}
    uses: Counter[str] = Counter()
    for names, language in zip(concepts, languages, strict=True):
        at = 0 if language in _HEAD_FIRST else -1
        seen: set[tuple[Key, str]] = set()
        used: set[str] = set()
        for name in names:
            words = words_of(name)
            if not words or " ".join(words) != " ".join(name.casefold().split()):
                continue  # What has punctuation in it does not occur as these words.
            key = tuple(map(stem, words))
            used.update(key)
            seen.add((key[at:][:1], words[at]))
            if 1 < len(words) <= _MOST_WORDS and all(map(_may_be_part, words)) and any(map(is_word, words)):
                seen.add((key, " ".join(words)))
        uses.update(used)
        for key, form in seen:
            forms.setdefault(key, Counter())[form] += 1
    frequent = {key: min(found, key=lambda form: (-found[form], form)) for key, found in forms.items()}
    return {
        key: form
        for key, form in frequent.items()
        if len(key) > 1 or (is_word(form) and forms[key].total() >= _LEAST_HEAD * uses["".join(key)])
    }


def _may_be_part(word: str) -> bool:
    return word not in _DATES and len(word) <= LONGEST_WORD and not any(map(str.isdigit, word))


class _Finder:
    """Finds terms in lists of words."""

    def __init__(self, keys: Iterable[Key]) -> None:
        self._keys = set(keys)
        self._first = {key[0] for key in self._keys if len(key) > 1}
        self._unspaced = {key[0] for key in self._keys if len(key) == 1 and UNSPACED.search(key[0])}
        self._lengths = sorted({len(one) for one in self._unspaced})
        self._stems: dict[str, str] = {}

    def within(self, words: Sequence[str]) -> set[Key]:
        """Return the terms that occur in these words."""
        stems = [self._stems.get(word) or self._stems.setdefault(word, stem(word)) for word in words]
        found: set[Key] = {(part,) for part in set(stems) if (part,) in self._keys}
        for at, part in enumerate(stems):
            if part in self._first:
                longer = (tuple(stems[at : at + size]) for size in range(2, _MOST_WORDS + 1))
                found.update(key for key in longer if key in self._keys)
        if self._unspaced:
            found.update((one,) for word in set(words) for one in self._pieces(word) if one in self._unspaced)
        return found

    def _pieces(self, word: str) -> Iterator[str]:
        """Yield the pieces of a run of characters of an unspaced script that are as long as terms are."""
        if not word.isascii() and UNSPACED.search(word):
            for length in self._lengths:
                yield from (word[at : at + length] for at in range(len(word) - length + 1))


def _ones(found: Iterable[set[Key]], columns: dict[Key, int]) -> Sparse:
    """Return a matrix with a one for each term of each document; keys without a column are left out."""
    from scipy.sparse import csr_array

    starts: list[int] = [0]
    parts: list[NDArray[np.int32]] = []
    for keys in found:
        parts.append(np.sort(np.array([columns[key] for key in keys if key in columns], np.int32)))
        starts.append(starts[-1] + len(parts[-1]))
    at = np.concatenate(parts) if parts else np.zeros(0, np.int32)
    ones = np.ones(len(at), np.float32)
    return csr_array((ones, at, np.array(starts, np.int32)), shape=(len(starts) - 1, len(columns)))
