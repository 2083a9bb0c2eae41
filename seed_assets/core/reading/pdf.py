"""The text layer of a PDF, read with pypdfium2. What does not belong here: pictures (nothing is rendered) and OCR.

pdfium is not thread-safe, so a process must make only one call at a time.
"""

from contextlib import closing
from typing import TYPE_CHECKING

from resources.errors import DocumentError
from seed_assets.core.reading.file_signatures import named_content
from seed_assets.core.reading.hyphenation import joined_hyphens
from seed_assets.core.reading.titles import cleaned_metadata_title

if TYPE_CHECKING:
    from pypdfium2 import PdfDocument, PdfiumError

# The codes of FPDF_GetLastError in pdfium's fpdfview.h.
_PASSWORD, _SECURITY = 4, 5
# The header of a PDF may follow other bytes within the first kilobyte, as readers commonly accept.
_HEAD_BYTES = 1024
_LIGATURES = str.maketrans(
    {"\ufb00": "ff", "\ufb01": "fi", "\ufb02": "fl", "\ufb03": "ffi", "\ufb04": "ffl", "\ufb05": "st", "\ufb06": "st"}
)


def read_pdf(data: bytes) -> tuple[str, str]:
    """Return (text, title) of a PDF, with hyphenated words joined.

    An empty line separates pages, unless a sentence continues on the next page. The title comes from the metadata; it is ""
    if it is missing or was put there by a program. An encrypted file that opens without a password is read.

    Raises DocumentError for a file that needs a password, is not a PDF, is damaged as a whole or in any page, or has no
    pages or no text layer.
    """
    import pypdfium2

    try:
        document = pypdfium2.PdfDocument(data)
    except pypdfium2.PdfiumError as error:
        raise _not_opened(data, error) from error
    with closing(document):
        count = len(document)
        pages = [_page_text(document, number) for number in range(count)]
        if not any(page.strip() for page in pages):
            raise _no_text(document, count)
        title = cleaned_metadata_title(document.get_metadata_value("Title"))
    return joined_hyphens(_joined_pages(pages)).translate(_LIGATURES), title


def _joined_pages(pages: list[str]) -> str:
    text = ""
    for page in filter(None, pages):
        goes_on = text and page[0].islower() and text[-1] not in ".!?:;"
        text += ("\n" if goes_on else "\n\n" if text else "") + page
    return text


def _page_text(document: "PdfDocument", number: int) -> str:
    from pypdfium2 import PdfiumError

    try:
        with closing(document[number]) as page, closing(page.get_textpage()) as text_page:
            return text_page.get_text_range().replace("\r\n", "\n").strip()
    except PdfiumError as error:
        raise DocumentError(
            f"the PDF is damaged: page {number + 1} of {len(document)} cannot be read.",
            "Export it again from its source, or repair it (for instance: qpdf DAMAGED.pdf REPAIRED.pdf).",
        ) from error


def _opens_without_pages(data: bytes) -> bool:
    """Whether a PDF is valid but has no pages. pypdfium2 refuses it with the error code of an earlier failure."""
    from pypdfium2 import raw

    document = raw.FPDF_LoadMemDocument64(data, len(data), None)
    if document:
        raw.FPDF_CloseDocument(document)
    return bool(document)


def _not_opened(data: bytes, error: "PdfiumError") -> DocumentError:
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


def _has_pictures(document: "PdfDocument") -> bool:
    from pypdfium2.raw import FPDF_PAGEOBJ_IMAGE

    for number in range(len(document)):
        with closing(document[number]) as page:
            if next(page.get_objects(filter=[FPDF_PAGEOBJ_IMAGE]), None) is not None:
                return True
    return False


def _no_text(document: "PdfDocument", count: int) -> DocumentError:
    from pypdfium2.raw import FORMTYPE_XFA_FOREGROUND, FORMTYPE_XFA_FULL

    pages = f"{count} page{'s' if count > 1 else ''}"
    if document.get_formtype() in (FORMTYPE_XFA_FULL, FORMTYPE_XFA_FOREGROUND):
        return DocumentError(
            f"the PDF is an XFA form: it has {pages} and no text layer, its content is kept as a form.",
            "Open it in the program it is meant for, print it to a PDF and put that in its place.",
        )
    kind = "a scan" if _has_pictures(document) else "empty pages, or drawings only"
    return DocumentError(
        f"the PDF has {pages} and no text layer ({kind}).",
        "Run OCR (for instance: ocrmypdf SCAN.pdf TEXT.pdf) and put the result in its place.",
    )
