"""What is read of a DOCX. What does not belong here: reading."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class DocxText:
    """The text of a DOCX, or of a file that it imports.

    text: blocks with an empty line between them.
    title: "" if it has none.
    warnings: a sentence for each part that was not read.
    """

    text: str
    title: str
    warnings: tuple[str, ...]
