"""The text inside a block: white space, breaks, raised and lowered text, marks of notes, pictures, and signs that only link.

What does not belong here: where blocks begin and end (blocks), and formulas (formulas).
"""

import re
from typing import TYPE_CHECKING

from seed_assets.core.reading.superscripts import lowered, raised

if TYPE_CHECKING:
    from lxml.html import HtmlElement

BREAK = "\n"
"""A line break of the page; line breaks of its source are spaces."""

_SPACES = re.compile(r"\s+")
# Soft hyphens, characters without width, and marks of direction. The two joiners stay: they change how letters look.
_INVISIBLE = re.compile("[\u00ad\u200b\u200e\u200f\u202a-\u202e\u2060\u2066-\u2069\ufeff]")
_NOTE_NAMES = re.compile(
    r"(?:^|[\s_-])(?:reference|references|footnote|noteref|note|fn|endnote)(?:$|[\s_-])", re.IGNORECASE
)
_NOTE = re.compile(r"[\[(]?\s*([\w*†‡§.,\s–-]{1,24}?)\s*[\])]?$")
_EDIT = re.compile(r"[?&]action=(?:edit|raw)\b|[?&]veaction=edit\b")
_PERMALINK = re.compile(r"(?:permalink|direct link|link|anchor|copy link|back to top|↩)$", re.IGNORECASE)
_PICTURE_FILE = re.compile(
    r"\S*\.(?:jpe?g|png|gif|webp|svg|bmp|tiff?|avif)$|(?:img|dsc|dscn|image|photo|pic)[_ -]?\d+$", re.I
)
# Kana and Bopomofo, which say how the characters below them are read.
_READING_AID = re.compile("[\\s\u3040-\u30ff\u3105-\u312f\u31a0-\u31bf\u02c7\u02ca\u02cb\u02d9]*$")
_NO_ALTERNATIVE = frozenset(
    [
        "image",
        "img",
        "picture",
        "photo",
        "photograph",
        "logo",
        "icon",
        "avatar",
        "banner",
        "thumbnail",
        "spacer",
        "placeholder",
        "bild",
        "foto",
        "grafik",
        "immagine",
        "imagen",
        "blank",
        "pixel",
        "arrow",
        "bullet",
        "null",
        "undefined",
        "alt",
        "none",
        "figure",
        "graphic",
        "loading",
    ]
)
# The longest text that can be a mark or a sign, in pieces and in characters; longer ones are not looked at.
_MOST_PIECES = 12
_LONGEST_SIGN = 60
# The name of a drawing with fewer spaces is that of an icon.
_LEAST_SPACES = 2


def flat(text: str | None) -> str:
    """Return the text of an element with all white space as spaces."""
    return _SPACES.sub(" ", text) if text else ""


def without_invisible(text: str) -> str:
    """Remove soft hyphens, characters without width and marks of direction."""
    return text if text.isascii() else _INVISIBLE.sub("", text)


def paragraphs(pieces: list[str]) -> list[str]:
    """Return the paragraphs that pieces of text make; an empty line ends one, and a single break ends a line."""
    if not pieces:
        return []
    found: list[list[str]] = [[]]
    for line in without_invisible("".join(pieces)).split(BREAK):
        if words := " ".join(line.split()):
            found[-1].append(words)
        elif found[-1]:
            found.append([])
    return [BREAK.join(lines) for lines in found if lines]


def small_text(element: "HtmlElement", pieces: list[str]) -> str | None:
    """Return what raised or lowered text becomes, from the pieces inside it; None if it stays as it is, being long."""
    if len(pieces) > _MOST_PIECES:
        return None
    text = flat("".join(pieces)).strip()
    if len(text) > _LONGEST_SIGN:
        return None
    if element.tag == "sub":
        return lowered(text)
    if _is_note(element) and (mark := _NOTE.match(text)):
        return f"[{mark[1]}]"
    return raised(text)


def is_sign(link: "HtmlElement", pieces: list[str], *, in_heading: bool) -> bool:
    """Whether a link has no text but a sign for itself (¶, #), or only offers to edit the section of a heading."""
    if len(pieces) > _MOST_PIECES:
        return False
    target = link.get("href") or ""
    text = without_invisible("".join(pieces)).strip()
    if len(text) > _LONGEST_SIGN:
        return False
    if "#" not in target:
        return in_heading and _EDIT.search(target) is not None
    if not any(map(str.isalnum, text)):
        return True
    return in_heading and _PERMALINK.match(text) is not None


def is_reading_aid(pieces: list[str]) -> bool:
    """Whether ruby text only says how the text below it is read; it would stand inside of words."""
    return len(pieces) <= _MOST_PIECES and _READING_AID.match("".join(pieces)) is not None


def alternative(picture: "HtmlElement") -> str:
    """Return the text that stands for a picture or drawing; "" if it has none, or only the name of a file or of what it is."""
    text = " ".join(without_invisible(picture.get("alt") or _drawn_title(picture)).split())
    if not text or picture.get("role") in ("presentation", "none") or _is_tiny(picture):
        return ""
    if picture.tag != "img" and text.count(" ") < _LEAST_SPACES:
        return ""
    if _PICTURE_FILE.match(text) or text.casefold().strip(" .:-_") in _NO_ALTERNATIVE:
        return ""
    source = picture.get("src") or ""
    stem = source.rpartition("/")[2].partition("?")[0].rpartition(".")[0]
    return "" if " " not in text and len(text) > 1 and text.casefold() == stem.casefold() else text


def _drawn_title(picture: "HtmlElement") -> str:
    """Return the name of a drawing, which is no `img`."""
    if picture.tag == "img":
        return ""
    title = picture.find("title") if picture.tag == "svg" else None
    return picture.get("aria-label") or ("" if title is None else "".join(title.itertext()))


def _is_tiny(picture: "HtmlElement") -> bool:
    return picture.get("width") in ("0", "1") or picture.get("height") in ("0", "1")


def _is_note(element: "HtmlElement") -> bool:
    """Whether raised text is the mark of a note: it links inside the page, or is named so."""
    if _NOTE_NAMES.search(element.get("class") or "") or element.get("role") == "doc-noteref":
        return True
    links = [element, *element.iter("a")] if len(element) < _MOST_PIECES else []
    parent = element.getparent()
    if parent is not None and parent.tag == "a":
        links.append(parent)
    return any("#" in (link.get("href") or "") or link.get("role") == "doc-noteref" for link in links)
