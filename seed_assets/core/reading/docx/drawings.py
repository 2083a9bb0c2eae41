"""Diagrams, charts and descriptions of pictures in Office files, as text. What does not belong here: finding them in a file."""

import re
from typing import TYPE_CHECKING

from seed_assets.core.reading.docx.elements import attribute, child, local, number
from seed_assets.core.reading.docx.undescribed_pictures import emu_to_cm, length_in_cm
from seed_assets.core.reading.markdown_blocks import table

if TYPE_CHECKING:
    from lxml.etree import _Element

# Programs write the name of the picture's file, or a sentence of their own after the description.
_PICTURE_FILE = re.compile(
    r"\S+\.(?:png|jpe?g|gif|bmp|tiff?|svg|emf|wmf|webp)|(?:picture|image|grafik|bild|图片) ?\d*", re.IGNORECASE
)
_VML_SIZE = re.compile(r"(?:^|;)\s*(width|height)\s*:\s*([^;]{1,20})")
Sizes = tuple[float | None, float | None]
"""Width and height in centimetres; None for one that is not known."""
_AUTOMATIC = re.compile(
    r"\s*(?:AI-generated content may be incorrect\.?|Description automatically generated.*)$", re.DOTALL
)


def diagram_blocks(root: "_Element") -> list[str]:
    """Return the points of a diagram (SmartArt) as a list."""
    points = (
        text
        for point in root.iter()
        if local(point) == "pt" and attribute(point, "type") not in ("pres", "parTrans", "sibTrans")
        if (text := " ".join(_drawn_text(point).split()))
    )
    items = "\n".join(f"- {text}" for text in points)
    return [items] if items else []


def chart_blocks(root: "_Element") -> list[str]:
    """Return the title and the values of a chart, as they were when the document was saved."""
    title = next((" ".join(_drawn_text(each).split()) for each in root.iter() if local(each) == "title"), "")
    columns: dict[str, dict[str, str]] = {}
    rows: dict[str, None] = {}
    for place, series in enumerate((each for each in root.iter() if local(each) == "ser"), 1):
        name = next(iter(_points(child(series, "tx")).values()), f"series {place}")
        categories = _points(child(series, "cat") if child(series, "cat") is not None else child(series, "xVal"))
        values = _points(child(series, "val") if child(series, "val") is not None else child(series, "yVal"))
        columns[name] = {categories.get(place, place): value for place, value in values.items()}
        rows |= dict.fromkeys(columns[name])
    cells = [["", *columns], *([row, *(column.get(row, "") for column in columns.values())] for row in rows)]
    written = table(cells) if rows else ""
    return [block for block in (f"[Chart: {title}]" if title else "", written) if block]


def described(description: str) -> str:
    """Return what was written about a picture; "" if a program wrote it, as the name of a file or as "Picture 1"."""
    text = _AUTOMATIC.sub("", " ".join(description.split()))
    return "" if _PICTURE_FILE.fullmatch(text) else text


def picture_sizes(properties: "_Element") -> Sizes | None:
    """Return the sizes of the picture that the properties of a drawing belong to; None if it is no picture."""
    drawing = properties.getparent()
    data = child(drawing, "graphic", "graphicData")
    if data is None or not any(_is_picture(each) for each in data):
        return None
    extent = child(drawing, "extent")
    return emu_to_cm(number(extent, "cx")), emu_to_cm(number(extent, "cy"))


def _is_picture(element: "_Element") -> bool:
    name = local(element)
    return name == "pic" or (name in ("wgp", "wpc") and any(local(each) == "pic" for each in element))


def vml_sizes(style: str) -> Sizes:
    """Return the sizes of a picture in the old markup for drawings, from the style of its shape."""
    found = {each[1]: each[2] for each in _VML_SIZE.finditer(style)}
    return length_in_cm(found.get("width", "")), length_in_cm(found.get("height", ""))


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
