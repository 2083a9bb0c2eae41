"""AsciiDoc files: headings, lists, tables and delimited blocks, line by line.

What does not belong here: text inside of lines (asciidoc_inline), and cells (asciidoc_tables).
"""

import re
from bisect import bisect_right

from seed_assets.core.reading.extracted_text import ExtractedText
from seed_assets.core.reading.markdown_blocks import code, heading
from seed_assets.core.reading.markup import asciidoc_lines as kinds
from seed_assets.core.reading.markup.asciidoc_header import attribute_in, read_header
from seed_assets.core.reading.markup.asciidoc_inline import Attributes, asciidoc_text
from seed_assets.core.reading.markup.asciidoc_lists import ListPlaces
from seed_assets.core.reading.markup.asciidoc_tables import asciidoc_table
from seed_assets.core.reading.markup.included_files import included_warning
from seed_assets.core.reading.text.normal_text import normalised
from seed_assets.core.reading.text.text_decoding import decode_text
from seed_assets.core.reading.titles import cleaned_title

_UNDERLINES = {"=": 1, "-": 2, "~": 3, "^": 4, "+": 5}
_LISTING, _COMMENT, _PASSED = "-.`", "/", "+"
_ADMONITIONS = frozenset({"NOTE", "TIP", "IMPORTANT", "WARNING", "CAUTION"})
_QUOTES = frozenset({"QUOTE", "VERSE"})
# Longer lines are paragraphs, and blocks are not nested deeper; judgements.
_LONGEST_LINE = 20_000
_MOST_OPEN = 50


def read_asciidoc(data: bytes) -> ExtractedText:
    """Read an AsciiDoc file: its title and author, then headings, paragraphs, lists, tables and code in order, then notes.

    Comments are left out; what stands under a condition is read. No file is included; a warning names those that the document
    names.

    Raises DocumentError for a file that is binary.
    """
    characters, encoding = decode_text(data)
    reader = _AsciidocReader(characters.replace("\r\n", "\n").replace("\r", "\n").replace("\x00", "").split("\n"))
    reader.read()
    text = normalised("\n\n".join([*reader.blocks, *reader.all_notes()]))
    return ExtractedText(text, reader.title, encoding, included_warning(reader.included))


