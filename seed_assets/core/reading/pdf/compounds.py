"""Compounds that are written with a hyphen, as evidence of whether the hyphen at the end of a line is a part of the word.

What belongs here: what shows in the two parts, and in the words in front of them. What does not: what else occurs in the text
(hyphenation).
"""

import re

# Parts of English compounds that are written with a hyphen, but for a few endings: well-known, self-made, wellness, selfish.
_BEGINNINGS = frozenset(["well", "self"])
_ENDINGS = frozenset(["ness", "ish", "less", "ing", "ington", "spring", "same"])
# Numbers, but for sixteen, twofold and the like.
_NUMBERS = frozenset(
    ["two", "three", "four", "five", "six", "seven", "eight", "nine", "twenty", "thirty", "forty", "fifty"]
)
_BEHIND_NUMBERS = frozenset(["een", "fold", "pence", "some", "teen", "teenth", "th", "ths", "ty"])
# Words in front of a noun, as in long-term and high-speed.
_QUALITIES = frozenset(
    ["long", "short", "high", "low", "full", "half", "large", "small", "mid", "left", "right", "first"]
)
_QUALIFIED = frozenset(
    {
        "term",
        "range",
        "speed",
        "level",
        "scale",
        "quality",
        "pressure",
        "frequency",
        "resolution",
        "year",
        "day",
        "hand",
    }
    | {
        "order",
        "rate",
        "risk",
        "cost",
        "size",
        "sized",
        "lived",
        "lasting",
        "standing",
        "dimensional",
        "century",
        "grade",
    }
)
# Second parts: computer-based, post-war. Behind a prefix that is never written with a hyphen they are a part of a word.
_SECOND_PARTS = frozenset(
    ["based", "related", "specific", "oriented", "driven", "known", "called", "war", "made", "owned"]
)
_INSEPARABLE = frozenset(["un", "re", "dis", "mis", "cor", "inter", "over", "under", "fore", "out", "in", "de"])
# A prefix before its own last vowel: anti-inflammatory.
_PREFIXES = frozenset(["anti", "semi", "multi", "pre", "re", "de", "co", "micro", "pseudo", "neo", "intra", "ultra"])
# Words within a compound of several: mother-in-law, up-to-date.
_WITHIN = re.compile(r"\w-$")
_LINKS = frozenset(
    ["in", "to", "of", "the", "on", "up", "and", "by", "at", "de", "la", "le", "sur", "sous", "von", "for"]
)
# A part that is left out in front: pre- and post-war.
_SUSPENDED = re.compile(r"[^\W\d_]+- (?:and|or|to) $")


def is_compound(context: str, first: str, second: str) -> bool:
    """Whether a word that is divided into two parts is known to have a hyphen there.

    context: what stands in front of it.
    """
    if len(first) > 1 and first.isupper():  # an abbreviation: NATO-led
        return True
    first, second = first.casefold(), second.casefold()
    return (
        (first in _BEGINNINGS and second not in _ENDINGS)
        or (first in _NUMBERS and second not in _BEHIND_NUMBERS)
        or (first in _QUALITIES and second in _QUALIFIED)
        or (second in _SECOND_PARTS and first not in _INSEPARABLE)
        or (first in _PREFIXES and first[-1] == second[0])
        or (first in _LINKS and _WITHIN.search(context) is not None)
        or _SUSPENDED.search(" ".join(context.split()) + context[-1:].replace("\n", " ")) is not None
    )
