"""Text that is in a PDF but that nobody sees on its page: outside of the page, white on white, without ink, or invisible.

What belongs here: taking objects of text out of a loaded page if they certainly are unseen. What does not: the text layer of a
scan, which is invisible over its picture and stays; and text that something else covers.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from seed_assets.core.reading.pdf.boxes import Box
from seed_assets.core.reading.pdf.pdfium_calls import (
    address,
    bounds_of,
    fill_colours,
    function,
    length_within,
    objects_on,
    page_objects,
)

if TYPE_CHECKING:
    from pypdfium2 import PdfBitmap, PdfPage, PdfTextPage

# The ways of drawing text (ISO 32000-1, table 106), and the types of objects in pdfium's fpdf_edit.h.
_FILLED, _INVISIBLE = 0, 3
_TEXT, _IMAGE = 1, 3
# Colours from 0 to 255. What is lighter cannot be told from paper; chosen by judgement.
_WHITE, _BLANK = 250, 245
# A page of more objects is a drawing, and text without any size has no place. Chosen by judgement.
_MOST_OBJECTS = 20_000
_LEAST_SIZE = 0.01
_MOST_PIXELS = 1_000_000


def take_out_unseen(page: "PdfPage", text_page: "PdfTextPage", paper: Box) -> bool:
    """Take the text that is unseen out of a loaded page, and return whether there was any; the file stays as it is.

    paper: the part of the page that is shown.
    """
    handle = address(page.raw)
    count = function("FPDFPage_CountObjects")(handle)
    if not 0 < count <= _MOST_OBJECTS:
        return False
    texts = page_objects(handle, range(count), _TEXT)
    outside = _outside(texts, paper) if _has_text_outside(text_page, paper) else []
    faint = _without_ink(texts)
    if faint and len({*faint, *outside}) < len(texts):
        faint = _on_blank_paper(page, faint, paper)
    unseen = {*faint, *outside}
    if len(unseen) == len(texts):
        return False  # it is all that there is to read, as on a scan whose picture is drawn with lines
    for text in unseen:
        if function("FPDFPage_RemoveObject")(handle, text):
            function("FPDFPageObj_Destroy")(text)
    return bool(unseen)


def _has_text_outside(text_page: "PdfTextPage", paper: Box) -> bool:
    """Whether a page has characters outside of what is shown, which two calls of pdfium say."""
    handle = address(text_page.raw)
    everywhere = Box(-1e6, -1e6, 1e6, 1e6)
    return length_within(handle, paper) < length_within(handle, everywhere)


def _outside(texts: Sequence[int], paper: Box) -> list[int]:
    return [text for text in texts if (box := bounds_of(text)) and _has_size(box) and not _meets(box, paper)]


def _without_ink(texts: Sequence[int]) -> list[int]:
    """Return those texts that are drawn in no way, with full transparency, or in white, as pdfium also says of patterns."""
    modes = list(map(function("FPDFTextObj_GetTextRenderMode"), texts))
    found = [text for text, mode in zip(texts, modes, strict=True) if mode == _INVISIBLE]
    filled = [text for text, mode in zip(texts, modes, strict=True) if mode == _FILLED]
    for text, (red, green, blue, opacity) in zip(filled, fill_colours(filled), strict=True):
        if not opacity or (red >= _WHITE and green >= _WHITE and blue >= _WHITE):
            found.append(text)
    return found


def _on_blank_paper(page: "PdfPage", texts: Sequence[int], paper: Box) -> list[int]:
    """Return those texts where the page, as it is drawn, shows nothing, and where no picture is."""
    pictures = [box for each in objects_on(address(page.raw), _IMAGE) if (box := bounds_of(each))]
    places = {text: box for text in texts if (box := bounds_of(text)) and _has_size(box)}
    places = {text: box for text, box in places.items() if not any(_meets(box, other) for other in pictures)}
    if not places or page.get_rotation():
        return []
    width, height = paper.right - paper.left, paper.top - paper.bottom
    scale = min(1.0, (_MOST_PIXELS / max(width * height, 1.0)) ** 0.5)
    drawn = page.render(
        scale=scale,  # pyright: ignore[reportArgumentType] - declared by its default, 1
        grayscale=True,
    )
    try:
        return [text for text, box in places.items() if _is_blank(drawn, box, paper, scale)]
    finally:
        drawn.close()


def _is_blank(drawn: "PdfBitmap", box: Box, paper: Box, scale: float) -> bool:
    """Whether a drawn page shows nothing in a box."""
    left, right = (int(scale * (at - paper.left)) for at in (box.left, box.right))
    top, bottom = (int(scale * (paper.top - at)) for at in (box.top, box.bottom))
    left, right = max(left, 0), min(right + 1, drawn.width)
    pixels = memoryview(drawn.buffer).cast("B")
    rows = range(max(top, 0), min(bottom + 1, drawn.height))
    return all(
        min(pixels[row * drawn.stride + left : row * drawn.stride + right], default=255) >= _BLANK for row in rows
    )


def _has_size(box: Box) -> bool:
    return box.right - box.left > _LEAST_SIZE and box.top - box.bottom > _LEAST_SIZE


def _meets(one: Box, other: Box) -> bool:
    return one.left < other.right and other.left < one.right and one.bottom < other.top and other.bottom < one.top