class _AsciidocReader:
    """Reads lines into blocks.

    title: the first heading. included: files that the document includes.
    """

    def __init__(self, lines: list[str]) -> None:
        self._lines = lines
        self._delimiters: dict[str, list[int]] = {}
        self._attributes = Attributes()
        self._notes: list[str] = []
        self._paragraph: list[str] = []
        self._is_list = False
        self._list = ListPlaces()
        self._before = ""
        # Who is quoted, and the blocks that are open with who is quoted in them.
        self._attribution = ""
        self._opened: list[tuple[str, str]] = []
        # Indented lines, which are code.
        self._literal: list[str] = []
        self.blocks: list[str] = []
        self.title = ""
        self.included: list[str] = []
        for number, line in enumerate(lines):
            if len(line) < _LONGEST_LINE and kinds.DELIMITER.match(line):
                self._delimiters.setdefault(line.rstrip(), []).append(number)

    def read(self) -> None:
        """Read all lines."""
        number = self._header()
        while number < len(self._lines):
            number = self._read(number, self._lines[number])
        self._flush()

    def all_notes(self) -> list[str]:
        """Return the texts of notes."""
        return [self._text(note) for note in list(self._notes)]

    def _text(self, text: str) -> str:
        return asciidoc_text(text, self._attributes, self._notes)

    def _header(self) -> int:
        """Read the title, the authors and the attributes in front, and return the number of the line behind them."""
        header = read_header(self._lines)
        for name, value in header.attributes:
            self._attributes.define(name, value)
        if header.title:
            self._heading(1, header.title)
        self.blocks += [text for line in header.about if (text := self._text(line))]
        return header.end

    def _read(self, number: int, line: str) -> int:
        """Read what begins with a line, and return the number of the line behind it."""
        if len(line) >= _LONGEST_LINE:
            self._paragraph.append(line)
            return number + 1
        stripped = line.strip()
        if not stripped:
            if not self._is_list or not self._list_goes_on(number):
                self._flush()
            return number + 1
        if kinds.DELIMITER.match(line):
            return self._block(number, line.rstrip())
        if line.startswith("//"):
            return number + 1
        if stripped == "+" and self._is_list:
            return number + 1
        if self._is_directive(line) or self._stands_before(line):
            return number + 1
        if (found := kinds.ATTRIBUTE.match(line)) and not self._paragraph:
            name, value, number = attribute_in(self._lines, number, found)
            self._attributes.define(name, value)
            return number
        if not self._paragraph and (found := kinds.HEADING.match(line)):
            self._heading(len(found[1]), found[2].rstrip().removesuffix(found[1]))
        elif kinds.RULE.match(line):
            self._flush()
        elif found := kinds.ITEM.match(line):
            self._item(found)
        elif (self._is_list or not self._paragraph) and (found := kinds.TERM.search(line)):
            self._term(found)
        else:
            self._line(line)
        return number + 1

    def _line(self, line: str) -> None:
        if not self._paragraph and line[0] in " \t" and not self._is_list:
            self._literal.append(line)
            return
        if self._literal:
            self._flush()
        text = line.strip()
        if not self._paragraph and _style(self._before) in _ADMONITIONS:
            text = f"{_style(self._before)}: {text}"
            self._before = ""
        self._paragraph.append(f"  {text}" if self._is_list else text)

    def _list_goes_on(self, number: int) -> bool:
        """Whether the list is continued behind a blank line."""
        following = self._lines[number + 1] if number + 1 < len(self._lines) else ""
        return bool(len(following) < _LONGEST_LINE and (kinds.ITEM.match(following) or kinds.TERM.search(following)))

    def _flush(self) -> None:
        if self._paragraph and (text := self._text("\n".join(self._paragraph))).strip():
            self.blocks.append(text)
            self.blocks += [f"— {self._text(self._attribution)}"] if self._attribution else []
            self._attribution = ""
        self._paragraph = []
        if self._literal:
            self.blocks.append(code(self._literal))
            self._literal = []
        self._list = ListPlaces()
        self._is_list = False

    def _heading(self, level: int, text: str) -> None:
        self._flush()
        self._before = ""
        if text := self._text(text):
            self.title = self.title or cleaned_title(text)
            self.blocks.append(heading(level, text))

    def _is_directive(self, line: str) -> bool:
        if found := kinds.INCLUDE.match(line):
            self.included.append(found[1].strip())
            return True
        if found := kinds.DIRECTIVE.match(line):
            if found[1].strip() and not line.startswith("ifeval"):
                self._line(found[1])
            return True
        if found := kinds.BLOCK_MACRO.match(line):
            if found[1] == "image":
                label = self._text(f"image:{found[2]}[{found[3]}]")
                self._flush()
                self.blocks += [label] if label else []
            return True
        return False

    def _stands_before(self, line: str) -> bool:
        """Read attributes or a title of the block that follows; False for another line."""
        if kinds.ANCHOR.match(line):
            self._flush_text()
            return True
        if found := kinds.BLOCK_ATTRIBUTES.match(line):
            self._flush_text()
            self._before = found[1]
            parts = [part.strip(" \"'") for part in found[1].split(",")]
            if _style(found[1]) in _QUOTES and len(parts) > 1:
                self._attribution = ", ".join(filter(None, parts[1:3]))
            return True
        if (not self._paragraph or self._is_list) and (found := kinds.TITLE.match(line)):
            self._flush_text()
            self.blocks.append(self._text(found[1]))
            return True
        return False

    def _block(self, number: int, delimiter: str) -> int:
        """Read a delimited block, or the sign of one whose content is read as the rest is."""
        if len(self._paragraph) == 1 and not self._is_list and delimiter[0] in _UNDERLINES:
            title = self._paragraph[0]
            if abs(len(title) - len(delimiter)) < 2:
                self._paragraph = []
                self._heading(_UNDERLINES[delimiter[0]], title)
                return number + 1
        ends = self._delimiters.get(delimiter if delimiter[0] != "`" else "```", [])
        place = bisect_right(ends, number)
        end = ends[place] if place < len(ends) else None
        kind = delimiter[0] if delimiter != "--" else ""
        before, self._before = self._before, ""
        is_table = kind in "|,:!" and bool(kind)
        if end is None or not kind or not (is_table or kind in _LISTING + _COMMENT + _PASSED):
            self._flush_text()
            self._before = before if _style(before) in _ADMONITIONS else ""
            self._open_or_close(delimiter)
            return number + 1
        self._flush_text()
        lines = self._lines[number + 1 : end]
        if is_table:
            if text := asciidoc_table(lines, before, kind, self._text):
                self.blocks.append(text)
        elif kind == _PASSED and before.startswith(("stem", "latexmath", "asciimath")):
            self.blocks.append(f"$${' '.join(' '.join(lines).split())}$$")
        elif kind != _COMMENT and any(map(str.strip, lines)):
            self._code(lines, before, delimiter)
        return end + 1

    def _open_or_close(self, delimiter: str) -> None:
        if any(delimiter == each for each, _ in self._opened[-_MOST_OPEN:]):
            opened, attribution = self._opened.pop()
            while opened != delimiter:
                opened, attribution = self._opened.pop()
            self.blocks += [f"— {self._text(attribution)}"] if attribution else []
        else:
            self._opened.append((delimiter, self._attribution))
            self._attribution = ""

    def _flush_text(self) -> None:
        """End the paragraph in front of a block; a list may go on behind it."""
        places = self._list
        self._flush()
        self._list = places

    def _code(self, lines: list[str], before: str, delimiter: str) -> None:
        parts = [part.strip() for part in before.split(",")]
        language = parts[1] if _style(before) in ("SOURCE", "") and len(parts) > 1 and "=" not in parts[1] else ""
        language = language or delimiter.lstrip("`") * (delimiter[0] == "`")
        self.blocks.append(code(lines, language))

    def _item(self, found: re.Match[str]) -> None:
        if not self._is_list:
            self._flush_text()
        self._is_list = True
        shown, depth = self._list.begin(found[1])
        box = "" if found[2] is None else "☐ " if found[2] == " " else "☒ "
        self._paragraph.append(f"{'  ' * depth}{shown} {box}{found[3]}")

    def _term(self, found: re.Match[str]) -> None:
        if not self._is_list:
            self._flush()
        self._is_list = True
        term, meaning = found.string[: found.start()].strip(), found.string[found.end() :].strip()
        self._paragraph.append(f"{term}: {meaning}" if meaning else f"{term}:")


def _style(attributes: str) -> str:
    """Return which kind of block attributes name first, in capitals; ids, roles and options may follow it."""
    return re.split(r"[,%#.]", attributes, maxsplit=1)[0].strip().upper()
