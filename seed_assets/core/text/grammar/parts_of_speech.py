"""The parts of speech of English words, as far as noun phrases need them. What belongs here: which part of speech a word has
by itself. What does not: what its neighbours say about it, and where noun phrases begin and end (noun_phrases).

A lexicon gives the most frequent part of speech of 94,000 forms (Pattern's lexicon, a file in the wheel of textblob, whose code
is not run); the ending of a word decides for all others, which are nouns unless they end like adjectives, adverbs or
participles. Only the forms that differ from what their ending says are kept in memory: 40,000, in 5 MB.

Source: Brill, "A simple rule-based part of speech tagger", ANLP 1992.
"""

from collections.abc import Mapping
from enum import Enum
from functools import cache, lru_cache
from importlib import util
from pathlib import Path

_PACKAGE, _LEXICON = "textblob", "en/en-lexicon.txt"


class Part(Enum):
    """A part of speech."""

    NOUN = "noun"
    ADJECTIVE = "adjective"
    PARTICIPLE = "participle"
    """A form such as "planted", which is a verb or stands before a noun like an adjective."""
    GERUND = "gerund"
    VERB = "verb"
    """A form in the present tense, which may also be a noun ("import", "claims")."""
    OTHER = "other"


_BY_TAG = {
    "NN": Part.NOUN,
    "NNS": Part.NOUN,
    "NNP": Part.NOUN,
    "NNPS": Part.NOUN,
    "FW": Part.NOUN,
    "JJ": Part.ADJECTIVE,
    "JJR": Part.ADJECTIVE,
    "JJS": Part.ADJECTIVE,
    "VBN": Part.PARTICIPLE,
    "VBD": Part.PARTICIPLE,
    "VBG": Part.GERUND,
    "VB": Part.VERB,
    "VBP": Part.VERB,
    "VBZ": Part.VERB,
}
_ADJECTIVE_ENDINGS = ("able", "ible", "ous", "ive", "ic", "less", "ful", "ical", "ional", "ary", "ial", "ular", "ish")
# A shorter word is too likely to have an ending by chance ("bed", "king").
_FEWEST_CHARACTERS = 5
# A PEP has 700 different words; 212 PEPs have 32,000. About 2 MB.
_KEPT_FORMS = 16_384


@lru_cache(_KEPT_FORMS)
def part_of_speech(form: str) -> Part:
    """Return the most frequent part of speech of an English word; a noun if nothing is known about it.

    form: as it is written, since the lexicon distinguishes "May" from "may". Of a word with hyphens the last part decides.
    """
    known = _lexicon()
    part = known.get(form)
    if part is None:
        folded = form.casefold()
        part = known.get(folded)
        if part is None:
            last = folded.rpartition("-")[2]
            part = known.get(last) or (Part.VERB if _is_form_of_verb(last, known) else _by_ending(last))
    return part


def _is_form_of_verb(folded: str, known: Mapping[str, Part]) -> bool:
    return folded.endswith("s") and known.get(folded[:-1]) is Part.VERB


def _by_ending(folded: str) -> Part:
    if len(folded) < _FEWEST_CHARACTERS:
        return Part.NOUN
    if folded.endswith("ly"):
        return Part.OTHER
    if folded.endswith("ed"):
        return Part.PARTICIPLE
    if folded.endswith("ing"):
        return Part.GERUND
    return Part.ADJECTIVE if folded.endswith(_ADJECTIVE_ENDINGS) else Part.NOUN


@cache
def _lexicon() -> Mapping[str, Part]:
    spec = util.find_spec(_PACKAGE)
    if spec is None or spec.origin is None:
        raise FileNotFoundError(f"The package {_PACKAGE}, which holds the lexicon of English, is not installed.")
    parts: dict[str, Part] = {}
    for line in (Path(spec.origin).parent / _LEXICON).read_text("utf-8").splitlines():
        form, _, tag = line.partition(" ")
        if form[:1].isalpha():
            part = _BY_TAG.get(tag.partition("|")[0], Part.OTHER)
            if part is not _by_ending(form.casefold()):
                parts[form] = part
    return parts
