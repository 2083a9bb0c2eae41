"""The normal form of the texts of documents, whatever format they are read from."""

import re

from seed_assets.core.reading.text.invisible_characters import visible_text
from seed_assets.core.reading.text.terminal_text import without_terminal_controls
from seed_assets.core.text.unicode_forms import normal_form

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
