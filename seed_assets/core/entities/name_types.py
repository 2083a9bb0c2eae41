"""What a name is a name of, by rules: a person, an organisation, a place, an event, a work, a norm or a product.

What belongs here: what a name says by itself, what the words around a mention say, and the weights of both. What does not: which
mentions are of one entity (aliases), and the lists of words (gazetteer).
"""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from seed_assets.core.entities.gazetteer import gazetteer, listed
from seed_assets.core.text.words import WORD, Span

PERSON, ORGANISATION, PLACE, EVENT, WORK, NORM, PRODUCT, DATE, AMOUNT, OTHER = TYPES = (
    "person",
    "organisation",
    "place",
    "event",
    "work",
    "norm",
    "product",
    "date",
    "amount",
    "other",
)
"""The types that the rules know."""

Cues = Counter[str]
"""Type -> the weight of all that speaks for it, in tenths."""

# So many characters around a mention are looked at.
_BEFORE, _AFTER = 40, 80
_INITIAL = re.compile(r"(?:^|\s)[A-Z]\.")
_ROMAN = re.compile("[IVX]+")
_APPOSITION = re.compile(
    r"\s?(?:\([^)]{0,60}\)\s?)?(?:,|is|was|are|were|, which is|, who (?:is|was)) (?:an?|the|one of the) "
    r"((?:[\w'’-]+ ){0,6}[\w'’-]+)"
)
_QUOTE_AFTER = re.compile(r"\s?[.,!?]?\s?[\"”»]")
_BORN = re.compile(r"\s?\(\s?(?:; ?)?(?:born|died|b\.|\d{1,2} \w{3,12} \d{4}|\w{3,12} \d{1,2} ?, \d{4}|\d{4}\s?[–-])")
_PRONOUN = re.compile(r"[^.]{0,60}\b(?:he|his|him|she|her)\b")


_ACTS: Final = listed(
    "said says wrote told born died married played won scored argued became joined moved graduated attended sang studied starred "
    "directed himself herself"
)
_PLACE_BEFORE: Final = listed("in near from into across throughout around toward towards outside inside to")
# A head noun is not sought behind these words: "the capital of the party" is no party.
_PHRASE_ENDS: Final = listed("in of by from for who which that at on")
_PARTICLES: Final = listed("von van der ibn bin al de la da du")
_PERSON_ENDINGS: Final = tuple(
    listed("ov ova ev eva ski sky ska son sen sson ić vić vich escu enko yan ian idze shvili stein berg mann ez")
)
_PLACE_ENDINGS: Final = tuple(
    listed("ville burg burgh shire land stan grad pur abad ford bury borough chester stadt ia polis field wick wood")
)
# A shorter word is too likely to have an ending by chance.
_FEWEST_CHARACTERS = 5
# What speaks for a type at least; otherwise it is not known.
_LEAST_CUES = 5
# The longest acronym, and the most words of a person's name.
_ACRONYM, _PERSON_WORDS = 6, 4


def name_cues(name: str) -> Cues:
    """Return what a name says by itself."""
    words = WORD.findall(name)
    low = [word.casefold() for word in words]
    found = Cues()
    if not words:
        return found
    known = gazetteer()
    bare = " ".join(name.casefold().split()).removeprefix("the ")
    if bare in known.places or bare in known.demonyms:
        found[PLACE] += 50
    elif low[0] in known.demonyms or low[0] in known.places or " ".join(low[:2]) in known.places:
        found[ORGANISATION] += 8
    head = _head(words, low, known.heads)
    if head is not None:
        kind, weight = head
        found[kind] += weight
        return found
    _person_cues(name, words, low, found)
    last = low[-1]
    if len(last) >= _FEWEST_CHARACTERS and last.endswith(_PLACE_ENDINGS):
        found[PLACE] += 10
    letters = name.replace(".", "")
    if len(words) == 1 + name.count(".", 0, -1) and letters.isupper() and 1 < len(letters) <= _ACRONYM:
        found[ORGANISATION] += 18
    elif any(map(str.isdigit, name)):
        found[PRODUCT] += 10
    elif len(words) == 1:
        found[PLACE] += 4
    elif len(words) >= _PERSON_WORDS:
        found[WORK] += 7
    elif "&" in name:
        found[ORGANISATION] += 15
    elif all(word[0].isupper() for word in words):
        found[PERSON] += 10
    return found


