"""OpenDocument presentations (ODP): their slides in order, each with its notes.

What does not belong here: what stands in a box (body), and the parts of the file (odf_file).
"""

from typing import TYPE_CHECKING

from seed_assets.core.reading.docx.elements import attribute, child, local
from seed_assets.core.reading.docx.undescribed_pictures import UndescribedPictures
from seed_assets.core.reading.extracted_text import ExtractedText
from seed_assets.core.reading.markdown_blocks import heading
from seed_assets.core.reading.odt.body import OdtBody
from seed_assets.core.reading.odt.odf_file import OdfFile
from seed_assets.core.reading.text.normal_text import normalised
from seed_assets.core.reading.zip_package import FileKind

if TYPE_CHECKING:
    from lxml.etree import _Element

_KIND = FileKind("ODP", "a PowerPoint presentation of the old kind (.ppt)", "a presentation program")
# What is on every slide, or was never filled.
_OF_EACH_SLIDE = ("date-time", "footer", "header", "page-number")


def read_odp(data: bytes) -> ExtractedText:
    """Read the slides that are shown: titles as headings, texts, lists and tables; then the notes and comments of each.

    The title is that of the properties, or of the first slide that has one. Hidden slides are named in a warning.

    Raises DocumentError if the file is broken, encrypted, a ZIP bomb, not an ODP, or holds only pictures.
    """
    file = OdfFile(data, _KIND, "presentation")
    blocks: list[str] = []
    hidden: list[str] = []
    first_title = ""
    pictures = UndescribedPictures()
    slides = [element for element in file.body if local(element) == "page"]
    for place, slide in enumerate(slides, 1):
        style = file.style_elements.get(attribute(slide, "style-name"))
        if style is not None and attribute(child(style, "drawing-page-properties"), "visibility") == "hidden":
            hidden.append(str(place))
            continue
        title, rest = _slide(slide, OdtBody(file.styles, file.formula, pictures))
        first_title = first_title or title
        blocks += [heading(1, title), *rest] if title else rest
    numbers = ", ".join(hidden)[:200]
    named = (
        f"Slide {numbers} is hidden and not read." if len(hidden) == 1 else f"Slides {numbers} are hidden and not read."
    )
    warnings = (*([named] if hidden else []), *file.warnings(), *pictures.warnings())
    text = "\n\n".join(blocks)
    pictures.refuse_alone(text)
    return ExtractedText(normalised(text), file.title or first_title, "", warnings)


def _slide(slide: "_Element", body: OdtBody) -> tuple[str, list[str]]:
    """Return (the title of a slide, its other blocks)."""
    titles: list[str] = []
    blocks: list[str] = []
    notes: list[str] = []
    for element in slide:
        kind = attribute(element, "class")
        if kind in _OF_EACH_SLIDE or attribute(element, "placeholder") == "true":
            continue
        if local(element) == "notes":
            notes += _notes(element, body)
        elif kind == "title":
            titles += body.blocks_of(element)
        else:
            blocks += body.blocks_of(element)
    if notes:
        notes[0] = f"Notes: {notes[0]}"
    return " ".join(" ".join(titles).split()), [*blocks, *body.notes, *notes, *body.comments]


def _notes(element: "_Element", body: OdtBody) -> list[str]:
    frames = (each for each in element if attribute(each, "class") not in (*_OF_EACH_SLIDE, "page"))
    return [block for each in frames if attribute(each, "placeholder") != "true" for block in body.blocks_of(each)]
