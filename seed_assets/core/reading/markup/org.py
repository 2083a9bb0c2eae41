"""Org files: headings, lists, tables, blocks and drawers, line by line. What does not belong here: text inside of lines."""

import re
from bisect import bisect_right

from seed_assets.core.reading.extracted_text import ExtractedText
from seed_assets.core.reading.latex.commands import MATH_ENVIRONMENTS
from seed_assets.core.reading.latex.formulas import displayed_formula
from seed_assets.core.reading.markdown_blocks import code, heading, table
from seed_assets.core.reading.markup.included_files import included_warning
from seed_assets.core.reading.markup.org_inline import org_text
from seed_assets.core.reading.text.normal_text import normalised
from seed_assets.core.reading.text.text_decoding import decode_text
from seed_assets.core.reading.titles import cleaned_title

_HEADING = re.compile(r"(\*+)[ \t]+(.*)")
_PRIORITY = re.compile(r"\[#[A-Za-z0-9]\][ \t]*")
_TAGS = re.compile(r"[ \t]:([\w@#%:]+):[ \t]*$")
_COMMENTED = re.compile(r"COMMENT\b")
_BEGIN = re.compile(r"[ \t]*#\+begin_(\S+)(?:[ \t]+(\S+))?", re.IGNORECASE)
_END = re.compile(r"[ \t]*#\+end_(\S+)[ \t]*$", re.IGNORECASE)
_KEYWORD = re.compile(r"[ \t]*#\+(\w+)(?:\[[^\[\]\n]*\])?:[ \t]*(.*)")
_COMMENT = re.compile(r"[ \t]*#(?:[ \t]|$)")
_DRAWER = re.compile(r"[ \t]*:([\w-]+):[ \t]*$")
_PLANNING = re.compile(r"[ \t]*(?:SCHEDULED|DEADLINE|CLOSED):")
_ITEM = re.compile(
    r"([ \t]*)([-+]|(?<=[ \t])\*|\d{1,9}[.)]|[A-Za-z][.)])(?:[ \t]+|$)(?:\[@\d+\][ \t]*)?(\[[ Xx-]\][ \t]+)?(.*)"
)
_FORMULA = re.compile(r"[ \t]*\\begin\{([A-Za-z]+\*?)\}")
_FORMULA_END = re.compile(r"[ \t]*\\end\{([A-Za-z]+\*?)\}[ \t]*$")
_RULE = re.compile(r"\|[-+|: \t]*$")
_COOKIE = re.compile(r"<[lrc]?\d*>$")
_PROTECTED = re.compile(r"^([ \t]*),(?=[*#,])")
_NOTE = re.compile(r"\[fn:([^\[\]:\s]+)\][ \t]*(.*)")
_BOXES = {"[ ]": "☐", "[X]": "☒", "[x]": "☒", "[-]": "☐"}
_CODE = frozenset({"src", "example", "export", "html", "latex"})
_HIDDEN_DRAWERS = frozenset({"PROPERTIES", "LOGBOOK", "CLOCK"})
_SHOWN = ("title", "subtitle", "author", "date", "description")
_CAPTION = "caption"
_INCLUDED = frozenset({"include", "setupfile", "bibliography"})


def read_org(data: bytes) -> ExtractedText:
    """Read an Org file: its title and author, then headings, paragraphs, lists, tables and code in order, then notes.

    Comments, properties and options are left out. No file is included; a warning names those that the document names.

    Raises DocumentError for a file that is binary.
    """
    characters, encoding = decode_text(data)
    reader = _OrgReader(characters.replace("\r\n", "\n").replace("\r", "\n").replace("\x00", "").split("\n"))
    reader.read()
    title = cleaned_title(org_text(" ".join(reader.about.pop("title", [])), []))
    about = [org_text("\n".join(values), []) for values in reader.about.values() if any(values)]
    blocks = [*([heading(1, title)] if title else []), *about, *reader.blocks, *(org_text(n, []) for n in reader.notes)]
    return ExtractedText(
        normalised("\n\n".join(blocks)), title or reader.first_heading, encoding, included_warning(reader.included)
    )


