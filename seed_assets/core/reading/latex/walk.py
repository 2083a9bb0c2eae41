"""What environments ask of the walk through a LaTeX file. What does not belong here: the walk itself (reader)."""

from typing import Protocol

from seed_assets.core.reading.latex.definitions import Definitions
from seed_assets.core.reading.latex.source import Source
from seed_assets.core.reading.latex.writer import ListItems, TableRows, Writer


class Walk(Protocol):
    r"""A walk through a file.

    theorems: the names of environments that the document defines, as they are printed. drawings: how many were left out.
    lists: those that are being read, the outermost first. included: other files that the document names. about: title, author
    and date, as they were given. notes: footnotes. switches: what `\newif` and its kin define, and whether it is on. undecided:
    how many conditions could not be decided. environments: the arguments of those that the document defines.
    """

    theorems: dict[str, str]
    drawings: int
    lists: list[ListItems]
    included: list[str]
    about: dict[str, str]
    notes: list[str]
    definitions: Definitions
    switches: dict[str, bool]
    undecided: int
    environments: dict[str, str]

    @property
    def writer(self) -> Writer:
        """What was read so far."""
        ...

    def read(self, source: Source, end: str, rows: TableRows | None = None) -> None:
        """Read up to an end."""
        ...

    def blocks(self, source: Source, end: str, rows: TableRows | None = None) -> list[str]:
        """Read up to an end, and return the blocks."""
        ...

    def argument_text(self, source: Source) -> str:
        """Read an argument as text of one paragraph."""
        ...

    def text_of(self, characters: str) -> str:
        """Return what a piece of LaTeX says, as one paragraph."""
        ...
