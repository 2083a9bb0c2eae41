"""Files that are ZIP archives of parts (DOCX, PPTX, XLSX, EPUB, ODT): opening them, their parts, and their limits.

What does not belong here: what a part of one format means.
"""

import io
import posixpath
import zipfile
import zlib
from typing import TYPE_CHECKING, NamedTuple

from resources.corpus.archives.packing import MOST_BYTES, MOST_RATIO, RATIO_FROM_BYTES
from resources.errors import DocumentError
from seed_assets.core.reading.file_signatures import named_content
from seed_assets.core.reading.titles import cleaned_metadata_title

if TYPE_CHECKING:
    from lxml.etree import _Element

_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
# What reading a part of a damaged archive raises; RuntimeError is that of an encrypted one.
_DAMAGE = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, ValueError, OSError, RuntimeError)


class FileKind(NamedTuple):
    """How messages speak of a format.

    name: such as "DOCX". old: what a file of Microsoft's old binary format under this name is. program: what opens it.
    """

    name: str
    old: str
    program: str

    @property
    def with_article(self) -> str:
        """The name with its indefinite article."""
        return f"an {self.name}" if self.name[0] in "EOX" else f"a {self.name}"

    @property
    def save_again(self) -> str:
        """What to do with a file that a program has to repair."""
        return f"Open it in {self.program} and save it as {self.name} again."


def opened(data: bytes, kind: FileKind) -> zipfile.ZipFile:
    """Open the archive. Raises DocumentError if it is encrypted, broken, or not of this kind."""
    if data.startswith(_OLE):
        if "EncryptedPackage".encode("utf-16-le") in data:
            raise DocumentError(
                f"the {kind.name} is encrypted and needs a password.",
                f"Open it in {kind.program}, remove the password and put that copy in its place.",
            )
        raise DocumentError(f"the file is {kind.old}, not {kind.with_article}.", kind.save_again)
    try:
        return zipfile.ZipFile(io.BytesIO(data))
    except (zipfile.BadZipFile, ValueError, NotImplementedError, EOFError, OSError) as error:
        if data.startswith(b"PK\x03\x04"):
            raise DocumentError(
                f"the {kind.name} is broken or truncated: {str(error).rstrip('.')}.", "Restore it from its source."
            ) from error
        found = named_content(data)
        what = f"it is {found}." if found else "it is not a ZIP archive."
        raise DocumentError(
            f"the file is not {kind.with_article}: {what}",
            f"Give it the suffix of what it is, or put the {kind.name} in its place.",
        ) from error


class ZipPackage:
    """The parts of an archive. All together, and each against its packed size, are limited as packed files are (packing)."""

    def __init__(self, archive: zipfile.ZipFile, kind: FileKind) -> None:
        self._archive = archive
        self._kind = kind
        self._names = set(archive.namelist())
        self._left_bytes = MOST_BYTES

    def __contains__(self, name: str) -> bool:
        """Whether there is a part of this name."""
        return name in self._names

    def names(self, prefix: str) -> list[str]:
        """Return the names of all parts that begin so, sorted."""
        return sorted(name for name in self._names if name.startswith(prefix))

    def check_sizes(self) -> None:
        """Raise DocumentError if a part, or all parts together, are too large: for libraries that read the archive."""
        left = MOST_BYTES
        for part in self._archive.infolist():
            self._check(part, left)
            left -= part.file_size

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
            raise DocumentError(
                f"the {self._kind.name} is broken: {name} is not valid XML ({error.msg}).", self._kind.save_again
            ) from error

    def bytes(self, name: str) -> bytes:
        """Return the content of a part. Raises DocumentError if it is missing, broken or too large."""
        kind = self._kind
        try:
            part = self._archive.getinfo(name)
            self._check(part, self._left_bytes)
            self._left_bytes -= part.file_size
            return self._archive.read(part)
        except KeyError as error:
            raise DocumentError(f"the {kind.name} is broken: {name} is missing.", kind.save_again) from error
        except _DAMAGE as error:
            raise DocumentError(
                f"the {kind.name} is broken: {name} cannot be unpacked ({str(error).rstrip('.')}).",
                "Restore it from its source.",
            ) from error

    def _check(self, part: zipfile.ZipInfo, left_bytes: int) -> None:
        ratio = part.file_size / max(part.compress_size, 1)
        if part.file_size > left_bytes or (part.file_size > RATIO_FROM_BYTES and ratio > MOST_RATIO):
            size = f"{part.file_size >> 20:,} MB, {ratio:,.0f} times its packed size"
            raise DocumentError(
                f"the {self._kind.name} is a ZIP bomb: {part.filename} has {size}.",
                "Remove it; if it is genuine, save its text as a text file.",
            )
        if part.flag_bits & 1:
            raise DocumentError(
                f"the {self._kind.name} is a ZIP archive with a password.", "Unpack it and save it without one."
            )


