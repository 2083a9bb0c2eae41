"""The title of a PDF: of its metadata, unless a program wrote it there, otherwise the line in large print on its first page."""

import re
from collections.abc import Sequence
from contextlib import closing
from typing import TYPE_CHECKING

from seed_assets.core.reading.pdf.hidden_glyphs import characters_of
from seed_assets.core.reading.titles import cleaned_metadata_title, cleaned_title

if TYPE_CHECKING:
    from pypdfium2 import PdfDocument, PdfTextPage

# Names that programs and scanners give, in the languages in which they were seen: "Book1", "scan0001", "Presentation 3".
_GIVEN_BY_A_PROGRAM = re.compile(
    r"(?:book|layout|presentation|print(?:out)?|test|scan(?:ned)?|img|image|doc|document|dokument|documento|page|seite|slide|"
    r"sheet|tabelle|file|datei|new|neu|copy of .*|kopie von .*|noname|output|temp|tmp|draft|version|report|form|fax|template|"
    r"vorlage|mappe|präsentation|drawing|zeichnung|figure|job|acr[a-f0-9]+|crystal reports?.*)[\s_.-]*\d*(?:[\s_.-]?v?\d+)*",
    re.IGNORECASE,
)
_PATH = re.compile(r"(?:[a-z]:)?[\\/].*|.*[\\/].*[\\/].*|(?:https?|file):.*|.*\.[a-z][a-z0-9]{1,4}", re.IGNORECASE)
# Without a word of at least two letters in a row that is not part of a number: "10811", "20240131_1204", "A-17".
_NAMES_NOTHING = re.compile(r"(?:[\W\d_]|\b[^\W\d_]\b|(?<=\d)[^\W\d_]+|[^\W\d_]{1,3}(?=[\d_-]))*")
# The first page is looked at up to so many characters; a title comes early.
_FIRST_CHARACTERS = 600
# Print is large if it is so much larger than most of the page. Both were chosen by judgement, as was the number of lines.
_LARGER = 1.15
_SAME_SIZE = 0.06
_MOST_LINES = 4
_LETTERS_OF_A_LINE = 9


def title_of(document: "PdfDocument", first_page: str) -> str:
    """Return the title of a document; "" if neither its metadata nor large print has one.

    first_page: the text of its first page, which shows whether a short title in the metadata is one, or the name of a program.
    """
    named = cleaned_metadata_title(document.get_metadata_value("Title"))
    if named and not _is_no_title(named):
        if " " in named or named.casefold() in " ".join(first_page.split()).casefold():
            return named
        return _large_print(document, first_page) or named
    return _large_print(document, first_page)


def _is_no_title(named: str) -> bool:
    return any(pattern.fullmatch(named) for pattern in (_GIVEN_BY_A_PROGRAM, _PATH, _NAMES_NOTHING))


def _large_print(document: "PdfDocument", first_page: str) -> str:
    """Return the first lines of the first page that are larger than most of it; "" if it could not be read."""
    from pypdfium2 import PdfiumError

    if not first_page:
        return ""
    try:
        with closing(document[0]) as page, closing(characters_of(page)[0]) as text_page:
            lines = _sized_lines(text_page)
    except PdfiumError:
        return ""
    if len(lines) < 2:
        return ""
    usual = _usual_size(lines)
    largest = max(size for _, size in lines)
    if largest < _LARGER * usual:
        return ""
    first = next(place for place, (_, size) in enumerate(lines) if size >= (1 - _SAME_SIZE) * largest)
    title: list[str] = []
    for text, size in lines[first : first + _MOST_LINES]:
        if size < (1 - _SAME_SIZE) * largest:
            break
        title.append(text)
    return cleaned_metadata_title(" ".join(title))


def _sized_lines(page: "PdfTextPage") -> list[tuple[str, float]]:
    """Return (text, size of its print in points) of each line with letters."""
    from pypdfium2 import raw

    count = min(page.count_chars(), _FIRST_CHARACTERS)
    characters = [chr(raw.FPDFText_GetUnicode(page.raw, number)) for number in range(count)]
    lines: list[tuple[str, float]] = []
    start = 0
    for text in "".join(characters).replace("\x00", " ").split("\n"):
        letters = [start + place for place, character in enumerate(text) if character.isalpha()][:_LETTERS_OF_A_LINE]
        sizes = sorted(filter(None, (_print_size(page, number) for number in letters)))
        if len(sizes) > 2 and cleaned_title(text):
            lines.append((text.strip(), sizes[len(sizes) // 2]))
        start += len(text) + 1
    return lines


def _print_size(page: "PdfTextPage", number: int) -> float:
    """Return the height of the font in which a character is drawn; that of the character itself depends on its form."""
    from pypdfium2 import raw

    box = raw.FS_RECTF()
    return abs(box.top - box.bottom) if raw.FPDFText_GetLooseCharBox(page.raw, number, box) else 0.0


def _usual_size(lines: Sequence[tuple[str, float]]) -> float:
    """Return the size that half of the characters do not exceed."""
    sizes = sorted((size, len(text)) for text, size in lines)
    half, passed = sum(count for _, count in sizes) / 2, 0
    for size, count in sizes:
        passed += count
        if passed >= half:
            return size
    return 0.0
