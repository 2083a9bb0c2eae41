"""The article that a page holds only as data for search engines (JSON-LD), while a script would display it.

What does not belong here: metadata of the page such as its title (pages).
"""

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lxml.html import HtmlElement


def article_body(page: "HtmlElement") -> str:
    """Return the longest `articleBody` in the JSON-LD of a page as plain text; "" if there is none."""
    bodies = [body for script in page.iter("script") if _is_data(script) for body in _bodies(script.text or "")]
    longest = max(bodies, key=len, default="")
    return _without_markup(longest) if "<" in longest or "&" in longest else longest


def _is_data(script: "HtmlElement") -> bool:
    return (script.get("type") or "").partition(";")[0].strip().lower() == "application/ld+json"


def _bodies(source: str) -> Iterator[str]:
    try:
        waiting = [json.loads(source, strict=False)]
    except (ValueError, RecursionError):  # data that nobody can read are as good as none
        return
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            body = value.get("articleBody")
            if isinstance(body, str):
                yield body
            waiting.extend(value.values())
        elif isinstance(value, list):
            waiting.extend(value)


def _without_markup(text: str) -> str:
    from lxml import html

    try:
        fragment = html.fragment_fromstring(text, create_parent=True)
    except (ValueError, html.etree.ParserError):
        return text
    for element in fragment.iterdescendants("p", "br", "li", "div", "h1", "h2", "h3", "h4"):
        element.tail = f"\n\n{element.tail or ''}"
    return "".join(fragment.itertext())
