"""What extraction gives: the value type and the form every text has. What does not belong here: reading a format."""

import re
import unicodedata

import msgspec


class ExtractedText(msgspec.Struct, frozen=True):
    """The text of one document.

    text: lines end with "\\n" and without blanks; NFC; no control characters but tabs and line ends; never without a
        visible character. Headings and tables of HTML and DOCX are written as in Markdown.
    title: what the document calls itself, "" if it does not.
    encoding: the encoding found ("utf-8", "windows-1252", ...); "" for formats that are not text files.
    """

    text: str
    title: str
    encoding: str = ""


# Everything that some program takes for the end of a line; a form feed ends a page.
_LINE_END = re.compile("\r\n|[\r\x0b\x0c\x1c-\x1e\x85\u2028]")
_UNWANTED = re.compile("[\x00-\x08\x0e-\x1f\x7f-\x9f\ufeff\ufffe\uffff]")
_SURROGATE = re.compile("[\ud800-\udfff]")


def normalised(text: str) -> str:
    """`text` in the form described above, without blank lines at its ends; "" where nothing in it is visible."""
    text = _LINE_END.sub("\n", text).replace("\u2029", "\n\n")
    text = _SURROGATE.sub("\ufffd", _UNWANTED.sub("", text))
    # After the removals, which may bring a letter and its accent together.
    text = unicodedata.normalize("NFC", text)
    # Line by line: a regular expression for trailing blanks takes quadratic time on a long run of them.
    text = "\n".join(line.rstrip() for line in text.split("\n")).strip("\n")
    return text if any(character.isprintable() and not character.isspace() for character in text) else ""
