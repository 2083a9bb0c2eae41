"""The text and title of a LaTeX file, and warnings. What does not belong here: commands and environments (reader)."""

import re

from resources.wording import counted
from seed_assets.core.reading.extracted_text import ExtractedText
from seed_assets.core.reading.latex.reader import LatexReader
from seed_assets.core.reading.latex.source import Source
from seed_assets.core.reading.latex.writer import BREAK
from seed_assets.core.reading.markdown_blocks import heading
from seed_assets.core.reading.markup.included_files import included_warning
from seed_assets.core.reading.text.normal_text import normalised
from seed_assets.core.reading.text.text_decoding import decode_text
from seed_assets.core.reading.titles import cleaned_title

_BEGIN = re.compile(r"^[^%\n]*\\begin[ \t]*\{document\}", re.MULTILINE)
_ENCODING = re.compile(rb"^[^%\n]*\\usepackage\[([a-z0-9]+)\]\{inputenc\}", re.MULTILINE)
_ENCODINGS = {
    "latin1": "iso-8859-1",
    "latin2": "iso-8859-2",
    "latin9": "iso-8859-15",
    "latin5": "iso-8859-9",
    "utf8": "utf-8",
}
_ENCODINGS |= {"ansinew": "windows-1252", "cp1252": "windows-1252", "cp1250": "windows-1250", "cp1251": "windows-1251"}
_ENCODINGS |= {"applemac": "macintosh", "koi8-r": "koi8-r"}
_HEAD_BYTES = 50_000
_GERMAN = re.compile(r"\bn?germanb?\b")
_LONGEST_LIST = 300


def read_latex(data: bytes) -> ExtractedText:
    """Read a LaTeX file: title, authors and date, then all text in order, then footnotes.

    Headings, lists and tables are written as in Markdown, formulas stay TeX, and macros that the document defines are
    replaced. No file is included; warnings name those that the document names, and count drawings.

    Raises DocumentError for a file that is binary, and RecursionError for one that is nested too deeply.
    """
    declared = _ENCODING.search(data[:_HEAD_BYTES])
    characters, encoding = decode_text(data, _ENCODINGS.get(declared[1].decode("ascii"), "") if declared else "")
    characters = characters.replace("\r\n", "\n").replace("\r", "\n").replace(BREAK, " ").replace("\f", "\n\n")
    begun = _BEGIN.search(characters)
    place = begun.end() if begun else 0
    reader = LatexReader(is_german=bool(_GERMAN.search(characters[:place])))
    reader.blocks(Source(characters[:place]), "")
    reader.undecided = 0  # in front of the text they decide about packages
    blocks = reader.blocks(Source(characters[place:]), "document")
    title = cleaned_title(reader.about.pop("title", ""))
    about = (text.replace(" ,", ",") for text in reader.about.values() if text)
    blocks = [*([heading(1, title)] if title else []), *about, *blocks, *reader.notes]
    return ExtractedText(normalised("\n\n".join(blocks)), title or _first_heading(blocks), encoding, _warnings(reader))


def _first_heading(blocks: list[str]) -> str:
    return next((cleaned_title(block.lstrip("# ")) for block in blocks if block.startswith("#")), "")


def _warnings(reader: LatexReader) -> tuple[str, ...]:
    found = list(included_warning(reader.included))
    if reader.drawings:
        found.append(f"{counted(reader.drawings, 'drawing is', 'drawings are')} not read.")
    if reader.undecided:
        conditions = counted(reader.undecided, "condition depends", "conditions depend")
        found.append(f"{conditions} on more than the document says; the first branch is read.")
    if reader.definitions.not_replaced:
        names = ", ".join(sorted(reader.definitions.not_replaced))[:_LONGEST_LIST]
        found.append(f"Macros that use themselves or become too long are not replaced: {names}.")
    return tuple(found)
