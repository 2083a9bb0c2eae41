"""Putting what is written on a page into its text, where a reader of the page would come upon it.

A value stands after its label, which is to the left of it on the same line, or above it; the state of a box that is ticked stands
before its label. Notes follow the page.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from seed_assets.core.reading.pdf.annotations import NOT_TICKED, Written
from seed_assets.core.reading.pdf.boxes import Box

# A label of a tick box begins at most so many heights of the box to the right of it. Chosen by judgement.
_FARTHEST_LABEL = 4.0


@dataclass(frozen=True, slots=True)
class PlacedText:
    """A page's text with the place of each of its characters.

    boxes: as many as characters; None for those that pdfium added, such as line ends.
    """

    text: str
    boxes: Sequence[Box | None]


def with_written(page: PlacedText, written: Sequence[Written]) -> str:
    """Return the page's text with all that is written on it."""
    insertions: list[tuple[int, int, str]] = []
    notes: list[str] = []
    lines = _Lines(page)
    for order, piece in enumerate(written):
        if piece.box is None:
            notes.append(piece.text)
            continue
        place, text = lines.insertion(piece, piece.box)
        insertions.append((_outside_word(page.text, place, forwards=not piece.is_tick), order, text))
    text = page.text
    pieces: list[str] = []
    before = 0
    for place, _, inserted in sorted(insertions):
        pieces += (text[before:place], inserted)
        before = place
    whole = "".join([*pieces, text[before:]]).strip("\n")
    return "\n\n".join(filter(None, [whole, *notes]))


def _outside_word(text: str, place: int, *, forwards: bool) -> int:
    """Return the nearest place that is in no word; a field may lie over a word."""
    while 0 < place < len(text) and _is_letter(text[place - 1]) and _is_letter(text[place]):
        place += 1 if forwards else -1
    return place


def _is_letter(character: str) -> bool:
    """Whether a character belongs to a word between blanks; other scripts write words without them."""
    return character.isalnum() and character < "\u0e00"


def written_alone(written: Sequence[Written]) -> str:
    """Return what is written on a page without any other text, from the top down; "" if no field has a value."""
    if all(piece.text == NOT_TICKED for piece in written):
        return ""
    placed = sorted((piece for piece in written if piece.box), key=lambda piece: -_middle(piece))
    rows: list[list[Written]] = []
    for piece in placed:
        if rows and piece.box and _middle(rows[-1][0]) < piece.box.top:
            rows[-1].append(piece)
        else:
            rows.append([piece])
    fields = "\n".join(piece.text for row in rows for piece in sorted(row, key=_left))
    return "\n\n".join(filter(None, [fields, *(piece.text for piece in written if not piece.box)])).strip()


def _middle(piece: Written) -> float:
    return (piece.box.bottom + piece.box.top) / 2 if piece.box else 0.0


def _left(piece: Written) -> float:
    return piece.box.left if piece.box else 0.0


@dataclass(slots=True)
class _Line:
    """A line of the text: the places of its first and after its last character, and its box."""

    start: int
    end: int
    box: Box


class _Lines:
    """The lines of a page, to find the one that a piece belongs to."""

    def __init__(self, page: PlacedText) -> None:
        self._page = page
        self._lines: list[_Line] = []
        start = 0
        for text in page.text.split("\n"):
            end = start + len(text)
            if boxes := [box for box in page.boxes[start:end] if box is not None]:
                self._lines.append(_Line(start, end, _around(boxes)))
            start = end + 1

    def insertion(self, piece: Written, box: Box) -> tuple[int, str]:
        """Return (where in the text a piece is inserted, how)."""
        on_line = [line for line in self._lines if _overlap(line.box, box) > 0.5 * min(_height(line.box), _height(box))]
        if piece.is_tick and (found := self._right_of(on_line, box)) is not None:
            return found, f"{piece.text} "
        if (found := self._left_of(on_line, box)) is not None:
            return found, f" {piece.text}"
        if on_line and not piece.is_tick and (found := self._right_of(on_line, box, farthest=None)) is not None:
            return found, f"{piece.text} "
        above = [line for line in self._lines if line.box.bottom >= box.top - _height(box) / 2]
        if above:
            nearest = min(above, key=lambda line: (line.box.bottom - box.top, _sideways(line.box, box)))
            return nearest.end, f"\n{piece.text}"
        return (0, f"{piece.text}\n") if self._lines else (len(self._page.text), f"\n{piece.text}")

    def _right_of(self, lines: list[_Line], box: Box, farthest: float | None = _FARTHEST_LABEL) -> int | None:
        """Return where the text begins that is nearest to the right of a box."""
        limit = None if farthest is None else box.right + farthest * _height(box)
        found = [
            (char.left, place)
            for line in lines
            for place in range(line.start, line.end)
            if (char := self._page.boxes[place]) is not None
            and char.left >= box.right - _slack(box)
            and (limit is None or char.left <= limit)
        ]
        return min(found)[1] if found else None

    def _left_of(self, lines: list[_Line], box: Box) -> int | None:
        """Return where the text ends that is nearest to the left of a box."""
        found = [
            (char.right, place)
            for line in lines
            for place in range(line.start, line.end)
            if (char := self._page.boxes[place]) is not None and char.right <= box.left + _slack(box)
        ]
        return max(found)[1] + 1 if found else None


def _around(boxes: Sequence[Box]) -> Box:
    return Box(
        min(box.left for box in boxes),
        min(box.bottom for box in boxes),
        max(box.right for box in boxes),
        max(box.top for box in boxes),
    )


def _height(box: Box) -> float:
    return box.top - box.bottom


def _slack(box: Box) -> float:
    """How far a label may reach into a box: labels often touch their fields."""
    return min(_height(box) / 2, (box.right - box.left) / 4)


def _overlap(one: Box, other: Box) -> float:
    return min(one.top, other.top) - max(one.bottom, other.bottom)


def _sideways(one: Box, other: Box) -> float:
    return max(one.left - other.right, other.left - one.right, 0.0)
