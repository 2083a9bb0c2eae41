"""The text and title of an RTF file: its groups, control words and characters (RTF specification 1.9.1).

What does not belong here: which groups hold text (groups), fonts and styles (descriptions), and how paragraphs are written
(paragraphs).
"""

import re

from resources.errors import DocumentError
from seed_assets.core.reading.docx.symbols import in_symbol_font
from seed_assets.core.reading.extracted_text import ExtractedText
from seed_assets.core.reading.file_signatures import is_rtf, named_content
from seed_assets.core.reading.page_numbers import only_numbers_page
from seed_assets.core.reading.rtf.character_sets import codec_of_page, codec_of_word
from seed_assets.core.reading.rtf.descriptions import BODY_LEVEL, Descriptions
from seed_assets.core.reading.rtf.groups import KINDS, READ_IF_MARKED, SIGNS, Group, Kind, position_of
from seed_assets.core.reading.rtf.paragraphs import Paragraphs
from seed_assets.core.reading.text.normal_text import normalised
from seed_assets.core.reading.titles import cleaned_metadata_title

_TOKEN = re.compile(
    r"\\([a-zA-Z]{1,32})(-?\d{1,10})? ?|\\'([0-9a-fA-F]{2})|\\([^a-zA-Z])|([{}])|([^\\{}\r\n]+)|[\r\n]+|\\", re.DOTALL
)
_BEYOND_ASCII = re.compile(r"[^\x00-\x7f]")


# Deeper groups are those of a crafted file; chosen by judgement.
_MOST_DEEP = 10_000
_LINE_ENDS = "\r\n"


def read_rtf(data: bytes) -> ExtractedText:
    """Read an RTF file: paragraphs, headings, lists and tables in order, then notes, comments, headers and footers.

    Pictures, hidden and deleted text, and the instructions of fields are left out. The title is that of the properties, or
    the first heading. A file that ends too early is read up to its end, and a warning says so.

    Raises DocumentError for a file that is not RTF.
    """
    if not is_rtf(data):
        found = named_content(data)
        raise DocumentError(
            f"the file is not RTF: it is {found}." if found else "the file is not RTF: it does not begin with {\\rtf.",
            "Give it the suffix of what it is, or put the RTF file in its place.",
        )
    reader = _Reader()
    is_complete = reader.read(_characters(data))
    text = normalised("\n\n".join(reader.blocks()))
    title = cleaned_metadata_title("".join(reader.title)) or reader.body.first_heading
    warning = "The file ends before its last group does; it is read up to there."
    return ExtractedText(text, title, "", () if is_complete else (warning,))


def _characters(data: bytes) -> str:
    """Return one character for each byte; characters of a file in UTF-8, which RTF does not know, as control words."""
    if not data.isascii():
        try:
            text = data.decode("utf-8-sig")
        except UnicodeDecodeError:
            pass
        else:
            return _BEYOND_ASCII.sub(lambda found: f"{{\\uc0\\u{ord(found[0])} }}", text)
    return data.decode("latin-1")


