"""A local mirror of editions: whole copies of some, of which one is current.

```
 current                what is current: its number, its digest, and its folder
 looked                 its time is that of the last look at the bucket
 <number>-<digest>/     the files of an edition, and the edition itself (`edition`)
 .incoming-<digest>/    an edition that is being fetched; the next pull goes on with it
```

A folder gets its name when all its files are there, verified and durable, and becomes current by the replacement of one small
file. So whenever a pull is interrupted, readers have the old edition or the new one as a whole. A process that reads an edition
while another one becomes current goes on reading: its folder stays for a while. Files that two editions share are on the disk
once, by hard links.
"""

import json
import os
import secrets
import shutil
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import msgspec

from io_managers.sharing.editions.edition import (
    PIECE_BYTES,
    Edition,
    EditionFile,
    described,
    edition_name,
    piece_digest,
    piece_name,
    pieces_in,
    sized_pieces,
)
from io_managers.sharing.editions.editions_there import FoundEdition, editions_in, newest
from io_managers.sharing.editions.publishing import AT_ONCE
from io_managers.sharing.remote import Access
from io_managers.store.errors import SegmentError, StoreUnavailableError
from io_managers.store.whole_files import flush_directory, write_whole

_EDITION, _CURRENT, _LOOKED, _INCOMING, _DOOMED = "edition", "current", "looked", ".incoming-", ".doomed-"
# An edition with something that was erased stays so long for those who are reading it; no search takes a minute (a judgement).
WITHDRAWN_SECONDS = 60.0
# Room that stays free on the disk, for the databases of the home.
_LEAST_FREE_BYTES = 64 << 20


class Mirrored(NamedTuple):
    """A mirrored edition. folder: where its files are. digest: of the edition's own bytes."""

    number: int
    digest: str
    folder: Path

    @property
    def edition(self) -> Edition:
        """The edition, as it was verified. Raises OSError, msgspec.MsgspecError."""
        return msgspec.msgpack.decode((self.folder / _EDITION).read_bytes(), type=Edition)


@dataclass(slots=True)
class Pulled:
    """What a pull did. current: what is current now. new: whether it became so now.

    fetched_pieces, fetched_bytes: what was not here before. refused: files in the bucket that were not used, with the reasons.
    """

    current: Mirrored | None = None
    new: bool = False
    fetched_pieces: int = 0
    fetched_bytes: int = 0
    refused: dict[str, str] = field(default_factory=dict[str, str])

    def sentence(self) -> str:
        """The same in words; "" if nothing is current."""
        if self.current is None:
            return ""
        if not self.new:
            return f"Edition {self.current.number:,} is in use, and nothing newer can be used."
        return f"Edition {self.current.number:,} is in use now; {self.fetched_bytes / 2**20:,.1f} MB were fetched."


