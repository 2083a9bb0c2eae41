"""The text of files that are pictures, such as photographs of pages and scans without a PDF.

What does not belong here: opening and reading pictures (ocr).
"""

from resources.errors import DocumentError
from seed_assets.core.reading.extracted_text import ExtractedText
from seed_assets.core.reading.ocr.page_pictures import page_count
from seed_assets.core.reading.ocr.picture_reader import ReadingRules
from seed_assets.core.reading.page_texts import PICTURE, PageText, document_of, scan_warnings, unread, with_picture


def read_picture_file(data: bytes, rules: ReadingRules) -> ExtractedText | list[int]:
    """Return the text of a picture file, or the numbers of the pictures that have to be read first and are not in `rules`.

    Raises DocumentError for a file that cannot be opened, holds no legible text, or if pictures are not read.
    """
    count = page_count(data)
    if rules.without_ocr:
        raise DocumentError("the file is a picture, and pictures are not read.", rules.without_ocr)
    if wanted := [number for number in range(count) if number not in rules.pictures]:
        return wanted
    pages = [with_picture(PageText("", PICTURE), rules.pictures[number]) for number in range(count)]
    if not any(page.text for page in pages):
        problems = {rules.pictures[number].problem for number in range(count)} - {""}
        raise DocumentError(
            f"the picture cannot be read: {min(problems)}" if problems else "no legible text was found in the picture.",
            "List it in .seedbankignore if it is no document; otherwise scan it again with more contrast and at 300 dpi.",
        )
    if len(unread(pages)) > rules.most_unread_pages * count:
        raise DocumentError(
            f"most of the {count:,} pictures are not legible.", "Scan them again with more contrast and at 300 dpi."
        )
    return document_of(pages, rules.pictures[0].title, warnings=scan_warnings(pages, rules))
