"""The text of a PDF, page by page. What does not belong here: reading one page (pages), and reading its picture (ocr).

A page without a legible text layer is read as a picture. One of which nothing can be read is named in a warning; a document
most of whose pages are such pages is a failure.
"""

import logging
import re
from collections.abc import Sequence
from contextlib import closing
from typing import TYPE_CHECKING

from resources.errors import DocumentError
from seed_assets.core.reading.document_parts import ReadPart
from seed_assets.core.reading.extracted_text import ExtractedText
from seed_assets.core.reading.ocr.picture_reader import ReadingRules
from seed_assets.core.reading.page_texts import (
    DAMAGED,
    GARBLED,
    SHOW_NOTHING,
    PageText,
    document_of,
    page_warnings,
    pages_to_scan,
    remedy_for_unread,
    scan_warnings,
    unread,
    with_picture,
)
from seed_assets.core.reading.pdf import failures
from seed_assets.core.reading.pdf.attachments import Attachments
from seed_assets.core.reading.pdf.page_tree import with_all_pages
from seed_assets.core.reading.pdf.pages import page_text
from seed_assets.core.reading.pdf.pdf_titles import title_of

if TYPE_CHECKING:
    from pypdfium2 import PdfDocument

# The page of a dynamic form, in whatever language, names the program that shows the form, and is short.
_LONGEST_WAIT = 2_500
_WAITS = re.compile(r"\badobe\b|please wait", re.IGNORECASE)


def read_pdf(data: bytes, rules: ReadingRules, read_part: ReadPart) -> ExtractedText | list[int]:
    """Read a PDF; or return the numbers of the pages whose pictures have to be read first and are not in `rules`.

    An encrypted file that opens without a password is read.

    read_part: reads the files of a portfolio.

    Raises DocumentError for a file that needs a password, is not a PDF, is damaged as a whole, has no pages or no text, or has
    more unread pages than the rules allow.
    """
    document = _opened(data)
    with closing(document):
        if document.get_formtype():
            # It warns that this build of pdfium does not lay out XFA forms, which is said of the document otherwise.
            logging.getLogger("pypdfium2").setLevel(logging.ERROR)
            document.init_forms()
        pages = [page_text(document, number) for number in range(len(document))]
        _refuse_dynamic(document, pages)
        if not rules.without_ocr:
            if wanted := pages_to_scan(pages, rules.pictures):
                return wanted
            pages = [
                with_picture(page, rules.pictures[n], rules) if n in rules.pictures else page
                for n, page in enumerate(pages)
            ]
        if any(page.problem == DAMAGED for page in pages) and (completed := with_all_pages(data)) is not None:
            with closing(_opened(completed)) as other:
                pages += [page_text(other, number) for number in range(len(pages), len(other))]
        attachments = Attachments(document, data, read_part)
        if not attachments.is_portfolio:
            _refuse_unread(document, pages, rules)
        title = title_of(document, pages[0].text) or (pages[0].scan.title if pages[0].scan else "")
        parts, warnings = attachments.read()
    return document_of(pages, title, parts, (*scan_warnings(pages, rules), *warnings))


def _opened(data: bytes) -> "PdfDocument":
    import pypdfium2

    try:
        return pypdfium2.PdfDocument(data)
    except pypdfium2.PdfiumError as error:
        raise failures.not_opened(data, error) from error


def _refuse_dynamic(document: "PdfDocument", pages: Sequence[PageText]) -> None:
    is_form = document.get_formtype() in _dynamic_forms()
    waits = len(pages) == 1 and len(pages[0].text) < _LONGEST_WAIT and _WAITS.search(pages[0].text)
    if is_form and waits and not pages[0].has_fields:
        raise failures.dynamic_form()


def _refuse_unread(document: "PdfDocument", pages: Sequence[PageText], rules: ReadingRules) -> None:
    count = len(pages)
    not_read = unread(pages)
    shown = count - sum(page.problem in SHOW_NOTHING for page in pages)
    if not not_read and any(page.text for page in pages):
        return
    kinds = {pages[number].problem for number in not_read}
    if kinds == {DAMAGED} and len(not_read) == count:
        pages_said = "its page cannot" if count == 1 else f"none of its {count:,} pages can"
        raise DocumentError(f"the PDF is damaged: {pages_said} be read.", failures.REPAIR_REMEDY)
    if not any(page.text for page in pages) and GARBLED not in kinds:
        raise failures.no_text(document, pages, rules)
    if len(not_read) > rules.most_unread_pages * shown:
        reasons = " ".join((*page_warnings(pages), *scan_warnings(pages, rules)))
        remedy = failures.REPAIR_REMEDY
        if kinds != {DAMAGED}:
            remedy = f"{remedy_for_unread(pages, rules)} `pdf.most_unread_pages` sets how many pages may be unread."
        raise DocumentError(f"most of the PDF was not read. {reasons}", remedy)


def _dynamic_forms() -> tuple[int, ...]:
    from pypdfium2.raw import FORMTYPE_XFA_FOREGROUND, FORMTYPE_XFA_FULL

    return FORMTYPE_XFA_FULL, FORMTYPE_XFA_FOREGROUND
