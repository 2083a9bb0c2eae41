"""Publishes files as a new edition: first the pieces that the bucket does not have, then the edition, under the next number.

Each edition follows one that the publisher knows, which is the last one of its own. So of two homes that publish at one address,
the second is refused, and an edition is never followed by an older state of another home. A process of the same home that was
stopped for long finds its number taken, and begins again with the files as they are then.

Earlier editions stay for a while, for readers that are about to fetch them. Their pieces go with the last edition that has them.
"""

import time
from collections.abc import Callable, Collection, Iterable, Mapping, Set
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from io_managers.sharing.buckets.bucket import Bucket
from io_managers.sharing.editions.edition import (
    PIECE_BYTES,
    PIECES,
    Edition,
    EditionFile,
    described_all,
    edition_digest,
    edition_name,
    encode_edition,
    piece_digest,
    piece_name,
)
from io_managers.sharing.editions.editions_there import FoundEdition, editions_in, newest, usable
from io_managers.sharing.remote import Access
from io_managers.store.errors import RemoteError, StoreError

AT_ONCE = 8
"""Pieces in flight; with PIECE_BYTES it bounds the memory."""
# A piece that no edition has and that is younger may belong to an edition that is being published. No upload takes a day.
_ORPHAN_SECONDS = 86_400.0
# What is begun again so often meets another publisher each time.
_ATTEMPTS = 5


class OtherPublisherError(StoreError):
    """The newest edition at an address was published by another home."""


class Files(NamedTuple):
    """What is to be published. files: path in the edition -> file, none of which changes any more. facts: see Edition."""

    files: Mapping[str, Path]
    facts: dict[str, Any]


@dataclass(slots=True)
class Published:
    """What became of publishing. number: of the newest edition now. files, bytes: its size.

    new: whether it was published now, and not before. sent_pieces, sent_bytes: what the bucket did not have. replaced_pieces: how
    many were there, and damaged. removed: the number of earlier editions that were removed. refused: files of editions that
    nobody can use, by name, with the reasons.
    """

    number: int = 0
    files: int = 0
    bytes: int = 0
    new: bool = False
    sent_pieces: int = 0
    sent_bytes: int = 0
    replaced_pieces: int = 0
    removed: int = 0
    refused: dict[str, str] = field(default_factory=dict[str, str])

    def sentence(self) -> str:
        """The same in words."""
        size = f"{self.files:,} files of {self.bytes / 2**20:,.1f} MB"
        sent = f"; {self.sent_bytes / 2**20:,.1f} MB were sent" if self.sent_bytes else ""
        replaced = f", {self.replaced_pieces:,} damaged pieces replaced" if self.replaced_pieces else ""
        what = "Published edition" if self.new else "The tables are published already, as edition"
        return f"{what} {self.number:,}: {size}{sent}{replaced}."


def publish(
    access: Access,
    files_now: Callable[[], Files],
    known: Callable[[], Collection[str]],
    note: Callable[[str], None],
    *,
    keep_seconds: float,
    last: int = 0,
    take_over: bool = False,
    verify: bool = False,
    withdraw: bool = False,
) -> Published:
    """Publish files as the newest edition, unless it has them already.

    files_now: gives them as they are when it is called. known: gives the digests of the editions of this home. note: is given the
    digest of an edition before it is written, and must keep it, also if this process is killed. keep_seconds: for how long
    earlier editions stay. last: the number of the edition that this home has published last. A new one has a higher number, also
    if somebody has emptied the bucket, since readers use none with a lower one. take_over: follow an edition of another home.
    verify: read all pieces that the bucket has, and replace damaged ones. withdraw: remove all earlier editions at once, and tell
    readers to do so.

    Raises OtherPublisherError, RemoteError, OSError.
    """
    access.check_writable()
    for _ in range(_ATTEMPTS):
        published = Published()
        there = editions_in(access)
        before = newest(access, there, published.refused)
        if not take_over:
            _check_own(access, before, known(), published.refused)
        now = files_now()
        files, facts = described_all(now.files), msgspec.msgpack.decode(msgspec.msgpack.encode(now.facts))
        known_there = before.edition.pieces.keys() if before is not None and not verify else set[str]()
        _send(access.bucket, now.files, files, known_there, published, verify=verify)
        # What follows an edition of another home, or one that cannot be used, is a new edition in any case.
        same = before is not None and (before.edition.files, before.edition.facts) == (files, facts)
        if before is not None and same and before.digest in known() and not published.refused and not withdraw:
            number = before.edition.number
        else:
            number = max((last, *there)) + 1
            kept_from = number if withdraw else before.edition.kept_from if before else 0
            data = encode_edition(Edition(number, time.time(), files, facts, kept_from), access.signer)
            note(edition_digest(data))
            if not access.bucket.put_first(edition_name(number), data):
                continue  # another process has published meanwhile
            published.new = True
        published.number, published.files = number, len(files)
        published.bytes = sum(file.size_bytes for file in files)
        if published.new or verify:
            try:
                published.removed = _clean_up(access, number, 0.0 if withdraw else keep_seconds)
            except RemoteError:
                if withdraw:
                    raise
                # Who may not delete may write still; the next edition tries again.
        return published
    raise StoreError(
        f"Another process has published at {access.bucket.address} each time that this one was about to.",
        "Run again later.",
    )


