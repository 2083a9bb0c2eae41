"""Files that are ZIP archives, written part by part. What does not belong here: what the parts of one format are."""

import io
import zipfile
from collections.abc import Mapping

RELATIONS = "http://schemas.openxmlformats.org/package/2006/relationships"
TYPES = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"


def zipped(parts: Mapping[str, str | bytes]) -> bytes:
    """An archive of these parts, each packed."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(zipfile.ZipInfo(name), content, zipfile.ZIP_DEFLATED)
    return file.getvalue()


def unzipped(data: bytes) -> dict[str, bytes]:
    """The parts of an archive."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def relations(targets: Mapping[str, tuple[str, str]]) -> str:
    """A part with relations. targets: id -> (end of the type, target)."""
    links = "".join(
        f'<Relationship Id="{name}" Type="{TYPES}/{kind}" Target="{target}"/>'
        for name, (kind, target) in targets.items()
    )
    return f'<Relationships xmlns="{RELATIONS}">{links}</Relationships>'


def bomb(size: int = 17 << 20) -> bytes:
    """A part that takes a thousand times less when it is packed."""
    return b"<a>" + b" " * size + b"</a>"
