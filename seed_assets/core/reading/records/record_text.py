"""Records as text: one paragraph each, which names every value by its column or key, so that a chunk is understood alone.

What belongs here: how a record is written. What does not: the names of columns (header_rows, table_records).
"""

from collections.abc import Iterable

from resources.errors import DocumentError
from seed_assets.core.reading.markdown_blocks import heading

# The numbers were chosen by judgement. All records together may have so many characters: the names of columns are repeated
# in each record, so a crafted file could otherwise become fifty times as large as it is.
_MOST_CHARACTERS = 100_000_000
# A value with more characters, or with several lines, has a paragraph of its own.
_LONGEST_INLINE = 300


class RecordText:
    """Collects records and headings as paragraphs.

    Raises DocumentError, when something is added, if the text has become too large.
    """

    def __init__(self) -> None:
        self._paragraphs: list[str] = []
        self._characters = 0

    def add(self, values: Iterable[tuple[str, str]]) -> None:
        """Add a record of (name, value); a value without a name stands alone, and an empty one is left out.

        Short values share a line. The lines of a long value stay as they are.
        """
        short: list[str] = []
        long: list[str] = []
        for name, value in values:
            value = value.strip()
            if not value:
                continue
            name = " ".join(name.split())
            written = f"{name}: {value}" if name else value
            (long if len(value) > _LONGEST_INLINE or "\n" in value else short).append(written)
            self._count(written)
        if short:
            self._paragraphs.append("; ".join(short))
        self._paragraphs += long

    def heading(self, level: int, text: str) -> None:
        """Add a heading line; nothing if it has no visible character."""
        if text.split():
            self._paragraphs.append(heading(level, text))
            self._count(text)

    def paragraph(self, text: str) -> None:
        """Add a paragraph as it is; nothing if it is blank."""
        if text.strip():
            self._paragraphs.append(text.strip())
            self._count(text)

    def text(self) -> str:
        """Return all paragraphs with an empty line between them."""
        return "\n\n".join(self._paragraphs)

    def _count(self, text: str) -> None:
        self._characters += len(text)
        if self._characters > _MOST_CHARACTERS:
            raise DocumentError(
                f"its records have more than {_MOST_CHARACTERS:,} characters when each is written with the names of its "
                "values.",
                "Split it into smaller files.",
            )
