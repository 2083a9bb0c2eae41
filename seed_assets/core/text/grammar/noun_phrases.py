"""Which consecutive words of a sentence are a noun phrase. What belongs here: the rules of each language. What does not: the
parts of speech of single words (parts_of_speech), and runs of words between stop words and punctuation (word_runs).

In English a noun phrase consists of adjectives, participles, gerunds and nouns, and ends with a noun or gerund. A participle
after a noun is a verb ("people planted figs"), and so is one that no noun follows. A form in the present tense is a noun
after an article, a preposition or an adjective, and a form without s also after such a noun ("memory access"); elsewhere it is
a verb. In German, nouns are capitalized, and everything in lower case before them belongs to the phrase. The rules of
other languages are not known here, so their runs are returned whole.
"""

from collections.abc import Iterator, Sequence

from seed_assets.core.text.grammar.parts_of_speech import Part, part_of_speech
from seed_assets.core.text.words import Span

# After these words a form that may be a verb is a noun.
_WORDS_BEFORE_NOUNS = """
a an the this that these those each every any some no its their his her our my your
of for in on by with from as via per into between within without
"""
_BEFORE_NOUNS = frozenset(_WORDS_BEFORE_NOUNS.split())
_HEADS = frozenset({Part.NOUN, Part.GERUND})
PARSED = frozenset({"en", "de"})
"""The languages, in ISO 639-1, whose noun phrases are known."""


def noun_phrases(forms: Sequence[str], before: str, language: str) -> Iterator[Span]:
    """Yield (first, end) of each longest noun phrase in a run of words, in order; the places count from 0.

    forms: consecutive words as they are written, without stop words.
    before: the case-folded word directly before them; "" if there is none in their sentence.
    language: its code in ISO 639-1; "" if it is not known.
    """
    if language == "en":
        yield from _between(_english(forms, before), _HEADS)
    elif language == "de":
        yield from _between(_german(forms), _HEADS)
    elif forms:
        yield 0, len(forms)


def _between(parts: Sequence[Part], heads: frozenset[Part]) -> Iterator[Span]:
    first, end = 0, 0
    for place, part in enumerate(parts):
        if part is Part.OTHER:
            if end:
                yield first, end
            first, end = place + 1, 0
        elif part in heads:
            end = place + 1
    if end:
        yield first, end


def _english(forms: Sequence[str], before: str) -> list[Part]:
    """Return the part of speech of each word in its place; verbs, and participles that are verbs, are OTHER."""
    parts: list[Part] = []
    for place, form in enumerate(forms):
        part = part_of_speech(form)
        if part is Part.VERB:
            part = Part.NOUN if _is_noun(form, before, forms[place - 1] if place else "", parts) else Part.OTHER
        parts.append(part)
    for place in range(len(parts) - 1, -1, -1):
        follows = place + 1 < len(parts) and parts[place + 1] is not Part.OTHER
        after_noun = place > 0 and parts[place - 1] in _HEADS
        if parts[place] is Part.PARTICIPLE and (after_noun or not follows):
            parts[place] = Part.OTHER
    return parts


def _is_noun(form: str, before: str, previous: str, parts: Sequence[Part]) -> bool:
    """Whether a form that may be a verb is a noun, after these parts of its run."""
    if not parts:
        return before in _BEFORE_NOUNS or not before
    if parts[-1] is Part.NOUN:
        return not previous.endswith("s") and not form.endswith("s")
    return parts[-1] in (Part.ADJECTIVE, Part.GERUND)


def _german(forms: Sequence[str]) -> list[Part]:
    """Return NOUN for capitalized words, ADJECTIVE for words in lower case before them, and OTHER for those after them."""
    parts = [Part.NOUN if form[0].isupper() else Part.ADJECTIVE for form in forms]
    for place in range(1, len(parts)):
        if parts[place] is Part.ADJECTIVE and parts[place - 1] is Part.NOUN:
            parts[place] = Part.OTHER
    return parts
