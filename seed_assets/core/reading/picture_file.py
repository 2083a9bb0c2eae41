"""The text of files that are pictures, such as photographs of pages and scans without a PDF.

What does not belong here: opening and reading pictures (ocr).
"""

from resources.errors import DocumentError, without_text
from seed_assets.core.reading.extracted_text import ExtractedText
from seed_assets.core.reading.ocr.page_pictures import PICTURE_REMEDY, page_count
from seed_assets.core.reading.ocr.picture_reader import ReadingRules
from seed_assets.core.reading.page_texts import (
    PICTURE,
    PageText,
    document_of,
    page_warnings,
    remedy_for_unread,
    scan_warnings,
    unread,
    with_picture,
)


def read_picture_file(data: bytes, rules: ReadingRules) -> ExtractedText | list[int]:
    """Return the text of a picture file, or the numbers of the pictures that have to be read first and are not in `rules`.

    Raises DocumentError for a file that cannot be opened, holds no legible text, or if pictures are not read.
    """
    count = page_count(data)
    if rules.without_ocr:
        raise DocumentError("the file is a picture, and pictures are not read.", rules.without_ocr)
    if wanted := [number for number in range(count) if number not in rules.pictures]:
        return wanted
    pages = [with_picture(PageText("", PICTURE), rules.pictures[number], rules) for number in range(count)]
    if not any(page.text for page in pages):
        problems = sorted({rules.pictures[number].problem.rstrip(".") for number in range(count)} - {""})
        if problems:
            raise DocumentError(f"no picture in the file can be read: {'; '.join(problems)}.", PICTURE_REMEDY)
        if not (doubts := scan_warnings(pages, rules)):
            raise DocumentError(
                without_text("no legible text was found in the picture."),
                f"If it has text: {remedy_for_unread(pages, rules)}",
            )
        said = ("no legible text was found in the picture.", *doubts)
        raise DocumentError(" ".join(said), remedy_for_unread(pages, rules))
    if len(unread(pages)) > rules.most_unread_pages * count:
        reasons = " ".join((*page_warnings(pages), *scan_warnings(pages, rules)))
        raise DocumentError(f"most of the pictures were not read. {reasons}", remedy_for_unread(pages, rules))
    return document_of(pages, rules.pictures[0].title, warnings=scan_warnings(pages, rules))
