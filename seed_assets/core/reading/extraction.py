"""Extracting the text of a document from its bytes. What belongs here: choosing the reader of a format, and what all formats
have in common. What does not: reading one format (one module each), and isolation from crashes (parser_pool).
"""

from collections.abc import Iterator
from contextlib import contextmanager

import msgspec

from resources.corpus.formats import PICTURE, SUFFIXES
from resources.errors import DocumentError
from seed_assets.core.reading.extracted_text import ExtractedText, normalised
from seed_assets.core.reading.file_signatures import is_rtf
from seed_assets.core.reading.ocr.picture_reader import NO_OCR, ReadingRules
from seed_assets.core.reading.text.text_file import read_text_file
from seed_assets.core.reading.titles import cleaned_title, first_line_title

__all__ = ["EXTRACTION_VERSION", "SUFFIXES", "ExtractedText", "extract", "read_document"]

EXTRACTION_VERSION = "1"
"""A part of the action key; raise it whenever the same bytes may give another text or title."""


def extract(data: bytes, format: str) -> ExtractedText:
    """Extract the text of a document; no page is read as a picture. See read_document."""
    found = read_document(data, format, NO_OCR)
    if not isinstance(found, ExtractedText):
        raise TypeError("a document that is read without pictures asks for none")
    return found


def read_document(data: bytes, format: str, rules: ReadingRules) -> ExtractedText | list[int]:
    """Extract the text of a document; equal bytes and rules always give an equal result.

    Returns the numbers of pages (from 0) whose pictures have to be read first, if `rules` does not have them yet.

    A malicious file may crash or block the process, so files from elsewhere must be read by ParserPool.

    format: a value of SUFFIXES.

    Raises ValueError for another format. Raises DocumentError for a file that is empty, broken, encrypted, of another kind
    than its name says, or without text.
    """
    if format not in _READERS and format not in _WITH_PAGES:
        raise ValueError(f"no reader for format {format!r}; there are {', '.join((*_READERS, *_WITH_PAGES))}")
    if not data:
        raise DocumentError("the file is empty (0 bytes).", "Put its content back, or remove it.")
    found = _READERS[format](data) if format in _READERS else _WITH_PAGES[format](data, rules)
    if not isinstance(found, ExtractedText):
        return found
    if not found.text:
        raise DocumentError("the file holds no text.", "Put its content back, or remove it.")
    title = normalised(cleaned_title(found.title)) or first_line_title(found.text)
    return msgspec.structs.replace(found, title=title)


def _normal(text: str, title: str, encoding: str = "") -> ExtractedText:
    return ExtractedText(normalised(text), title, encoding)


def _read_text(data: bytes) -> ExtractedText:
    return _read_characters(data, markdown=False)


def _read_markdown(data: bytes) -> ExtractedText:
    return _read_characters(data, markdown=True)


def _read_characters(data: bytes, *, markdown: bool) -> ExtractedText:
    if is_rtf(data):  # RTF under the name of a text
        return _read_rtf(data)
    with _named_failures("Markdown" if markdown else "text"):
        found = read_text_file(data, markdown=markdown)
    if found is None:  # it is a page under the name of a text
        return _read_html(data)
    return ExtractedText(found.text, found.title, found.encoding, found.warnings)


def _read_html(data: bytes) -> ExtractedText:
    from seed_assets.core.reading.html.pages import read_html

    with _named_failures("HTML"):
        return _normal(*read_html(data))


def _read_docx(data: bytes) -> ExtractedText:
    from seed_assets.core.reading.docx.document import read_docx

    with _named_failures("DOCX"):
        found = read_docx(data)
        return ExtractedText(normalised(found.text), found.title, warnings=found.warnings)


def _read_pdf(data: bytes, rules: ReadingRules) -> ExtractedText | list[int]:
    from seed_assets.core.reading.pdf.document import read_pdf

    with _named_failures("PDF"):
        return read_pdf(data, rules)


def _read_picture(data: bytes, rules: ReadingRules) -> ExtractedText | list[int]:
    from seed_assets.core.reading.picture_file import read_picture_file

    with _named_failures("picture"):
        return read_picture_file(data, rules)


def _read_mail(data: bytes) -> ExtractedText:
    from seed_assets.core.reading.mail_file import read_mail_file

    with _named_failures("mail"):
        return read_mail_file(data, extract)


def _read_csv(data: bytes) -> ExtractedText:
    from seed_assets.core.reading.records.delimited import read_delimited

    with _named_failures("CSV"):
        return read_delimited(data)


def _read_json(data: bytes) -> ExtractedText:
    from seed_assets.core.reading.records.json_file import read_json

    with _named_failures("JSON"):
        return read_json(data)


def _read_notebook(data: bytes) -> ExtractedText:
    from seed_assets.core.reading.notebook import read_notebook

    with _named_failures("notebook"):
        return read_notebook(data)


def _read_subtitles(data: bytes) -> ExtractedText:
    from seed_assets.core.reading.subtitles import read_subtitles

    with _named_failures("subtitle"):
        return read_subtitles(data)


def _read_rtf(data: bytes) -> ExtractedText:
    from seed_assets.core.reading.rtf.document import read_rtf

    with _named_failures("RTF"):
        return read_rtf(data)


def _read_xlsx(data: bytes) -> ExtractedText:
    from seed_assets.core.reading.records.workbook import read_workbook

    with _named_failures("XLSX"):
        return read_workbook(data)


def _read_epub(data: bytes) -> ExtractedText:
    from seed_assets.core.reading.epub import read_epub

    with _named_failures("EPUB"):
        return read_epub(data)


def _read_pptx(data: bytes) -> ExtractedText:
    from seed_assets.core.reading.pptx.document import read_pptx

    with _named_failures("PPTX"):
        return read_pptx(data)


def _read_odt(data: bytes) -> ExtractedText:
    from seed_assets.core.reading.odt.document import read_odt

    with _named_failures("ODT"):
        return read_odt(data)


@contextmanager
def _named_failures(format_name: str) -> Iterator[None]:
    """Convert every exception of a parser library into a DocumentError, since a malicious file may cause any of them."""
    try:
        yield
    except (DocumentError, ImportError):  # a library that is not installed is not the document's fault
        raise
    except MemoryError as error:
        raise DocumentError(
            f"reading this {format_name} file takes more memory than allowed.", "Split it into smaller documents."
        ) from error
    except RecursionError as error:
        raise DocumentError(
            f"the elements of this {format_name} file are nested too deeply.",
            f"Open it in another program and save it as {format_name} again, or save its text as a text file.",
        ) from error
    except Exception as error:
        raise DocumentError(
            f"the {format_name} parser failed on it: {type(error).__name__}: {_first_line(error)}",
            f"Open it in another program and save it as {format_name} again.",
        ) from error


def _first_line(error: Exception) -> str:
    return (str(error).strip() or "without a message").splitlines()[0][:200].rstrip(".") + "."


_READERS = {
    "text": _read_text,
    "markdown": _read_markdown,
    "html": _read_html,
    "docx": _read_docx,
    "mail": _read_mail,
    "csv": _read_csv,
    "json": _read_json,
    "notebook": _read_notebook,
    "subtitles": _read_subtitles,
    "rtf": _read_rtf,
    "xlsx": _read_xlsx,
    "epub": _read_epub,
    "odt": _read_odt,
    "pptx": _read_pptx,
}
_WITH_PAGES = {"pdf": _read_pdf, PICTURE: _read_picture}
