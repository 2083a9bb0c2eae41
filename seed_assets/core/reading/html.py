"""The text of an HTML page without its boilerplate. What belongs here: encoding, title and the choice between two
readings. What does not: reading a whole page as blocks (html_blocks).

trafilatura separates the main text of a page from navigation, adverts and the like. On a short page it lacks the evidence to do
so and loses lists and headings; such a page is read as a whole, except for what its markup names as navigation. ADR 0025
compares both.
"""

import logging
import re
from itertools import islice
from typing import TYPE_CHECKING

from resources.errors import DocumentError
from seed_assets.core.reading.html_blocks import html_blocks
from seed_assets.core.reading.markdown_blocks import heading
from seed_assets.core.reading.text_decoding import decode_text
from seed_assets.core.reading.titles import cleaned_title

if TYPE_CHECKING:
    from lxml.html import HtmlElement

# The numbers were chosen by judgement.
_SHORT_PAGE_CHARACTERS = 1_500
# The declaration of the encoding is searched for in so many bytes.
_DECLARATION_BYTES = 4_096
_DECLARED = re.compile(
    rb"<\?xml[^>]{0,200}?encoding\s*=\s*[\"']([\w.:-]{1,40})|<meta[^>]{0,400}?charset\s*=\s*[\"']?\s*([\w.:-]{1,40})",
    re.IGNORECASE,
)
_MOST_ATTRIBUTES = 1_000
# A well-formed attribute; a quoted value may contain `>`.
_PROPER = r"[\s/]++[^\s/<>=\"']++(?:\s*+=\s*+(?:\"[^\"]*+\"|'[^']*+'|[^\s<>\"']++))?+"
_MANY_PROPER = re.compile(rf"(<[a-zA-Z][^\s/<>]*+(?:{_PROPER}){{{_MOST_ATTRIBUTES}}}+)(?:{_PROPER})++")
# Any tag that is long enough to have more than 1,000 attributes.
_LONG_TAG = re.compile(rf"<[a-zA-Z][^<>]{{{2 * _MOST_ATTRIBUTES},}}")
_ATTRIBUTE = re.compile(r"[^\s=\"'/]+(?:\s*+=\s*+(?:\"[^\"]*\"|'[^']*'|[^\s\"']*+))?|[=\"']")
# Emphasis is removed: it is not structure, and its marks would appear inside sentences.
_EMPHASIS = ("b", "strong", "i", "em", "u", "font", "big", "small", "mark", "s", "strike", "tt", "var", "cite", "dfn")


def read_html(data: bytes) -> tuple[str, str, str]:
    """Return (text, title, encoding) of a page, with tables, headings and lists as in Markdown.

    The title is the first h1 if the title element repeats it (usually with the name of the site); otherwise it is the title
    element, or the first h1 if there is none. Raises DocumentError for a page that is binary or without text.
    """
    characters, encoding = decode_text(data, _declared_encoding(data))
    page = _parsed(characters)
    if page is None:
        raise DocumentError("the HTML page holds no text.", "Put its content back, or remove it.")
    title, first_heading = _titles(page)
    whole = html_blocks(page)
    text = whole
    if len(whole) > _SHORT_PAGE_CHARACTERS:
        text = _main_text(page) or whole
        if first_heading and " ".join(first_heading.split()) not in text:
            text = f"{heading(1, first_heading)}\n\n{text}"
    if not text.strip():
        raise DocumentError(
            "the HTML page holds no text (it may be one that a script fills).",
            "Save it from a browser as it is shown there, or remove it.",
        )
    return text, title, encoding


def _declared_encoding(data: bytes) -> str:
    found = _DECLARED.search(data[:_DECLARATION_BYTES])
    return (found[1] or found[2]).decode("ascii") if found else ""


def _parsed(characters: str) -> "HtmlElement | None":
    import lxml.etree as etree
    from lxml import html

    # The page is passed as UTF-8 with an explicit encoding, so that its own declaration is ignored. Zero characters are
    # removed, since libxml2 ends the page at one.
    encoded = _sparing(characters.replace("\x00", "")).encode("utf-8", "replace")
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
    etree.strip_tags(page, *_EMPHASIS)
    return page


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


def _titles(page: "HtmlElement") -> tuple[str, str]:
    """Return (title of the page, first h1); each is "" if there is none."""
    named = cleaned_title(
        "".join(page.xpath("string((//head//title | //title[not(ancestor::*[local-name()='svg'])])[1])"))
    )
    first_heading = cleaned_title("".join(page.xpath("string((//h1[normalize-space()])[1])")))
    if first_heading and first_heading.casefold() in named.casefold():
        return first_heading, first_heading
    return named or first_heading, first_heading


def _main_text(page: "HtmlElement") -> str:
    import trafilatura
    from trafilatura.settings import use_config
    from trafilatura.xml import xmltotxt

    # trafilatura logs pages without main text as errors, but that is an ordinary case here.
    logging.getLogger("trafilatura").setLevel(logging.CRITICAL + 1)
    config = use_config()
    # With fewer characters than this, trafilatura would return all words of the page without their structure.
    config.set("DEFAULT", "MIN_EXTRACTED_SIZE", "1")
    document = trafilatura.bare_extraction(
        page,
        output_format="markdown",
        include_comments=False,
        include_tables=True,
        include_links=False,
        include_images=False,
        deduplicate=False,  # deduplication would remember paragraphs from one document to the next
        with_metadata=False,
        config=config,
    )
    if document is None or isinstance(document, dict) or document.body is None:
        return ""
    return xmltotxt(document.body, True)
