"""Tar archives of files: their names in any encoding, and links, devices and damage. What does not belong here: packing."""

import io
import re
import tarfile
from collections.abc import Mapping

from resources.corpus.archives.archive import MOST_FILES, ArchivedFile, too_many_files
from resources.corpus.archives.archive_paths import is_hidden, path_below
from resources.corpus.archives.packing import DAMAGE, MOST_BYTES
from resources.errors import DocumentError

_BLOCK = 512
# Crafted headers lead the library to places that do not exist, or from one to the next.
_DAMAGE = (*DAMAGE, tarfile.TarError, OverflowError, RecursionError)

# Extended headers hold paths and times. The library takes quadratic time for a long number in them, and for the map of a
# sparse file, which programs write only for files that are mostly empty.
_LONGEST_HEADER = 1 << 20
_CRAFTED = re.compile(rb"[0-9]{200}|GNU\.sparse\.")


class _Bytes(io.BytesIO):
    """The bytes of an archive. While files are listed, only headers are read; those that are crafted are refused."""

    is_listing = True

    def read(self, size: int | None = -1, /) -> bytes:
        block = super().read(size)
        if self.is_listing and len(block) > 1 and (len(block) > _LONGEST_HEADER or _CRAFTED.search(block)):
            raise tarfile.ReadError("one of its headers is too long, or describes a sparse file")
        return block


def is_tar(data: bytes) -> bool:
    """Whether a file begins with the header of a file in a tar archive."""
    header = data[:_BLOCK]
    if len(header) < _BLOCK:
        return False
    if header[257:262] == b"ustar":
        return True
    try:
        tarfile.TarInfo.frombuf(header, "utf-8", "surrogateescape")
    except tarfile.TarError:
        return False
    return True


class TarArchive:
    """The files of a tar archive. See Archive. A hard link is the file that it leads to."""

    def __init__(self, data: bytes, *, counted: bool = True) -> None:
        """counted: whether what is read together is limited.

        Raises DocumentError if the archive is damaged, or lists too many files.
        """
        self._is_counted = counted
        self._left_bytes = MOST_BYTES
        self._members: dict[str, tarfile.TarInfo] = {}
        self._files: dict[str, ArchivedFile] = {}
        self.repeated = 0
        file = _Bytes(data)
        try:
            self._archive = tarfile.open(  # noqa: SIM115 - files are read from it later
                fileobj=file, mode="r:", encoding="utf-8", errors="surrogateescape"
            )
            self._list(data)
        except _DAMAGE as error:
            raise _damaged(str(error)) from error
        file.is_listing = False
        self.files: Mapping[str, ArchivedFile] = dict(sorted(self._files.items()))

    def read(self, path: str) -> bytes:
        """Return the bytes of a file. See Archive."""
        if problem := self.files[path].problem:
            raise DocumentError(f"{problem}.", "Unpack the archive into the folder.")
        member = self._members[path]
        if member.size > self._left_bytes:
            raise DocumentError(
                f"it has {member.size >> 20:,} MB, and the archive has more than is allowed.",
                "Unpack the archive into the folder.",
            )
        self._left_bytes -= member.size if self._is_counted else 0
        try:
            file = self._archive.extractfile(member)
            return file.read() if file is not None else b""
        except _DAMAGE as error:
            raise DocumentError(
                f"it cannot be unpacked ({str(error).rstrip('.')}).", "Restore the archive from its source."
            ) from error

    def _list(self, data: bytes) -> None:
        count, before = 0, -1
        while (member := self._archive.next()) is not None:
            count += 1
            if count > MOST_FILES:
                raise too_many_files(count)
            # A crafted size may lead back to an earlier file.
            if member.offset <= before or member.size < 0 or self._archive.offset <= member.offset:
                raise _damaged("its files overlap")
            before = member.offset
            self._add(member)
        # The library takes a header that is damaged for the end.
        if data[self._archive.offset : self._archive.offset + _BLOCK].strip(b"\x00"):
            raise _damaged(f"what follows its first {count:,} files cannot be read")

    def _add(self, member: tarfile.TarInfo) -> None:
        path, problem = path_below(_decoded(member.name))
        if not path or member.isdir() or is_hidden(path):
            return
        if member.islnk():
            # Looking up the target in the library takes longer the more files there are.
            target = self._members.get(path_below(_decoded(member.linkname))[0])
            member = target or member
        if not (problem or member.isreg()):
            problem = "it is a link or a device"
        self.repeated += path in self._files
        self._members[path] = member
        self._files[path] = ArchivedFile(member.size, problem)


def _damaged(reason: str) -> DocumentError:
    return DocumentError(
        f"the tar archive is damaged or truncated: {reason.rstrip('.') or 'it ends too early'}.",
        "Restore it from its source.",
    )


def _decoded(name: str) -> str:
    """Return a name; if it is not UTF-8, as it is in the encoding of Western Europe."""
    try:
        name.encode("utf-8")
    except UnicodeEncodeError:
        return name.encode("utf-8", "surrogateescape").decode("cp1252", "replace")
    return name
