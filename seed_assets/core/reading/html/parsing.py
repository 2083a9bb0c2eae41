"""The tree of an HTML page from its bytes. What belongs here: its encoding, and what the parser needs or must be spared. What
does not: the meaning of elements.
"""

import codecs
import re
from itertools import islice
from typing import TYPE_CHECKING

from seed_assets.core.reading.text.text_decoding import decode_text

if TYPE_CHECKING:
    from lxml.html import HtmlElement

# The numbers were chosen by judgement. The declaration of the encoding is searched for in so many bytes.
_DECLARATION_BYTES = 4_096
_DECLARED = re.compile(
    rb"<\?xml[^>]{0,200}?encoding\s*=\s*[\"']([\w.:-]{1,40})|<meta[^>]{0,400}?charset\s*=\s*[\"']?\s*([\w.:-]{1,40})",
    re.IGNORECASE,
)
# UTF-16 and UTF-32 have far more zero bytes than one in a hundred; a page with fewer has stray ones, which browsers ignore.
_STRAY_ZEROS = 100
_WIDE_MARKS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE, codecs.BOM_UTF32_BE)
_MOST_ATTRIBUTES = 1_000
# A well-formed attribute; a quoted value may contain `>`.
_PROPER = r"[\s/]++[^\s/<>=\"']++(?:\s*+=\s*+(?:\"[^\"]*+\"|'[^']*+'|[^\s<>\"']++))?+"
_MANY_PROPER = re.compile(rf"(<[a-zA-Z][^\s/<>]*+(?:{_PROPER}){{{_MOST_ATTRIBUTES}}}+)(?:{_PROPER})++")
# Any tag that is long enough to have more than 1,000 attributes.
_LONG_TAG = re.compile(rf"<[a-zA-Z][^<>]{{{2 * _MOST_ATTRIBUTES},}}")
_ATTRIBUTE = re.compile(r"[^\s=\"'/]+(?:\s*+=\s*+(?:\"[^\"]*\"|'[^']*'|[^\s\"']*+))?|[=\"']")


def decoded(data: bytes) -> tuple[str, str]:
    """Return (characters, encoding) of a page, without zero characters, at which the parser would stop.

    Raises DocumentError for a file that is binary or in an unknown encoding.
    """
    if 0 < data.count(0) <= len(data) // _STRAY_ZEROS and not data.startswith(_WIDE_MARKS):
        data = data.replace(b"\x00", b"")
    characters, encoding = decode_text(data, _declared_encoding(data))
    return characters.replace("\x00", ""), encoding


def parsed(characters: str) -> "HtmlElement | None":
    """Return the tree of a page without comments, or None if it has nothing else.

    Raises RecursionError for elements that are nested deeper than the parser goes.
    """
    import lxml.etree as etree
    from lxml import html

    # The page is passed as UTF-8 with an explicit encoding, so that its own declaration is ignored.
    encoded = _sparing(characters).encode("utf-8", "replace")
    page, fatal = None, list[str]()
    for huge in (False, True):
        parser = html.HTMLParser(encoding="utf-8", remove_comments=True, remove_pis=True, huge_tree=huge)
        try:
            page = html.document_fromstring(encoded, parser=parser)
        except etree.ParserError:  # the page has only white space and comments
            return None
        fatal = [entry.message for entry in parser.error_log if entry.level_name == "FATAL"]
        if not fatal:
            break
    if any("Excessive depth" in message for message in fatal):  # deeper elements were not read
        raise RecursionError("elements are nested deeper than the parser goes")
    return page


def _declared_encoding(data: bytes) -> str:
    found = _DECLARED.search(data[:_DECLARATION_BYTES])
    return (found[1] or found[2]).decode("ascii") if found else ""


def _sparing(characters: str) -> str:
    """Remove the attributes beyond the first 1,000 from each tag.

    libxml2 compares each attribute of a tag with all before it, in quadratic time. Text in scripts that looks like a tag is
    shortened as well, which does no harm, since scripts are not read.
    """
    return _LONG_TAG.sub(_first_attributes, _MANY_PROPER.sub(r"\1", characters))


def _first_attributes(tag: re.Match[str]) -> str:
    attributes = islice(_ATTRIBUTE.finditer(tag.string, *tag.span()), _MOST_ATTRIBUTES + 1)
    end = next((one.start() for place, one in enumerate(attributes) if place == _MOST_ATTRIBUTES), tag.end())
    return tag.string[tag.start() : end]
