"""Parts of a document: files inside mails and archives, each read in its format below a heading with its name.

What belongs here: what all parts of one document may have together, and what is said about those that are not read. What does
not: finding the parts of a format.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from resources.corpus.archives.packing import MOST_BYTES
from resources.errors import DocumentError
from seed_assets.core.reading.extracted_text import ExtractedText
from seed_assets.core.reading.markdown_blocks import heading

# The numbers were chosen by judgement. Archives and mails may be inside each other, in a hostile file without end.
_MOST_DEEP = 5
_MOST_PARTS = 10_000
# A sentence names parts that are not read in so many characters, and so many sentences are kept.
_LONGEST_LIST = 300
_MOST_WARNINGS = 200

ReadPart = Callable[[bytes, str], ExtractedText]
"""Reads a part in a format (formats.format_of)."""


class PartLimits:
    """What is left of what all parts of one document may have together."""

    def __init__(self) -> None:
        self._left_parts = _MOST_PARTS
        self._left_bytes = MOST_BYTES
        self._depth = 0

    @contextmanager
    def part(self, size_bytes: int) -> Iterator[None]:
        """Count a part while it is read. Raises DocumentError if it is too deep inside of others, or one too many."""
        if self._depth >= _MOST_DEEP:
            raise DocumentError("files are inside each other too deeply.", "Save it as a file of its own.")
        if not self._left_parts:
            raise DocumentError(f"the document has more than {_MOST_PARTS:,} parts.", "Unpack it into the folder.")
        if size_bytes > self._left_bytes:
            raise DocumentError(
                f"the parts of the document have more than {MOST_BYTES >> 20:,} MB.", "Unpack it into the folder."
            )
        self._left_parts -= 1
        self._left_bytes -= size_bytes
        self._depth += 1
        try:
            yield
        finally:
            self._depth -= 1


class DocumentParts:
    """Reads parts of one document, and collects warnings.

    read_count: how many parts were read.
    """

    def __init__(self, read_part: ReadPart, unread: str) -> None:
        """unread: begins the sentence that names parts in formats without a reader, and ends with a verb."""
        self._read_part = read_part
        self._unread_words = unread
        self._unread: list[str] = []
        self._warnings: list[str] = []
        self._further = 0
        self.read_count = 0

    def warn(self, sentence: str) -> None:
        """Add a warning. Of very many, the last are only counted."""
        if len(self._warnings) < _MOST_WARNINGS:
            self._warnings.append(sentence)
        else:
            self._further += 1

    def without_reader(self, name: str) -> None:
        """Name a part in a format that has no reader."""
        self._unread.append(name)

    def warnings(self) -> tuple[str, ...]:
        """Return one sentence for each part that was not read as it should be, and one for all without a reader."""
        found = list(self._warnings)
        if self._further:
            found.append(f"There are {self._further:,} more warnings about its parts.")
        if self._unread:
            found.append(f"{self._unread_words}: {self.unread_names()}.")
        return tuple(found)

    def unread_names(self) -> str:
        """Return the names of parts without a reader, as many as fit in a sentence."""
        named = ", ".join(" ".join(name.split()) for name in self._unread[:_LONGEST_LIST])
        return named if len(named) <= _LONGEST_LIST else named[:_LONGEST_LIST] + "…"

    def block(self, name: str, format: str, data: bytes) -> str:
        """Return the text of a part below a heading with its name. Raises DocumentError if it cannot be read."""
        found = self._read_part(data, format)
        self.read_count += 1
        for warning in found.warnings:
            self.warn(f"{name}: {warning}")
        return f"{heading(1, name)}\n\n{found.text}"
