"""Files inside a PDF. A portfolio is a PDF whose content are such files: they are read as parts of it, in their formats.

What does not belong here: pages, and what all parts of a document may have together (document_parts).
"""

from typing import TYPE_CHECKING

from resources.corpus.formats import format_of
from resources.errors import DocumentError
from seed_assets.core.reading.document_parts import DocumentParts, ReadPart

if TYPE_CHECKING:
    from pypdfium2 import PdfDocument

# A PDF with more is crafted; a judgement.
_MOST_FILES = 500


class Attachments:
    """The files inside one PDF.

    read_part: reads a file that is a part of it.
    """

    def __init__(self, document: "PdfDocument", data: bytes, read_part: ReadPart) -> None:
        self._document = document
        self._parts = DocumentParts(read_part, "Files of the portfolio that have no reader are not read")
        self._count = min(max(document.count_attachments(), 0), _MOST_FILES)
        # The name of the dictionary that makes a PDF a portfolio (ISO 32000-1, 12.3.5).
        self.is_portfolio = self._count > 0 and b"/Collection" in data

    def read(self) -> tuple[list[str], tuple[str, ...]]:
        """Return (the text of each file of a portfolio, or its name, under a heading; warnings of what was not read)."""
        found: list[str] = []
        for number in range(self._count):
            name = " ".join(self._document.get_attachment(number).get_name().split()) or f"file {number + 1}"
            found.append(self._read(number, name) if self.is_portfolio else f"[Attached file: {name}]")
        return found, self._parts.warnings()

    def _read(self, number: int, name: str) -> str:
        data = bytes(self._document.get_attachment(number).get_data())
        format = format_of(name) or ("pdf" if data.startswith(b"%PDF-") else None)
        if format is None:
            self._parts.without_reader(name)
            return f"[File of the portfolio: {name}]"
        try:
            return self._parts.block(name, format, data)
        except DocumentError as error:
            self._parts.warn(f"{name}, a file of the portfolio, was not read: {error}")
            return f"[File of the portfolio: {name}]"
