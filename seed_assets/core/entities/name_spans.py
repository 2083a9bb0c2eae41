"""Names in a text by its capitals. What belongs here: where names begin and end. What does not: what they are names of
(name_types), and names that are known beforehand (known_names).

A name is a run of capitalized words, which small words such as "of" and "von" may join. At the beginning of a sentence a capital
says little: the word must have one elsewhere in the text, or stand before another capital, and never occur without one.
Titles and professions before a person's name are left out, and so are articles.
"""

import re
from collections.abc import Iterator, Sequence
from typing import Final

from seed_assets.core.entities.gazetteer import gazetteer, listed
from seed_assets.core.entities.name_types import name_cues
from seed_assets.core.entities.name_words import NameWord, NameWords
from seed_assets.core.text.grammar.parts_of_speech import Part, part_of_speech
from seed_assets.core.text.words import WORD, Span

_LINKS: Final = listed("of on for de la le du des von van der den di da del dos das al bin ibn el y zu zur auf")
# The links of names in texts whose nouns have capitals, where articles and prepositions join nouns.
_PARTICLES: Final = listed("de la van von del di da bin ibn al zu")
_ARTICLES: Final = listed("the la le les el los der die das den")
_ABBREVIATED: Final = listed(
    "mr mrs ms dr prof st jr sr gen col lt sgt capt gov sen rep rev mt ft no vs inc co corp ltd bros"
)
# Words whose possessive form is a part of names, as in "King's College".
_OWNING: Final = listed("king queen prince women men children people st saint master world")
_JOINTS: Final = frozenset((" & ", "&", "-", "–", " – "))
_ROMAN: Final = re.compile("[IVX]{1,5}")
_QUOTED: Final = re.compile(r'["“«„]\s?([^"“”«»„\n]{1,80}?)\s?["”»“]')
# A longer run of capitals is a heading or a list; a longer title in quotation marks is a sentence.
_MOST_WORDS, _MOST_QUOTED = 12, 8
# A number of more digits after a name is a year or an amount, and no part of it.
_MOST_DIGITS = 3
# Where all nouns have capitals, and in headings, so much must speak for a name: a word of an organisation or a place, a first
# name, or an acronym.
_CERTAIN = 18


def name_spans(text: str, words: NameWords) -> list[Span]:
    """Return the spans of the names in the order of the text; they do not overlap. The time is linear in the text's length."""
    found = [*_quoted_titles(text)]
    for sentence, is_heading in zip(words.sentences, words.headings, strict=True):
        runs = _in_sentence(sentence, words)
        found += (
            runs if words.by_capitals and not is_heading else (name for run in runs for name in _certain(text, run))
        )
    return [_with_last_dot(text, span) for span in without_overlaps(found)]


def without_overlaps(spans: Sequence[Span]) -> list[Span]:
    """Return the spans in order, without those that begin inside of an earlier one; of two with one start the longer is kept."""
    kept: list[Span] = []
    for span in sorted(spans, key=lambda one: (one[0], -one[1])):
        if not kept or span[0] >= kept[-1][1]:
            kept.append(span)
    return kept


def _with_last_dot(text: str, span: Span) -> Span:
    """A name such as "U.S." with its last full stop."""
    start, end = span
    abbreviated = text[end - 2 : end - 1] == "." and text[end : end + 1] == "."
    return (start, end + 1) if abbreviated else span


def _quoted_titles(text: str) -> Iterator[Span]:
    for match in _QUOTED.finditer(text):
        inner = match[1].rstrip(".,;: ")
        words = inner.split()
        small = sum(word[0].islower() for word in words)
        if words and len(words) <= _MOST_QUOTED and words[0][0].isupper() and small <= len(words) / 2:
            yield match.start(1), match.start(1) + len(inner)


def _in_sentence(sentence: Sequence[NameWord], words: NameWords) -> Iterator[Span]:
    at = 0
    while at < len(sentence):
        if not _begins(sentence, at, words):
            at += 1
            continue
        end = _end(sentence, at, words)
        yield from _names_within(sentence[at:end], words)
        at = end


def _certain(text: str, span: Span) -> Iterator[Span]:
    """The name in a run of capitals where capitals say little, if its words say that it is one."""
    known = gazetteer()
    words = [(match.start() + span[0], match[0].casefold()) for match in WORD.finditer(text[slice(*span)])]
    # "Bundeskanzlerin Angela Merkel": a first name begins the name.
    start = next((place for place, word in words[1:-1] if word in known.first_names), span[0])
    cues = name_cues(text[start : span[1]])
    if cues and max(cues.values()) >= _CERTAIN:
        yield start, span[1]


def _begins(sentence: Sequence[NameWord], at: int, words: NameWords) -> bool:
    word = sentence[at]
    if not word.is_capital or word.folded in gazetteer().times or word.folded == "i":
        return False
    is_acronym = len(word.form) > 1 and word.form.isupper()
    if not word.first:
        return word.folded not in words.stopped or word.folded in _ARTICLES or is_acronym
    if word.folded in words.stopped:
        return False
    if words.names[word.folded]:
        return True
    if word.folded in words.others:
        return False
    follows = at + 1 < len(sentence) and sentence[at + 1].is_capital and sentence[at + 1].between in (" ", ". ")
    return follows or is_acronym