class _Reader:
    """Goes through an RTF file once."""

    def __init__(self) -> None:
        self.body = Paragraphs()
        self.title: list[str] = []
        self._parts: dict[Kind, list[Paragraphs]] = {Kind.NOTE: [], Kind.COMMENT: [], Kind.PAGE: []}
        self._authors: list[str] = []
        self._pieces: dict[Kind, list[str]] = {Kind.TITLE: self.title, Kind.AUTHOR: [], Kind.LABEL: []}
        # The parts that are open: the body, and a note within it.
        self._open = [self.body]
        self._group = Group()
        self._groups: list[Group] = []
        self._codec = "cp1252"
        self._default_font = -1
        self._descriptions = Descriptions()
        self._bytes = bytearray()
        self._left_out = 0

    def read(self, characters: str) -> bool:
        """Read a file; return whether all of its groups end."""
        place, end = 0, len(characters)
        while place < end:
            token = _TOKEN.match(characters, place)
            assert token is not None  # its last alternatives match any character
            place = token.end()
            word, number, code, symbol, brace, text = token.groups()
            if text is not None:
                self._literal(text.encode("latin-1", "replace"))
            elif code is not None:
                self._literal(bytes.fromhex(code))
            elif word is not None:
                if word == "bin":
                    place += max(int(number or 0), 0)
                self._word(word, None if number is None else int(number))
            elif symbol is not None:
                self._symbol(symbol)
            elif brace == "{":
                self._begin()
            elif brace == "}":
                self._end()
                if not self._groups:  # what follows the document is not part of it
                    return True
        self._flush()
        return False

    def blocks(self) -> list[str]:
        """Return the blocks of the body, and of what stands beside it."""
        blocks = self.body.blocks()
        for note in self._parts[Kind.NOTE]:
            blocks += note.blocks()
        authors = iter(self._authors)
        for comment in self._parts[Kind.COMMENT]:
            author, text = next(authors, ""), " ".join(" ".join(comment.blocks()).split())
            if text:
                blocks.append(f"[Comment by {author}: {text}]" if author else f"[Comment: {text}]")
        shown = set(blocks)
        pages = dict.fromkeys(block for page in self._parts[Kind.PAGE] for block in page.blocks())
        return [*blocks, *(block for block in pages if block not in shown and not only_numbers_page(block))]

    def _begin(self) -> None:
        self._flush()
        self._left_out = 0
        if len(self._groups) >= _MOST_DEEP:
            raise RecursionError("groups are nested deeper than any program writes them")
        self._groups.append(self._group)
        self._group = self._group.inner()

    def _end(self) -> None:
        self._flush()
        self._left_out = 0
        kind = self._group.kind
        if kind in (Kind.FONTS, Kind.STYLES):
            self._descriptions.end(of_fonts=kind is Kind.FONTS)
        self._group = self._groups.pop() if self._groups else Group()
        if self._group.kind is kind:
            return
        if kind in self._parts:
            self._open.pop()
        elif kind is Kind.AUTHOR:
            self._authors.append("".join(self._pieces[kind]).strip())
            self._pieces[kind].clear()
        elif kind is Kind.LABEL:
            self._open[-1].label = "".join(self._pieces[kind])
            self._pieces[kind].clear()

    def _word(self, word: str, number: int | None) -> None:
        if self._left_out:  # a control word counts as one character
            self._left_out -= 1
            return
        self._flush()
        group = self._group
        if group.kind is Kind.SKIPPED:
            return
        if group.marked:
            group.marked = False
            if word not in READ_IF_MARKED:
                group.kind = Kind.SKIPPED
                return
        if group.kind in (Kind.FONTS, Kind.STYLES):
            self._descriptions.word(word, number, of_fonts=group.kind is Kind.FONTS)
        elif group.kind is Kind.INFO:
            self._property(word)
        elif word in KINDS:
            self._enter(KINDS[word])
        elif word == "u" and number is not None:
            self._write(chr(number % 0x10000) if number < 0x10000 else chr(min(number, 0x10FFFF)))
            self._left_out = group.skip_after
        elif word in SIGNS:
            self._write(SIGNS[word])
        else:
            self._formatting(word, number)

    def _enter(self, kind: Kind) -> None:
        self._group.kind = kind
        if kind in self._parts:
            self._group.position = 0  # a raised mark stands for the note
            part = Paragraphs()
            self._parts[kind].append(part)
            self._open.append(part)

    def _property(self, word: str) -> None:
        """Enter a property of the document. A title in Unicode follows the one for older programs, and replaces it."""
        if word == "title":
            self.title.clear()
            self._group.kind = Kind.TITLE
        elif word not in ("upr", "ud"):
            self._group.kind = Kind.SKIPPED

    def _formatting(self, word: str, number: int | None) -> None:
        """Do what a control word says about characters, or about the end of a paragraph, cell or row."""
        group, part = self._group, self._open[-1]
        if word in ("par", "sect", "page", "column"):
            level = group.outline + 1 if group.outline < BODY_LEVEL else self._descriptions.levels.get(group.style)
            part.end_paragraph(level, in_table=group.in_table)
        elif word == "cell":
            part.end_cell()
        elif word == "nestcell":
            part.end_paragraph(None, in_table=True)
        elif word == "row":
            part.end_row()
        elif word in ("intbl", "trowd"):
            group.in_table = group.in_table or word == "intbl"
        elif word == "pard":
            group.style, group.outline, group.in_table = 0, BODY_LEVEL, False
        elif word == "plain":
            group.hidden, group.deleted, group.font, group.position = False, False, self._default_font, 0
        elif word == "f":
            group.font = number or 0
        elif word == "v":
            group.hidden = number != 0
        elif word == "deleted":
            group.deleted = number != 0
        elif word == "s":
            group.style = number or 0
        elif word == "outlinelevel" and number is not None:
            group.outline = max(number, 0)
        elif word == "uc":
            group.skip_after = max(number or 0, 0)
        elif word == "deff":
            group.font = self._default_font = number or 0
        elif word == "ansicpg":
            self._codec = codec_of_page(number or 0) or self._codec
        elif (position := position_of(word, number)) is not None:
            group.position = position
        elif codec := codec_of_word(word):
            self._codec = codec

    def _symbol(self, symbol: str) -> None:
        if symbol in "{}\\":  # which may be the second byte of a character
            self._literal(symbol.encode())
            return
        if self._left_out:
            self._left_out -= 1
            return
        self._flush()
        if symbol == "*":
            self._group.marked = True
        elif symbol in _LINE_ENDS:
            self._word("par", None)
        elif symbol in SIGNS:
            self._write(SIGNS[symbol])

    def _literal(self, text: bytes) -> None:
        if self._left_out:
            left_out = min(self._left_out, len(text))
            self._left_out -= left_out
            text = text[left_out:]
        if self._group.kind not in (Kind.SKIPPED, Kind.INFO):
            self._bytes += text

    def _flush(self) -> None:
        """Decode the bytes since the last control word: a character may be several bytes, written in different ways."""
        if self._bytes:
            font = self._descriptions.fonts.get(self._group.font)
            codec = (font.codec if font is not None else "") or self._codec
            if font is not None and font.is_symbols:
                codec = "latin-1"
            text = self._bytes.decode(codec, "replace")
            self._bytes.clear()
            self._write(text)

    def _write(self, text: str) -> None:
        group = self._group
        if group.kind in (Kind.FONTS, Kind.STYLES):
            self._descriptions.text(text)
        elif group.kind in (Kind.SKIPPED, Kind.INFO) or group.hidden or group.deleted:
            return
        else:
            font = self._descriptions.fonts.get(group.font)
            if font is not None and font.is_symbols:
                text = in_symbol_font(text, font.name)
            if group.kind in self._pieces:
                self._pieces[group.kind].append(text)
            else:
                self._open[-1].add(text, group.position)
