"""The text of an HTML page without its boilerplate. What belongs here: encoding, title and the choice between two
readings. What does not: reading a whole page as blocks (html_blocks).

trafilatura finds the main text of a page among navigation, adverts and the like. On a short page, where there is
little to tell them apart by, it loses lists and headings; there the whole page is read, but for what its markup names
as navigation.
"""

import logging
import re
from typing import TYPE_CHECKING

from resources.errors import DocumentError
from seed_assets.core.html_blocks import html_blocks
from seed_assets.core.markdown_blocks import heading
from seed_assets.core.text_decoding import decode_text
from seed_assets.core.titles import cleaned_title

if TYPE_CHECKING:
    from lxml.html import HtmlElement

_SHORT_PAGE_CHARACTERS = 1_500
_DECLARATION_BYTES = 4_096
_DECLARED = re.compile(
    rb"<\?xml[^>]{0,200}?encoding\s*=\s*[\"']([\w.:-]{1,40})|<meta[^>]{0,400}?charset\s*=\s*[\"']?\s*([\w.:-]{1,40})",
    re.IGNORECASE,
)
# Emphasis is no structure, and its marks would stand in the middle of sentences.
_EMPHASIS = ("b", "strong", "i", "em", "u", "font", "big", "small", "mark", "s", "strike", "tt", "var", "cite", "dfn")


def read_html(data: bytes) -> tuple[str, str, str]:
    """(text, title, encoding) of a page; tables, headings and lists as in Markdown.

    The title is the first h1 if the title element repeats it (with the name of the site, usually), else the title
    element, else the first h1. Raises DocumentError for a page that is binary, or without text.
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

    # As UTF-8 with its encoding given, so that what the page declares, right or wrong, is not asked again; libxml2
    # ends the page at a zero character.
    encoded = characters.replace("\x00", "").encode("utf-8", "replace")
    for huge in (False, True):
        parser = html.HTMLParser(encoding="utf-8", remove_comments=True, remove_pis=True, huge_tree=huge)
        try:
            page = html.document_fromstring(encoded, parser=parser)
        except etree.ParserError:  # nothing in it but white space and comments
            return None
        if not any(entry.level_name == "FATAL" for entry in parser.error_log):
            break
    etree.strip_tags(page, *_EMPHASIS)
    return page


def _titles(page: "HtmlElement") -> tuple[str, str]:
    """(title of the page, first h1), each "" if there is none."""
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

    # It reports pages without main text as errors; here that is an ordinary case.
    logging.getLogger("trafilatura").setLevel(logging.CRITICAL + 1)
    config = use_config()
    # Below this many characters it would take all words of the page, in pieces and without their structure.
    config.set("DEFAULT", "MIN_EXTRACTED_SIZE", "1")
    document = trafilatura.bare_extraction(
        page,
        output_format="markdown",
        include_comments=False,
        include_tables=True,
        include_links=False,
        include_images=False,
        deduplicate=False,  # it would remember paragraphs from one document to the next
        with_metadata=False,
        config=config,
    )
    if document is None or isinstance(document, dict) or document.body is None:
        return ""
    return xmltotxt(document.body, True)
