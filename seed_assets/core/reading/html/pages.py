"""An HTML page from its bytes: text, title and encoding, or the reason why it has no text.

What does not belong here: the tree (parsing), its blocks (page_blocks), and which of them are the text (main_text).
"""

from typing import TYPE_CHECKING, NamedTuple

from resources.errors import DocumentError
from seed_assets.core.reading.html.block import Block, Kind, written
from seed_assets.core.reading.html.facts import PageFacts, collect_facts
from seed_assets.core.reading.html.frames import frame_warnings, named, read_inner_pages
from seed_assets.core.reading.html.main_text import Vote, main_blocks, trafilatura_text, usual_blocks, words_of
from seed_assets.core.reading.html.page_blocks import blocks_of
from seed_assets.core.reading.html.page_data import article_body
from seed_assets.core.reading.html.parsing import decoded, parsed
from seed_assets.core.reading.markdown_blocks import heading
from seed_assets.core.reading.titles import cleaned_title
from seed_assets.core.text.unicode_forms import is_stream_safe

if TYPE_CHECKING:
    from lxml.html import HtmlElement

# The numbers were chosen by judgement. A page of frames with fewer words than this only says that it has frames.
_FRAMES_TEXT_WORDS = 50
_LONGEST_ADDRESS = 80
# trafilatura is not asked about larger pages, nor about pages whose elements are nested as crafted ones are: it takes minutes
# for some of them. A page of 200,000 elements that are 25 levels deep is within both limits. It normalizes its result, for which
# characters with thousands of marks take minutes as well.
_MOST_ELEMENTS = 200_000
_MOST_DEPTHS = 5_000_000
# An article in the data of a page has so many words at least, and less than this share of it is displayed.
_LEAST_DATA_WORDS = 30
_DISPLAYED_SHARE = 0.2


class HtmlPage(NamedTuple):
    """What is read of a page. warnings: sentences about what is not."""

    text: str
    title: str
    encoding: str
    warnings: tuple[str, ...] = ()


def read_html(data: bytes) -> HtmlPage:
    """Read a page, with tables, headings and lists as in Markdown. A warning names frames whose pages are elsewhere.

    The title is the first h1 if the title element repeats it (usually with the name of the site); otherwise it is the title
    element, or the first h1 if there is none. Raises DocumentError for a page that is binary or without text.
    """
    characters, encoding = decoded(data)
    page = parsed(characters)
    if page is None:
        raise DocumentError("the HTML page holds no text.", "Put its content back, or remove it.")
    read_inner_pages(page)
    warnings = frame_warnings(page)
    facts = collect_facts(page)
    blocks = _blocks_without_frames(page) if facts.framed else blocks_of(page, facts)
    title, first_heading = _titles(page, blocks)
    return HtmlPage(_text(page, facts, blocks, first_heading), title, encoding, warnings)


def _text(page: "HtmlElement", facts: PageFacts, blocks: list[Block], first_heading: str) -> str:
    if facts.framed and sum(len(block.text.split()) for block in blocks) < _FRAMES_TEXT_WORDS:
        raise DocumentError(
            f"the HTML page has no text of its own, only frames that show other files{_named(facts.frames)}.",
            "Add the files that its frames show to the folder, and list this page in .seedbankignore.",
        )
    if facts.framed:
        return written(usual_blocks(blocks))
    # trafilatura may change the page, so the data are read before.
    data = article_body(page)
    fits = (
        facts.elements <= _MOST_ELEMENTS and facts.depths <= _MOST_DEPTHS and is_stream_safe("".join(page.itertext()))
    )
    found = trafilatura_text(page) if fits else ""
    taken = main_blocks(blocks, Vote(found)) if found else usual_blocks(blocks)
    text = written(taken)
    shown = Vote("\n".join(block.text for block in blocks))
    # trafilatura reads the data of other formats as well.
    article = next((article for article in (data, found) if _is_undisplayed(article, shown, text)), "")
    # The title in a field of a form, such as one for comments, is not the heading.
    headed = article or "\n\n".join(block.text for block in taken if not block.valued)
    text = article or text
    if not text.strip():
        raise _without_text(facts)
    if first_heading and " ".join(first_heading.split()) not in headed:
        text = f"{heading(1, first_heading)}\n\n{text}"
    return text


def _blocks_without_frames(page: "HtmlElement") -> list[Block]:
    """Return the blocks that a page of frames has for browsers without frames; the parser leaves them as markup."""
    inner = parsed("\n".join(page.xpath("//noframes//text()")))
    return [] if inner is None else blocks_of(inner, collect_facts(inner))


def _is_undisplayed(article: str, shown: Vote, text: str) -> bool:
    """Whether an article from the data of a page is not on the page, and not shorter than the text that is."""
    words = words_of(article)
    if len(words) < max(_LEAST_DATA_WORDS, len(words_of(text))):
        return False
    return shown.share(words) < _DISPLAYED_SHARE


def _without_text(facts: PageFacts) -> DocumentError:
    if facts.frames:
        return DocumentError(
            f"the HTML page has no text of its own, only frames that show other pages{_named(facts.frames)}.",
            "Save the pages that its frames show, or remove it.",
        )
    return DocumentError(
        "the HTML page holds no text (it may be one that a script fills).",
        "Save it from a browser as it is shown there, or remove it.",
    )


def _named(frames: list[str]) -> str:
    return f" ({named([frame[:_LONGEST_ADDRESS] for frame in frames])})" if frames else ""


def _titles(page: "HtmlElement", blocks: list[Block]) -> tuple[str, str]:
    """Return (title of the page, first h1); each is "" if there is none."""
    named = cleaned_title(
        "".join(page.xpath("string((//head//title | //title[not(ancestor::*[local-name()='svg'])])[1])"))
    )
    headings = [block for block in blocks if block.kind is Kind.HEADING and block.level == 1]
    headings.sort(key=lambda block: 2 * block.linked > len(block.text))  # an h1 that is a link names the site
    first_heading = cleaned_title(headings[0].text) if headings else ""
    if first_heading and first_heading.casefold() in named.casefold():
        return first_heading, first_heading
    return named or first_heading, first_heading
