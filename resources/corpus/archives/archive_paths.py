"""The paths of files in archives: as paths below the archive, and which of them are hidden. Nothing is unpacked here."""

import re

_DRIVE = re.compile(r"[A-Za-z]:$")
_LEADS_OUT = "its path leads out of the archive"
# A judgement; systems allow 4,096 bytes.
_LONGEST = 4_000
_OF_MACOS = "__MACOSX"


def path_below(name: str) -> tuple[str, str]:
    """Return (the path below the archive, why it cannot be read or ""); absolute paths lose their beginning.

    The path is "" for the archive's own folder. name: with slashes.
    """
    parts = [part for part in name.split("/") if part not in ("", ".")]
    if parts and _DRIVE.match(parts[0]):
        del parts[0]
    path = "/".join("…" if part == ".." else part for part in parts)
    if len(path) > _LONGEST:
        return path[:_LONGEST], "its path is too long"
    return path, _LEADS_OUT if ".." in parts else ""


def is_hidden(path: str) -> bool:
    """Whether a file is hidden, or is among what macOS adds to archives."""
    return path.startswith(".") or "/." in path or path.split("/", 1)[0] == _OF_MACOS