class _OrgReader:
    """Reads lines into blocks.

    about: title, author and date. notes: the texts of notes. included: files that the document includes.
    """

    def __init__(self, lines: list[str]) -> None:
        self._lines = lines
        self._ends: dict[str, list[int]] = {}
        self._headings: list[int] = []
        self._paragraph: list[str] = []
        self._is_list = False
        self.blocks: list[str] = []
        self.about: dict[str, list[str]] = {name: [] for name in _SHOWN}
        self.notes: list[str] = []
        self.included: list[str] = []
        self.first_heading = ""
        for number, line in enumerate(lines):
            if line.startswith("*") and _HEADING.match(line):
                self._headings.append(number)
            elif found := _END.match(line):
                self._ends.setdefault(found[1].lower(), []).append(number)
            elif found := _FORMULA_END.match(line):
                self._ends.setdefault(f"\\{found[1]}", []).append(number)
            elif line.strip().upper() == ":END:":
                self._ends.setdefault(":", []).append(number)

    def read(self) -> None:
        """Read all lines."""
        number = 0
        while number < len(self._lines):
            number = self._read(number, self._lines[number])
        self._flush()

    def _read(self, number: int, line: str) -> int:
        """Read what begins with a line, and return the number of the line behind it."""
        if not line.strip():
            self._flush()
            return number + 1
        first = line.lstrip()[0]
        if first == "*" and (found := _HEADING.match(line)):
            return self._heading(number, found)
        if first == "#":
            return self._special(number, line)
        if first == "|":
            return self._table(number)
        if first == ":":
            return self._colon(number, line)
        if first == "\\" and (found := _FORMULA.match(line)):
            return self._formula(number, found[1])
        if found := _NOTE.match(line):
            return self._note(number, found)
        if found := _ITEM.match(line):
            self._item(found)
        elif _PLANNING.match(line):
            self._flush()
            self._add_block(line.strip())
        else:
            self._paragraph.append(line.rstrip() if self._is_list else line.strip())
        return number + 1

    def _flush(self) -> None:
        if self._paragraph:
            self._add_block("\n".join(self._paragraph))
        self._paragraph = []
        self._is_list = False

    def _add_block(self, text: str) -> None:
        text = org_text(text, self.notes)
        if text.strip():
            self.blocks.append(text)

    def _heading(self, number: int, found: re.Match[str]) -> int:
        self._flush()
        text = found[2].strip()
        if _COMMENTED.match(text):
            place = bisect_right(self._headings, number)
            while place < len(self._headings):
                other = self._headings[place]
                if (level := _HEADING.match(self._lines[other])) and len(level[1]) <= len(found[1]):
                    return other
                place += 1
            return len(self._lines)
        tags = _TAGS.search(text)
        named = ", ".join(filter(None, tags[1].split(":"))) if tags else ""
        text = _PRIORITY.sub("", text[: tags.start()] if tags else text, count=1)
        text = org_text(text.strip(), self.notes)
        self.first_heading = self.first_heading or cleaned_title(text)
        self.blocks.append(heading(len(found[1]), f"{text} ({named})" if named else text))
        return number + 1

    def _special(self, number: int, line: str) -> int:
        if begun := _BEGIN.match(line):
            return self._block(number, begun)
        if found := _KEYWORD.match(line):
            name, value = found[1].lower(), found[2].strip()
            self._flush()
            if name in self.about:
                self.about[name].append(value)
            elif name == _CAPTION:
                self._add_block(value)
            elif name in _INCLUDED and value:
                self.included.append(
                    value.split('"')[1] if value.startswith('"') and value.count('"') > 1 else value.split()[0]
                )
        elif not _COMMENT.match(line) and not line.lstrip().startswith("#+"):
            self._paragraph.append(line.strip())
        return number + 1

    def _block(self, number: int, begun: re.Match[str]) -> int:
        name = begun[1].lower()
        ends = self._ends.get(name, [])
        place = bisect_right(ends, number)
        if place == len(ends):
            return number + 1
        self._flush()
        end = ends[place]
        lines = self._lines[number + 1 : end]
        if name in _CODE:
            # A comma in front protects lines that would be read as Org.
            unprotected = [_PROTECTED.sub(r"\1", each) for each in lines]
            self._code(unprotected, begun[2] or "" if name == "src" else "")
            return end + 1
        # What other blocks hold is read as the rest is.
        return end + 1 if name == "comment" else number + 1

    def _code(self, lines: list[str], language: str = "") -> None:
        indent = min((len(line) - len(line.lstrip()) for line in lines if line.strip()), default=0)
        self.blocks += [text] if (text := code([line[indent:] for line in lines], language)) else []

    def _colon(self, number: int, line: str) -> int:
        stripped = line.strip()
        if stripped == ":" or stripped.startswith(": "):
            self._flush()
            end = number
            while end < len(self._lines) and (self._lines[end].strip() + " ").startswith(": "):
                end += 1
            self._code([each.strip()[2:] for each in self._lines[number:end]])
            return end
        if drawer := _DRAWER.match(line):
            ends = self._ends.get(":", [])
            place, following = bisect_right(ends, number), bisect_right(self._headings, number)
            end = ends[place] if place < len(ends) else len(self._lines)
            is_closed = end < (self._headings[following] if following < len(self._headings) else len(self._lines))
            if drawer[1].upper() in _HIDDEN_DRAWERS and is_closed:
                return end + 1
            if is_closed or drawer[1].upper() == "END":
                return number + 1
        self._paragraph.append(stripped)
        return number + 1

    def _formula(self, number: int, name: str) -> int:
        """Read an environment of LaTeX that begins in a line."""
        ends = self._ends.get(f"\\{name}", [])
        place = bisect_right(ends, number - 1)
        if place == len(ends) or name.rstrip("*") not in MATH_ENVIRONMENTS:
            self._paragraph.append(self._lines[number].strip())
            return number + 1
        self._flush()
        body = "\n".join(self._lines[number : ends[place] + 1]).strip()
        text = displayed_formula(body.removeprefix(f"\\begin{{{name}}}").removesuffix(f"\\end{{{name}}}"))
        self.blocks += [text] if text else []
        return ends[place] + 1

    def _note(self, number: int, found: re.Match[str]) -> int:
        self._flush()
        lines = [found[2]]
        number += 1
        while number < len(self._lines) and (line := self._lines[number].strip()):
            if line.startswith("*") or _NOTE.match(line):
                break
            lines.append(line)
            number += 1
        if text := "\n".join(filter(None, lines)):
            self.notes.append(text)
        return number

    def _item(self, found: re.Match[str]) -> None:
        if not self._is_list:
            self._flush()
        self._is_list = True
        marker = found[2] if found[2][0].isalnum() else "-"
        box = f"{_BOXES[found[3].strip()]} " if found[3] else ""
        self._paragraph.append(f"{found[1].expandtabs()}{marker} {box}{found[4].replace(' :: ', ': ', 1).rstrip()}")

    def _table(self, number: int) -> int:
        self._flush()
        rows: list[list[str]] = []
        while number < len(self._lines) and (line := self._lines[number].strip()).startswith("|"):
            number += 1
            cells = [each.strip() for each in line.removeprefix("|").removesuffix("|").split("|")]
            if not _RULE.match(line) and not all(_COOKIE.match(each) or not each for each in cells):
                rows.append([org_text(each, self.notes) for each in cells])
        width = max(map(len, rows), default=0)
        if text := table([row + [""] * (width - len(row)) for row in rows]):
            self.blocks.append(text)
        return number
