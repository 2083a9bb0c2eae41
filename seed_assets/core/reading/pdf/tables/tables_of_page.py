"""The tables of a page, of both kinds.

What belongs here: whether a page may have tables, and putting them into its text. What does not: each kind (ruled_tables,
aligned_tables).
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from seed_assets.core.reading.pdf.annotations import Written
from seed_assets.core.reading.pdf.characters import PageCharacters
from seed_assets.core.reading.pdf.pdfium_calls import address
from seed_assets.core.reading.pdf.placing import PlacedText
from seed_assets.core.reading.pdf.tables.aligned_tables import aligned_tables
from seed_assets.core.reading.pdf.tables.cell_rows import most_rows_with_a_gap
from seed_assets.core.reading.pdf.tables.grids import Grid, grids
from seed_assets.core.reading.pdf.tables.ruled_tables import ruled_table
from seed_assets.core.reading.pdf.tables.rulings import rulings
from seed_assets.core.reading.pdf.tables.table_cells import cell_text, with_tables

if TYPE_CHECKING:
    from pypdfium2 import PdfPage, PdfTextPage

_FEWEST_RULED, _FEWEST_ALIGNED = 2, 3
_FEW_PIECES, _FEWEST_LINES, _MOST_OBJECTS = 80, 4, 1_000
_MANY_PIECES, _MANY_LINES = 150, 40
# A page of more characters is no page of print.
_MOST_CHARACTERS = 200_000


class PageTables:
    """What may be tables on a page. It is quickly said of most pages that they have none."""

    def __init__(self, page: "PdfPage", text_page: "PdfTextPage", characters: PageCharacters) -> None:
        from pypdfium2 import raw

        self._grids: list[Grid] = []
        pieces, objects = characters.piece_count, raw.FPDFPage_CountObjects(page.raw)
        next_to = near = 0
        # Cells are drawn one by one, so that there are more pieces of text than lines.
        if len(characters.text) <= _MOST_CHARACTERS and pieces >= characters.text.count("\n") + _FEWEST_RULED:
            next_to, near = most_rows_with_a_gap(address(text_page.raw), pieces)
        # A small table that is drawn column by column, or has cells of one letter, has no such rows, but lines.
        has_lines = pieces <= _FEW_PIECES and pieces + _FEWEST_LINES <= objects <= _MOST_OBJECTS
        # Pages of formulas and drawings have many pieces and objects, and some gaps by chance.
        is_drawing = pieces > _MANY_PIECES and objects > pieces + _MANY_LINES
        fewest = _FEWEST_ALIGNED if is_drawing else _FEWEST_RULED
        if next_to >= fewest or (has_lines and pieces > _FEWEST_ALIGNED):
            self._grids = grids(rulings(address(page.raw), objects))
        self._may_be_aligned = near >= _FEWEST_ALIGNED
        self.columns: tuple[tuple[float, ...], ...] = ()

    @property
    def may_be(self) -> bool:
        """Whether there may be tables."""
        return bool(self._grids) or self._may_be_aligned

    def put_into(self, page: PlacedText, written: Sequence[Written]) -> tuple[PlacedText, Sequence[Written]]:
        """Return (the page with its tables as rows in Markdown, what is written on it besides and in no cell)."""
        found = [each for grid in self._grids if (each := ruled_table(page, grid)) is not None]
        if self._may_be_aligned:
            found += aligned_tables(page, found)
        if not found:
            return page, written
        texts = [[[cell_text(page, cell) for cell in row] for row in each.rows] for each in found]
        rest: list[Written] = []
        for piece in written:
            place = next(
                ((each, at) for each, table in enumerate(found) if piece.box and (at := table.cell_at(piece.box))), None
            )
            if place is None:
                rest.append(piece)
                continue
            number, (row, column) = place
            parts = [texts[number][row][column], piece.text]
            texts[number][row][column] = " ".join(filter(None, parts[::-1] if piece.is_tick else parts))
        self.columns = tuple(each.columns for each in found)
        return with_tables(page, list(zip(found, texts, strict=True))), rest
