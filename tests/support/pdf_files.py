"""PDF files for tests, written object by object.

What belongs here: what all such files have in common. What does not: what a test wants to be read.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

HELVETICA = "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>"


@dataclass(slots=True)
class Page:
    """A page. content: the operators of its stream. annotations: their dictionaries. more: further entries of the page."""

    content: str = ""
    annotations: list[str] = field(default_factory=list)
    more: str = ""


def lines(*texts: str, left: int = 20, top: int = 380, size: int = 12) -> str:
    """Operators that draw lines of text from the top down."""
    drawn = " ".join(f"({text}) Tj T*" for text in texts)
    return f"BT /F1 {size} Tf {size + 2} TL {left} {top} Td {drawn} ET\n"


def at(left: float, bottom: float, text: str, size: int = 12) -> str:
    """Operators that draw a text at a place."""
    return f"BT /F1 {size} Tf {left} {bottom} Td ({text}) Tj ET\n"


def pdf(
    pages: Sequence[Page | str],
    *,
    title: str = "",
    catalog: str = "",
    font: str = HELVETICA,
    objects: Sequence[str] = (),
    kids: Sequence[str] | None = None,
) -> bytes:
    """Return a PDF.

    pages: each a Page, or the operators of its content.
    catalog: further entries of the catalog.
    font: the dictionary of the font F1.
    objects: further objects, the first of which has the number 10.
    kids: the references to pages, if not all of them in order.
    """
    found = [page if isinstance(page, Page) else Page(page) for page in pages]
    first = 10 + len(objects)
    numbers = [first + 2 * place for place in range(len(found))]
    kids = kids or [f"{number} 0 R" for number in numbers]
    written: dict[int, str] = {
        1: f"<< /Type /Catalog /Pages 2 0 R {catalog} >>",
        2: f"<< /Type /Pages /Count {len(kids)} /Kids [{' '.join(kids)}] >>",
        3: font,
        4: f"<< /Title ({title}) >>",
        **dict(enumerate(objects, 10)),
    }
    for number, page in zip(numbers, found, strict=True):
        places = range(first + 2 * len(found), first + 2 * len(found) + 1000)
        references = []
        for annotation in page.annotations:
            place = next(each for each in places if each not in written)
            written[place] = annotation
            references.append(f"{place} 0 R")
        resources = "/Resources << /Font << /F1 3 0 R >> /XObject << /Im1 10 0 R >> >>"
        written[number] = (
            f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 400 400] {resources} /Annots [{' '.join(references)}] {page.more} "
            f"/Contents {number + 1} 0 R >>"
        )
        written[number + 1] = f"<< /Length {len(page.content)} >>\nstream\n{page.content}\nendstream"
    return _file(written)


def _file(objects: dict[int, str]) -> bytes:
    data = "%PDF-1.7\n"
    offsets: dict[int, int] = {}
    for number, content in sorted(objects.items()):
        offsets[number] = len(data)
        data += f"{number} 0 obj\n{content}\nendobj\n"
    size = max(objects) + 1
    table = "".join(
        f"{offsets[number]:010} 00000 n \n" if number in offsets else "0000000000 65535 f \n" for number in range(size)
    )
    end = f"xref\n0 {size}\n{table}trailer\n<< /Size {size} /Root 1 0 R /Info 4 0 R >>\nstartxref\n{len(data)}\n%%EOF\n"
    return (data + end).encode("latin-1")
