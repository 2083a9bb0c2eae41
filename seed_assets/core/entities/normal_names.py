"""Forms of names in which they are compared. What belongs here: the normal form, the key of equal names, acronyms. What does
not: which names are of one entity (aliases within a document, and resolution over documents).
"""

import re
from functools import lru_cache
from typing import Final

from seed_assets.core.entities.gazetteer import listed
from seed_assets.core.text.unicode_forms import normal_form
from seed_assets.core.text.words import MARKS

_SIGNS = re.compile(rf"[^\w{MARKS}]+")
_POSSESSIVE = re.compile(r"['’]s\b")
_DOTS = re.compile(r"(?<=\b\w)\.(?=\w\b|\s|$)")
_ARTICLE = re.compile(r"^(?:the|a|an|der|die|das|den|dem|le|la|les|los|las) (?=\w)")
_LEGAL_FORMS: Final = listed(
    "inc incorporated corp corporation ltd limited llc llp plc co company gmbh ag kg kgaa mbh se sa sarl sas spa srl bv nv "
    "ab oy as pty holdings"
)
_SMALL: Final = listed("of the and for on in de la du des und für der die das et")
# Longer names have no acronym that is used.
_MOST_ACRONYM_WORDS = 12


@lru_cache(65_536)
def normal_name(name: str) -> str:
    """Return a name in lower case, without accents' variants of Unicode, article, possessive ending, signs and extra spaces."""
    folded = normal_form("NFKC", _POSSESSIVE.sub("", name)).casefold()
    words = _SIGNS.sub(" ", _DOTS.sub("", folded)).replace("_", " ").split()
    return _ARTICLE.sub("", " ".join(words), count=1) if words else ""


def name_key(normal: str) -> str:
    """Return what two spellings of one name have in common ("System Admin", "SystemAdmin"): its letters and digits.

    A legal form at its end does not count ("Acme Inc." and "Acme"), unless nothing else is left.

    normal: see normal_name.
    """
    words = normal.split()
    while len(words) > 1 and words[-1] in _LEGAL_FORMS:
        words.pop()
    return "".join(words)


def acronyms(normal: str) -> frozenset[str]:
    """Return the acronyms that a name of several words may have: of all its words, and of those that are not small.

    A legal form at its end may count or not ("International Business Machines Corp." is IBM).
    """
    words = normal.split()[:_MOST_ACRONYM_WORDS]
    bare = list(words)
    while len(bare) > 1 and bare[-1] in _LEGAL_FORMS:
        bare.pop()
    found = {
        "".join(word[0] for word in chosen)
        for one in (words, bare)
        for chosen in (one, [word for word in one if word not in _SMALL])
    }
    return frozenset(acronym for acronym in found if len(acronym) > 1)
