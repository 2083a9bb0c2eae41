"""What each element of a page holds: how much text, how much of it in links, how many tables, formulas and so on.

One pass over the tree collects all of it, so that no decision about an element has to search through its content: nested
elements would be searched again at each level, in quadratic time. What does not belong here: the decisions (regions,
page_tables, blocks).
"""

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from seed_assets.core.reading.html.form_fields import FIELDS, field_of

if TYPE_CHECKING:
    from lxml.html import HtmlElement

# fmt: off
SILENT = frozenset({
    "head", "script", "style", "iframe", "svg", "canvas", "audio", "video", "select", "datalist", "input", "textarea",
    "frame", "rp", "title", "meta", "link", "base", "applet",
})
# fmt: on
"""Elements whose content is not text of the page."""

HEADINGS = {f"h{level}": level for level in range(1, 7)}
VERBATIM = frozenset(["pre", "listing", "xmp", "plaintext"])
# Elements about which something is decided even if they have no attributes.
_JUDGED = frozenset(
    ["table", "nav", "menu", "footer", "aside", "dialog", "template", "button", "mjx-container", *HEADINGS, *VERBATIM]
)
_NOTICE = re.compile(
    r"\bcookies?\b|©|\(c\)|\bcopyright\b|\ball rights reserved\b|\bprivacy\b|\bimpressum\b|\balle rechte\b|\btous droits\b",
    re.IGNORECASE,
)
# A longer text is no notice, in characters; by judgement.
_LONGEST_NOTICE = 700
# trafilatura takes as long for a column that a cell reaches over as for so many levels of depth; measured roughly.
_COLUMN_DEPTH = 20
_FRAGMENT = re.compile(r"#([^\s#]+)$")


@dataclass(slots=True)
class Facts:
    """chars: characters that are not white space, of which `linked` are in links and buttons.
    links, maths, tables, headings: how many of these elements there are.
    verbatim: how many line breaks, at least, there are in preformatted text.
    notices: how many pieces of text speak of cookies or copyright.
    paragraphs: how many elements and breaks end a paragraph.
    columns, widest: of a table without the tables in it, the most cells in a row, and the characters of its longest cell.
    """

    chars: int = 0
    linked: int = 0
    links: int = 0
    maths: int = 0
    tables: int = 0
    headings: int = 0
    verbatim: int = 0
    notices: int = 0
    paragraphs: int = 0
    columns: int = 0
    widest: int = 0

    def add(self, part: "Facts") -> None:
        """Count what an element within holds."""
        self.chars += part.chars
        self.linked += part.linked
        self.links += part.links
        self.maths += part.maths
        self.tables += part.tables
        self.headings += part.headings
        self.verbatim += part.verbatim
        self.notices += part.notices
        self.paragraphs += part.paragraphs

    def link_share(self) -> float:
        """Return which share of the text is in links."""
        return self.linked / self.chars if self.chars else 0.0


NO_FACTS = Facts()


@dataclass(slots=True)
class PageFacts:
    """of: the facts of each element about which something is decided.
    controlled: the ids of elements that a link, a button or a tab of the page shows.
    elements: how many there are. depths: the sum of their depths, and of the columns that cells reach over.
    frames: the addresses of its frames. framed: whether it is a page of frames alone.
    """

    of: dict["HtmlElement", Facts] = field(default_factory=dict)
    whole: Facts = field(default_factory=Facts)
    elements: int = 0
    depths: int = 0
    controlled: set[str] = field(default_factory=set)
    frames: list[str] = field(default_factory=list)
    framed: bool = False

    def about(self, element: "HtmlElement") -> Facts:
        """Return the facts of an element; empty ones if nothing is decided about it."""
        return self.of.get(element, NO_FACTS)


def collect_facts(page: "HtmlElement") -> PageFacts:
    """Go through the page once and return what its elements hold."""
    import lxml.etree as etree

    found = PageFacts()
    stack = [Facts()]
    links = verbatim = 0
    walk = etree.iterwalk(page, events=("start", "end"))
    for event, element in walk:
        tag = element.tag
        if event == "start":
            stack.append(Facts())
            found.elements += 1
            found.depths += len(stack)
            if tag in ("a", "button"):
                links += 1
            elif tag in VERBATIM:
                verbatim += 1
            _note_references(element, found)
            if tag in SILENT:
                walk.skip_subtree()
                if tag in FIELDS:
                    _count(stack[-1], field_of(element).text, links, verbatim)
            elif element.text:
                _count(stack[-1], element.text, links, verbatim)
            continue
        facts = stack.pop()
        if tag in ("a", "button"):
            links -= 1
            facts.links += 1
        elif tag in VERBATIM:
            verbatim -= 1
        elif tag == "br" and verbatim:
            facts.verbatim += 1
        _note_kind(element, facts, stack)
        if tag in _JUDGED or element.attrib:
            found.of[element] = facts
        stack[-1].add(facts)
        if element.tail and len(stack) > 1:
            _count(stack[-1], element.tail, links, verbatim)
    found.whole = stack[0]
    return found


def _count(facts: Facts, text: str, links: int, verbatim: int) -> None:
    chars = sum(map(len, text.split()))
    facts.chars += chars
    if links:
        facts.linked += chars
    if chars < _LONGEST_NOTICE and _NOTICE.search(text):
        facts.notices += 1
    if verbatim and "\n" in text.strip("\n"):
        facts.verbatim += 1


def _note_kind(element: "HtmlElement", facts: Facts, stack: list[Facts]) -> None:
    tag = element.tag
    parent = stack[-1]
    if tag == "math":
        facts.maths += 1
    elif tag == "table":
        facts.tables += 1
    elif tag in HEADINGS:
        facts.headings += 1
    elif tag in ("p", "br", "li"):
        facts.paragraphs += 1
    elif tag in ("td", "th"):
        parent.columns += 1
        parent.widest = max(parent.widest, facts.chars)
    elif tag in ("tr", "thead", "tbody", "tfoot"):
        parent.columns = max(parent.columns, facts.columns)
        parent.widest = max(parent.widest, facts.widest)


def _note_references(element: "HtmlElement", found: PageFacts) -> None:
    tag = element.tag
    if tag in ("td", "th") and (columns := element.get("colspan")) and columns.isdecimal() and len(columns) < 5:
        found.depths += _COLUMN_DEPTH * int(columns)
    elif tag == "frameset":
        found.framed = True
    elif tag in ("frame", "iframe"):
        if source := " ".join((element.get("src") or "").split()):
            found.frames.append(source)
    else:
        for name in ("aria-controls", "data-target", "data-bs-target", "href"):
            value = element.get(name)
            if not value:
                continue
            if name == "aria-controls":
                found.controlled.update(value.split())
            elif fragment := _FRAGMENT.match(value):
                found.controlled.add(fragment[1])