class Mirror:
    """The mirror in one folder. Several processes may read it; of those that change it, the caller lets in one at a time."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory

    def current(self) -> Mirrored | None:
        """The current edition; None if there is none. It takes microseconds."""
        try:
            found = json.loads((self.directory / _CURRENT).read_bytes())
            folder = self.directory / str(found["folder"])
            mirrored = Mirrored(int(found["number"]), str(found["digest"]), folder)
        except (OSError, ValueError, KeyError, TypeError):
            return None
        return mirrored if folder.parent == self.directory and folder.is_dir() else None

    def looked_at(self) -> float:
        """When the bucket was last looked at, in seconds since 1970; 0 if never."""
        try:
            return (self.directory / _LOOKED).stat().st_mtime
        except OSError:
            return 0.0

    def faults(self) -> dict[str, str]:
        """The files of the current edition that are missing or differ from it, with what is wrong. Each is read once."""
        mirrored = self.current()
        if mirrored is None:
            return {}
        try:
            files = mirrored.edition.files
        except (OSError, msgspec.MsgspecError) as error:
            return {_EDITION: f"it cannot be read: {error}"}
        return {file.path: fault for file in files if (fault := _fault(mirrored.folder, file))}

    def pull(
        self,
        access: Access,
        accept: Callable[[Path, Edition], object],
        *,
        keep_seconds: float,
        again: bool = False,
    ) -> Pulled:
        """Make the newest edition in the bucket current, if it can be used, and remove those that are not needed any more.

        accept: raises SegmentError if readers could not use the files in a folder. keep_seconds: for how long an edition stays
        that is not current any more. again: compare the files of the current edition, and fetch those that differ.

        An edition that cannot be used is named in the result, and what was current stays current. Raises RemoteError,
        StoreUnavailableError.
        """
        access.check_readable()
        pulled = Pulled(self.current())
        with self._translated():
            self.directory.mkdir(parents=True, exist_ok=True)
            tried = ""
            while True:
                refused = dict[str, str]()
                found = newest(access, editions_in(access), refused)
                if found is not None and found.digest == tried:
                    break
                pulled.refused = refused
                if found is None or not self._is_wanted(found, pulled, again=again):
                    break
                try:
                    self._switch(access, found, accept, pulled)
                    break
                except SegmentError as error:
                    # It may have been followed by another one, and removed, while it was fetched: then it is looked again.
                    refused[edition_name(found.edition.number)], tried = str(error), found.digest
            write_whole(self.directory / _LOOKED, b"")
            self._clean_up(keep_seconds)
        return pulled

    def _is_wanted(self, found: FoundEdition, pulled: Pulled, *, again: bool) -> bool:
        """Whether an edition is to be fetched. Somebody may have removed newer ones, or replaced one."""
        here, name = pulled.current, edition_name(found.edition.number)
        if here is None or found.edition.number > here.number:
            return True
        remedy = (
            f"If it is to be used all the same, delete the folder {self.directory}, and run `seedbank tables pull`."
        )
        if found.edition.number < here.number:
            pulled.refused[name] = (
                f"It is older than edition {here.number:,}, which is in use and is not there any more. {remedy}"
            )
        elif found.digest != here.digest:
            pulled.refused[name] = f"It differs from the edition with this number that is in use. {remedy}"
        elif again and self.faults():
            return True
        return False

    def _switch(
        self, access: Access, found: FoundEdition, accept: Callable[[Path, Edition], object], pulled: Pulled
    ) -> None:
        edition, before = found.edition, pulled.current
        incoming = self.directory / f"{_INCOMING}{found.digest[:16]}"
        self._fetch(access, edition, incoming, pulled)
        accept(incoming, edition)
        write_whole(incoming / _EDITION, msgspec.msgpack.encode(edition))
        for folder in [incoming, *(path for path in incoming.rglob("*") if path.is_dir())]:
            flush_directory(folder)
        folder = self.directory / f"{edition.number}-{found.digest[:16]}"
        if folder.exists():  # it was damaged, or is left of an interrupted pull
            folder = folder.with_name(f"{folder.name}-{secrets.token_hex(4)}")
        incoming.rename(folder)
        if before is not None:
            os.utime(before.folder)  # from now on it is not current
        content = {"number": edition.number, "digest": found.digest, "folder": folder.name}
        write_whole(self.directory / _CURRENT, json.dumps(content))
        pulled.current, pulled.new = Mirrored(edition.number, found.digest, folder), True

    def _fetch(self, access: Access, edition: Edition, incoming: Path, pulled: Pulled) -> None:
        """Bring all files of an edition into a folder, whatever of them is there. Raises SegmentError."""
        for path in self.directory.glob(f"{_INCOMING}*"):
            if path != incoming:
                shutil.rmtree(path, ignore_errors=True)
        here = self._files_here(pulled.current)
        missing = list[EditionFile]()
        for file in edition.files:
            target = incoming / file.path
            if target.is_file() and _fault(incoming, file) == "":
                continue
            target.parent.mkdir(parents=True, exist_ok=True)
            if not _linked(here.get(file.content), target, file):
                missing.append(file)
        wanted = [(file, *piece) for file in missing for piece in _lacking(incoming / file.path, file)]
        _check_space(self.directory, sum(size for *_, size in wanted))

        def fetch(one: tuple[EditionFile, int, str, int]) -> int:
            file, number, digest, size_bytes = one
            data = access.bucket.get(piece_name(digest), size_bytes)
            if data is None or piece_digest(data) != digest:
                what = "is missing or larger than recorded" if data is None else "was changed or cut off"
                raise SegmentError(f"{piece_name(digest)}, a piece of {file.path}, {what}.")
            with (incoming / file.path).open("r+b") as opened:
                opened.seek(number * PIECE_BYTES)
                opened.write(data)
            return size_bytes

        with ThreadPoolExecutor(AT_ONCE) as threads:
            tasks = [threads.submit(fetch, one) for one in wanted]
            try:
                for task in tasks:
                    pulled.fetched_bytes += task.result()
                    pulled.fetched_pieces += 1
            finally:
                for task in tasks:
                    task.cancel()
        for file in missing:
            _flush(incoming / file.path)
        kept = {file.path for file in edition.files}
        for path in incoming.rglob("*"):
            if path.is_file() and path.relative_to(incoming).as_posix() not in kept:
                path.unlink()

    def _files_here(self, mirrored: Mirrored | None) -> Mapping[tuple[int, tuple[str, ...]], Path]:
        """The files of the current edition by their contents."""
        if mirrored is None:
            return {}
        try:
            return {file.content: mirrored.folder / file.path for file in mirrored.edition.files}
        except (OSError, msgspec.MsgspecError):
            return {}

    def _clean_up(self, keep_seconds: float) -> None:
        """Remove editions that were replaced longer ago, and those that hold what was erased soon after."""
        mirrored = self.current()
        if mirrored is None:
            return
        with suppress(OSError, msgspec.MsgspecError):
            kept_from = mirrored.edition.kept_from
            for path in self.directory.iterdir():
                if path.name.startswith(_DOOMED):
                    shutil.rmtree(path, ignore_errors=True)
                number = path.name.partition("-")[0]
                if path == mirrored.folder or not number.isdigit() or not path.is_dir():
                    continue
                most = min(keep_seconds, WITHDRAWN_SECONDS) if int(number) < kept_from else keep_seconds
                if time.time() - path.stat().st_mtime >= most:
                    # It is renamed first, so that a part of it never looks like an edition.
                    doomed = self.directory / f"{_DOOMED}{secrets.token_hex(4)}"
                    path.rename(doomed)
                    shutil.rmtree(doomed, ignore_errors=True)

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise StoreUnavailableError(
                f"The mirror {self.directory} cannot be written: {error.strerror or error}.",
                "Free some space or make it writable for this user, then run again; what is current stays in use.",
            ) from error


def _fault(folder: Path, file: EditionFile) -> str:
    """What is wrong with a file of an edition; "" for nothing."""
    try:
        found = described(file.path, folder / file.path)
    except FileNotFoundError:
        return "it is missing"
    except OSError as error:
        return f"it cannot be read: {error.strerror or error}"
    return "" if found == file else "it was changed since it was fetched"


def _linked(source: Path | None, target: Path, file: EditionFile) -> bool:
    """Put a file that is here already in its place; False if it is not here or was changed."""
    if source is None or _fault(source.parent, EditionFile(source.name, *file.content)):
        return False
    target.unlink(missing_ok=True)
    try:
        os.link(source, target)
    except OSError:  # the file system has no links
        shutil.copyfile(source, target)
        _flush(target)
    return True


def _lacking(path: Path, file: EditionFile) -> Iterator[tuple[int, str, int]]:
    """The pieces of a file that are not there: number, digest, size. An unfinished file is gone on with."""
    if path.is_file() and path.stat().st_size == file.size_bytes and path.stat().st_nlink == 1:
        with path.open("rb") as opened:
            found = [piece_digest(piece) for piece in pieces_in(opened)]
    else:
        path.unlink(missing_ok=True)
        with path.open("xb") as opened:
            opened.truncate(file.size_bytes)
        found = []
    for number, (digest, size_bytes) in enumerate(sized_pieces(file)):
        if number >= len(found) or found[number] != digest:
            yield number, digest, size_bytes


def _flush(path: Path) -> None:
    with path.open("rb") as opened:
        os.fsync(opened.fileno())


def _check_space(directory: Path, wanted_bytes: int) -> None:
    free = shutil.disk_usage(directory).free
    if wanted_bytes and free < wanted_bytes + _LEAST_FREE_BYTES:
        raise StoreUnavailableError(
            f"The newest edition needs {wanted_bytes / 2**20:,.0f} MB more, and {free / 2**20:,.0f} MB are free on the disk of "
            f"{directory}.",
            "Free some space, then run again; what is current stays in use.",
        )
