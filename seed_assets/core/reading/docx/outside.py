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
from seed_assets.core.reading.docx.elements import attribute, child, local
from seed_assets.core.reading.docx.imported import read_imported
from seed_assets.core.reading.docx.inline import PAGE_NUMBER
from seed_assets.core.reading.docx.package import Package
from seed_assets.core.reading.markdown_blocks import table

if TYPE_CHECKING:
    from lxml.etree import _Element

    from seed_assets.core.reading.docx.body import DocxBody

_DIAGRAMS = "word/diagrams/data"
# Programs write the name of the picture's file, or a sentence of their own after the description.
_PICTURE_FILE = re.compile(
    r"\S+\.(?:png|jpe?g|gif|bmp|tiff?|svg|emf|wmf|webp)|(?:picture|image|grafik|bild|图片) ?\d*", re.IGNORECASE
)
_AUTOMATIC = re.compile(
    r"\s*(?:AI-generated content may be incorrect\.?|Description automatically generated.*)$", re.DOTALL
)
# What remains of a header without the number of the page: "Page of", "Seite", "- -".
_PAGE_WORDS = re.compile(r"(?:page|seite|página|pagina|p\.|of|von|de|di|sur|/|[\W_])*", re.IGNORECASE)


class Outside:
    """The parts around the body of one document.

    main: the name of the part with the body.
    document_of: reads a DOCX that is imported into this one.
    """

    def __init__(self, package: Package, main: str, document_of: Callable[[bytes], DocxText]) -> None:
        self._package = package
        self._main = main
        self._document_of = document_of
        self._shown: set[str] = set()
        self.warnings: list[str] = []

    def blocks(self, element: "_Element") -> list[str]:
        """Return the blocks of an element of the body that stands for something else; [] if it holds no text."""
        name = local(element)
        if name == "docPr":
            description = described(attribute(element, "descr"))
            return [f"[Picture: {description}]"] if description else []
        part = self._package.related(self._main, attribute(element, "dm" if name == "relIds" else "id"))
        if not part:
            return []
        if name == "relIds":
            return self._diagram(part)
        return self._chart(part) if name == "chart" else self._imported(part)

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
        points = (
            text
            for point in self._package.parsed(part).iter()
            if local(point) == "pt" and attribute(point, "type") not in ("pres", "parTrans", "sibTrans")
            if (text := " ".join(_drawn_text(point).split()))
        )
        items = "\n".join(f"- {text}" for text in points)
        return [items] if items else []

    def _chart(self, part: str) -> list[str]:
        """Return the title and the values of a chart, as they were when the document was saved."""
        root = self._package.parsed(part)
        title = next((" ".join(_drawn_text(each).split()) for each in root.iter() if local(each) == "title"), "")
        columns: dict[str, dict[str, str]] = {}
        rows: dict[str, None] = {}
        for number, series in enumerate((each for each in root.iter() if local(each) == "ser"), 1):
            name = next(iter(_points(child(series, "tx")).values()), f"series {number}")
            categories = _points(child(series, "cat") if child(series, "cat") is not None else child(series, "xVal"))
            values = _points(child(series, "val") if child(series, "val") is not None else child(series, "yVal"))
            columns[name] = {categories.get(place, place): value for place, value in values.items()}
            rows |= dict.fromkeys(columns[name])
        cells = [["", *columns], *([row, *(column.get(row, "") for column in columns.values())] for row in rows)]
        written = table(cells) if rows else ""
        return [block for block in (f"[Chart: {title}]" if title else "", written) if block]

    def _imported(self, part: str) -> list[str]:
        try:
            found = read_imported(part, self._package.bytes(part), self._document_of)
        except DocumentError as error:
            self.warnings.append(f"A file that is imported into it ({posixpath.basename(part)}) was not read: {error}")
            return []
        self.warnings += found.warnings
        return [found.text] if found.text else []


def described(description: str) -> str:
    """Return what was written about a picture; "" if a program wrote it, as the name of a file or as "Picture 1"."""
    text = _AUTOMATIC.sub("", " ".join(description.split()))
    return "" if _PICTURE_FILE.fullmatch(text) else text


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


def _drawn_text(element: "_Element") -> str:
    return " ".join(each.text or "" for each in element.iter() if local(each) == "t" and not len(each))


def _points(holder: "_Element | None") -> dict[str, str]:
    """Return the values that a chart keeps of its source: number of the point -> value."""
    if holder is None:
        return {}
    return {
        attribute(point, "idx"): (found.text or "").strip()
        for point in holder.iter()
        if local(point) == "pt" and (found := child(point, "v")) is not None
    }