def _check_own(access: Access, found: FoundEdition | None, own: Collection[str], refused: Mapping[str, str]) -> None:
    """Raise OtherPublisherError if what would be followed is not of this home."""
    for name, reason in refused.items():
        raise OtherPublisherError(
            f"{name} at {access.bucket.address} is newer than what this home has published, and cannot be used: {reason} Nothing "
            "was published.",
            "Find out who has written it. `seedbank tables publish --take-over` publishes a newer edition all the same.",
        )
    if found is not None and found.digest not in own:
        when = time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(found.edition.published_at))
        raise OtherPublisherError(
            f"Edition {found.edition.number:,} at {access.bucket.address}, of {when}, was not published by this home, or this "
            "home is a copy of an earlier state. Nothing was published.",
            "Give each knowledge base an address of its own. If this home is to take the place of the other one, run "
            "`seedbank tables publish --take-over`.",
        )


def _send(
    bucket: Bucket,
    sources: Mapping[str, Path],
    files: Iterable[EditionFile],
    there: Set[str],
    published: Published,
    *,
    verify: bool,
) -> None:
    """Write the pieces that are not known to be there; each once, however often it occurs. verify: read them first."""
    missing: dict[str, tuple[Path, int]] = {}
    for file in files:
        for number, digest in enumerate(file.pieces):
            if digest not in there:
                missing.setdefault(digest, (sources[file.path], number * PIECE_BYTES))

    def is_there(digest: str, size_bytes: int) -> bool:
        found = bucket.get(piece_name(digest), size_bytes)
        return found is not None and piece_digest(found) == digest

    def send(item: tuple[str, tuple[Path, int]]) -> tuple[int, bool]:
        digest, (source, start) = item
        with source.open("rb") as opened:
            opened.seek(start)
            piece = opened.read(PIECE_BYTES)
        if verify and is_there(digest, len(piece)):
            return 0, False
        if bucket.put_first(piece_name(digest), piece):
            return len(piece), False
        # What is there may be left of an interrupted transfer, or damaged.
        if not verify and is_there(digest, len(piece)):
            return 0, False
        bucket.replace(piece_name(digest), piece)
        return len(piece), True

    with ThreadPoolExecutor(AT_ONCE) as threads:
        for sent, replaced in threads.map(send, missing.items()):
            published.sent_pieces += sent > 0
            published.sent_bytes += sent
            published.replaced_pieces += replaced


def _clean_up(access: Access, newest_number: int, keep_seconds: float) -> int:
    """Remove the editions that were followed by another one longer ago, and pieces that no edition has; how many editions.

    The times are those of the bucket's clock. Editions above the newest one are no editions that anybody can use.
    """
    there = editions_in(access)
    numbers = [number for number in there if number <= newest_number]
    if newest_number not in there:
        return 0
    now = max(file.modified_at for file in there.values())
    followed = dict(pairwise(numbers))
    gone = {one for one, after in followed.items() if now - there[after].modified_at >= keep_seconds}
    refused: dict[str, str] = {}
    removed = list(usable(access, [there[number] for number in sorted(gone)], refused))
    kept = list(usable(access, [file for number, file in there.items() if number not in gone], refused))
    in_use = {digest for found in kept for digest in found.edition.pieces}
    released = {piece_name(digest) for found in removed for digest in found.edition.pieces}
    names = {piece_name(digest) for digest in in_use}
    orphans = [
        file.name
        for file in access.bucket.list(PIECES)
        if file.name not in names and (file.name in released or now - file.modified_at > _ORPHAN_SECONDS)
    ]
    # An edition goes before its pieces, so that no reader finds one that is not whole.
    for doomed in ([there[number].name for number in sorted(gone)], orphans):
        with ThreadPoolExecutor(AT_ONCE) as threads:
            list(threads.map(access.bucket.delete, doomed))
    return len(gone)
