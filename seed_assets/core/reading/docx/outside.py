"""What a DOCX keeps outside of its body: notes, comments, headers and footers, diagrams, charts, imported files.

What belongs here: finding these parts, and the blocks that they become. What does not: the body, which says where a diagram or
an imported file stands.
"""

import posixpath
import re
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from resources.errors import DocumentError
from seed_assets.core.reading.docx.docx_text import DocxText
from seed_assets.core.reading.docx.drawings import (
    Sizes,
    chart_blocks,
    described,
    diagram_blocks,
    picture_sizes,
    vml_sizes,
)
from seed_assets.core.reading.docx.elements import attribute, local
from seed_assets.core.reading.docx.imported import read_imported
from seed_assets.core.reading.docx.inline import PAGE_NUMBER
from seed_assets.core.reading.docx.undescribed_pictures import UndescribedPictures
from seed_assets.core.reading.zip_package import OfficePackage

if TYPE_CHECKING:
    from lxml.etree import _Element

    from seed_assets.core.reading.docx.body import DocxBody

_DIAGRAMS = "word/diagrams/data"
# What remains of a header without the number of the page: "Page of", "Seite", "- -".
_PAGE_WORDS = re.compile(r"(?:page|seite|página|pagina|p\.|of|von|de|di|sur|/|[\W_])*", re.IGNORECASE)


class Outside:
    """The parts around the body of one document.

    main: the name of the part with the body.
    document_of: reads a DOCX that is imported into this one.
    """

    def __init__(self, package: OfficePackage, main: str, document_of: Callable[[bytes], DocxText]) -> None:
        self._package = package
        self._main = main
        self._document_of = document_of
        self._shown: set[str] = set()
        self.warnings: list[str] = []
        self.pictures = UndescribedPictures()

    def blocks(self, element: "_Element") -> list[str]:
        """Return the blocks of an element of the body that stands for something else; [] if it holds no text."""
        name = local(element)
        if name == "docPr":
            return self._picture(attribute(element, "descr"), picture_sizes(element))
        if name == "imagedata":
            shape = element.getparent()
            return self._picture(attribute(shape, "alt"), vml_sizes(attribute(shape, "style")))
        part = self._package.related(self._main, attribute(element, "dm" if name == "relIds" else "id"))
        if not part:
            return []
        if name == "relIds":
            return self._diagram(part)
        return chart_blocks(self._package.parsed(part)) if name == "chart" else self._imported(part)

    def _picture(self, description: str, sizes: Sizes | None) -> list[str]:
        """Return the description of a picture; if there is none, the picture is counted. sizes: None if it is no picture."""
        if text := described(description):
            return [f"[Picture: {text}]"]
        if sizes is not None:
            self.pictures.add(*sizes)
        return []

    def unplaced_diagrams(self) -> list[str]:
        """Return the texts of the diagrams to which no element of the body refers."""
        left = [name for name in self._package.names(_DIAGRAMS) if name not in self._shown]
        return [block for name in left for block in self._diagram(name)]

    def notes(self, body: "DocxBody") -> list[str]:
        """Return the footnotes and endnotes, without the separators among them."""
        return [
            block
            for kind in ("footnotes", "endnotes")
            for note in self._part(kind)
            if not attribute(note, "type")
            for block in body.blocks(note)
        ]

    def comments(self, body: "DocxBody") -> list[str]:
        """Return the comments, each with its author."""
        found: list[str] = []
        for comment in self._part("comments"):
            if text := " ".join(" ".join(body.blocks(comment)).split()):
                author = attribute(comment, "author").strip()
                found.append(f"[Comment by {author}: {text}]" if author else f"[Comment: {text}]")
        return found

    def headers_and_footers(self, document: "_Element", body: "DocxBody", shown: list[str]) -> list[str]:
        """Return the texts of the document's headers and footers, each once, without numbers of pages.

        shown: blocks that are in the text already.
        """
        texts = dict.fromkeys(
            text
            for part in dict.fromkeys(self._referenced(document))
            for block in body.blocks(self._package.parsed(part))
            if (text := _without_page_number(block))
        )
        known = {block.lstrip("#-* ") for block in shown}
        return [text for text in texts if text.lstrip("#-* ") not in known]

    def _referenced(self, document: "_Element") -> Iterator[str]:
        for element in document.iter():
            if local(element) in ("headerReference", "footerReference") and (
                part := self._package.related(self._main, attribute(element, "id"))
            ):
                yield part

    def _part(self, kind: str) -> "_Element":
        return self._package.parsed(f"{posixpath.dirname(self._main)}/{kind}.xml", required=False)

    def _diagram(self, part: str) -> list[str]:
        self._shown.add(part)
        return diagram_blocks(self._package.parsed(part))

    def _imported(self, part: str) -> list[str]:
        try:
            found = read_imported(part, self._package.bytes(part), self._document_of)
        except DocumentError as error:
            self.warnings.append(f"A file that is imported into it ({posixpath.basename(part)}) was not read: {error}")
            return []
        self.warnings += found.warnings
        return [found.text] if found.text else []


def _without_page_number(block: str) -> str:
    """Return a block of a header without the number of the page and the words around it."""
    if PAGE_NUMBER not in block:
        return block
    kept = []
    for piece in re.split(r"\t|\n| {2,}| [|·•] ", block):
        if PAGE_NUMBER not in piece:
            kept.append(piece.strip())
            continue
        # What stands before the word "Page", if there is more than such words.
        before = re.split(r"\b(?:page|seite|página|pagina)\b|\x00", piece, maxsplit=1, flags=re.IGNORECASE)[0]
        if not _PAGE_WORDS.fullmatch(before):
            kept.append(before.strip(" -–—,;:("))
    return " ".join(filter(None, kept))
