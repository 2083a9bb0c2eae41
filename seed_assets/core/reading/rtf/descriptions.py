"""The fonts and styles that an RTF file describes: which character set a font has, and which level of heading a style is.

What does not belong here: the text that is written in them (document).
"""

import re
from dataclasses import dataclass

from seed_assets.core.reading.rtf.character_sets import SYMBOL, codec_of_font, codec_of_page

BODY_LEVEL = 9
"""The value of \\outlinelevel of a paragraph that is no heading."""
_HEADING_STYLE = re.compile(r"heading ([1-9])|title", re.IGNORECASE)


@dataclass(slots=True)
class Described:
    """A font or a style. codec: of a font, "" for that of the file. is_symbols: whether its characters are signs."""

    number: int = 0
    codec: str = ""
    is_symbols: bool = False
    outline: int = BODY_LEVEL
    name: str = ""


class Descriptions:
    """fonts: by number. levels: of headings, from 1 on, by the numbers of their styles."""

    def __init__(self) -> None:
        self.fonts: dict[int, Described] = {}
        self.levels: dict[int, int] = {}
        self._current = Described()

    def text(self, text: str) -> None:
        """Add a piece of a name, which ends with a semicolon."""
        self._current.name += text

    def word(self, word: str, number: int | None, *, of_fonts: bool) -> None:
        """Take what a control word says about a font or a style; the one with its number begins a description."""
        current = self._current
        if word == ("f" if of_fonts else "s"):
            if current.name:
                self.end(of_fonts=of_fonts)
            self._current = Described(number or 0)
        elif word == "fcharset":
            current.codec = codec_of_font(number or 0)
            current.is_symbols = number == SYMBOL
        elif word == "cpg":
            current.codec = codec_of_page(number or 0)
        elif word == "outlinelevel" and number is not None:
            current.outline = number

    def end(self, *, of_fonts: bool) -> None:
        """Keep what was described since the last one."""
        described, self._current = self._current, Described()
        described.name = described.name.partition(";")[0].strip()
        if not described.name:
            return
        if of_fonts:
            self.fonts[described.number] = described
            return
        named = _HEADING_STYLE.fullmatch(described.name)
        if described.outline < BODY_LEVEL:
            self.levels[described.number] = described.outline + 1
        elif named:
            self.levels[described.number] = int(named[1] or 1)
