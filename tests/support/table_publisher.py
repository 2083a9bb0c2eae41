"""Processes that are killed: `python -m tests.support.table_publisher publish|pull FOLDER PLACE [FIRST]`.

`publish` publishes one edition after the other, whose files all hold its number, and prints the number before and after it.
`pull` pulls for ever, and prints the number that became current.
"""

import sys
from collections.abc import Callable
from itertools import count
from pathlib import Path

from io_managers.sharing.buckets.folder_bucket import FolderBucket
from io_managers.sharing.editions.mirror import Mirror
from io_managers.sharing.editions.publishing import Files, publish
from io_managers.sharing.remote import Access
from io_managers.sharing.segments.signatures import Trust
from io_managers.store.whole_files import write_whole
from tests.support.table_readers import KEY

FILES = 12
_KEEP_SECONDS = 0.2


def contents(number: int) -> dict[str, bytes]:
    """The files of an edition: some are in each, and the others hold the number."""
    same = {f"same/{name}": b"same %d" % name * 1000 for name in range(FILES)}
    return same | {f"own/{name}": b"%d\n" % number * 500 for name in range(FILES)}


def publishing(folder: Path, place: Path, number: int) -> int:
    """Publish an edition with this content as a home in `folder` does; returns its number."""
    known = folder / "known"

    def files() -> Files:
        paths: dict[str, Path] = {}
        for name, data in contents(number).items():
            paths[name] = folder / "files" / str(number) / name
            paths[name].parent.mkdir(parents=True, exist_ok=True)
            paths[name].write_bytes(data)
        return Files(paths, {"content": number})

    def read() -> list[str]:
        return known.read_text().split() if known.exists() else []

    access = Access(FolderBucket(place), Trust([KEY.public]), KEY, True)
    note: Callable[[str], None] = lambda digest: write_whole(known, "\n".join([*read(), digest]))  # noqa: E731
    return publish(access, files, read, note, keep_seconds=_KEEP_SECONDS).number


def pulling(folder: Path, place: Path) -> int:
    """Pull once; returns the content of what is current then."""
    mirror = Mirror(folder)
    access = Access(FolderBucket(place), Trust([KEY.public]), None, False)
    current = mirror.pull(access, lambda *_: None, keep_seconds=_KEEP_SECONDS).current
    return current.edition.facts["content"] if current else -1


def main(what: str, folder: Path, place: Path, first: int) -> None:
    """Work for ever."""
    for number in count(first):
        if what == "publish":
            print(number, flush=True)
            publishing(folder, place, number)
            print(f"done {number}", flush=True)
        else:
            print(pulling(folder, place), flush=True)


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3]), int(sys.argv[4]) if len(sys.argv) > 4 else 0)
