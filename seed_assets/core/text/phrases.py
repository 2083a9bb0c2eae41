"""Candidate phrases for the concepts of a text. What belongs here: finding, counting and naming candidates. What does
not: which of them matter (concepts), and stop words (stopwords).

A candidate consists of one to three consecutive words with only white space between them, none of which is a stop word, a
bare number, a single letter or a code of more than 50 characters. Chinese and Japanese have no spaces between words:
overlapping pairs of Chinese characters take the place of words, so that candidates have two to four characters, and words
in katakana count as a whole. Such candidates are kept only if they are repeated or stand alone, unless there are no others.
"""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from seed_assets.core.text.stopwords import stop_words
from seed_assets.core.text.words import LONGEST_WORD, UNSPACED, WORD

# Both numbers were chosen by judgement.
_MOST_WORDS = 3
# Only the most frequent units of a text form phrases, so that the counts of a very long text fit into memory.
_MOST_UNITS = 1000

# Addresses, TeX commands, roles and directives of markup; the words in them do not belong to the text's prose.
_MARKUP = re.compile(
    r"(?:https?|ftp)://\S+|www\.\S+|(?<![\w.+-])[\w.+-]{1,64}@[\w-]+\.[\w.-]+"
    r"|\\[a-zA-Z]+|:[a-z-]+:(?=`)|^[^\S\n]*\.\. [\w-]+::|&\w+;",
    re.MULTILINE,
)
_APOSTROPHE = re.compile("['’]")
_SHORTENED_VERBS = frozenset({"t", "ll", "ve", "re", "d", "m"})
# Chinese characters without those that are mostly grammatical words; no phrase extends across one of those.
_IDEOGRAMS = re.compile(
    "(?:(?![的了是在和与及或也都就而被把这那吗呢吧们很])[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\u3005\U00020000-\U0003134f])+"
)
_KATAKANA = re.compile("[\u30a1-\u30ff\uff66-\uff9f]{2,}")
_OTHER_UNSPACED = re.compile("[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff]+")


@dataclass(frozen=True, slots=True)
class Phrase:
    """A candidate phrase.

    name: the phrase in its most frequent form, case-folded, with single spaces.
    units: the forms under which its words are counted: words without a plural ending, pairs of characters of an unspaced
        script.
    count: the number of mentions in any form with these units.
    start, end: where the name first occurs, in characters.
    """

    name: str
    units: tuple[str, ...]
    count: int
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Unit:
    """The number of occurrences of a word in any form, and the offset of the first one in characters."""

    count: int
    start: int


class _Word(NamedTuple):
    form: str
    unit: str
    start: int
    end: int


def find_phrases(text: str) -> tuple[list[Phrase], dict[str, Unit]]:
    """Return the candidates in the order of their first mention, and the units that they consist of."""
    stopped = stop_words(match.group() for match in WORD.finditer(text.casefold()))
    runs = [run for run in _runs(text, stopped) if run]
    units = _units(runs)
    forms: dict[tuple[str, ...], dict[str, list[int]]] = {}
    alone: set[str] = set()
    for run in runs:
        for first in range(len(run)):
            key: tuple[str, ...] = ()
            for last in range(first, min(first + _MOST_WORDS, len(run))):
                if run[last].unit not in units:
                    break
                key += (run[last].unit,)
                span = run[first].start, run[last].end
                name = run[first].form if first == last else " ".join(text[slice(*span)].casefold().split())
                seen = forms.setdefault(key, {}).setdefault(name, [0, *span])
                seen[0] += 1
                if len(run) == last - first + 1:
                    alone.add(name)
    phrases = [_phrase(key, names) for key, names in forms.items()]
    words = [
        phrase for phrase in phrases if phrase.count > 1 or phrase.name in alone or UNSPACED.match(phrase.name) is None
    ]
    phrases = words or phrases
    return sorted(phrases, key=lambda phrase: (phrase.start, phrase.end)), units


def _phrase(key: tuple[str, ...], names: dict[str, list[int]]) -> Phrase:
    # The phrase is named after its most frequent form; ties go to the earlier one.
    name, (_, start, end) = min(names.items(), key=lambda item: (-item[1][0], item[1][1]))
    return Phrase(name, key, sum(count for count, _, _ in names.values()), start, end)


def _units(runs: Sequence[Sequence[_Word]]) -> dict[str, Unit]:
    counts: Counter[str] = Counter()
    starts: dict[str, int] = {}
    for run in runs:
        for word in run:
            counts[word.unit] += 1
            starts.setdefault(word.unit, word.start)
    kept = sorted(counts, key=lambda unit: (-counts[unit], starts[unit], unit))[:_MOST_UNITS]
    return {unit: Unit(counts[unit], starts[unit]) for unit in kept}


def _runs(text: str, stopped: frozenset[str]) -> Iterator[list[_Word]]:
    """Yield runs of consecutive words; stop words, punctuation, markup and ends of paragraphs separate them."""
    hidden = _MARKUP.finditer(text)
    markup = next(hidden, None)
    run: list[_Word] = []
    for match in WORD.finditer(text):
        start, end = match.span()
        while markup is not None and markup.end() <= start:
            markup = next(hidden, None)
        in_markup = markup is not None and markup.start() < end
        if in_markup or (run and not _is_gap(text, run[-1].end, start)):
            yield run
            run = []
        if in_markup:
            continue
        whole = match.group()
        if not whole.isascii() and UNSPACED.search(whole):
            yield run
            run = []
            yield from _unspaced(text, start, end)
            continue
        word_start, word_end = _without_clitics(whole, start, end)
        if word_start > start:
            yield run
            run = []
        form = text[word_start:word_end].casefold()
        named = 1 < len(form) <= LONGEST_WORD and form not in stopped and not form.isdigit()
        if named:
            run.append(_Word(form, _singular(form), word_start, word_end))
        if run and (not named or word_end < end):
            yield run
            run = []
    yield run


def _is_gap(text: str, start: int, end: int) -> bool:
    return text[start:end].isspace() and text.count("\n", start, end) <= 1


def _without_clitics(whole: str, start: int, end: int) -> tuple[int, int]:
    """Return the word's span without a possessive or an elided article; the span of a shortened verb ("won't") is empty."""
    parts = _APOSTROPHE.split(whole)
    if len(parts) != 2:
        return start, end
    before, after = parts
    if after.casefold() in _SHORTENED_VERBS:
        return start, start
    if after.casefold() == "s":
        return start, start + len(before)
    return (end - len(after), end) if len(before) <= 2 else (start, end)


def _singular(word: str) -> str:
    if len(word) > 4 and word.endswith("ies"):
        return word[:-3] + "y"
    if len(word) > 5 and word.endswith(("xes", "ches", "shes", "sses")):
        return word[:-2]
    if len(word) > 3 and word.endswith("s") and not word.endswith(("ss", "us", "is")):
        return word[:-1]
    return word


def _unspaced(text: str, start: int, end: int) -> Iterator[list[_Word]]:
    for pattern in (_KATAKANA, _OTHER_UNSPACED):
        for match in pattern.finditer(text, start, end):
            yield [_Word(match.group(), match.group(), *match.span())]
    for match in _IDEOGRAMS.finditer(text, start, end):
        first, last = match.span()
        yield [_Word(pair, pair, at, at + 2) for at in range(first, last - 1) if (pair := text[at : at + 2])]
