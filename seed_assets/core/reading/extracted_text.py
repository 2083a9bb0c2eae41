"""The result of extraction: its type, and the normal form of texts. What does not belong here: reading a format."""

import re

import msgspec

from seed_assets.core.reading.text.invisible_characters import visible_text
from seed_assets.core.reading.text.terminal_text import without_terminal_controls
from seed_assets.core.text.unicode_forms import normal_form


class PageScan(msgspec.Struct, frozen=True, array_like=True):
    """A page that was read as a picture.

    page: its number, from 0.
    picture: the digest of its picture; the action of this picture has the place of every word.
    confidence: how sure the engine was, 0 to 1, over all letters.
    """

    page: int
    picture: str
    confidence: float


class ExtractedText(msgspec.Struct, frozen=True, omit_defaults=True):
    """The text of one document.

    text: in NFC, with lines that end in "\\n" without trailing blanks, without control characters except tabs and line
        ends, without invisible characters, and with at least one visible character. Ligatures are written as letters.
        Headings and tables of HTML and DOCX are written as in Markdown.
    title: the document's own title; "" if it has none.
    encoding: the encoding that was found ("utf-8", "windows-1252", ...); "" for formats that are not text files.
    warnings: one sentence for each part of the file that could not be read as it should be; the text has all the rest.
    page_starts: where in the text each page begins, in characters from 0 on; empty for formats without pages.
    scans: the pages that were read as pictures.
    """

    text: str
    title: str
    # A factory, since a plain default would be left out of the encoded value; `warnings` are left out if there are none.
    encoding: str = msgspec.field(default_factory=str)
    warnings: tuple[str, ...] = ()
    page_starts: tuple[int, ...] = ()
    scans: tuple[PageScan, ...] = ()


# Everything that some program treats as the end of a line; a form feed ends a page.
_LINE_END = re.compile("\r\n|[\r\x0b\x0c\x1c-\x1e\x85\u2028]")
_UNWANTED = re.compile("[\x00-\x08\x0e-\x1f\x7f-\x9f\ufeff\ufffe\uffff]")
_SURROGATE = re.compile("[\ud800-\udfff]")
# One search for any of these takes less time than a replacement of each.
_UNUSUAL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff\ud800-\udfff]")


def normalised(text: str) -> str:
    """Return the text in the form that ExtractedText describes, without blank lines at its ends; "" if it is invisible."""
    if _UNUSUAL.search(text):
        text = _LINE_END.sub("\n", text).replace("\u2029", "\n\n")
        text = _SURROGATE.sub("\ufffd", _UNWANTED.sub("", without_terminal_controls(text)))
    # This comes after the removals, which may join a letter with its accent.
    text = normal_form("NFC", visible_text(text))
    # Lines are stripped one by one: a regular expression takes quadratic time for a long run of blanks. Most have none.
    if not text.isascii() or " \n" in text or "\t\n" in text or text.endswith((" ", "\t")):
        text = "\n".join([line.rstrip() for line in text.split("\n")])
    text = text.strip("\n")
    return text if any(character.isprintable() and not character.isspace() for character in text) else ""
