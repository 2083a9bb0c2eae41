"""Pieces of a text that are set aside while the rest is changed, such as formulas. What does not belong here: finding them."""

import re

# No text that was decoded has this character.
_SIGN = "\x00"
_PLACE = re.compile(f"{_SIGN}([0-9]+){_SIGN}")


class Protected:
    """Pieces that were set aside."""

    def __init__(self) -> None:
        self._pieces: list[str] = []

    def put(self, piece: str) -> str:
        """Set a piece aside and return what stands in its place."""
        self._pieces.append(piece)
        return f"{_SIGN}{len(self._pieces) - 1}{_SIGN}"

    def restored(self, text: str) -> str:
        """Return the text with all pieces; a piece may hold others that were set aside before."""
        while _SIGN in text:
            replaced = _PLACE.sub(lambda found: self._piece(int(found[1])), text)
            if replaced == text:
                return text.replace(_SIGN, "")
            text = replaced
        return text

    def _piece(self, number: int) -> str:
        return self._pieces[number] if number < len(self._pieces) else ""