def _head(words: Sequence[str], low: Sequence[str], heads: Mapping[str, str]) -> tuple[str, int] | None:
    """The type of the word that says what a name of several words is, and its weight; None if there is none."""
    if len(words) == 1:
        return None
    for at in range(1, len(low)):
        if low[at] in ("of", "for", "on") and low[at - 1] in heads:
            return heads[low[at - 1]], 35
    if low[-1] in heads:
        return heads[low[-1]], 39
    # "Galaxy Tablet 2", "Act III"
    numbered = len(words) > 2 and (words[-1].isdigit() or _ROMAN.fullmatch(words[-1]))
    if numbered and low[-2] in heads:
        return heads[low[-2]], 39
    return (heads[low[0]], 15) if low[0] in heads else None


def _person_cues(name: str, words: Sequence[str], low: Sequence[str], found: Cues) -> None:
    known = gazetteer()
    several = len(words) > 1
    if low[0] in known.first_names or low[0].partition("-")[0] in known.first_names:
        found[PERSON] += (30 if len(words) <= _PERSON_WORDS else 0) if several else 20
    if several and _INITIAL.search(name) and len(words[-1]) > 1:
        found[PERSON] += 25
    if several and (low[-1] in ("jr", "sr") or _ROMAN.fullmatch(words[-1])):
        found[PERSON] += 15
    if any(low[at] in _PARTICLES and words[at] == low[at] for at in range(1, len(words) - 1)):
        found[PERSON] += 10
    if len(low[-1]) >= _FEWEST_CHARACTERS and low[-1].endswith(_PERSON_ENDINGS):
        found[PERSON] += 8


def mention_cues(text: str, span: Span) -> Cues:
    """Return what the words around a mention say, in its own line."""
    start, end = span
    before = text[max(0, start - _BEFORE) : start]
    before = before[before.rfind("\n") + 1 :]
    after = text[end : end + _AFTER].partition("\n")[0]
    found = Cues()
    if before.rstrip().endswith(('"', "“", "«", "„")) and _QUOTE_AFTER.match(after):
        found[WORK] += 20
    _cues_before(before, found)
    _cues_after(after, found)
    return found


def _cues_before(before: str, found: Cues) -> None:
    known = gazetteer()
    words = [word.casefold() for word in WORD.findall(before)]
    if not words or before.rstrip()[-1] in ',;:()!?"“':
        return
    last, earlier = words[-1], words[-2] if len(words) > 1 else ""
    if last == "the" and earlier:
        found[ORGANISATION] += 4
        found[PERSON] -= 15
        found[PLACE] += 6 * (earlier in _PLACE_BEFORE)
    elif last in _PLACE_BEFORE:
        found[PLACE] += 13
    if last in known.titles:
        found[PERSON] += 40
    elif last in known.beside:
        found[known.beside[last]] += 20
    elif last == "of" and known.beside.get(earlier) == PLACE:
        found[PLACE] += 20
    elif last == "at":
        found[ORGANISATION] += 6
        found[PLACE] += 6
    elif last == "by":
        found[PERSON] += 5
        found[ORGANISATION] += 5


def _cues_after(after: str, found: Cues) -> None:
    known = gazetteer()
    following = WORD.search(after)
    if following is not None:
        between, word = after[: following.start()], following[0].casefold()
        if between == " ":
            if word in _ACTS:
                found[PERSON] += 15
            elif word in known.beside:
                found[known.beside[word]] += 12
            elif word in known.heads and following[0][0].islower():
                found[known.heads[word]] += 12
        elif between.strip() == "," and word in known.places:
            found[PLACE] += 15
    if _BORN.match(after):
        found[PERSON] += 30
    if (apposition := _APPOSITION.match(after)) is not None:
        kinds = [known.beside[word] for word in _phrase(apposition[1]) if word in known.beside]
        if kinds:
            found[kinds[-1]] += 30
    if _PRONOUN.match(after):
        found[PERSON] += 5


def _phrase(words: str) -> Iterator[str]:
    for word in words.casefold().split():
        if word in _PHRASE_ENDS:
            return
        yield word


def best_type(cues: Mapping[str, int]) -> str:
    """Return the type that most speaks for; "other" if nothing speaks for any."""
    best = max(cues, key=lambda kind: (cues[kind], kind), default=OTHER)
    return best if cues.get(best, 0) >= _LEAST_CUES else OTHER
