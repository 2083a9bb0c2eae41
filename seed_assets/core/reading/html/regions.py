"""Which elements of a page are not shown, and which stand at its margin: menus, footers, banners, lists of links.

No name of a class decides anything by itself: it only counts beside what the element is (small against the page, mostly
links, a notice about cookies or copyright). What does not belong here: which blocks are the text of the page (main_text).
"""

import re
from typing import TYPE_CHECKING

from seed_assets.core.reading.html.facts import Facts, PageFacts

if TYPE_CHECKING:
    from lxml.html import HtmlElement

# The shares were chosen by judgement, and hold on the pages of benchmarks/reading.py. An element that is not displayed at
# first is left out unless it has this share of the text of the page: then a script displays it.
_HIDDEN_SHARE = 0.5
# A menu or footer has a smaller share of the text than this; otherwise it is the page.
_MARGIN_SHARE = 0.4
# A margin without a tag or role of its own is known by its name and by what it is: this share of it is links.
_MOSTLY_LINKS = 0.5
_NEARLY_ALL_LINKS = 0.8
# The longest notice about cookies or copyright, in characters without white space.
_LONGEST_NOTICE = 700

_UNDISPLAYED = re.compile(r"(?:^|;)\s*(?:display\s*:\s*none|visibility\s*:\s*hidden)", re.IGNORECASE)
_NAVIGATION_ROLES = frozenset(["navigation", "menu", "menubar", "search", "toolbar"])
_DIALOG_ROLES = frozenset(["dialog", "alertdialog"])
_MARGIN_NAMES = re.compile(
    r"(?:^|[\s_-])(?:nav|navbar|navigation|menu|breadcrumbs?|sidebar|footer|cookies?|consent|gdpr|share|sharing|social|"
    r"advert\w*|ads?|skip-?links?|noprint|related|recommended|newsletter|toolbar|pagination|pager|tags)(?:$|[\s_-])",
    re.IGNORECASE,
)
_CONTAINERS = frozenset(["div", "section", "ul", "ol", "header", "p", "table", "span", "form", "td", "dl", "center"])


def is_main(element: "HtmlElement") -> bool:
    """Whether the markup says that the main text of the page is in this element."""
    return (
        element.tag in ("article", "main")
        or element.get("role") in ("main", "article")
        or "articleBody" in (element.get("itemprop") or "").split()
    )


class Regions:
    """Tells which elements of one page are left out, and which are at its margin."""

    def __init__(self, facts: PageFacts) -> None:
        self._facts = facts

    def is_hidden(self, element: "HtmlElement") -> bool:
        """Whether an element is not displayed, and is neither shown on request (a tab, a panel) nor most of the page."""
        undisplayed = element.tag == "template" or element.tag == "dialog"
        if undisplayed:
            if element.get("shadowrootmode") or element.get("open") is not None:
                return False
        elif hidden := element.get("hidden"):
            undisplayed = hidden.lower() != "until-found"
        elif hidden is not None:
            undisplayed = True
        elif style := element.get("style"):
            undisplayed = _UNDISPLAYED.search(style) is not None
        if not undisplayed:
            return False
        facts = self._facts.about(element)
        if element.get("role") == "tabpanel" or (element.get("id") or "") in self._facts.controlled or facts.maths:
            return False
        return facts.chars < _HIDDEN_SHARE * self._facts.whole.chars

    def is_margin(self, element: "HtmlElement", *, in_main: bool) -> bool:
        """Whether an element is navigation, a footer, a banner or a list of links beside the text.

        in_main: whether it is in an element that holds the main text, where a footer or a notice belongs to the text.
        """
        facts = self._facts.about(element)
        if not facts.chars:
            return False
        tag, role = element.tag, element.get("role") or ""
        small = facts.chars < _MARGIN_SHARE * self._facts.whole.chars
        if tag in ("nav", "menu") or role in _NAVIGATION_ROLES:
            return small or facts.link_share() >= _MOSTLY_LINKS
        if role in _DIALOG_ROLES or element.get("aria-modal") == "true":
            return small
        if in_main and tag != "footer":
            return _is_named(element) and _is_links(facts) and small
        if tag == "footer" or role == "contentinfo":
            return small and (not in_main or facts.link_share() >= _MOSTLY_LINKS)
        if tag == "aside" or role in ("banner", "complementary"):
            return small and facts.link_share() >= _MOSTLY_LINKS
        if tag in _CONTAINERS and _is_named(element):
            return (small and _is_links(facts)) or self._is_notice(facts)
        return False

    def _is_notice(self, facts: Facts) -> bool:
        """Whether a short element with a telling name speaks of cookies or copyright; no heading is in it."""
        if facts.chars > min(_LONGEST_NOTICE, _HIDDEN_SHARE * self._facts.whole.chars) or facts.headings:
            return False
        return facts.notices > 0


def _is_links(facts: Facts) -> bool:
    return facts.link_share() >= (_MOSTLY_LINKS if facts.links > 1 else _NEARLY_ALL_LINKS)


def _is_named(element: "HtmlElement") -> bool:
    return bool(_MARGIN_NAMES.search(element.get("class") or "") or _MARGIN_NAMES.search(element.get("id") or ""))