class OfficePackage(ZipPackage):
    """The parts of an Office Open XML file, which refer to each other by relations (ECMA-376, part 2)."""

    def __init__(self, archive: zipfile.ZipFile, kind: FileKind) -> None:
        super().__init__(archive, kind)
        self._relations: dict[str, dict[str, tuple[str, str]]] = {}

    def main_part(self, content: str, root: str) -> str:
        """Return the name of the part that everything begins with, such as word/document.xml.

        content: what messages call the content ("a Word document"). root: the local name of its root element.

        Raises DocumentError if there is none.
        """
        kind = self._kind
        if "mimetype" in self and b"opendocument" in self.bytes("mimetype"):
            raise DocumentError(
                f"the file is an OpenDocument text, not {kind.with_article}.", f"Save it as {kind.name}."
            )
        if "_rels/.rels" not in self:
            raise DocumentError(
                f"the file is a ZIP archive without {content} in it.", f"Unpack it, or save its content as {kind.name}."
            )
        for relation in self.parsed("_rels/.rels"):
            if relation.get("Type", "").endswith("/officeDocument"):
                name = posixpath.normpath(relation.get("Target", "")).lstrip("/")
                found = self.parsed(name).tag.rpartition("}")[2]
                if found != root:
                    raise DocumentError(
                        f"the file is an Office document of another kind ({found}).", f"Save it as {kind.name}."
                    )
                return name
        raise DocumentError("the file is an Office archive without a document in it.", kind.save_again)

    def related(self, part: str, relation_id: str) -> str:
        """Return the name of the part that a part refers to by an id; "" if there is none in the package."""
        name = self._related(part).get(relation_id, ("", ""))[0]
        return name if name in self else ""

    def related_by_type(self, part: str, ending: str) -> list[str]:
        """Return the names of the parts that a part refers to by relations whose type ends so ("/notesSlide")."""
        return [name for name, kind in self._related(part).values() if kind.endswith(ending) and name in self]

    def _related(self, part: str) -> dict[str, tuple[str, str]]:
        if part not in self._relations:
            folder, name = posixpath.split(part)
            found = self.parsed(posixpath.join(folder, "_rels", f"{name}.rels"), required=False)
            self._relations[part] = {
                each.get("Id", ""): (
                    posixpath.normpath(posixpath.join(f"/{folder}", each.get("Target", ""))).lstrip("/"),
                    each.get("Type", ""),
                )
                for each in found
                if each.get("TargetMode") != "External"
            }
        return self._relations[part]


def core_title(package: OfficePackage) -> str:
    """Return the title in the properties of an Office file; "" for none, and for one that a program wrote there."""
    properties = package.parsed("docProps/core.xml", required=False)
    titles = (child.text or "" for child in properties if isinstance(child.tag, str) and child.tag.endswith("}title"))
    return cleaned_metadata_title(next(titles, ""))
