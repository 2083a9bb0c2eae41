"""ZIP archives of files: their names in any encoding, and files that are encrypted, damaged, links or bombs.

What does not belong here: formats that are ZIP archives themselves, as DOCX is.
"""

import io
import stat
import struct
import zipfile
import zlib
from collections.abc import Mapping

from resources.corpus.archives.archive import MOST_FILES, ArchivedFile, too_many_files
from resources.corpus.archives.archive_paths import is_hidden, path_below
from resources.corpus.archives.packing import DAMAGE, most_bytes
from resources.errors import DocumentError

# From APPNOTE.TXT, 4.4.4 and 4.6.9: bits of the general purpose flag, and the extra field with a name in UTF-8.
_ENCRYPTED, _UTF_8 = 0x1, 0x800
_UNICODE_PATH = 0x7075
_LISTED = b"PK\x01\x02"
_DAMAGE = (*DAMAGE, zipfile.BadZipFile, NotImplementedError, RuntimeError)


def is_zip(data: bytes) -> bool:
    """Whether a file begins as a ZIP archive, or ends as one, as archives that unpack themselves do."""
    return data.startswith((b"PK\x03\x04", b"PK\x05\x06")) or zipfile.is_zipfile(io.BytesIO(data))


class ZipArchive:
    """The files of a ZIP archive. See Archive."""

    def __init__(self, data: bytes, *, counted: bool = True) -> None:
        """counted: whether what is read together is limited.

        Raises DocumentError if the archive is damaged, or lists too many files.
        """
        self._is_counted = counted
        if (count := data.count(_LISTED)) > MOST_FILES:
            raise too_many_files(count)
        try:
            self._archive = zipfile.ZipFile(io.BytesIO(data))
        except (*_DAMAGE, struct.error) as error:
            raise DocumentError(
                f"the ZIP archive is damaged or truncated: {str(error).rstrip('.')}.", "Restore it from its source."
            ) from error
        self._left_bytes = most_bytes(len(data))
        found: dict[str, zipfile.ZipInfo] = {}
        files: dict[str, ArchivedFile] = {}
        self.repeated = 0
        for part in self._archive.infolist():
            name = _name_of(part)
            path, problem = path_below(name.replace("\\", "/") if "/" not in name else name)
            if not path or part.is_dir() or name.endswith("\\") or is_hidden(path):
                continue
            self.repeated += path in found
            found[path] = part
            files[path] = ArchivedFile(part.file_size, problem or _problem_of(part))
        self._parts = found
        self.files: Mapping[str, ArchivedFile] = dict(sorted(files.items()))

    @property
    def is_office_file(self) -> bool:
        """Whether it is an Office document or a book under the name of an archive."""
        # Archives of such documents have these files in folders, if at all.
        is_packaged = "mimetype" in self.files and not {"META-INF/manifest.xml", "META-INF/container.xml"}.isdisjoint(
            self.files
        )
        return "[Content_Types].xml" in self.files or is_packaged

    def read(self, path: str) -> bytes:
        """Return the bytes of a file. See Archive."""
        if problem := self.files[path].problem:
            raise DocumentError(f"{problem}.", "Unpack the archive into the folder.")
        part = self._parts[path]
        if part.file_size > self._left_bytes:
            raise DocumentError(
                f"it has {part.file_size >> 20:,} MB, and the archive unpacks to more than is allowed, as ZIP bombs do.",
                "Remove the archive; if it is genuine, unpack it into the folder.",
            )
        self._left_bytes -= part.file_size if self._is_counted else 0
        try:
            return self._archive.read(part)
        except (*_DAMAGE, struct.error) as error:
            raise DocumentError(
                f"it cannot be unpacked ({str(error).rstrip('.')}).", "Restore the archive from its source."
            ) from error


def _problem_of(part: zipfile.ZipInfo) -> str:
    if part.flag_bits & _ENCRYPTED:
        return "it is encrypted"
    # Archives of other systems than Unix have no mode.
    kind = stat.S_IFMT(part.external_attr >> 16)
    return "it is a link or a device" if kind in _SPECIAL else ""


_SPECIAL = frozenset({stat.S_IFLNK, stat.S_IFCHR, stat.S_IFBLK, stat.S_IFIFO, stat.S_IFSOCK})


def _name_of(part: zipfile.ZipInfo) -> str:
    """Return the name of a file: in UTF-8 if it is valid UTF-8, whatever its flag says, otherwise as DOS encodes it."""
    if part.flag_bits & _UTF_8:
        return part.filename
    raw = part.orig_filename.encode("cp437", "replace")
    if name := _unicode_path(part.extra, raw):
        return name
    try:
        return raw.partition(b"\x00")[0].decode("utf-8")
    except UnicodeDecodeError:
        return part.filename


def _unicode_path(extra: bytes, raw: bytes) -> str:
    """Return the name in the extra field for Unicode paths; "" if there is none that belongs to this name."""
    place = 0
    while place + 4 <= len(extra):
        kind, size = struct.unpack_from("<HH", extra, place)
        field = extra[place + 4 : place + 4 + size]
        place += 4 + size
        if kind == _UNICODE_PATH and len(field) > 5 and struct.unpack_from("<I", field, 1)[0] == zlib.crc32(raw):
            return field[5:].decode("utf-8", "replace")
    return ""
