"""The text of one page of a PDF, and why a page has none.

What does not belong here: how pages become a document (document).
"""

from contextlib import closing
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING

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

DAMAGED, GARBLED, PICTURE, EMPTY = "damaged", "garbled", "a picture", "empty"
# Text whose letters are drawn as lines takes hundreds of lines; an empty page may have some around it. Chosen by judgement.
_FEWEST_DRAWINGS = 100


@dataclass(frozen=True, slots=True)
class PageText:
    """What was read of a page.

    text: "" if nothing was.
    problem: DAMAGED, GARBLED or PICTURE if the page shows text that was not read, EMPTY if it shows none, otherwise "".
    has_fields: whether there are fields of a form on it, or notes.
    """

    text: str
    problem: str = ""
    has_fields: bool = False


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
    return PageText(turned_around(text) if drawn_backwards(text) else text, problem, bool(written))


def _why_without_text(page: "PdfPage") -> str:
    from pypdfium2.raw import FPDF_PAGEOBJ_IMAGE, FPDF_PAGEOBJ_PATH

    if next(page.get_objects(filter=[FPDF_PAGEOBJ_IMAGE]), None) is not None:
        return PICTURE
    drawings = page.get_objects(filter=[FPDF_PAGEOBJ_PATH])
    return PICTURE if next(islice(drawings, _FEWEST_DRAWINGS, None), None) is not None else EMPTY
