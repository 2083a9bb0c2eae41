"""Why a PDF has no text, or cannot be opened. What does not belong here: reading a page."""

from collections.abc import Sequence
from contextlib import closing
from typing import TYPE_CHECKING

from resources.errors import DocumentError
from seed_assets.core.reading.file_signatures import named_content
from seed_assets.core.reading.ocr.picture_reader import ReadingRules
from seed_assets.core.reading.page_texts import EMPTY, PageText, remedy_for_unread, scan_warnings

if TYPE_CHECKING:
    from pypdfium2 import PdfDocument, PdfiumError

# The codes of FPDF_GetLastError in pdfium's fpdfview.h.
_PASSWORD, _SECURITY = 4, 5
# The header of a PDF may follow other bytes within the first kilobyte, as readers commonly accept.
_HEAD_BYTES = 1024
REPAIR_REMEDY = "Export it again from its source, or repair it (for instance: qpdf DAMAGED.pdf REPAIRED.pdf)."


def not_opened(data: bytes, error: "PdfiumError") -> DocumentError:
    """The error for a file that pdfium does not open."""
    if _opens_without_pages(data):
        return DocumentError("the PDF has no pages.", "Export it again from its source.")
    if error.err_code == _PASSWORD:
        return DocumentError(
            "the PDF is encrypted and needs a password.",
            "Put a decrypted copy in its place (for instance: qpdf --decrypt --password=... ENCRYPTED.pdf PLAIN.pdf).",
        )
    if error.err_code == _SECURITY:
        return DocumentError(
            "the PDF is encrypted in a way that is not supported.",
            "Open it in the program it is meant for and put an unprotected copy in its place.",
        )
    if b"%PDF-" not in data[:_HEAD_BYTES]:
        found = named_content(data)
        return DocumentError(
            f"the file is not a PDF: it is {found}." if found else "the file is not a PDF: its %PDF- head is missing.",
            "Give it the suffix of what it is, or put the PDF in its place.",
        )
    truncated = b"%%EOF" not in data[-_HEAD_BYTES:]
    return DocumentError(
        "the PDF is truncated: its end is missing."
        if truncated
        else "the PDF is damaged: its structure cannot be read.",
        "Download or export it again, or repair it (for instance: qpdf DAMAGED.pdf REPAIRED.pdf).",
    )


def dynamic_form() -> DocumentError:
    """The error for a form whose content is not on its pages."""
    return DocumentError(
        "the PDF is a dynamic XFA form: its content is kept as a form, and its page only asks to wait.",
        "Open it in the program it is meant for, print it to a PDF and put that in its place.",
    )


def no_text(document: "PdfDocument", read: Sequence[PageText], rules: ReadingRules) -> DocumentError:
    """The error for a file none of whose pages has text. read: what was read of each page."""
    from pypdfium2.raw import FORMTYPE_XFA_FOREGROUND, FORMTYPE_XFA_FULL

    count = len(read)
    pages = f"{count} page{'s' if count > 1 else ''}"
    if document.get_formtype() in (FORMTYPE_XFA_FULL, FORMTYPE_XFA_FOREGROUND):
        return DocumentError(
            f"the PDF is an XFA form: it has {pages} and no text layer, its content is kept as a form.",
            "Open it in the program it is meant for, print it to a PDF and put that in its place.",
        )
    if all(page.problem == EMPTY for page in read):
        return DocumentError(
            f"the PDF has {pages} and no text layer (empty pages, or drawings only).",
            "Export it again from its source with its text, or list it in .seedbankignore.",
        )
    kind = "a scan" if _has_pictures(document) else "drawings only"
    found = "" if rules.without_ocr else " ".join((", and OCR found no legible text.", *scan_warnings(read, rules)))
    return DocumentError(
        f"the PDF has {pages} and no text layer ({kind}){found or '.'}", remedy_for_unread(read, rules)
    )


def _opens_without_pages(data: bytes) -> bool:
    """Whether a PDF is valid but has no pages. pypdfium2 refuses it with the error code of an earlier failure."""
    from pypdfium2 import raw

    document = raw.FPDF_LoadMemDocument64(data, len(data), None)
    if document:
        raw.FPDF_CloseDocument(document)
    return bool(document)


def _has_pictures(document: "PdfDocument") -> bool:
    from pypdfium2 import PdfiumError
    from pypdfium2.raw import FPDF_PAGEOBJ_IMAGE

    for number in range(len(document)):
        try:
            with closing(document[number]) as page:
                if next(page.get_objects(filter=[FPDF_PAGEOBJ_IMAGE]), None) is not None:
                    return True
        except PdfiumError:
            continue
    return False
