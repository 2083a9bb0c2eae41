"""Claims: the separate statements of a text. What belongs here: cutting a text into claims. What does not: whether a source
supports them (judging).
"""

import re
from bisect import bisect_left
from itertools import islice

from seed_assets.core.text.sentences import split_long, split_sentences
from seed_assets.core.text.words import Span, count_words

# All three were chosen by judgement. A sentence of more words makes several statements; it is cut at its pauses.
_LONGEST_WORDS = 60
# No piece that is cut off at a pause has fewer words.
_SHORTEST_WORDS = 8
# At most this many pauses of a sentence are considered, to bound the time; what follows the last is cut between words.
_MOST_PAUSES = 256
_PAUSE = re.compile(r"[;；；]\s*|(?:\s[–—]\s)|,\s+(?=(?:and|but|while|which|where|who|und|aber|et|mais|y|pero)\s)")


def claims_of(text: str) -> list[str]:
    """Return the claims of a text in order, with white space collapsed; every word of the text is in one of them.

    A claim is a sentence. A sentence of more than 60 words is cut at its pauses, and where it has none, between words.
    A text without a letter or digit has no claims.
    """
    return [
        " ".join(text[slice(*piece)].split())
        for span in split_sentences(text)
        for pause in _pieces(text, span)
        for piece in split_long(text, pause, _LONGEST_WORDS)
    ]


def _pieces(text: str, span: Span) -> list[Span]:
    if count_words(text[slice(*span)]) <= _LONGEST_WORDS:
        return [span]
    cuts = [pause.end() for pause in islice(_PAUSE.finditer(text, *span), _MOST_PAUSES)]
    # A binary search works because the later a cut is, the fewer words follow it.
    leaving = bisect_left(cuts, True, key=lambda cut: count_words(text[cut : span[1]]) < _SHORTEST_WORDS)
    pieces: list[Span] = []
    start = span[0]
    for cut in cuts[:leaving]:
        if count_words(text[start:cut]) >= _SHORTEST_WORDS:
            pieces.append((start, cut))
            start = cut
    return [*pieces, (start, span[1])]
