"""OpenDocument files of any kind: their parts in a ZIP archive or in one flat XML file, their title, and embedded objects.

What does not belong here: what texts, spreadsheets and presentations consist of.
"""

import posixpath
from typing import TYPE_CHECKING

from resources.errors import DocumentError
from seed_assets.core.reading.docx.elements import attribute, child, local
from seed_assets.core.reading.odt.styles import OdtStyles
from seed_assets.core.reading.titles import cleaned_metadata_title
from seed_assets.core.reading.zip_package import FileKind, ZipPackage, opened

if TYPE_CHECKING:
    from lxml.etree import _Element

_CONTENT, _MANIFEST = "content.xml", "META-INF/manifest.xml"
_ROOTS = ("document", "document-content")


class OdfFile:
    """An OpenDocument file.

    body: the element with the content, such as office:text. shared: the root of the part with the styles of pages.
    """

    def __init__(self, data: bytes, kind: FileKind, body: str) -> None:
        """body: the local name of the element with the content.

        Raises DocumentError if the file is broken, encrypted, a ZIP bomb, or not of this kind.
        """
        if data[:200].removeprefix(b"\xef\xbb\xbf").lstrip().startswith(b"<"):
            self._package = None
            content = self.shared = meta = _flat(data, kind)
        else:
            archive = opened(data, kind)
            self._package = package = ZipPackage(archive, kind)
            _refuse_others(package, kind)
            content = package.parsed(_CONTENT)
            self.shared = package.parsed("styles.xml", required=False)
            meta = package.parsed("meta.xml", required=False)
        found = child(content, "body", body)
        if found is None:
            raise DocumentError(
                f"the file is an OpenDocument file of another kind, not {kind.with_article}.",
                "Give it the suffix of what it is, or save it as PDF.",
            )
        self.body = found
        roots = (content,) if content is self.shared else (self.shared, content)
        self.styles = OdtStyles(*roots)
        self.style_elements = {
            attribute(element, "name"): element
            for root in roots
            for element in root.iter()
            if local(element) == "style"
        }
        self.title = _title(meta)
        self._unread = 0

    def formula(self, frame: "_Element") -> str:
        """Return the formula in a frame, as it was typed; "" if the frame holds none. Other objects are counted."""
        found = child(frame, "object")
        if found is None:
            return ""
        root = child(found, "math")
        if root is None and self._package is not None:
            part = posixpath.normpath(attribute(found, "href")).lstrip("/") + f"/{_CONTENT}"
            root = self._package.parsed(part, required=False)
        if root is not None and local(root) == "math":
            typed = next((each.text or "" for each in root.iter() if local(each) == "annotation"), "")
            return " ".join((typed or " ".join(map(str, root.itertext()))).split())
        self._unread += 1
        return ""

    def warnings(self) -> tuple[str, ...]:
        """Return a sentence that counts the objects that are not formulas."""
        if not self._unread:
            return ()
        if self._unread == 1:
            return ("1 embedded object, such as a chart, is not read.",)
        return (f"{self._unread:,} embedded objects, such as charts, are not read.",)


def _flat(data: bytes, kind: FileKind) -> "_Element":
    """Return the root of a file that is XML itself."""
    import lxml.etree as etree

    # Entities are not resolved, which prevents the "billion laughs" attack; nothing is loaded from elsewhere.
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=True)
    try:
        root = etree.fromstring(data, parser)
    except etree.XMLSyntaxError as error:
        if "Excessive depth" in error.msg:
            raise RecursionError("elements are nested deeper than the parser goes") from error
        raise DocumentError(f"the file is not valid XML ({error.msg}).", kind.save_again) from error
    if local(root) not in _ROOTS:
        raise DocumentError(f"the file is XML, but not {kind.with_article}.", "Give it the suffix of what it is.")
    return root


def _refuse_others(package: ZipPackage, kind: FileKind) -> None:
    """Raise DocumentError for an archive of another kind, and for an encrypted one."""
    if _CONTENT not in package:
        raise DocumentError(
            "the file is a ZIP archive without an OpenDocument file in it.",
            f"Unpack it, or save its content as {kind.name}.",
        )
    if any(local(element) == "encryption-data" for element in package.parsed(_MANIFEST, required=False).iter()):
        raise DocumentError(
            f"the {kind.name} is encrypted and needs a password.",
            f"Open it in {kind.program}, remove the password and put that copy in its place.",
        )


def _title(meta: "_Element") -> str:
    """Return the title in the properties of a file, or in the part of a flat file that has them."""
    properties = child(meta, "meta")
    holder = meta if properties is None and local(meta) not in _ROOTS else properties
    titles = (element.text or "" for element in (holder if holder is not None else ()) if local(element) == "title")
    return cleaned_metadata_title(next(titles, ""))
