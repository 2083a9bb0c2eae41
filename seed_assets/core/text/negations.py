"""Negations in a text. What belongs here: the words that negate, in several languages. What does not: whether a source
negates the same (evidence).
"""

import re
from collections.abc import Iterator

from seed_assets.core.text.words import Span

# Words that negate in one of these languages and are not common words of another.
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


def negations_in(text: str) -> Iterator[Span]:
    """Return the spans of the words and parts of words that negate, in order."""
    return (match.span() for match in _NEGATION.finditer(text))
