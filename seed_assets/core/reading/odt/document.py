"""The text and title of an OpenDocument text (ODT): the order of its parts. What does not belong here: reading a part."""

import posixpath
from typing import TYPE_CHECKING

from resources.errors import DocumentError
from seed_assets.core.reading.docx.elements import attribute, child, local
from seed_assets.core.reading.extracted_text import ExtractedText, normalised
from seed_assets.core.reading.odt.body import OdtBody
from seed_assets.core.reading.odt.styles import OdtStyles
from seed_assets.core.reading.page_numbers import only_numbers_page
from seed_assets.core.reading.titles import cleaned_metadata_title
from seed_assets.core.reading.zip_package import FileKind, ZipPackage, opened

if TYPE_CHECKING:
    from lxml.etree import _Element

_KIND = FileKind("ODT", "a Word document of the old kind (.doc)", "a word processor")
_CONTENT, _MANIFEST = "content.xml", "META-INF/manifest.xml"
# Forms of headers and footers for left and first pages end in these words.
_OF_PAGES = ("header", "footer", "header-left", "footer-left", "header-first", "footer-first")


def read_odt(data: bytes) -> ExtractedText:
    """Read an ODT file: headings, paragraphs, lists, tables and boxes in order, then notes, comments, headers and footers.

    Deleted and hidden text, numbers of pages and placeholders are left out. The title is that of the properties; if there is
    none, the paragraph of the style Title, or the first heading.

    Raises DocumentError if the file is broken, encrypted, a ZIP bomb, or not an ODT.
    """
    with opened(data, _KIND) as archive:
        package = ZipPackage(archive, _KIND)
        _refuse_others(package)
        content = package.parsed(_CONTENT)
        shared = package.parsed("styles.xml", required=False)
        text = child(content, "body", "text")
        if text is None:
            raise DocumentError(
                "the file is an OpenDocument file of another kind, not a text.", "Save it as ODT or PDF."
            )
        styles = OdtStyles(shared, content)
        objects = _Objects(package)
        body = OdtBody(styles, objects.formula)
        blocks = body.blocks(text)
        blocks += body.notes
        blocks += body.comments
        title = _title(package) or body.title
        known = {block.lstrip("#-* ") for block in [*blocks, title]}
        blocks += [block for block in _of_each_page(shared, styles) if block.lstrip("#-* ") not in known]
    return ExtractedText(normalised("\n\n".join(blocks)), title, "", objects.warnings())


class _Objects:
    """The objects that are embedded in a document: formulas are read, others are counted."""

    def __init__(self, package: ZipPackage) -> None:
        self._package = package
        self._unread = 0

    def formula(self, frame: "_Element") -> str:
        """Return the formula in a frame, as it was typed; "" if the frame holds none."""
        found = child(frame, "object")
        if found is None:
            return ""
        part = posixpath.normpath(attribute(found, "href")).lstrip("/") + f"/{_CONTENT}"
        root = self._package.parsed(part, required=False)
        if local(root) == "math":
            typed = next((each.text or "" for each in root.iter() if local(each) == "annotation"), "")
            return " ".join((typed or " ".join(map(str, root.itertext()))).split())
        self._unread += 1
        return ""

    def warnings(self) -> tuple[str, ...]:
        """Return a sentence that counts the objects that are not formulas."""
        if not self._unread:
            return ()
        count = "1 embedded object" if self._unread == 1 else f"{self._unread:,} embedded objects"
        return (
            f"{count}, such as a chart, is not read."
            if self._unread == 1
            else f"{count}, such as charts, are not read.",
        )


def _refuse_others(package: ZipPackage) -> None:
    """Raise DocumentError for an archive of another kind, and for an encrypted one."""
    if _CONTENT not in package:
        raise DocumentError(
            "the file is a ZIP archive without an OpenDocument text in it.", "Unpack it, or save its content as ODT."
        )
    if any(local(element) == "encryption-data" for element in package.parsed(_MANIFEST, required=False).iter()):
        raise DocumentError(
            "the ODT is encrypted and needs a password.",
            "Open it in a word processor, remove the password and put that copy in its place.",
        )


def _title(package: ZipPackage) -> str:
    properties = package.parsed("meta.xml", required=False)
    titles = (element.text or "" for element in properties.iter() if local(element) == "title")
    return cleaned_metadata_title(next(titles, ""))


def _of_each_page(shared: "_Element", styles: OdtStyles) -> list[str]:
    """Return the texts of headers and footers, each once; one that only says the number of the page is left out."""
    body = OdtBody(styles, lambda frame: "")
    found = (block for element in shared.iter() if local(element) in _OF_PAGES for block in body.blocks(element))
    return [block for block in dict.fromkeys(found) if not only_numbers_page(block)]
