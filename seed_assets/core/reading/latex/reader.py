"""The walk through a LaTeX file: commands, signs and text, in order.

What does not belong here: what stands between begin and end of environments (environments), and what is known about commands
(commands).
"""

import unicodedata

from seed_assets.core.reading.latex.commands import (
    ACCENTS,
    HEADINGS,
    SIGNS,
    SYMBOLS,
)
from seed_assets.core.reading.latex.conditionals import read_conditional
from seed_assets.core.reading.latex.defining import read_definition
from seed_assets.core.reading.latex.definitions import Definitions
from seed_assets.core.reading.latex.environments import read_environment
from seed_assets.core.reading.latex.formulas import read_formula
from seed_assets.core.reading.latex.literals import read_literal
from seed_assets.core.reading.latex.others import read_other
from seed_assets.core.reading.latex.source import Source
from seed_assets.core.reading.latex.writer import BREAK, ListItems, TableRows, Writer
from seed_assets.core.reading.markdown_blocks import heading

_ROW_ENDS = frozenset({"tabularnewline", "cr", "crcr"})
_HEADS = {"endfirsthead": True, "endhead": False}
_FEET = frozenset({"endfoot", "endlastfoot"})
# A level takes some seven calls of Python, which allows 1,000 by default; a judgement.
_MOST_DEEP = 80
_COLUMNS = frozenset(map(str, range(1, 100)))
_GERMAN = {"a": "ä", "o": "ö", "u": "ü", "A": "Ä", "O": "Ö", "U": "Ü", "s": "ß", "z": "ß", "`": "„", "'": "“", "<": "«"}
_GERMAN |= {">": "»", "-": "", "=": "-", "~": "-", '"': "", "|": ""}
_DOTLESS = {"ı": "i", "ȷ": "j"}


