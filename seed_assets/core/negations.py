"""Where a text says that something is not so. What belongs here: the words that negate, by language, and their reach.
What does not: whether a source says the same (evidence).
"""

import re
from collections.abc import Iterator

from seed_assets.core.words import WORD

Span = tuple[int, int]

# Words that negate in one of these languages and mean nothing common in another.
_LISTED = """
not never no cannot without none nobody nothing neither nor nowhere
nicht nie niemals kein keine keinen keinem keiner keines nichts niemand ohne weder
ne pas jamais aucun aucune rien sans ni
nunca jamás ningún ninguno ninguna nada nadie
non nessun nessuno nessuna niente nulla senza né
não nenhum nenhuma ninguém sem
niet geen nooit niets zonder
не нет ни никогда без нельзя никто ничего
لا لم لن ليس ليست بدون دون غير
δεν μην όχι ποτέ χωρίς
değil yok hiç asla
नहीं न ना कभी बिना
không chưa chẳng
nu nici niciodată fără
"""
_WORDS = sorted(set(_LISTED.split()), key=lambda word: (-len(word), word))
_NEGATION = re.compile(
    rf"(?<!\w)(?:{'|'.join(_WORDS)})(?!\w)"
    r"|(?<=\w)n['’]t(?!\w)|不|没|沒|未(?![来來])|無|ない|なかった|ません|ไม่|มิได้",
    re.IGNORECASE,
)
_BEFORE, _AFTER = 3, 5


def negations_in(text: str) -> Iterator[Span]:
    """Where the words, or parts of words, are that negate, in order, from start to end in characters."""
    return (match.span() for match in _NEGATION.finditer(text))


def negated(text: str) -> str:
    """What the negations in a text are about, about: the three words before each and the five after it."""
    spans = list(negations_in(text))
    if not spans:
        return ""
    words = list(WORD.finditer(text))
    kept: set[int] = set()
    for start, end in spans:
        before = sum(word.end() <= start for word in words)
        after = sum(word.start() < end for word in words)
        kept.update(range(max(0, before - _BEFORE), before), range(after, min(len(words), after + _AFTER)))
    return " ".join(words[place].group() for place in sorted(kept))
