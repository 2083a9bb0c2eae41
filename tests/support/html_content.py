"""What a web page of the service shows, read with a parser: words, links and fields of forms.

What belongs here: reading a page as a person or a browser would. What does not: pages as documents (tests.support.html_pages).
"""

from dataclasses import dataclass
from typing import Any

import httpx2
from lxml import html


@dataclass
class Shown:
    """A page. status: of its response."""

    status: int
    tree: Any

    @property
    def text(self) -> str:
        """All words in the main part of the page, with single spaces."""
        mains = self.tree.xpath("//main") or [self.tree]
        return " ".join(mains[0].text_content().split())

    def words(self, xpath: str) -> list[str]:
        """The words of each element."""
        return [" ".join(one.text_content().split()) for one in self.tree.xpath(xpath)]

    def links(self, xpath: str = "//main") -> list[str]:
        """The addresses of the links below an element."""
        return [one.get("href") for one in self.tree.xpath(f"{xpath}//a[@href]")]


def shown(response: httpx2.Response) -> Shown:
    """The page of a response, or a part of a page."""
    assert response.headers["content-type"].startswith("text/html"), response.text
    return Shown(response.status_code, html.document_fromstring(response.text))
