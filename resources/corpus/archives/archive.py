"""What an archive of files of any kind is: its files, and their bytes. What does not belong here: each kind of archive."""

from collections.abc import Mapping
from typing import NamedTuple, Protocol

from resources.errors import DocumentError

# So many files an archive may list; a judgement. It takes some seconds to list more.
MOST_FILES = 100_000


class ArchivedFile(NamedTuple):
    """A file in an archive. size_bytes: unpacked. problem: why it cannot be read, as a clause, or ""."""

    size_bytes: int
    problem: str


class Archive(Protocol):
    """An open archive.

    files: by path below the archive, sorted; without folders and hidden files. If several have one path, it is the last.
    repeated: how many files are not listed since another has their path.
    """

    @property
    def files(self) -> Mapping[str, ArchivedFile]: ...
    @property
    def repeated(self) -> int: ...

    def read(self, path: str) -> bytes:
        """Return the bytes of a file. Raises DocumentError if it is damaged, encrypted, a link, or too large."""
        ...


def too_many_files(count: int) -> DocumentError:
    """Return the error for an archive that lists too many files."""
    return DocumentError(
        f"the archive lists {count:,} files or more, and {MOST_FILES:,} are allowed.", "Unpack it into the folder."
    )
