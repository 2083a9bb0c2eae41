"""Cutting a long text at its largest boundaries. What belongs here: cutting in time proportional to the text's length. What
does not: what the pieces are used for (chunking, text_parts).

For every piece, the Rust crate text-splitter reads from the beginning of the piece to the end of its line, sentence or word;
in a text without such ends it reads the whole rest, which takes quadratic time. It therefore gets one window of the text at
a time. The end of a piece depends only on the text shortly after it, so the pieces are the same as for the whole text.
"""

from collections.abc import Iterator

# Sizes of a window and of its margin, in lengths of a piece; chosen by judgement. Pieces that end in the margin might end
# there only because the window does, so they are cut again in the next window.
_WINDOW, _MARGIN = 16, 4


def pieces_of(text: str, characters: int, overlap: int = 0) -> list[tuple[int, str]]:
    """Return (start in characters, piece) for pieces of at most `characters` characters, trimmed of white space, in order.

    The text is cut at the largest boundary that fits: blank lines, lines, sentences, words, characters. Neighbours share
    at most `overlap` characters. Every character that is not white space is in a piece.
    """
    return list(pieces_between(text, 0, len(text), characters, overlap))


def pieces_between(text: str, start: int, end: int, characters: int, overlap: int = 0) -> Iterator[tuple[int, str]]:
    """Yield the pieces of the part of a text between two offsets, with their starts in the text; see pieces_of."""
    from semantic_text_splitter import TextSplitter

    splitter = TextSplitter(characters, overlap=overlap)
    size, kept_until = _WINDOW * characters, (_WINDOW - _MARGIN) * characters
    while end - start > size:
        pieces = splitter.chunk_indices(text[start : start + size])
        whole = [(start + at, piece) for at, piece in pieces if at + len(piece) <= kept_until]
        yield from whole
        # The next window begins with the first piece that was not kept. If all were kept, the margin contains only blanks.
        start += pieces[len(whole)][0] if len(whole) < len(pieces) else kept_until
    yield from ((start + at, piece) for at, piece in splitter.chunk_indices(text[start:end]))
