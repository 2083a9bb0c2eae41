"""The text of one page of a PDF, and why a page has none.

What does not belong here: how pages become a document (document).
"""

from contextlib import closing
from itertools import islice
from typing import TYPE_CHECKING

from seed_assets.core.reading.page_texts import DAMAGED, EMPTY, GARBLED, MOSTLY_PICTURE, PICTURE, PageText
from seed_assets.core.reading.pdf.annotations import written_on
from seed_assets.core.reading.pdf.appearance.raised_numbers import mark_raised_numbers
from seed_assets.core.reading.pdf.characters import (
    has_accents_apart,
    placed_around_accents,
    placed_text,
    with_accents_joined,
)
from seed_assets.core.reading.pdf.columns import gutters, in_columns
from seed_assets.core.reading.pdf.hidden_glyphs import characters_of
from seed_assets.core.reading.pdf.legibility import is_legible
from seed_assets.core.reading.pdf.line_order import (
    drawn_backwards,
    in_reading_order,
    is_out_of_order,
    turned_around,
)
from seed_assets.core.reading.pdf.pdfium_calls import address, bounds_of, objects_on
from seed_assets.core.reading.pdf.placing import PlacedText, with_written, written_alone
from seed_assets.core.reading.pdf.running.edge_lines import edge_lines, sheet_of
from seed_assets.core.reading.pdf.tables.tables_of_page import PageTables

if TYPE_CHECKING:
    from pypdfium2 import PdfDocument, PdfPage

# Text whose letters are drawn as lines takes hundreds of lines; an empty page may have some around it. Chosen by judgement.
_FEWEST_DRAWINGS = 100
# A page with fewer letters in its text layer may be a scan with a stamp, a number or a notice, if pictures cover so much of it.
# Both numbers were chosen by judgement: a page of print has three times as many letters.
_FEW_LETTERS, _MUCH_OF_PAGE = 600, 0.4


# A scan may be drawn in stripes; so many pictures of a page are looked at.
_MOST_PICTURES = 200


def page_text(document: "PdfDocument", number: int) -> PageText:
    """Read a page. A page that pdfium cannot load is DAMAGED."""
    from pypdfium2 import PdfiumError

    try:
        with closing(document[number]) as page:
            return _read(document, page)
    except PdfiumError:
        return PageText("", DAMAGED)


def _read(document: "PdfDocument", page: "PdfPage") -> PageText:
    from pypdfium2.raw import FPDFPage_GetRotation

    written = written_on(document, page)
    text_page, characters = characters_of(page)
    with closing(text_page):
        mark_raised_numbers(characters)
        text = characters.layer.replace("\r\n", "\n").strip()
        problem, edges, columns = "", (), ()
        if not text:
            problem = _why_without_text(page)
        elif not is_legible(text):
            text, problem = "", GARBLED
        else:
            upwards = is_out_of_order(characters)
            between = gutters(text_page, characters.piece_count, text.count("\n") + 1)
            edges = edge_lines(characters, sheet_of(_box(page), FPDFPage_GetRotation(page.raw) % 4))
            tables = PageTables(page, text_page, characters)
            everywhere = bool(upwards or between or tables.may_be or any(piece.box for piece in written))
            if everywhere or has_accents_apart(text):
                placed = with_accents_joined(
                    placed_text(characters) if everywhere else placed_around_accents(characters)
                )
                placed = in_reading_order(placed) if upwards else placed
                placed = in_columns(placed, between) if between else placed
                placed, written = tables.put_into(placed, written) if tables.may_be else (placed, written)
                columns = tables.columns
                text = (with_written(placed, written) if written else placed.text).strip()
            elif written:
                text = with_written(PlacedText(text, ()), written).strip()
        if not text and (filled := written_alone(written)):
            text, problem = filled, "" if problem == EMPTY else problem
        if text and not problem and len(text) < _FEW_LETTERS and _has_large_picture(page):
            problem = MOSTLY_PICTURE
    text = turned_around(text) if drawn_backwards(text) else text
    return PageText(text, problem, bool(written), edges, columns)


def _why_without_text(page: "PdfPage") -> str:
    from pypdfium2.raw import FPDF_PAGEOBJ_IMAGE, FPDF_PAGEOBJ_PATH

    if next(objects_on(address(page.raw), FPDF_PAGEOBJ_IMAGE), None) is not None:
        return PICTURE
    drawings = objects_on(address(page.raw), FPDF_PAGEOBJ_PATH)
    return PICTURE if next(islice(drawings, _FEWEST_DRAWINGS, None), None) is not None else EMPTY


def _box(page: "PdfPage") -> tuple[float, float, float, float]:
    """Return left, bottom, right and top of a page, in points."""
    left, bottom, right, top = page.get_cropbox() or (0.0, 0.0, *page.get_size())
    return left, bottom, right, top


def _has_large_picture(page: "PdfPage") -> bool:
    from pypdfium2.raw import FPDF_PAGEOBJ_IMAGE

    width, height = page.get_size()
    covered = 0.0
    for picture in islice(objects_on(address(page.raw), FPDF_PAGEOBJ_IMAGE), _MOST_PICTURES):
        if (box := bounds_of(picture)) is not None:
            covered += (box.right - box.left) * (box.top - box.bottom)
        if covered >= _MUCH_OF_PAGE * width * height:
            return True
    return False