class LatexReader:
    """Reads a file into blocks.

    about: title, author and date, as they were given. notes: footnotes. theorems: names of environments that the document
    defines. included: other files that the document names. drawings: how many were left out. lists: those that are being
    read. switches, undecided, environments: see Walk.
    """

    def __init__(self, *, is_german: bool) -> None:
        self._is_german = is_german
        self._writer = Writer()
        self.definitions = Definitions()
        self.about: dict[str, str] = {}
        self.notes: list[str] = []
        self.theorems: dict[str, str] = {}
        self.included: list[str] = []
        self.drawings = self.undecided = 0
        self.switches: dict[str, bool] = {}
        self.environments: dict[str, str] = {}
        self.lists: list[ListItems] = []
        self._depth = 0

    @property
    def writer(self) -> Writer:
        """What was read so far."""
        return self._writer

    def blocks(self, source: Source, end: str, rows: TableRows | None = None) -> list[str]:
        """Read up to an end (see `read`) and return the blocks."""
        outside, self._writer = self._writer, Writer()
        try:
            self.read(source, end, rows)
            return self._writer.taken()
        finally:
            self._writer = outside

    def argument_text(self, source: Source) -> str:
        """Read an argument as text of one paragraph."""
        if not source.next_is("{"):
            return self.text_of(source.argument())
        source.place += 1
        return "\n".join(self.blocks(source, "}"))

    def text_of(self, characters: str) -> str:
        """Return what a piece of LaTeX says, as one paragraph."""
        return "\n".join(self.blocks(Source(characters), ""))

    def read(self, source: Source, end: str, rows: TableRows | None = None) -> None:
        r"""Read up to an end and go behind it: "}", the name of an environment, or "" for the end of the file.

        rows: the table that is read.

        Raises RecursionError for commands and environments that are nested as only crafted ones are.
        """
        if self._depth >= _MOST_DEEP:
            raise RecursionError("commands are nested too deeply")
        self._depth += 1
        self._read(source, end, rows)
        self._depth -= 1

    def _read(self, source: Source, end: str, rows: TableRows | None) -> None:
        depth = 0
        while True:
            kind, characters = source.token()
            if not kind:
                return
            if kind == "word":
                name = characters[1:].rstrip("*")
                if name == "end" and (closed := source.argument().strip()) and closed in (end, "document"):
                    if closed != end:
                        source.place = len(source.characters)
                    return
                if name != "end":
                    self._command(name, source, rows)
            elif characters == "{":
                depth += 1
            elif characters == "}":
                if depth == 0 and end == "}":
                    return
                depth = max(depth - 1, 0)
                # Arguments of a command that is not known are words of their own.
                if source.characters.startswith("{", source.place) and not source.characters.startswith(
                    "{}", source.place
                ):
                    self._writer.add(" ")
            elif characters == "&" and rows is not None:
                self._end_cell(rows)
            elif kind == "symbol":
                self._symbol(characters[1:], source, rows)
            elif kind != "comment":
                self._text(kind, characters, source)

    def _end_cell(self, rows: TableRows) -> None:
        rows.cell(" ".join(self._writer.taken()))

    def _text(self, kind: str, characters: str, source: Source) -> None:
        if kind == "text":
            self._writer.add(characters)
        elif kind == "paragraph":
            self._writer.paragraph()
        elif kind == "math":
            read_formula(self._writer, source, characters)
        elif kind == "dash":
            self._writer.add("–" if len(characters) == 2 else "—")
        elif kind == "quote":
            self._writer.add("“" if characters == "``" else "”")
        elif characters == '"' and self._is_german and (sign := source.characters[source.place : source.place + 1]):
            self._writer.add(_GERMAN.get(sign, '"'))
            source.place += sign in _GERMAN
        else:
            self._writer.add({"~": " ", "`": "‘"}.get(characters, characters))

    def _symbol(self, sign: str, source: Source, rows: TableRows | None) -> None:
        if sign == "\\":
            if source.characters.startswith("*", source.place):
                source.place += 1
            if source.characters.startswith("[", source.place):
                source.optional()
            self._break(rows)
        elif sign in ("(", "["):
            read_formula(self._writer, source, "\\" + sign)
        elif sign in ACCENTS:
            self._accent(ACCENTS[sign], source)
        else:
            self._writer.add(SYMBOLS.get(sign, sign if sign not in ")]" else ""))

    def _break(self, rows: TableRows | None) -> None:
        if rows is None:
            self._writer.add(BREAK)
        else:
            self._end_cell(rows)
            rows.end_row()

    def _accent(self, accent: str, source: Source) -> None:
        letter = self.text_of(source.argument())
        letter = _DOTLESS.get(letter[:1], letter[:1]) + letter[1:]
        self._writer.add(unicodedata.normalize("NFC", letter[:1] + accent) + letter[1:] if letter else "")

    def _command(self, name: str, source: Source, rows: TableRows | None) -> None:
        if name in self.definitions:
            self._macro(name, source, rows)
        elif name == "begin":
            read_environment(self, source, source.argument().strip())
        elif name in SIGNS:
            self._writer.add(SIGNS[name])
            # Braces or a backslash behind a sign only end its name.
            if source.characters.startswith("{}", source.place):
                source.place += 2
        elif name in ACCENTS:
            self._accent(ACCENTS[name], source)
        elif name in HEADINGS:
            source.skip_overlay()
            source.optional()
            text = self.argument_text(source)
            self._writer.block(heading(HEADINGS[name], text) if text else "")
        elif name == "item" and self.lists:
            source.skip_overlay()
            label = source.optional()
            self.lists[-1].end(self._writer.taken())
            self.lists[-1].begin(None if label is None else self.text_of(label))
        elif (rows is None or not self._in_table(name, source, rows)) and not (
            read_conditional(self, name, source)
            or read_definition(self, name, source)
            or read_literal(self, name, source)
        ):
            read_other(self, name, source)

    def _in_table(self, name: str, source: Source, rows: TableRows) -> bool:
        """Read a command of tables; False for others."""
        if name in _ROW_ENDS:
            self._break(rows)
        elif name in _HEADS:
            self._break(rows)
            rows.end_head(is_first=_HEADS[name])
        elif name in _FEET:
            self._break(rows)
            rows.end_foot()
        elif name == "multicolumn":
            columns = source.argument().strip()
            source.argument()
            text = self.argument_text(source)
            self._writer.add(text)
            rows.columns = int(columns) if columns in _COLUMNS else 1
        elif name == "caption":
            source.optional()
            rows.captions.append(self.argument_text(source))
        else:
            return False
        return True

    def _macro(self, name: str, source: Source, rows: TableRows | None) -> None:
        text = self.definitions.replaced(name, source)
        self.definitions.entered()
        try:
            self.read(Source(text), "", rows)
        finally:
            self.definitions.left()
