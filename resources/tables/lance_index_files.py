"""Checks the index files of a table against stored digests, since a search with a damaged index gives wrong results.

The digests are stored in the table's folder. Lance never changes a file after writing it. Rows need no such list: they are
compared with the results that they were written from (lance_contents).
"""

import json
from hashlib import blake2b
from pathlib import Path

from io_managers.store.whole_files import write_whole

LIST = "seedbank.indexes.json"
_INDEXES = "_indices"
_FORMAT = 1
_PIECE_BYTES = 1 << 20


def note_index_files(folder: Path) -> None:
    """Store the digests of all current index files of a table. Raises OSError."""
    files = {path.relative_to(folder).as_posix(): _digest(path) for path in sorted(_files(folder))}
    write_whole(folder / LIST, json.dumps({"format": _FORMAT, "files": files}))


def index_faults(folder: Path) -> dict[str, str] | None:
    """What is wrong with the index files, by name; None if no digests were stored, as by earlier versions.

    Raises OSError if the folder cannot be read.
    """
    try:
        found = json.loads((folder / LIST).read_bytes())
        noted = {str(name): str(digest) for name, digest in found["files"].items()}
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (ValueError, KeyError, TypeError, AttributeError):
        return {LIST: "it cannot be read, so the index cannot be verified"}
    faults: dict[str, str] = {}
    for name, digest in noted.items():
        try:
            if _digest(folder / name) != digest:
                faults[name] = "it was changed since it was made"
        except FileNotFoundError:
            faults[name] = "it is gone"
        except PermissionError:
            raise
        except OSError as error:
            faults[name] = f"it cannot be read: {error}"
    return faults


def _files(folder: Path) -> list[Path]:
    return [path for path in (folder / _INDEXES).rglob("*") if path.is_file()]


def _digest(path: Path) -> str:
    hasher = blake2b(digest_size=16)
    with path.open("rb") as opened:
        while piece := opened.read(_PIECE_BYTES):
            hasher.update(piece)
    return hasher.hexdigest()
