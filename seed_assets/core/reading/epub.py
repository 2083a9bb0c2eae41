"""Electronic books (EPUB 2 and 3): chapters in the order of the spine, through the blocks of HTML.

What does not belong here: HTML itself (html), and the archive (zip_package).
"""

import posixpath
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import unquote

from resources.errors import DocumentError
from seed_assets.core.reading.docx.elements import attribute, child, children, local
from seed_assets.core.reading.extracted_text import ExtractedText
from seed_assets.core.reading.html.fragments import read_fragment
from seed_assets.core.reading.html.parsing import decoded
from seed_assets.core.reading.markdown_blocks import heading
from seed_assets.core.reading.text.normal_text import normalised
from seed_assets.core.reading.titles import cleaned_title
from seed_assets.core.reading.zip_package import FileKind, ZipPackage, opened

if TYPE_CHECKING:
    from lxml.etree import _Element

_KIND = FileKind("EPUB", "an Office document of the old kind", "a program for electronic books")
_CONTAINER, _ENCRYPTION = "META-INF/container.xml", "META-INF/encryption.xml"
_PAGES = ("application/xhtml+xml", "text/html", "application/x-dtbook+xml")
# Chapters that cannot be read are named, up to so many.
_MOST_NAMED = 5


class _Item(NamedTuple):
    """A part of a book. name: in the archive. kind: its media type. is_contents: whether it is the table of contents."""

    name: str
    kind: str
    is_contents: bool


def read_epub(data: bytes) -> ExtractedText:
    """Read a book: its title and authors, then the text of each chapter. The table of contents is left out.

    Warnings name chapters that are missing, damaged, or pictures.

    Raises DocumentError if the file is broken, a ZIP bomb, protected against copying, or not an EPUB.
    """
    with opened(data, _KIND) as archive:
        package = ZipPackage(archive, _KIND)
        path = _package_document(package)
        document = package.parsed(path)
        metadata = _child(document, "metadata")
        title = cleaned_title(next(iter(_texts(metadata, "title")), ""))
        items = _spine(document, posixpath.dirname(path))
        _refuse_protected(package, items)
        chapters, unread = _chapters(package, items)
    beginning = [heading(1, title)] if title and not any(_says(chapter, title) for chapter in chapters[:2]) else []
    if authors := ", ".join(dict.fromkeys(_texts(metadata, "creator"))):
        beginning.append(f"By {authors}")
    if not chapters:
        beginning = []
    warnings = ()
    if unread:
        rest = f" and {len(unread) - _MOST_NAMED} more" if len(unread) > _MOST_NAMED else ""
        warnings = (
            f"Chapters that are missing, damaged or pictures are not read: {', '.join(unread[:_MOST_NAMED])}{rest}.",
        )
    return ExtractedText(normalised("\n\n".join([*beginning, *chapters])), title, "", warnings)


def _package_document(package: ZipPackage) -> str:
    """Return the name of the part that lists all others."""
    if _CONTAINER not in package:
        raise DocumentError(
            "the file is a ZIP archive without an electronic book in it.",
            "Give it the suffix of what it is, or unpack it.",
        )
    for element in package.parsed(_CONTAINER).iter():
        if local(element) == "rootfile" and (path := attribute(element, "full-path")):
            return posixpath.normpath(path).lstrip("/")
    raise DocumentError("the EPUB is broken: META-INF/container.xml names no package.", _KIND.save_again)


def _spine(document: "_Element", folder: str) -> list[_Item]:
    """Return the parts of the book in the order in which they are read."""
    manifest = {
        attribute(item, "id"): _Item(
            posixpath.normpath(posixpath.join(folder, unquote(attribute(item, "href").partition("#")[0]))),
            attribute(item, "media-type").lower(),
            "nav" in attribute(item, "properties").split(),
        )
        for item in children(_child(document, "manifest"), "item")
    }
    references = children(_child(document, "spine"), "itemref")
    return [manifest[name] for reference in references if (name := attribute(reference, "idref")) in manifest]


def _refuse_protected(package: ZipPackage, items: list[_Item]) -> None:
    """Raise DocumentError if chapters are encrypted; fonts may be."""
    encrypted = {
        unquote(attribute(element, "URI")).lstrip("/")
        for element in package.parsed(_ENCRYPTION, required=False).iter()
        if local(element) == "CipherReference"
    }
    if any(item.name in encrypted for item in items):
        raise DocumentError(
            "the EPUB is protected against copying (DRM).", "Put a copy without protection in its place."
        )


def _chapters(package: ZipPackage, items: list[_Item]) -> tuple[list[str], list[str]]:
    """Return (the texts of chapters that have one, the names of those that cannot be read)."""
    chapters: list[str] = []
    unread: list[str] = []
    for item in items:
        if item.is_contents:
            continue
        if item.kind not in _PAGES or item.name not in package:
            unread.append(item.name)
            continue
        try:
            content = package.bytes(item.name)
            text = read_fragment(decoded(content)[0]).text if content.strip() else ""
        except DocumentError as error:
            if "ZIP bomb" in error.reason:
                raise
            unread.append(item.name)
            continue
        if text.strip():
            chapters.append(text)
    return chapters, unread


def _says(text: str, title: str) -> bool:
    return title.casefold() in " ".join(text[: 20 * len(title) + 1_000].split()).casefold()


def _child(element: "_Element", name: str) -> "_Element":
    import lxml.etree as etree

    found = child(element, name)
    return etree.Element("absent") if found is None else found


def _texts(metadata: "_Element", name: str) -> list[str]:
    found = (
        " ".join("".join(map(str, element.itertext())).split()) for element in metadata.iter() if local(element) == name
    )
    return [text for text in found if text]
