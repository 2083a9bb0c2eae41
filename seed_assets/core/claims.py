"""What a text says, one thing after the other. What belongs here: cutting a text into claims. What does not: whether they
are true of a source (judging).
"""

import re

from seed_assets.core.sentences import Span, split_long, split_sentences
from seed_assets.core.words import count_words

# A longer sentence says several things; it is cut where it pauses.
_LONGEST_WORDS = 60
_SHORTEST_WORDS = 8
_PAUSE = re.compile(r"[;；；]\s*|(?:\s[–—]\s)|,\s+(?=(?:and|but|while|which|where|who|und|aber|et|mais|y|pero)\s)")


def claims_of(text: str) -> list[str]:
    """The claims of a text in order, each with its white space collapsed; all of the text's words are in one of them.

    A claim is a sentence; one of more than 60 words is cut at its pauses, or else anywhere between words. A text
    without a letter or digit claims nothing.
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
    pieces: list[Span] = []
    start = span[0]
    for pause in _PAUSE.finditer(text, *span):
        cut = pause.end()
        enough = count_words(text[start:cut]) >= _SHORTEST_WORDS
        if enough and count_words(text[cut : span[1]]) >= _SHORTEST_WORDS:
            pieces.append((start, cut))
            start = cut
    return [*pieces, (start, span[1])]
