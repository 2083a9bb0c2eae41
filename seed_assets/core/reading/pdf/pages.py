"""The text of one page of a PDF, and why a page has none.

What does not belong here: how pages become a document (document).
"""

from contextlib import closing
from itertools import islice
from typing import TYPE_CHECKING

from seed_assets.core.reading.page_texts import DAMAGED, EMPTY, GARBLED, MOSTLY_PICTURE, PICTURE, PageText
from seed_assets.core.reading.pdf.annotations import written_on
from seed_assets.core.reading.pdf.characters import has_accents_apart, placed_text, with_accents_joined
from seed_assets.core.reading.pdf.columns import gutters, in_columns
from seed_assets.core.reading.pdf.legibility import is_legible
from seed_assets.core.reading.pdf.line_order import (
    drawn_backwards,
    in_reading_order,
    may_be_out_of_order,
    turned_around,
)
from seed_assets.core.reading.pdf.placing import with_written

if TYPE_CHECKING:
    from pypdfium2 import PdfDocument, PdfPage

# Text whose letters are drawn as lines takes hundreds of lines; an empty page may have some around it. Chosen by judgement.
_FEWEST_DRAWINGS = 100
# A page with fewer letters in its text layer may be a scan with a stamp or a number, if a picture covers most of it. Both
# numbers were chosen by judgement.
_FEW_LETTERS, _MOST_OF_PAGE = 100, 0.6


def page_text(document: "PdfDocument", number: int) -> PageText:
    """Read a page. A page that pdfium cannot load is DAMAGED."""
    from pypdfium2 import PdfiumError

    try:
        with closing(document[number]) as page:
            return _read(document, page)
    except PdfiumError:
        return PageText("", DAMAGED)


def _read(document: "PdfDocument", page: "PdfPage") -> PageText:
    written = written_on(document, page)
    with closing(page.get_textpage()) as text_page:
        text = text_page.get_text_range().replace("\r\n", "\n").strip()
        problem = ""
        if not text:
            problem = _why_without_text(page)
        elif not is_legible(text):
            text, problem = "", GARBLED
        else:
            upwards = may_be_out_of_order(text_page)
            between = gutters(text_page, text.count("\n") + 1)
            if written or upwards or between or has_accents_apart(text):
                everywhere = bool(written or upwards or between)
                placed = with_accents_joined(placed_text(text_page, only_around_accents=not everywhere))
                placed = in_reading_order(placed) if upwards else placed
                text = with_written(in_columns(placed, between) if between else placed, written).strip()
        if not text and (filled := "\n".join(piece.text for piece in written if not piece.is_tick).strip()):
            text, problem = filled, "" if problem == EMPTY else problem
        if text and not problem and len(text) < _FEW_LETTERS and not written and _has_large_picture(page):
            problem = MOSTLY_PICTURE
    return PageText(turned_around(text) if drawn_backwards(text) else text, problem, bool(written))


def _why_without_text(page: "PdfPage") -> str:
    from pypdfium2.raw import FPDF_PAGEOBJ_IMAGE, FPDF_PAGEOBJ_PATH

    if next(page.get_objects(filter=[FPDF_PAGEOBJ_IMAGE]), None) is not None:
        return PICTURE
    drawings = page.get_objects(filter=[FPDF_PAGEOBJ_PATH])
    return PICTURE if next(islice(drawings, _FEWEST_DRAWINGS, None), None) is not None else EMPTY


def _has_large_picture(page: "PdfPage") -> bool:
    from pypdfium2.raw import FPDF_PAGEOBJ_IMAGE

    width, height = page.get_size()
    for picture in page.get_objects(filter=[FPDF_PAGEOBJ_IMAGE]):
        left, bottom, right, top = picture.get_bounds()
        if (right - left) * (top - bottom) >= _MOST_OF_PAGE * width * height:
            return True
    return False
