"""Archives of files, made byte for byte the same each time. What does not belong here: files of one format (zip_files)."""

import io
import tarfile
from collections.abc import Iterable, Mapping

TarEntry = tuple[str, bytes | str, bytes]
"""(path, content or target of a link, type of tarfile)."""


def tarred(files: Mapping[str, bytes | str], further: Iterable[TarEntry] = ()) -> bytes:
    """A tar archive of these files, and of further entries of any type behind them."""
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w", format=tarfile.GNU_FORMAT) as archive:
        for name, content in files.items():
            data = content.encode() if isinstance(content, str) else content
            entry = tarfile.TarInfo(name)
            entry.size = len(data)
            archive.addfile(entry, io.BytesIO(data))
        for name, target, kind in further:
            entry = tarfile.TarInfo(name)
            entry.type = kind
            entry.linkname = target if isinstance(target, str) else ""
            archive.addfile(entry)
    return file.getvalue()
