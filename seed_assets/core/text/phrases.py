"""Candidate phrases for the concepts of a text. What belongs here: finding, counting and naming candidates. What does
not: which of them matter (concepts), noun phrases (noun_phrases), runs of words (word_runs), and stop words (stopwords).

A candidate is a word of a noun phrase, or consecutive words of one, at most four. Several words are a candidate only if they
are a whole noun phrase somewhere in the text, so that no phrase is cut off ("states supreme court"). In a language whose noun
phrases are not known, all consecutive words between stop words and punctuation are candidates, at most three. Candidates of
scripts without spaces have two to four characters or are words in katakana; they are kept only if they are repeated or stand
alone, unless there are no others.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from seed_assets.core.text.grammar.languages import language_of
from seed_assets.core.text.grammar.noun_phrases import PARSED, noun_phrases
from seed_assets.core.text.stopwords import stop_words
from seed_assets.core.text.word_runs import Word, WordRun, word_runs
from seed_assets.core.text.words import UNSPACED, WORD

# F1 of the first 10 keyphrases of abstracts (half of Inspec, half of SemEval 2017) is .278, .270 with three words in noun
# phrases, .291, .284 with four and .294, .291 with five, which seldom make good names of concepts.
_MOST_WORDS, _MOST_OTHER_WORDS = 4, 3
# Only the most frequent units of a text form phrases, so that the counts of a very long text fit into memory.
_MOST_UNITS = 1000


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


class _Counts:
    """The mentions of each candidate: its units, and under each of its names the number of mentions and the first place."""

    def __init__(self) -> None:
        self.forms: dict[tuple[str, ...], dict[str, list[int]]] = {}
        self.whole: set[tuple[str, ...]] = set()

    def add(self, text: str, words: Sequence[Word], units: Mapping[str, Unit], most: int) -> None:
        """Count the candidates in one run or noun phrase."""
        for first in range(len(words)):
            key: tuple[str, ...] = ()
            for last in range(first, min(first + most, len(words))):
                if words[last].unit not in units:
                    break
                key += (words[last].unit,)
                span = words[first].start, words[last].end
                name = words[first].form if first == last else " ".join(text[slice(*span)].casefold().split())
                seen = self.forms.setdefault(key, {}).setdefault(name, [0, *span])
                seen[0] += 1
        self.whole.add(tuple(word.unit for word in words[: most + 1]))


def find_phrases(text: str, start: int = 0) -> tuple[list[Phrase], dict[str, Unit]]:
    """Return the candidates in the order of their first mention, and the units that they consist of.

    start: where to begin, in characters.
    """
    stopped = stop_words(match.group() for match in WORD.finditer(text.casefold()))
    language = language_of(text)
    runs = list(word_runs(text, stopped, start))
    units = _units(run.words for run in runs)
    phrases = _candidates(text, list(_named(text, runs, language)), units, cut=language not in PARSED)
    phrases = phrases or _candidates(text, [run.words for run in runs], units, cut=True)
    return sorted(phrases, key=lambda phrase: (phrase.start, phrase.end)), units


def _named(text: str, runs: Sequence[WordRun], language: str) -> Iterator[Sequence[Word]]:
    """Yield the words of each noun phrase."""
    for run in runs:
        forms = [text[word.start : word.end] for word in run.words]
        for first, end in noun_phrases(forms, run.before, language):
            yield run.words[first:end]


def _candidates(text: str, runs: Sequence[Sequence[Word]], units: Mapping[str, Unit], *, cut: bool) -> list[Phrase]:
    """Return the candidates in these runs; with `cut`, also those that are only parts of runs."""
    counts = _Counts()
    for words in runs:
        counts.add(text, words, units, _MOST_OTHER_WORDS if cut else _MOST_WORDS)
    keys = counts.forms if cut else [key for key in counts.forms if len(key) == 1 or key in counts.whole]
    phrases = [_phrase(key, counts.forms[key]) for key in keys]
    spaced = [
        phrase
        for phrase in phrases
        if phrase.count > 1 or phrase.units in counts.whole or UNSPACED.match(phrase.name) is None
    ]
    return spaced or phrases


def _phrase(key: tuple[str, ...], names: dict[str, list[int]]) -> Phrase:
    # The phrase is named after its most frequent form; ties go to the earlier one.
    name, (_, start, end) = min(names.items(), key=lambda item: (-item[1][0], item[1][1]))
    return Phrase(name, key, sum(count for count, _, _ in names.values()), start, end)


def _units(runs: Iterable[Sequence[Word]]) -> dict[str, Unit]:
    counts: Counter[str] = Counter()
    starts: dict[str, int] = {}
    for run in runs:
        for word in run:
            counts[word.unit] += 1
            starts.setdefault(word.unit, word.start)
    kept = sorted(counts, key=lambda unit: (-counts[unit], starts[unit], unit))[:_MOST_UNITS]
    return {unit: Unit(counts[unit], starts[unit]) for unit in kept}
