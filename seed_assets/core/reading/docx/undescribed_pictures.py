"""Pictures in documents that nobody described, so that nothing of them is in the text. They are counted in one warning.

What belongs here: which are counted, and what is said about them. What does not: finding them in a format.
"""

import re

from resources.errors import DocumentError
from resources.wording import counted

# A picture with a shorter side is a logo, a sign or a line; a judgement.
_LEAST_CM = 2.0
_CM = {"cm": 1.0, "mm": 0.1, "in": 2.54, "pt": 2.54 / 72, "pc": 2.54 / 6, "px": 2.54 / 96, "": 2.54 / 72}
_LENGTH = re.compile(r"\s*(\d{1,7}(?:\.\d{0,7})?)\s*([a-z]{0,2})\s*")
_EMU_PER_CM = 360_000


class UndescribedPictures:
    """Counts pictures."""

    def __init__(self) -> None:
        self._all = self._large = 0

    def add(self, width_cm: float | None, height_cm: float | None) -> None:
        """Count a picture. Its sizes are None if they are not known."""
        self._all += 1
        self._large += all(size is None or size >= _LEAST_CM for size in (width_cm, height_cm))

    def warnings(self) -> tuple[str, ...]:
        """Return a sentence about all pictures but small ones."""
        if not self._large:
            return ()
        return (
            f"{counted(self._large, 'picture without a description was', 'pictures without descriptions were')} not read.",
        )

    def refuse_alone(self, text: str) -> None:
        """Raise DocumentError if a document has no text, but has pictures."""
        if self._all and not text.strip():
            raise DocumentError(
                "the file holds only pictures, and no text.",
                "Save each picture as PNG, or print the file to PDF: Seedbank reads these by OCR.",
            )


def emu_to_cm(emu: int) -> float | None:
    """Return a length of Office files in centimetres; None for 0, which stands for none."""
    return emu / _EMU_PER_CM if emu else None


def length_in_cm(length: str) -> float | None:
    """Return a length such as `2in` in centimetres; None if it is not absolute."""
    found = _LENGTH.fullmatch(length)
    return float(found[1]) * _CM[found[2]] if found and found[2] in _CM else None
