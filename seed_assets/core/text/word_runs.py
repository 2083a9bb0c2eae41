"""Runs of words in a text, of which phrases consist. What belongs here: which words a run has, and where it ends. What does not:
noun phrases (noun_phrases), and counting phrases (phrases).

A run consists of consecutive words with only white space between them, none of which is a stop word, a bare number, a single
letter or a code of more than 50 characters. Chinese and Japanese have no spaces between words: overlapping pairs of Chinese
characters take the place of words, and words in katakana count as a whole.
"""

import re
from collections.abc import Iterator
from typing import NamedTuple

from seed_assets.core.text.words import LONGEST_WORD, UNSPACED, WORD

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


class Word(NamedTuple):
    """A word of a run.

    form: the word, case-folded, without clitics.
    unit: the form under which it is counted: without a plural ending; a pair of characters of an unspaced script.
    start, end: its place in the text, in characters.
    """

    form: str
    unit: str
    start: int
    end: int


class WordRun(NamedTuple):
    """Consecutive words, at least one.

    before: the case-folded word directly before them, such as an article; "" if punctuation or nothing is there.
    """

    words: list[Word]
    before: str


def word_runs(text: str, stopped: frozenset[str], start: int = 0) -> Iterator[WordRun]:
    """Yield the runs of a text; stop words, punctuation, markup and ends of paragraphs separate them.

    stopped: the case-folded stop words.
    start: where to begin, in characters.
    """
    return (run for run in _runs(text, stopped, start) if run.words)


def _runs(text: str, stopped: frozenset[str], start: int) -> Iterator[WordRun]:
    hidden = _MARKUP.finditer(text, start)
    markup = next(hidden, None)
    run = WordRun([], "")
    last_word, last_end = "", start
    for match in WORD.finditer(text, start):
        start, end = match.span()
        while markup is not None and markup.end() <= start:
            markup = next(hidden, None)
        in_markup = markup is not None and markup.start() < end
        follows = not in_markup and _is_gap(text, last_end, start)
        if not follows or not run.words:
            yield run
            run = WordRun([], last_word if follows else "")
        last_word, last_end = "", end
        if in_markup:
            continue
        whole = match.group()
        if not whole.isascii() and UNSPACED.search(whole):
            yield run
            run = WordRun([], "")
            yield from (WordRun(words, "") for words in _unspaced(text, start, end))
            continue
        word_start, word_end = _without_clitics(whole, start, end)
        if word_start > start:
            yield run
            run = WordRun([], "")
        form = text[word_start:word_end].casefold()
        last_word = form
        named = 1 < len(form) <= LONGEST_WORD and form not in stopped and not form.isdigit()
        if named:
            run.words.append(Word(form, _singular(form), word_start, word_end))
        if run.words and (not named or word_end < end):
            yield run
            run = WordRun([], form if word_end == end else "")
    yield run


def _is_gap(text: str, start: int, end: int) -> bool:
    if end - start == 1:  # nearly always
        return text[start].isspace()
    return text[start:end].isspace() and text.count("\n", start, end) <= 1


def _without_clitics(whole: str, start: int, end: int) -> tuple[int, int]:
    """Return the word's span without a possessive or an elided article; the span of a shortened verb ("won't") is empty."""
    if "'" not in whole and "’" not in whole:
        return start, end
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


def _unspaced(text: str, start: int, end: int) -> Iterator[list[Word]]:
    for pattern in (_KATAKANA, _OTHER_UNSPACED):
        for match in pattern.finditer(text, start, end):
            yield [Word(match.group(), match.group(), *match.span())]
    for match in _IDEOGRAMS.finditer(text, start, end):
        first, last = match.span()
        yield [Word(pair, pair, at, at + 2) for at in range(first, last - 1) if (pair := text[at : at + 2])]
