"""The package of a DOCX file: the ZIP archive, its parts and their relations, and its limits. What does not belong here: the
content of a part.

The parts are read as XML rather than with python-docx, which omits content controls and tracked insertions, and refuses a
file if a picture is missing (ADR 0005).
"""

import io
import posixpath
import zipfile
import zlib
from typing import TYPE_CHECKING

from resources.errors import DocumentError
from seed_assets.core.reading.docx.elements import attribute
from seed_assets.core.reading.file_signatures import named_content

if TYPE_CHECKING:
    from lxml.etree import _Element

# The limits against ZIP bombs were chosen by judgement. All parts together may have at most 512 MB, which is far more than
# real documents have. A part of more than 16 MB may be at most 200 times as large as its packed size; bombs reach 1,000.
_MOST_BYTES = 512 * 2**20
_MOST_RATIO = 200
_RATIO_FROM_BYTES = 16 * 2**20
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_SAVE_AGAIN = "Open it in a word processor and save it as DOCX again."


def opened(data: bytes) -> zipfile.ZipFile:
    """Open the archive. Raises DocumentError if it is encrypted, broken, or not a DOCX."""
    if data.startswith(_OLE):
        if "EncryptedPackage".encode("utf-16-le") in data:
            raise DocumentError(
                "the DOCX is encrypted and needs a password.",
                "Open it in a word processor, remove the password and put that copy in its place.",
            )
        raise DocumentError("the file is a Word document of the old kind (.doc), not a DOCX.", _SAVE_AGAIN)
    try:
        return zipfile.ZipFile(io.BytesIO(data))
    except (zipfile.BadZipFile, ValueError, NotImplementedError, EOFError, OSError) as error:
        if data.startswith(b"PK\x03\x04"):
            raise DocumentError(
                f"the DOCX is broken or truncated: {str(error).rstrip('.')}.", "Restore it from its source."
            ) from error
        found = named_content(data)
        raise DocumentError(
            f"the file is not a DOCX: it is {found}." if found else "the file is not a DOCX: it is not a ZIP archive.",
            "Give it the suffix of what it is, or put the DOCX in its place.",
        ) from error


class Package:
    """The parts of a DOCX file."""

    def __init__(self, archive: zipfile.ZipFile) -> None:
        self._archive = archive
        self._names = set(archive.namelist())
        self._left_bytes = _MOST_BYTES
        self._relations: dict[str, dict[str, str]] = {}

    def main_part(self) -> str:
        """Return the name of the part with the body, usually word/document.xml. Raises DocumentError if there is none."""
        if "mimetype" in self._names and b"opendocument" in self.bytes("mimetype"):
            raise DocumentError("the file is an OpenDocument text, not a DOCX.", "Save it as DOCX.")
        if "_rels/.rels" not in self._names:
            raise DocumentError(
                "the file is a ZIP archive without a Word document in it.", "Unpack it, or save its content as DOCX."
            )
        for relation in self.parsed("_rels/.rels"):
            if relation.get("Type", "").endswith("/officeDocument"):
                name = posixpath.normpath(relation.get("Target", "")).lstrip("/")
                root = self.parsed(name)
                if not root.tag.endswith("}document"):
                    kind = root.tag.rpartition("}")[2]
                    raise DocumentError(f"the file is an Office document of another kind ({kind}).", "Save it as DOCX.")
                return name
        raise DocumentError("the file is an Office archive without a document in it.", _SAVE_AGAIN)

    def names(self, prefix: str) -> list[str]:
        """Return the names of all parts that begin so, sorted."""
        return sorted(name for name in self._names if name.startswith(prefix))

    def related(self, part: str, relation_id: str) -> str:
        """Return the name of the part that a part refers to by an id; "" if there is none in the package."""
        if part not in self._relations:
            folder, name = posixpath.split(part)
            found = self.parsed(f"{folder}/_rels/{name}.rels", required=False)
            self._relations[part] = {
                attribute(each, "Id"): posixpath.normpath(
                    posixpath.join(f"/{folder}", attribute(each, "Target"))
                ).lstrip("/")
                for each in found
                if attribute(each, "TargetMode") != "External"
            }
        name = self._relations[part].get(relation_id, "")
        return name if name in self._names else ""

    def parsed(self, name: str, *, required: bool = True) -> "_Element":
        """Return the root element of a part; an empty element if the part is absent and not required."""
        import lxml.etree as etree

        if name not in self._names and not required:
            return etree.Element("absent")
        # Entities are not resolved, which prevents the "billion laughs" attack; nothing is loaded from elsewhere.
        parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=True)
        try:
            return etree.fromstring(self.bytes(name), parser)
        except etree.XMLSyntaxError as error:
            if "Excessive depth" in error.msg:
                raise RecursionError("elements are nested deeper than the parser goes") from error
            raise DocumentError(f"the DOCX is broken: {name} is not valid XML ({error.msg}).", _SAVE_AGAIN) from error

    def bytes(self, name: str) -> bytes:
        """Return the content of a part. Raises DocumentError if it is missing, broken or too large."""
        try:
            part = self._archive.getinfo(name)
            ratio = part.file_size / max(part.compress_size, 1)
            if part.file_size > self._left_bytes or (part.file_size > _RATIO_FROM_BYTES and ratio > _MOST_RATIO):
                size = f"{part.file_size >> 20:,} MB, {ratio:,.0f} times its packed size"
                raise DocumentError(
                    f"the DOCX is a ZIP bomb: {name} has {size}.",
                    "Remove it; if it is genuine, save its text as a text file.",
                )
            if part.flag_bits & 1:
                raise DocumentError("the DOCX is a ZIP archive with a password.", "Unpack it and save it without one.")
            self._left_bytes -= part.file_size
            return self._archive.read(part)
        except KeyError as error:
            raise DocumentError(f"the DOCX is broken: {name} is missing.", _SAVE_AGAIN) from error
        except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, ValueError, OSError) as error:
            raise DocumentError(
                f"the DOCX is broken: {name} cannot be unpacked ({str(error).rstrip('.')}).",
                "Restore it from its source.",
            ) from error
