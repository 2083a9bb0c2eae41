"""The tasks of workers that concern pictures of pages; see core.workers.text_tasks. What does not belong here: the engine."""

from resources.errors import DocumentError
from seed_assets.core.reading.ocr.engine import scan_picture
from seed_assets.core.reading.ocr.languages import Languages
from seed_assets.core.reading.ocr.page_pictures import page_picture
from seed_assets.core.reading.ocr.scanned_page import ScannedPage


def scan_page(data: bytes, format: str, page: int, dpi: int, languages: Languages) -> ScannedPage:
    """Return what is read of the picture of one page; the problem of a page that cannot be drawn or opened."""
    try:
        picture, resolution = page_picture(data, format, page, dpi)
    except DocumentError as error:
        return ScannedPage(problem=error.reason)
    return scan_picture(picture, resolution, languages)
