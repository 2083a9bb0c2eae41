"""The text and title of an OpenDocument text (ODT): the order of its parts. What does not belong here: reading a part."""

from typing import TYPE_CHECKING

from seed_assets.core.reading.docx.elements import local
from seed_assets.core.reading.extracted_text import ExtractedText
from seed_assets.core.reading.odt.body import OdtBody
from seed_assets.core.reading.odt.odf_file import OdfFile
from seed_assets.core.reading.odt.styles import OdtStyles
from seed_assets.core.reading.page_numbers import only_numbers_page
from seed_assets.core.reading.text.normal_text import normalised
from seed_assets.core.reading.zip_package import FileKind

if TYPE_CHECKING:
    from lxml.etree import _Element

_KIND = FileKind("ODT", "a Word document of the old kind (.doc)", "a word processor")
# Forms of headers and footers for left and first pages end in these words.
_OF_PAGES = ("header", "footer", "header-left", "footer-left", "header-first", "footer-first")


def read_odt(data: bytes) -> ExtractedText:
    """Read an ODT file: headings, paragraphs, lists, tables and boxes in order, then notes, comments, headers and footers.

    Deleted and hidden text, numbers of pages and placeholders are left out. The title is that of the properties; if there is
    none, the paragraph of the style Title, or the first heading.

    Raises DocumentError if the file is broken, encrypted, a ZIP bomb, not an ODT, or holds only pictures.
    """
    file = OdfFile(data, _KIND, "text")
    body = OdtBody(file.styles, file.formula)
    blocks = body.blocks(file.body)
    blocks += body.notes
    blocks += body.comments
    title = file.title or body.title
    known = {block.lstrip("#-* ") for block in [*blocks, title]}
    blocks += [block for block in _of_each_page(file.shared, file.styles) if block.lstrip("#-* ") not in known]
    text = "\n\n".join(blocks)
    body.pictures.refuse_alone(text)
    return ExtractedText(normalised(text), title, "", (*file.warnings(), *body.pictures.warnings()))


def _of_each_page(shared: "_Element", styles: OdtStyles) -> list[str]:
    """Return the texts of headers and footers, each once; one that only says the number of the page is left out."""
    body = OdtBody(styles, lambda frame: "")
    found = (block for element in shared.iter() if local(element) in _OF_PAGES for block in body.blocks(element))
    return [block for block in dict.fromkeys(found) if not only_numbers_page(block)]
