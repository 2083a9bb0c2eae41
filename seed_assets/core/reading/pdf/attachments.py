"""Files inside a PDF. A portfolio is a PDF whose content are such files: its PDFs are read as parts of it, the others are named.

What does not belong here: pages.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING

from resources.errors import DocumentError

if TYPE_CHECKING:
    from pypdfium2 import PdfDocument

# Bounds against files that contain themselves, or more than a machine holds; chosen by judgement.
_MOST_FILES = 500
_MOST_BYTES = 256 * 2**20


class Attachments:
    """The files inside one PDF.

    read_part: reads a PDF that is a part of it.
    """

    def __init__(self, document: "PdfDocument", data: bytes, read_part: Callable[[bytes], str]) -> None:
        self._document = document
        self._read_part = read_part
        self._count = min(max(document.count_attachments(), 0), _MOST_FILES)
        # The name of the dictionary that makes a PDF a portfolio (ISO 32000-1, 12.3.5).
        self.is_portfolio = self._count > 0 and b"/Collection" in data

    def read(self) -> tuple[list[str], list[str]]:
        """Return (the text of each file of a portfolio, or its name, under a heading; warnings of what was not read)."""
        parts: list[str] = []
        warnings: list[str] = []
        left = _MOST_BYTES
        for number in range(self._count):
            attachment = self._document.get_attachment(number)
            name = " ".join(attachment.get_name().split()) or f"file {number + 1}"
            if not self.is_portfolio:
                parts.append(f"[Attached file: {name}]")
                continue
            data = bytes(attachment.get_data())
            left -= len(data)
            text, reason = self._read(data) if left >= 0 else ("", "the files of the portfolio are too large together.")
            if not text:
                parts.append(f"[File of the portfolio: {name}]")
                warnings.append(f"{name}, a file of the portfolio, was not read: {reason}")
                continue
            parts.append(f"# {name}\n\n{text}")
        return parts, warnings

    def _read(self, data: bytes) -> tuple[str, str]:
        """Return (the text of a file, "") or ("", why it was not read)."""
        if b"%PDF-" not in data[:1024]:
            return "", "it is no PDF."
        try:
            return self._read_part(data), ""
        except DocumentError as error:
            return "", str(error)