def _end(sentence: Sequence[NameWord], at: int, words: NameWords) -> int:
    """The index after the last word of the run of capitals that begins at `at`."""
    times, joining = gazetteer().times, gazetteer().joining
    end = at + 1
    joins = sentence[at].folded in joining
    while end < min(len(sentence), at + _MOST_WORDS):
        word, last = sentence[end], sentence[end - 1]
        after = sentence[end + 1] if end + 1 < len(sentence) else None
        if last.possessive and not (word.is_capital and _owns(sentence, at, end, words)):
            break
        if word.form.isdigit():
            return end + (word.between == " " and len(word.form) <= _MOST_DIGITS and not _counts(after, words))
        if word.is_capital:
            if word.folded in times or not (word.between == " " or _joined_by(word.between, last, words)):
                break
            end += 1
        elif word.between != " " or after is None:
            break
        elif word.folded == "and":
            if not joins or not after.is_capital or after.between != " ":
                break
            end += 2
        elif word.folded in (_LINKS if words.by_capitals else _PARTICLES) and (
            joins or word.folded not in ("on", "for")
        ):
            # One link, or a link and an article, as in "of the".
            follows = end + 2 if after.folded in (_LINKS | _ARTICLES) and not after.is_capital else end + 1
            if follows >= len(sentence) or not _continues(sentence, end, follows, times):
                break
            end = follows + 1
        else:
            break
        joins = joins or sentence[end - 1].folded in joining
    return end


def _continues(sentence: Sequence[NameWord], end: int, follows: int, times: frozenset[str]) -> bool:
    between = {word.between for word in sentence[end : follows + 1]}
    return sentence[follows].is_capital and between == {" "} and sentence[follows].folded not in times


def _owns(sentence: Sequence[NameWord], at: int, end: int, words: NameWords) -> bool:
    """Whether the possessive before `end` is a part of a name ("Midnight's Children") and not a name of its own."""
    owner = sentence[end - 1]
    begins = end - at == 1 or (owner.is_capital and sentence[end - 2].folded in _ABBREVIATED)
    return owner.folded in _OWNING or (begins and owner.folded not in words.bare)


def _counts(after: NameWord | None, words: NameWords) -> bool:
    """Whether a number before this word counts something, as in "two years"."""
    return after is not None and after.between == " " and after.form[0].islower() and after.folded not in words.stopped


def _joined_by(between: str, last: NameWord, words: NameWords) -> bool:
    if between == ". ":
        return len(last.form) == 1 or last.folded in _ABBREVIATED
    if between == ".":
        return len(last.form) == 1
    return between in _JOINTS or (between == " - " and words.loose_hyphens)


def _names_within(run: Sequence[NameWord], words: NameWords) -> Iterator[Span]:
    """Yield the names in a run of capitals: without titles, positions and articles, and split where a title stands inside."""
    known = gazetteer()
    while (inside := _title_inside(run)) is not None:
        if not any(word.folded in known.titles or word.folded in known.roles for word in run[:inside]):
            yield from _names_within(run[:inside], words)
        run = run[inside:]
    for at in range(len(run) - 2, 0, -1):
        if run[at].folded in ("of", "for", "on") and run[at - 1].folded in known.positions:
            run = run[at + 1 :]
            break
    first = 0
    while first < len(run) - 1 and _leads(run[first], words):
        first += 1
    titled = any(word.folded in known.titles for word in run[:first])
    run = run[first:]
    if titled or any(_ROMAN.fullmatch(word.form) for word in run[1:]):
        # "King Constantine I of Greece" names a person and a country.
        place = next((at for at in range(1, len(run) - 1) if run[at].folded == "of"), None)
        if place is not None:
            yield from _names_within(run[place + 1 :], words)
            run = run[:place]
    if len(run) > 1 or (run and not _is_no_name(run[0])):
        yield run[0].start, run[-1].end


def _title_inside(run: Sequence[NameWord]) -> int | None:
    """The index of a title after the first word, with a name after it; None if there is none."""
    for at in range(1, len(run) - 1):
        is_title = run[at].folded in gazetteer().titles and run[at].is_capital
        if is_title and run[at - 1].folded not in _LINKS and run[at + 1].folded not in _LINKS:
            return at
    return None


def _leads(word: NameWord, words: NameWords) -> bool:
    """Whether a word at the beginning of a run is no part of the name after it."""
    known = gazetteer()
    if word.possessive:
        return False
    if word.folded in known.titles or word.folded in known.roles or word.folded == "the":
        return True
    if word.folded in _LINKS or word.folded in _ARTICLES:
        return not word.is_capital
    return word.first and not words.names[word.folded] and part_of_speech(word.folded) is not Part.NOUN


def _is_no_name(word: NameWord) -> bool:
    known = gazetteer()
    listed = any(word.folded in names for names in (known.titles, known.roles, known.technical, _ARTICLES))
    return listed or len(word.form) == 1 or (word.folded in _LINKS and not word.is_capital)
