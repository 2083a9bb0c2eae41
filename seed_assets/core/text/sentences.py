"""Splitting a text into sentences by rules. What belongs here: the offsets of sentences. What does not: choosing sentences.

The text is first split into blocks. Blank lines, lines without a letter (rules, underlines), list items, headings and table
rows end a block, and no sentence extends beyond its block; a single line break inside a block counts as a space. Within a
block, a sentence ends at a full stop, question mark or exclamation mark of any script, unless the full stop belongs to an
abbreviation, an initial or a number, or the text continues in lower case. ADR 0025 compares these rules with libraries.
"""

import re
from collections.abc import Iterator

from seed_assets.core.text.words import LONGEST_WORD, UNSPACED, WORD, Span, count_words

_LINE = re.compile(r"([^\n\r\x0b\x0c\u2028\u2029]*)(?:\r\n|[\n\r\x0b\x0c\u2028\u2029]|\Z)")
_ITEM = re.compile(r"\s*(?:[-*+•‣◦▪–—]|\(?(?:\d{1,3}|[a-zA-Z])[.)]|#{1,6}|\.\.)\s+")
_ONE_LINE = re.compile(r"\s*(?:#{1,6}\s|\|)")
# A heading without a blank line after it is shorter than a line of hard-wrapped prose; chosen by judgement.
_HEADING_CHARACTERS = 50

_CLOSERS = "\"'”’»›)\\]}」』）】*_"
_END = re.compile(
    rf"[。！？｡]+[{_CLOSERS}]*"  # these marks need no space after them
    # A run of marks is matched only as a whole.
    rf"|(?<![.!?…؟۔।॥։።])[.!?…؟۔।॥։።]++[{_CLOSERS}]*+(?=\s)"
)
_NEXT = re.compile(r"[\s\"'“‘„«‹(\[{「『（【¿¡–—*_`]*(\w+)")
_PIECE_BEFORE = re.compile(r"[^\s(\[\"“„'‘]*$")
# The most characters before a full stop that are looked up as an abbreviation; no listed one is longer.
_LONGEST_ABBREVIATION = 12
_UNIT = re.compile(rf"{UNSPACED.pattern}|[^\s{UNSPACED.pattern[1:-1]}]{{1,{LONGEST_WORD}}}")


def _listed(words: str) -> frozenset[str]:
    return frozenset(words.split())


# Abbreviations that never end a sentence, and those such as "no." that do not end one if a number follows.
_LEADING = _listed(
    "mr mrs ms dr prof st rev gen capt lt col sgt cmdr gov sen rep hon messrs mme mlle e.g i.e cf vs viz fig figs eq "
    "eqs sec vol vols ed eds approx ca z.b d.h u.a o.ä vgl bzw nr hr fr hrsg sog ggf evtl sra srta"
)
_BEFORE_NUMBER = _listed("no nos p pp art ch abb s bd jan feb mar apr jun jul aug sep sept oct nov dec okt dez")
# German writes an ordinal with a full stop: "am 3. Oktober".
_AFTER_ORDINAL = _listed(
    "januar februar märz april mai juni juli august september oktober november dezember jahrhundert jahrhunderts"
)


def split_sentences(text: str) -> list[Span]:
    """Return the spans of the sentences, in order, without overlap, trimmed of white space, each with a letter or digit.

    Every word of the text is in one of them, except for the markers of list items.
    """
    return [span for block in _blocks(text) for span in _sentences(text, *block)]


def split_long(text: str, span: Span, words: int) -> list[Span]:
    """Cut a span between words into pieces of at most `words` words (1 or more); a short one is returned as it is."""
    if count_words(text[slice(*span)]) <= words:
        return [span]
    pieces: list[Span] = []
    start, end = span[0], span[0]
    held = 0.0
    for unit_start, unit_end, weight in _units(text, span):
        if held and held + weight > words:
            pieces.append((start, end))
            start, held = unit_start, 0.0
        end, held = unit_end, held + weight
    return [*pieces, (start, end)]


def _units(text: str, span: Span) -> Iterator[tuple[int, int, float]]:
    for match in _UNIT.finditer(text, *span):
        yield *match.span(), 0.5 if UNSPACED.match(match.group()) else 1.0


def _blocks(text: str) -> Iterator[Span]:
    start = end = 0
    lines = 0
    for match in _LINE.finditer(text):
        line = match.span(1)
        if WORD.search(text, *line) is None:
            if lines:
                yield start, end
            lines = 0
            continue
        item = _ITEM.match(text, *line)
        if item and WORD.search(text, item.end(), line[1]) is None:
            item = None
        single = _ONE_LINE.match(text, *line)
        if lines and (item or single or (lines == 1 and _is_heading(text, (start, end), line))):
            yield start, end
            lines = 0
        if not lines:
            start = item.end() if item else line[0]
        end = line[1]
        lines += 1
        if single:
            yield start, end
            lines = 0
    if lines:
        yield start, end


def _is_heading(text: str, block: Span, line: Span) -> bool:
    heading = text[slice(*block)].strip()
    following = text[slice(*line)].lstrip()
    return (
        len(heading) < _HEADING_CHARACTERS
        and (heading[-1].isalnum() or heading[-1] in ")*_")
        and heading[0].isupper()
        and following[0].isupper()
        and len(following) > len(heading)
    )


def _sentences(text: str, block_start: int, block_end: int) -> Iterator[Span]:
    start = block_start
    for match in _END.finditer(text, block_start, block_end):
        if match.start() >= start and _ends_sentence(text, start, match, block_end):
            yield from _trimmed(text, start, match.end())
            start = match.end()
    yield from _trimmed(text, start, block_end)


def _trimmed(text: str, start: int, end: int) -> Iterator[Span]:
    piece = text[start:end]
    if WORD.search(piece):
        yield start + len(piece) - len(piece.lstrip()), end - len(piece) + len(piece.rstrip())


def _ends_sentence(text: str, start: int, mark: re.Match[str], block_end: int) -> bool:
    following = _NEXT.match(text, mark.end(), block_end)
    if following is None:
        return True
    word = following.group(1)
    if word[0].islower() and mark.group()[0] not in "。！？｡":
        return False
    if mark.group() != ".":
        return True
    before = _PIECE_BEFORE.search(text, max(start, mark.start() - _LONGEST_ABBREVIATION), mark.start())
    piece = before.group() if before else ""
    folded = piece.casefold()
    if folded in _LEADING or (folded in _BEFORE_NUMBER and word[0].isdigit()):
        return False
    if len(piece) == 1 and piece.isalpha() and piece != "I" and (piece.isupper() or len(word) == 1):
        return False  # an initial, or the first half of "z. B."
    return not (piece.isdigit() and len(piece) <= 2 and word.casefold() in _AFTER_ORDINAL)
