"""Text that pdfium passes over: a single glyph of a font that is neither in the file nor on the machine has no width.

Programs place Chinese, Japanese and Korean signs one by one, in fonts that every reader is expected to have. pdfium knows the
characters, but leaves objects without a width out of the text. An outline gives them one, whatever fonts a machine has.

What does not belong here: fonts that do not say which characters they show (legibility).
"""

import ctypes
import re
from math import hypot
from statistics import median_low
from typing import TYPE_CHECKING

from seed_assets.core.reading.pdf.appearance.unseen_text import take_out_unseen
from seed_assets.core.reading.pdf.boxes import paper_of
from seed_assets.core.reading.pdf.characters import PageCharacters
from seed_assets.core.reading.pdf.pdfium_calls import address, page_object_width, page_objects

if TYPE_CHECKING:
    from pypdfium2 import PdfPage, PdfTextPage

_SIGNS = "\u1100-\u11ff\u2e80-\ud7ff\uf900-\ufaff\ufe30-\ufe4f\uff00-\uffef"
_EAST_ASIAN = re.compile(f"[{_SIGNS}]")
_SIDE_BY_SIDE = re.compile(f"(?<=[{_SIGNS}]) ?(?=[{_SIGNS}])")
# Signs of a word are not farther from each other than so many times the usual distance.
_BESIDE = 1.4
# A page that is drawn sign by sign has about as many objects as characters. Chosen by judgement, as the bound.
_FEW_CHARACTERS = 2
_MOST_OBJECTS = 50_000
# Of other pages so many objects are looked at.
_SAMPLE = 16
# Below this, pdfium leaves an object out; in points.
_NO_WIDTH = 0.01


def characters_of(page: "PdfPage") -> tuple["PdfTextPage", PageCharacters]:
    """Return (the text layer of a page with the glyphs that have no width and without text that is unseen, its characters)."""
    text_page = page.get_textpage()
    if take_out_unseen(page, text_page, paper_of(page)):
        text_page.close()
        text_page = page.get_textpage()
    characters = PageCharacters(text_page)
    if not _may_hide_glyphs(page, characters) or not _widen(page):
        return text_page, characters
    widened = page.get_textpage()
    found = PageCharacters(widened)
    if len(_EAST_ASIAN.findall(found.text)) <= len(_EAST_ASIAN.findall(characters.text)):
        widened.close()
        return text_page, characters
    text_page.close()
    found.leave_out(_blanks_between_signs(found))
    return widened, found


def _blanks_between_signs(page: PageCharacters) -> list[int]:
    """Return the blanks that pdfium adds between signs which stand side by side."""
    pairs = [match.span() for match in _SIDE_BY_SIDE.finditer(page.text)]
    before, after = page.origins([start - 1 for start, _ in pairs]), page.origins([end for _, end in pairs])
    distances = [hypot(x - across, y - up) for (across, up), (x, y) in zip(before, after, strict=True)]
    farthest = _BESIDE * median_low(distances) if distances else 0.0
    return [
        start for (start, end), distance in zip(pairs, distances, strict=True) if start < end and distance <= farthest
    ]


def _may_hide_glyphs(page: "PdfPage", characters: PageCharacters) -> bool:
    from pypdfium2 import raw

    text = characters.text

    objects = raw.FPDFPage_CountObjects(page.raw)
    if objects > _MOST_OBJECTS or not objects:
        return False
    if objects * _FEW_CHARACTERS > len(text) or (not text.isascii() and _EAST_ASIAN.search(text) is not None):
        return True
    # Each object of text has a rectangle, unless it is hidden.
    if objects <= characters.piece_count:
        return False
    some = range(0, objects, max(1, objects // _SAMPLE))
    found = page_objects(address(page.raw), some, raw.FPDF_PAGEOBJ_TEXT)
    return any(page_object_width(each) <= _NO_WIDTH for each in found)


def _widen(page: "PdfPage") -> bool:
    """Give each text object without a width an outline; return whether there was any."""
    from pypdfium2 import raw

    handle = address(page.raw)
    found = False
    for each in page_objects(handle, range(raw.FPDFPage_CountObjects(page.raw)), raw.FPDF_PAGEOBJ_TEXT):
        if page_object_width(each) > _NO_WIDTH:
            continue
        text = ctypes.cast(each, raw.FPDF_PAGEOBJECT)
        font = raw.FPDFTextObj_GetFont(text)
        if not font or raw.FPDFFont_GetIsEmbedded(font) == 1:
            continue
        found = True
        raw.FPDFTextObj_SetTextRenderMode(text, raw.FPDF_TEXTRENDERMODE_FILL_STROKE)
        raw.FPDFPageObj_SetStrokeWidth(text, 1)
        # The size of an object is computed when it is moved, even if by nothing.
        raw.FPDFPageObj_Transform(text, 1, 0, 0, 1, 0, 0)
    return found
