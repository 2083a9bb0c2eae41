"""Words of opposite meaning in a source. What belongs here: the forms of a word, listed opposites, and words that a prefix or an
ending negates. What does not: the lists (opposite_lists), whether the source uses the opposite in the same place (evidence),
and words that negate a whole statement (negations).
"""

from collections import defaultdict
from collections.abc import Container, Iterator

from seed_assets.core.judging.opposite_lists import ENGLISH, FRENCH, GERMAN, SPANISH

# Prefixes that negate in English, German, French, Spanish, Italian, Portuguese or Dutch. Whether one does in a given word is
# seen in the source, which has the word without it.
_PREFIXES = (
    "un",
    "in",
    "im",
    "il",
    "ir",
    "dis",
    "non",
    "non-",
    "des",
    "dés",
    "dé",
    "on",
    "mis",
    "miss",
    "anti",
    "anti-",
    "de",
)
# These prefixes hardly ever begin a word that they do not negate.
_CLEAR_PREFIXES = ("un", "dis", "non")
# An ending, and the one that says the opposite.
_ENDINGS = {"less": "ful", "lessly": "fully", "los": "voll"} | {"ful": "less", "fully": "lessly", "voll": "los"}
# A shorter rest is another word: "under", "into". Chosen by judgement.
_LEAST_LETTERS = 4
# An ending of a form, and what may stand in its place in the word that is listed.
_FORM_ENDINGS = (
    *((ending, ("",)) for ending in ("s", "d", "n", "t", "es", "ed", "er", "ly", "en", "al", "est")),
    ("ing", ("", "e")),
    ("ies", ("y",)),
    ("ied", ("y",)),
)


def forms_of(word: str) -> Iterator[str]:
    """Yield a case-folded word, and the words of which it may be a regular form: "stopping", "stopp", "stop"."""
    yield word
    for ending, others in _FORM_ENDINGS:
        if word.endswith(ending):
            rest = word[: -len(ending)]
            yield from (rest + other for other in others)
            if ending in ("ed", "er", "ing") and len(rest) > _LEAST_LETTERS - 1 and rest[-1] == rest[-2]:
                yield rest[:-1]


def opposites_of(word: str, known: Container[str]) -> set[str]:
    """Return the opposites of a case-folded word among the known words, which include their forms."""
    forms = [*dict.fromkeys(forms_of(word))]
    candidates = {opposite for form in forms for opposite in _OPPOSITES.get(form, ())}
    longer = [form for form in forms if len(form) >= _LEAST_LETTERS]
    candidates.update(prefix + form for prefix in _PREFIXES for form in longer)
    for prefix in _PREFIXES:
        if _is_prefixed(word, prefix):
            candidates.update(form for form in forms_of(word[len(prefix) :]) if len(form) >= _LEAST_LETTERS)
    for ending, other in _ENDINGS.items():
        if word.endswith(ending):
            candidates.add(word[: -len(ending)] + other)
    return {candidate for candidate in candidates if candidate in known}


def is_negated_word(word: str) -> bool:
    """Whether a case-folded word begins with a prefix that nearly always negates, as in "unsuccessful"."""
    return any(_is_prefixed(word, prefix) for prefix in _CLEAR_PREFIXES)


def _is_prefixed(word: str, prefix: str) -> bool:
    return word.startswith(prefix) and len(word) - len(prefix) >= _LEAST_LETTERS


def _table(*lists: str) -> dict[str, frozenset[str]]:
    found: dict[str, set[str]] = defaultdict(set)
    for group in ";".join(lists).split(";"):
        before, after = (side.split() for side in group.split("|"))
        for words, others in ((before, after), (after, before)):
            for word in words:
                found[word].update(others)
    return {word: frozenset(others - {word}) for word, others in found.items()}


_OPPOSITES = _table(ENGLISH, GERMAN, FRENCH, SPANISH)
