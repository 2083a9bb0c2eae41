"""The text and title of a PPTX file: its slides in order, each with its notes and comments.

What does not belong here: the shapes of a slide (shapes), and the archive (zip_package).
"""

from typing import TYPE_CHECKING

from resources.errors import DocumentError
from seed_assets.core.reading.docx.drawings import chart_blocks, diagram_blocks
from seed_assets.core.reading.docx.elements import attribute, child, children, local
from seed_assets.core.reading.docx.undescribed_pictures import UndescribedPictures
from seed_assets.core.reading.extracted_text import ExtractedText
from seed_assets.core.reading.markdown_blocks import heading
from seed_assets.core.reading.pptx.shapes import TITLES, blocks_of, paragraphs_of, placeholder, shapes_of, sizes_of
from seed_assets.core.reading.text.normal_text import normalised
from seed_assets.core.reading.zip_package import FileKind, OfficePackage, core_title, opened

if TYPE_CHECKING:
    from lxml.etree import _Element

_KIND = FileKind("PPTX", "a PowerPoint presentation of the old kind (.ppt)", "a presentation program")


def read_pptx(data: bytes) -> ExtractedText:
    """Read the slides that are shown: titles as headings, texts, lists and tables; then notes and comments of each slide.

    The title is that of the properties, or of the first slide that has one. A slide that is damaged, and hidden slides, are
    named in warnings; pictures without descriptions are counted.

    Raises DocumentError if the file is broken, encrypted, a ZIP bomb, not a PPTX, or holds only pictures.
    """
    with opened(data, _KIND) as archive:
        package = OfficePackage(archive, _KIND)
        main = package.main_part("a presentation", "presentation")
        reader = _Slides(package)
        listed = child(package.parsed(main), "sldIdLst")
        slides = list(children(listed, "sldId")) if listed is not None else []
        for place, slide in enumerate(slides, 1):
            # The other attribute with this local name is the number of the slide.
            relation = next((str(value) for name, value in slide.attrib.items() if str(name).endswith("}id")), "")
            reader.read(place, package.related(main, relation))
        title = core_title(package) or reader.title
    text = "\n\n".join(reader.blocks)
    reader.pictures.refuse_alone(text)
    return ExtractedText(normalised(text), title, "", reader.all_warnings())


class _Slides:
    """Collects the blocks of slides, the first title, and warnings."""

    def __init__(self, package: OfficePackage) -> None:
        self._package = package
        self._warnings: list[str] = []
        self._hidden: list[int] = []
        self.blocks: list[str] = []
        self.title = ""
        self.pictures = UndescribedPictures()

    def all_warnings(self) -> tuple[str, ...]:
        """Return one sentence for each damaged slide, one for all that are hidden, and one for pictures without a text."""
        found = (*self._warnings, *self.pictures.warnings())
        if not self._hidden:
            return found
        numbers = ", ".join(map(str, self._hidden))[:200]
        slides = f"Slide {numbers} is hidden and" if len(self._hidden) == 1 else f"Slides {numbers} are hidden and"
        return (*found, f"{slides} not read.")

    def read(self, place: int, part: str) -> None:
        """Read a slide. place: its number, from 1 on."""
        if not part:
            self._warnings.append(f"Slide {place} is missing in the file.")
            return
        try:
            slide = self._package.parsed(part)
            if attribute(slide, "show") in ("0", "false"):
                self._hidden.append(place)
                return
            self.blocks += self._slide(slide, part)
        except DocumentError as error:
            if "ZIP bomb" in error.reason:
                raise
            self._warnings.append(f"Slide {place} was not read: {error}")

    def _slide(self, slide: "_Element", part: str) -> list[str]:
        titles: list[str] = []
        blocks: list[str] = []
        tree = child(slide, "cSld", "spTree")
        for shape in shapes_of(tree) if tree is not None else ():
            found = blocks_of(shape, lambda element: self._elsewhere(element, part))
            if placeholder(shape) in TITLES and found:
                titles.append(heading(1, " ".join(found)))
                self.title = self.title or " ".join(" ".join(found).split())
            else:
                blocks += found
        return [*titles, *blocks, *self._notes(part), *self._comments(part)]

    def _elsewhere(self, element: "_Element", part: str) -> list[str]:
        if local(element) in ("pic", "sp"):
            self.pictures.add(*sizes_of(element))
            return []
        is_diagram = local(element) == "relIds"
        name = self._package.related(part, attribute(element, "dm" if is_diagram else "id"))
        if not name:
            return []
        root = self._package.parsed(name)
        return diagram_blocks(root) if is_diagram else chart_blocks(root)

    def _notes(self, part: str) -> list[str]:
        found: list[str] = []
        for name in self._package.related_by_type(part, "/notesSlide"):
            tree = child(self._package.parsed(name), "cSld", "spTree")
            for shape in shapes_of(tree) if tree is not None else ():
                body = child(shape, "txBody")
                if body is not None and placeholder(shape) in ("body", None):
                    found += [text for _, text in paragraphs_of(body)]
        return [f"Notes: {found[0]}", *found[1:]] if found else []

    def _comments(self, part: str) -> list[str]:
        found: list[str] = []
        for name in self._package.related_by_type(part, "/comments"):
            for comment in self._package.parsed(name).iter():
                if local(comment) in ("cm", "reply"):
                    pieces = (
                        each.text or ""
                        for holder in comment
                        if local(holder) in ("text", "txBody")
                        for each in holder.iter()
                        if local(each) in ("text", "t")
                    )
                    if text := " ".join(" ".join(pieces).split()):
                        found.append(f"[Comment: {text}]")
        return found
