"""Extracting the text of a document from its bytes. What belongs here: choosing the reader of a format, and what all formats
have in common. What does not: reading one format (one module each), and isolation from crashes (parser_pool).
"""

from collections.abc import Iterator
from contextlib import contextmanager

import msgspec

from resources.corpus.formats import PACKED, PICTURE, SUFFIXES, is_format
from resources.errors import DocumentError
from seed_assets.core.reading.document_parts import PartLimits, ReadPart
from seed_assets.core.reading.extracted_text import ExtractedText
from seed_assets.core.reading.file_signatures import is_rtf
from seed_assets.core.reading.ocr.picture_reader import IN_PARTS, NO_OCR, ReadingRules
from seed_assets.core.reading.text.normal_text import normalised
from seed_assets.core.reading.text.text_file import read_text_file
from seed_assets.core.reading.titles import cleaned_title, first_line_title

__all__ = ["SUFFIXES", "ExtractedText", "extract", "read_document"]


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

    format: see formats.format_of.

    Raises ValueError for another format. Raises DocumentError for a file that is empty, broken, encrypted, of another kind
    than its name says, or without text.
    """
    return _read(data, format, rules, PartLimits())


def _read(data: bytes, format: str, rules: ReadingRules, limits: PartLimits) -> ExtractedText | list[int]:
    if not is_format(format):
        formats = ", ".join((*_READERS, *_READERS_WITH_PAGES, *_READERS_OF_PARTS))
        raise ValueError(f"no reader for format {format!r}; there are {formats}")
    if data and format.startswith(PACKED):
        from resources.corpus.archives.packing import unpacked

        data, format = unpacked(data), format.removeprefix(PACKED)
    if not data:
        raise DocumentError("the file is empty (0 bytes).", "Put its content back, or remove it.")
    if format in _READERS_WITH_PAGES:
        found = _READERS_WITH_PAGES[format](data, rules, _part_reader(limits))
        if not isinstance(found, ExtractedText):
            return found
    elif format in _READERS_OF_PARTS:
        found = _READERS_OF_PARTS[format](data, _part_reader(limits))
    else:
        found = _READERS[format](data)
    if not found.text:
        raise DocumentError("the file holds no text.", "Put its content back, or remove it.")
    title = normalised(cleaned_title(found.title)) or first_line_title(found.text)
    return msgspec.structs.replace(found, title=title)


def _part_reader(limits: PartLimits) -> ReadPart:
    def read(data: bytes, format: str) -> ExtractedText:
        with limits.part(len(data)):
            found = _read(data, format, IN_PARTS, limits)
        if not isinstance(found, ExtractedText):
            raise TypeError("a part that is read without pictures asks for none")
        return found

    return read


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
        text, title, encoding, warnings = read_html(data)
        return ExtractedText(normalised(text), title, encoding, warnings)


def _read_docx(data: bytes) -> ExtractedText:
    from seed_assets.core.reading.docx.document import read_docx

    with _named_failures("DOCX"):
        found = read_docx(data)
        return ExtractedText(normalised(found.text), found.title, warnings=found.warnings)


def _read_pdf(data: bytes, rules: ReadingRules, read_part: ReadPart) -> ExtractedText | list[int]:
    from seed_assets.core.reading.pdf.document import read_pdf

    with _named_failures("PDF"):
        return read_pdf(data, rules, read_part)


def _read_picture(data: bytes, rules: ReadingRules, read_part: ReadPart) -> ExtractedText | list[int]:
    from seed_assets.core.reading.picture_file import read_picture_file

    with _named_failures("picture"):
        return read_picture_file(data, rules)


def _read_mail(data: bytes, read_part: ReadPart) -> ExtractedText:
    from seed_assets.core.reading.mail_file import read_mail_file

    with _named_failures("mail"):
        return read_mail_file(data, read_part)


def _read_outlook_mail(data: bytes, read_part: ReadPart) -> ExtractedText:
    from seed_assets.core.reading.outlook.compound_file import SIGNATURE
    from seed_assets.core.reading.outlook.outlook_mail import read_outlook_mail

    if not data.startswith(SIGNATURE):  # definitions of messages of other programs have this suffix too
        return _read_text(data)
    with _named_failures("MSG"):
        return read_outlook_mail(data, read_part)


def _read_archive(data: bytes, read_part: ReadPart) -> ExtractedText:
    from seed_assets.core.reading.archive_file import read_archive

    with _named_failures("archive"):
        return read_archive(data, read_part)


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


def _read_ods(data: bytes) -> ExtractedText:
    from seed_assets.core.reading.odt.spreadsheet import read_ods

    with _named_failures("ODS"):
        return read_ods(data)


def _read_odp(data: bytes) -> ExtractedText:
    from seed_assets.core.reading.odt.presentation import read_odp

    with _named_failures("ODP"):
        return read_odp(data)


def _read_web_archive(data: bytes) -> ExtractedText:
    from seed_assets.core.reading.web_archive import read_web_archive

    with _named_failures("MHTML"):
        return read_web_archive(data)


def _read_latex(data: bytes) -> ExtractedText:
    from seed_assets.core.reading.latex.document import read_latex

    with _named_failures("LaTeX"):
        return read_latex(data)


def _read_asciidoc(data: bytes) -> ExtractedText:
    from seed_assets.core.reading.markup.asciidoc import read_asciidoc

    with _named_failures("AsciiDoc"):
        return read_asciidoc(data)


def _read_org(data: bytes) -> ExtractedText:
    from seed_assets.core.reading.markup.org import read_org

    with _named_failures("Org"):
        return read_org(data)


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
    "latex": _read_latex,
    "asciidoc": _read_asciidoc,
    "org": _read_org,
    "csv": _read_csv,
    "json": _read_json,
    "notebook": _read_notebook,
    "subtitles": _read_subtitles,
    "rtf": _read_rtf,
    "xlsx": _read_xlsx,
    "epub": _read_epub,
    "odt": _read_odt,
    "ods": _read_ods,
    "odp": _read_odp,
    "mhtml": _read_web_archive,
    "pptx": _read_pptx,
}
_READERS_WITH_PAGES = {"pdf": _read_pdf, PICTURE: _read_picture}
_READERS_OF_PARTS = {"mail": _read_mail, "msg": _read_outlook_mail, "archive": _read_archive}
"""The readers of formats that hold files of other formats."""
