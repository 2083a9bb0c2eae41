"""Which editions lie in a bucket, and the newest of them that can be used. Publishing and mirroring begin with it."""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from io_managers.sharing.buckets.bucket import Found
from io_managers.sharing.editions.edition import (
    EDITIONS,
    LARGEST_BYTES,
    Edition,
    decode_edition,
    edition_digest,
    number_of,
)
from io_managers.sharing.remote import Access
from io_managers.store.errors import SegmentError


class FoundEdition(NamedTuple):
    """An edition in a bucket. digest: of its own bytes, which are `data`."""

    edition: Edition
    digest: str
    data: bytes


def editions_in(access: Access) -> dict[int, Found]:
    """The files of all editions by their numbers, ascending. Raises RemoteError."""
    found = {number: file for file in access.bucket.list(EDITIONS) if (number := number_of(file.name)) is not None}
    return dict(sorted(found.items()))


def usable(access: Access, files: Iterable[Found], refused: dict[str, str]) -> Iterator[FoundEdition]:
    """The editions in these files that can be used, in this order. Raises RemoteError.

    refused: gets the name of each that cannot be used, with the reason. One that has gone meanwhile is left out.
    """
    for file in files:
        if file.size_bytes > LARGEST_BYTES:
            refused[file.name] = f"It has {file.size_bytes:,} bytes, and no edition has more than {LARGEST_BYTES:,}."
        elif (data := access.bucket.get(file.name, LARGEST_BYTES)) is not None:
            try:
                yield FoundEdition(decode_edition(data, file.name, access.trust), edition_digest(data), data)
            except SegmentError as error:
                refused[file.name] = str(error)


def newest(access: Access, files: dict[int, Found], refused: dict[str, str]) -> FoundEdition | None:
    """The newest edition that can be used, of those from `editions_in`; None if there is none. Raises RemoteError."""
    return next(usable(access, reversed(files.values()), refused), None)
