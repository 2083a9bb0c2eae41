"""What was read of each page of a document with pages, and how pages become one text.

What belongs here: the problems of pages, what a picture of a page adds, joining pages, and the warnings about pages. What
does not: reading a page (pdf.pages, ocr.engine).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate

from seed_assets.core.reading.extracted_text import ExtractedText, PageScan
from seed_assets.core.reading.ocr.languages import covers, other_language
from seed_assets.core.reading.ocr.picture_reader import ReadingRules
from seed_assets.core.reading.ocr.scanned_page import LEAST_CONFIDENCE, SURE_CONFIDENCE, PictureText, ScannedEdge
from seed_assets.core.reading.pdf.hyphenation import joined_hyphens
from seed_assets.core.reading.pdf.normal_pages import normalised_pages
from seed_assets.core.reading.pdf.running.edge_lines import EdgeLine
from seed_assets.core.reading.pdf.running.running_lines import without_running_lines
from seed_assets.core.reading.pdf.tables.table_pages import goes_on, with_tables_joined

DAMAGED, GARBLED, PICTURE, EMPTY = "damaged", "garbled", "a picture", "empty"
ILLEGIBLE, TEXTLESS, MOSTLY_PICTURE = "illegible", "without text", "mostly a picture"
BLANK = "the picture of an empty page"
SHOW_NOTHING = frozenset({EMPTY, BLANK})
"""The problems of pages that show nothing."""
UNREAD = frozenset({DAMAGED, GARBLED, PICTURE, ILLEGIBLE})
"""The problems of pages that show something that was not read."""
READ_AS_PICTURES = frozenset({GARBLED, PICTURE, MOSTLY_PICTURE})
"""The problems of pages whose picture may say more."""
PAGE_MARK = "\ufdd0"
"""Stands at the beginning of each page until the text has its final form; Unicode keeps it free for such uses."""
# For one page, and for several.
_SAID = {
    PICTURE: ("holds no text: it is a picture or a scan", "hold no text: they are pictures or scans"),
    MOSTLY_PICTURE: (
        "holds a few words beside a picture that was not read",
        "hold a few words beside pictures that were not read",
    ),
    GARBLED: (
        "cannot be read: its fonts do not say which letters they show",
        "cannot be read: their fonts do not say which letters they show",
    ),
    ILLEGIBLE: ("is a picture that is not legible", "are pictures that are not legible"),
    TEXTLESS: ("is a picture in which no text was found", "are pictures in which no text was found"),
    DAMAGED: ("is damaged", "are damaged"),
}
# A picture of a page with a few words must say so much more than they to replace them.
_MUCH_MORE = 1.5
# A line of the text layer is in the picture if so many of its words are.
_MOST = 0.6
# Stands for the height of a line of a scan, in points.
_SCANNED_LINE = 20.0


@dataclass(frozen=True, slots=True)
class PageText:
    """What was read of a page.

    text: "" if nothing was.
    problem: why something that the page shows was not read, EMPTY if it shows nothing, otherwise "".
    has_fields: whether there are fields of a form on it, or notes.
    edges: the lines at its top and bottom.
    table_columns: for each of its tables where the columns begin.
    scan: how its picture was read, if that is where the text is from.
    """

    text: str
    problem: str = ""
    has_fields: bool = False
    edges: tuple[EdgeLine, ...] = ()
    table_columns: tuple[tuple[float, ...], ...] = ()
    scan: PictureText | None = None


def with_picture(page: PageText, picture: PictureText, rules: ReadingRules) -> PageText:
    """Return a page with what was read of its picture. In a script that was not asked for, only nonsense is read."""
    legible = bool(picture.text) and picture.confidence >= LEAST_CONFIDENCE and not picture.problem
    legible = legible and not other_script(picture, rules)
    if picture.is_blank:
        return replace(page, problem="" if page.text else BLANK)
    if legible:
        edges = tuple(
            EdgeLine(line.text, _height_of(line), line.is_top, line.depth, line.gap) for line in picture.edges
        )
        if page.problem == MOSTLY_PICTURE and len(picture.text) < _MUCH_MORE * len(page.text):
            return replace(page, problem="")
        text = "\n".join((picture.text, *_not_in(picture.text, page.text.split("\n"))))
        return PageText(text, "", page.has_fields, edges, scan=picture)
    if page.problem == MOSTLY_PICTURE:
        return replace(page, problem="")
    if page.problem == PICTURE:
        return replace(page, problem=ILLEGIBLE if picture.text or picture.problem else TEXTLESS, scan=picture)
    return replace(page, scan=picture)


def _not_in(text: str, lines: Iterable[str]) -> list[str]:
    """Return the lines most of whose words are not in a text, such as a stamp over what was scanned."""
    found = set(_words(text))
    return [
        line for line in lines if (words := _words(line)) and sum(word in found for word in words) < _MOST * len(words)
    ]


def _words(text: str) -> list[str]:
    return ["".join(filter(str.isalnum, word)).casefold() for word in text.split() if any(map(str.isalnum, word))]


def other_script(picture: PictureText, rules: ReadingRules) -> str:
    """Return the script of a doubtful picture if no language that was asked for is written in it; otherwise ""."""
    doubtful = picture.script and picture.confidence < SURE_CONFIDENCE
    return picture.script if doubtful and not covers(rules.languages, picture.script) else ""


def remedy_for_unread(pages: Sequence[PageText], rules: ReadingRules) -> str:
    """Return what to do about pages that were not legible."""
    if rules.without_ocr:
        return rules.without_ocr
    scripts = sorted({script for page in pages if page.scan and (script := other_script(page.scan, rules))})
    if scripts:
        return (
            f"Install Tesseract's data for a language in {' and '.join(scripts)} script, and add its code to ocr.languages "
            f"({', '.join(rules.languages)})."
        )
    return "Scan it again with more contrast and at 300 dpi, or list it in .seedbankignore."


def pages_to_scan(pages: Sequence[PageText], pictures: Mapping[int, PictureText]) -> list[int]:
    """Return the numbers of the pages whose pictures have to be read and were not."""
    return [n for n, page in enumerate(pages) if page.problem in READ_AS_PICTURES and n not in pictures]


def unread(pages: Sequence[PageText]) -> list[int]:
    """Return the numbers of pages that show something that was not read."""
    return [number for number, page in enumerate(pages) if page.problem in UNREAD]


def document_of(
    pages: Sequence[PageText], title: str, parts: Iterable[str] = (), warnings: Iterable[str] = ()
) -> ExtractedText:
    """Return the document that these pages are, with warnings about them.

    An empty line separates pages, unless a sentence or a table continues on the next page. Hyphenated words are joined, and lines
    that are repeated at the edges of pages are left out.

    title: "" if the document has none. parts: texts after the pages.
    """
    texts = without_running_lines([page.text for page in pages], [page.edges for page in pages], title)
    texts = with_tables_joined(texts, [page.table_columns for page in pages])
    text = "\n\n".join(filter(None, [_joined_pages(texts), *parts]))
    text, page_starts = _with_page_starts(normalised_pages(joined_hyphens(text), PAGE_MARK))
    scans = tuple(
        PageScan(number, page.scan.picture, round(page.scan.confidence, 2))
        for number, page in enumerate(pages)
        if page.scan is not None and not page.problem
    )
    return ExtractedText(text, title, warnings=(*page_warnings(pages), *warnings), page_starts=page_starts, scans=scans)


def page_warnings(pages: Sequence[PageText]) -> list[str]:
    """Say which pages were not read, one sentence for each reason."""
    warnings: list[str] = []
    for problem, said in _SAID.items():
        numbers = [number for number, page in enumerate(pages) if page.problem == problem]
        if numbers:
            warnings.append(
                f"{_pages(numbers, len(pages))[0]} {said[len(numbers) > 1]}{_pages(numbers, len(pages))[1]}."
            )
    return warnings


def scan_warnings(pages: Sequence[PageText], rules: ReadingRules) -> list[str]:
    """Say which pages were read with doubt, and in which language or script they seem to be if it was not asked for.

    Empty pages are named only if a scan has many of them, since the backs of pages are often empty.
    """
    languages = rules.languages
    warnings: list[str] = []
    blank = [number for number, page in enumerate(pages) if page.problem == BLANK]
    if len(blank) > rules.most_unread_pages * len(pages):
        count, where = _pages(blank, len(pages))
        warnings.append(
            f"{count} {'is the picture of an empty page' if len(blank) == 1 else 'are pictures of empty pages'}{where}."
        )
    scans = {number: page.scan for number, page in enumerate(pages) if page.scan is not None}
    doubtful = [n for n, scan in scans.items() if not pages[n].problem and scan.confidence < SURE_CONFIDENCE]
    if doubtful:
        count, where = _pages(doubtful, len(pages))
        warnings.append(f"{count} {'was' if len(doubtful) == 1 else 'were'} read with doubt by OCR{where}.")
    asked = ", ".join(languages)
    for script in sorted({script for scan in scans.values() if (script := other_script(scan, rules))}):
        numbers = [n for n, scan in scans.items() if scan.script == script]
        count, where = _pages(numbers, len(pages))
        seems = "seems" if len(numbers) == 1 else "seem"
        warnings.append(
            f"{count} {seems} to be in {script} script, which ocr.languages ({asked}) does not have{where}."
        )
    words = " ".join(scan.text for n, scan in scans.items() if not pages[n].problem).casefold().split()
    if language := other_language(words, languages):
        warnings.append(f"What was read by OCR seems to be {language}, which ocr.languages ({asked}) does not have.")
    return warnings


def _height_of(line: ScannedEdge) -> float:
    """Return a height by which lines of several pages can be compared: each scan has another margin."""
    return _SCANNED_LINE * (-line.depth if line.is_top else line.depth)


def _joined_pages(pages: Sequence[str]) -> str:
    """Join pages by empty lines, or by a line end where a sentence or a table goes on; each begins with PAGE_MARK."""
    pieces: list[str] = []
    before = ""
    for page in pages:
        if page and before:
            continues = page[0].islower() and before[-1] not in ".!?:;"
            pieces.append("\n" if continues or goes_on(before, page) else "\n\n")
        pieces += (PAGE_MARK, page)
        before = page or before
    return "".join(pieces)


def _with_page_starts(marked: str) -> tuple[str, tuple[int, ...]]:
    """Return (the text without marks, where each page begins)."""
    pages = marked.split(PAGE_MARK)
    lengths = accumulate(map(len, pages[:-1]))
    return "".join(pages), tuple(lengths)


def _pages(numbers: Sequence[int], of_all: int) -> tuple[str, str]:
    """Return ("3 of 12 pages", " (pages 2, 5 to 6)"). numbers: from 0."""
    if of_all == 1:
        return "Its only page", ""
    return f"{len(numbers):,} of {of_all:,} pages", f" ({_listed(number + 1 for number in numbers)})"


def _listed(numbers: Iterable[int]) -> str:
    """Return page numbers with ranges: "pages 2, 5 to 9"."""
    ranges: list[list[int]] = []
    for number in numbers:
        if ranges and number == ranges[-1][1] + 1:
            ranges[-1][1] = number
        else:
            ranges.append([number, number])
    written = [str(first) if first == last else f"{first} to {last}" for first, last in ranges]
    single = len(ranges) == 1 and ranges[0][0] == ranges[0][1]
    return f"page{'' if single else 's'} {', '.join(written[:20])}{', …' if len(written) > 20 else ''}"
