"""The text of a PDF, page by page. What does not belong here: reading one page (pages), and pictures (nothing is rendered).

A page of which nothing can be read is named in a warning; a document most of whose pages are such pages is a failure.
"""

import logging
import re
from collections.abc import Iterable, Sequence
from contextlib import closing
from itertools import accumulate
from typing import TYPE_CHECKING

from resources.errors import DocumentError
from seed_assets.core.reading.extracted_text import ExtractedText, normalised
from seed_assets.core.reading.pdf import failures
from seed_assets.core.reading.pdf.attachments import Attachments
from seed_assets.core.reading.pdf.hyphenation import joined_hyphens
from seed_assets.core.reading.pdf.page_tree import with_all_pages
from seed_assets.core.reading.pdf.pages import DAMAGED, EMPTY, GARBLED, PICTURE, PageText, page_text
from seed_assets.core.reading.pdf.pdf_titles import title_of

if TYPE_CHECKING:
    from pypdfium2 import PdfDocument

MOST_UNREAD_PAGES = 0.5
"""The largest share of a document's pages that may be unread; chosen by judgement. Pages that show nothing do not count."""
# A portfolio may be a part of another one, and in a hostile file of itself. Chosen by judgement.
_MOST_DEEP = 2
PAGE_MARK = "\ufdd0"
"""Stands at the beginning of each page until the text has its final form; Unicode keeps it free for such uses."""
# For one page, and for several.
_SAID = {
    PICTURE: ("holds no text: it is a picture or a scan", "hold no text: they are pictures or scans"),
    GARBLED: (
        "cannot be read: its fonts do not say which letters they show",
        "cannot be read: their fonts do not say which letters they show",
    ),
    DAMAGED: ("is damaged", "are damaged"),
}
# The page of a dynamic form, in whatever language, names the program that shows the form, and is short.
_LONGEST_WAIT = 2_500
_WAITS = re.compile(r"\badobe\b|please wait", re.IGNORECASE)


def read_pdf(data: bytes, depth: int = 0) -> ExtractedText:
    """Read a PDF, with hyphenated words joined.

    An empty line separates pages, unless a sentence continues on the next page. An encrypted file that opens without a password
    is read.

    depth: how many portfolios the file is a part of.

    Raises DocumentError for a file that needs a password, is not a PDF, is damaged as a whole, has no pages or no text, or has
    more unread pages than MOST_UNREAD_PAGES.
    """
    if depth > _MOST_DEEP:
        raise DocumentError("portfolios are contained in each other too deeply.", "Take the files out of them.")
    document = _opened(data)
    with closing(document):
        if document.get_formtype():
            # It warns that this build of pdfium does not lay out XFA forms, which is said of the document otherwise.
            logging.getLogger("pypdfium2").setLevel(logging.ERROR)
            document.init_forms()
        pages = [page_text(document, number) for number in range(len(document))]
        if any(page.problem == DAMAGED for page in pages) and (completed := with_all_pages(data)) is not None:
            with closing(_opened(completed)) as other:
                pages += [page_text(other, number) for number in range(len(pages), len(other))]
        attachments = Attachments(document, data, lambda part: read_pdf(part, depth + 1).text)
        _refuse_unread(document, pages, has_parts=attachments.is_portfolio)
        title = title_of(document, pages[0].text)
        parts, warnings = attachments.read()
    text = "\n\n".join(filter(None, [_joined_pages([page.text for page in pages]), *parts]))
    text, page_starts = _with_page_starts(normalised(joined_hyphens(text)))
    return ExtractedText(text, title, warnings=(*_page_warnings(pages), *warnings), page_starts=page_starts)


def _opened(data: bytes) -> "PdfDocument":
    import pypdfium2

    try:
        return pypdfium2.PdfDocument(data)
    except pypdfium2.PdfiumError as error:
        raise failures.not_opened(data, error) from error


def _joined_pages(pages: Sequence[str]) -> str:
    """Join pages by empty lines, or by a line end where a sentence goes on; each begins with PAGE_MARK."""
    pieces: list[str] = []
    last = ""
    for page in pages:
        if page and last:
            pieces.append("\n" if page[0].islower() and last not in ".!?:;" else "\n\n")
        pieces += (PAGE_MARK, page)
        last = page[-1:] or last
    return "".join(pieces)


def _with_page_starts(marked: str) -> tuple[str, tuple[int, ...]]:
    """Return (the text without marks, where each page begins)."""
    pages = marked.split(PAGE_MARK)
    lengths = accumulate(map(len, pages[:-1]))
    return "".join(pages), tuple(lengths)


def _refuse_unread(document: "PdfDocument", pages: Sequence[PageText], *, has_parts: bool) -> None:
    count = len(pages)
    is_form = document.get_formtype() in _dynamic_forms()
    waits = count == 1 and len(pages[0].text) < _LONGEST_WAIT and _WAITS.search(pages[0].text)
    if is_form and waits and not pages[0].has_fields:
        raise failures.dynamic_form()
    unread = _unread(pages)
    shown = count - sum(page.problem == EMPTY for page in pages)
    if has_parts or (not unread and any(page.text for page in pages)):
        return
    kinds = {pages[number].problem for number in unread}
    if kinds == {DAMAGED} and len(unread) == count:
        pages_said = "its page cannot" if count == 1 else f"none of its {count:,} pages can"
        raise DocumentError(f"the PDF is damaged: {pages_said} be read.", failures.REPAIR_REMEDY)
    if not any(page.text for page in pages) and GARBLED not in kinds:
        raise failures.no_text(document, count)
    if len(unread) > MOST_UNREAD_PAGES * shown:
        reasons = "; ".join(_page_warnings(pages))
        remedy = failures.REPAIR_REMEDY if kinds == {DAMAGED} else failures.OCR_REMEDY
        raise DocumentError(f"most of the PDF was not read. {reasons}", remedy)


def _dynamic_forms() -> tuple[int, ...]:
    from pypdfium2.raw import FORMTYPE_XFA_FOREGROUND, FORMTYPE_XFA_FULL

    return FORMTYPE_XFA_FULL, FORMTYPE_XFA_FOREGROUND


def _unread(pages: Sequence[PageText]) -> list[int]:
    return [number for number, page in enumerate(pages) if page.problem in _SAID]


def _page_warnings(pages: Sequence[PageText]) -> list[str]:
    """Say which pages were not read, one sentence for each reason."""
    warnings: list[str] = []
    for problem, said in _SAID.items():
        numbers = [number + 1 for number, page in enumerate(pages) if page.problem == problem]
        if numbers:
            count = f"{len(numbers):,} of {len(pages):,} pages" if len(pages) > 1 else "Its only page"
            where = f" ({_listed(numbers)})" if len(pages) > 1 else ""
            warnings.append(f"{count} {said[len(numbers) > 1]}{where}.")
    return warnings


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
