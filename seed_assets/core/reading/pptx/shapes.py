"""The shapes of a slide as blocks of text (ECMA-376, part 1, 19.3 and 21.1): titles, text boxes, lists, tables, pictures.

What does not belong here: slides and the parts of the file (document).
"""

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from seed_assets.core.reading.docx.drawings import Sizes, described
from seed_assets.core.reading.docx.elements import attribute, child, children, local, number
from seed_assets.core.reading.docx.formulas import formula
from seed_assets.core.reading.docx.undescribed_pictures import emu_to_cm
from seed_assets.core.reading.markdown_blocks import table
from seed_assets.core.reading.superscripts import lowered, raised

if TYPE_CHECKING:
    from lxml.etree import _Element

TITLES = ("title", "ctrTitle")
# Placeholders that are the same on each slide.
_OF_EACH_SLIDE = ("sldNum", "dt", "ftr", "hdr")
# Placeholders whose paragraphs are items of a list, unless they say otherwise; one without a type is of that kind.
_LISTS = ("", "body", "obj")
# The most levels of a list (ECMA-376, part 1, 21.1.2.2.7).
_MOST_LEVELS = 8


def shapes_of(tree: "_Element") -> Iterator["_Element"]:
    """Yield the shapes, pictures and frames of a slide in order, those of groups as well, and no fallback copies."""
    waiting = list(reversed(tree))
    while waiting:
        element = waiting.pop()
        name = local(element)
        if name in ("sp", "pic", "graphicFrame", "cxnSp"):
            if attribute(_properties(element), "hidden") not in ("1", "true"):
                yield element
        elif name in ("grpSp", "AlternateContent", "Choice"):
            waiting.extend(reversed(element))


def placeholder(shape: "_Element") -> str | None:
    """Return the type of a placeholder; None if the shape is none."""
    for holder in shape:
        if local(holder).startswith("nv"):
            found = child(holder, "nvPr", "ph")
            return None if found is None else attribute(found, "type")
    return None


def blocks_of(shape: "_Element", elsewhere: Callable[["_Element"], list[str]]) -> list[str]:
    """Return the blocks of a shape.

    elsewhere: returns the blocks of an element that refers to another part: a chart, a diagram, or a picture that is not
    described.
    """
    kind = placeholder(shape)
    if kind in _OF_EACH_SLIDE:
        return []
    if local(shape) == "graphicFrame":
        found: list[str] = []
        for element in shape.iter():
            if local(element) == "tbl":
                found.append(_table(element))
            elif local(element) in ("chart", "relIds"):
                found += elsewhere(element)
        return found
    if local(shape) == "pic":
        text = described(attribute(_properties(shape), "descr"))
        return [f"[Picture: {text}]"] if text else elsewhere(shape)
    body = child(shape, "txBody")
    found = [] if body is None else _written(body, is_list=kind in _LISTS if kind is not None else False)
    # A shape may be filled with a picture.
    return found if found or child(shape, "spPr", "blipFill") is None else elsewhere(shape)


def paragraphs_of(body: "_Element") -> list[tuple["_Element", str]]:
    """Return (paragraph, text) of a text body, without blank ones."""
    found = ((paragraph, _text(paragraph)) for paragraph in children(body, "p"))
    return [(paragraph, text) for paragraph, text in found if text]


def _written(body: "_Element", *, is_list: bool) -> list[str]:
    """Return paragraphs as blocks; those that have bullets are one list."""
    blocks: list[str] = []
    items: list[str] = []
    paragraphs = paragraphs_of(body)
    numbers: dict[int, int] = {}
    for paragraph, text in paragraphs:
        properties = child(paragraph, "pPr")
        level = min(number(properties, "lvl"), _MOST_LEVELS)
        marks = {local(each) for each in properties} if properties is not None else set[str]()
        has_mark = bool(marks & {"buChar", "buAutoNum", "buBlip"}) or (is_list and "buNone" not in marks)
        if not has_mark or (len(paragraphs) == 1 and "buAutoNum" not in marks):
            if items:
                blocks.append("\n".join(items))
                items = []
            numbers.clear()
            blocks.append(text)
            continue
        numbers = {deep: count for deep, count in numbers.items() if deep <= level}
        numbers[level] = numbers.get(level, number(child(properties, "buAutoNum"), "startAt", 1) - 1) + 1
        mark = f"{numbers[level]}." if "buAutoNum" in marks else "-"
        items.append("  " * level + f"{mark} {text}")
    return [*blocks, "\n".join(items)] if items else blocks


def _text(paragraph: "_Element") -> str:
    pieces: list[str] = []
    for element in paragraph:
        name = local(element)
        if name == "r":
            pieces.append(_placed(element))
        elif name == "br":
            pieces.append("\n")
        elif name == "fld" and attribute(element, "type") != "slidenum":
            pieces.append(_placed(element))
        elif name in ("m", "AlternateContent"):
            pieces += [formula(each) for each in element.iter() if local(each) == "oMath"]
    return "".join(pieces).strip()


def _placed(run: "_Element") -> str:
    text = "".join(each.text or "" for each in children(run, "t"))
    baseline = attribute(child(run, "rPr"), "baseline")
    if not text.strip() or baseline in ("", "0", "0%"):
        return text
    return lowered(text) if baseline.startswith("-") else raised(text)


def _table(element: "_Element") -> str:
    rows = [
        [
            "\n".join(text for body in children(cell, "txBody") for _, text in paragraphs_of(body))
            for cell in children(row, "tc")
        ]
        for row in children(element, "tr")
    ]
    return table(rows)


def sizes_of(shape: "_Element") -> Sizes:
    """Return the sizes of a shape; one in a placeholder may have those of the layout, which are not looked up."""
    extent = child(shape, "spPr", "xfrm", "ext")
    return emu_to_cm(number(extent, "cx")), emu_to_cm(number(extent, "cy"))


def _properties(shape: "_Element") -> "_Element | None":
    holder = next((each for each in shape if local(each).startswith("nv")), None)
    return child(holder, "cNvPr")
