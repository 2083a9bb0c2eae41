"""The text and title of a DOCX file. What belongs here: the order of its parts in the text. What does not: reading a part."""

import posixpath

from resources.errors import DocumentError
from seed_assets.core.reading.docx.body import DocxBody
from seed_assets.core.reading.docx.docx_text import DocxText
from seed_assets.core.reading.docx.numbering import Numbering
from seed_assets.core.reading.docx.outside import Outside
from seed_assets.core.reading.docx.styles import DocxStyles
from seed_assets.core.reading.zip_package import FileKind, OfficePackage, core_title, opened

# An imported document may import another one, and in a hostile file itself. Chosen by judgement.
_MOST_DEEP = 3
_KIND = FileKind("DOCX", "a Word document of the old kind (.doc)", "a word processor")


def read_docx(data: bytes, depth: int = 0) -> DocxText:
    """Read a DOCX file: its paragraphs, headings, lists and tables in document order, then what stands beside them.

    Notes, diagrams without a place, comments, and headers and footers follow the body. The title comes from the core
    properties; if there is none, from the first paragraph of the style Title, or from the first heading.

    Pictures without descriptions are counted in a warning.

    depth: how many documents this one is imported into.

    Raises DocumentError if the file is broken, encrypted, a ZIP bomb, not a DOCX, or holds only pictures.
    """
    if depth > _MOST_DEEP:
        raise DocumentError("documents are imported into each other too deeply.", "Save the document as DOCX again.")
    with opened(data, _KIND) as archive:
        package = OfficePackage(archive, _KIND)
        main = package.main_part("a Word document", "document")
        folder = posixpath.dirname(main)
        styles = DocxStyles(package.parsed(f"{folder}/styles.xml", required=False))
        numbering = Numbering(package.parsed(f"{folder}/numbering.xml", required=False))
        outside = Outside(package, main, lambda imported: read_docx(imported, depth + 1))
        document = package.parsed(main)
        body = DocxBody(styles, numbering, outside.blocks)
        blocks = body.blocks(document)
        title = core_title(package) or body.title
        blocks += outside.notes(body)
        blocks += outside.unplaced_diagrams()
        blocks += outside.comments(body)
        pictures = outside.pictures.warnings()  # those of headers are logos
        on_each_page = DocxBody(styles, numbering, outside.blocks, of_pages=True)
        blocks += outside.headers_and_footers(document, on_each_page, [*blocks, title])
    text = "\n\n".join(blocks)
    outside.pictures.refuse_alone(text)
    return DocxText(text, title, (*outside.warnings, *pictures))
