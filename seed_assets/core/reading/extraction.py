"""Extracting the text of a document from its bytes. What belongs here: choosing the reader of a format, and what all formats
have in common. What does not: reading one format (one module each), and isolation from crashes (parser_pool).
"""

from collections.abc import Iterator
from contextlib import contextmanager

from resources.corpus.formats import SUFFIXES
from resources.errors import DocumentError
from seed_assets.core.reading.extracted_text import ExtractedText, normalised
from seed_assets.core.reading.text_decoding import decode_text
from seed_assets.core.reading.titles import (
    cleaned_title,
    first_line_title,
    markdown_title,
    split_front_matter,
    text_title,
)

__all__ = ["EXTRACTION_VERSION", "SUFFIXES", "ExtractedText", "extract"]

EXTRACTION_VERSION = "1"
"""A part of the action key; raise it whenever the same bytes may give another text or title."""


def extract(data: bytes, format: str) -> ExtractedText:
    """Extract the text of a document; equal bytes always give an equal result.

    A malicious HTML, DOCX or PDF file may crash or block the process, so files from elsewhere must be read by ParserPool.

    format: a value of SUFFIXES.

    Raises ValueError for another format. Raises DocumentError for a file that is empty, broken, encrypted, of another kind
    than its name says, or without text.
    """
    if format not in _READERS:
        raise ValueError(f"no reader for format {format!r}; there are {', '.join(_READERS)}")
    if not data:
        raise DocumentError("the file is empty (0 bytes).", "Put its content back, or remove it.")
    text, title, encoding = _READERS[format](data)
    text = normalised(text)
    if not text:
        raise DocumentError("the file holds no text.", "Put its content back, or remove it.")
    return ExtractedText(text, normalised(cleaned_title(title)) or first_line_title(text), encoding)


def _read_text(data: bytes) -> tuple[str, str, str]:
    text, encoding = decode_text(data)
    text = normalised(text)
    return text, text_title(text), encoding


def _read_markdown(data: bytes) -> tuple[str, str, str]:
    text, encoding = decode_text(data)
    title, text = split_front_matter(normalised(text))
    return text, title or markdown_title(text), encoding


def _read_html(data: bytes) -> tuple[str, str, str]:
    from seed_assets.core.reading.html import read_html

    with _named_failures("HTML"):
        return read_html(data)


def _read_docx(data: bytes) -> tuple[str, str, str]:
    from seed_assets.core.reading.docx import read_docx

    with _named_failures("DOCX"):
        return (*read_docx(data), "")


def _read_pdf(data: bytes) -> tuple[str, str, str]:
    from seed_assets.core.reading.pdf import read_pdf

    with _named_failures("PDF"):
        return (*read_pdf(data), "")


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
    "pdf": _read_pdf,
}
