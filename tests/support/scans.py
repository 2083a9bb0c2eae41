"""Pictures of printed pages, and files that hold them, for tests of OCR.

What does not belong here: how well scans are read (benchmarks).
"""

import io
from collections.abc import Sequence

from PIL import Image, ImageDraw, ImageFont

DPI = 150
LINES = (
    "The harbour master of Vellin opened the gate",
    "at dawn, because the spring tide had filled",
    "the upper basin before the ships arrived.",
)
"""A paragraph, as it is printed."""


def printed(lines: Sequence[str] = LINES, *, heading: str = "", size: float = 12, dpi: int = DPI) -> Image.Image:
    """A page of print in grey values. heading: a line in large print above the others. size: in points."""
    height = round((len(lines) * 1.6 * size + 3 * size + (3.5 * size if heading else 0)) / 72 * dpi)
    page = Image.new("L", (round(5.2 * dpi), height), 255)
    draw = ImageDraw.Draw(page)
    left = top = round(1.2 * size / 72 * dpi)
    if heading:
        draw.text((left, top), heading, font=ImageFont.load_default(size=2 * size / 72 * dpi), fill=0)
        top += round(3.5 * size / 72 * dpi)
    for line in lines:
        draw.text((left, top), line, font=ImageFont.load_default(size=size / 72 * dpi), fill=0)
        top += round(1.6 * size / 72 * dpi)
    return page


def picture_file(
    picture: Image.Image, format: str = "PNG", *, more: Sequence[Image.Image] = (), **options: object
) -> bytes:
    """A file of this format ("PNG", "TIFF", "PDF", ...). more: further pages."""
    found = io.BytesIO()
    several = {"save_all": True, "append_images": [page.copy() for page in more]} if more else {}
    # A picture that was saved as JPEG keeps options of that which other formats refuse.
    picture.copy().save(found, format, **several, **options)
    return found.getvalue()


def scan_pdf(*pages: Image.Image, dpi: int = DPI) -> bytes:
    """A PDF each page of which is a picture."""
    return picture_file(pages[0], "PDF", more=pages[1:], resolution=dpi)
