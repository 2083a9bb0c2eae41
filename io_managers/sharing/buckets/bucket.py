"""What a remote needs of the place where its files lie. The implementations are beside this module."""

from collections.abc import Iterator
from typing import NamedTuple, Protocol


class Found(NamedTuple):
    """A file in a bucket. modified_at: seconds since 1970 by the bucket's clock."""

    name: str
    size_bytes: int
    modified_at: float


class Bucket(Protocol):
    """Files by name, below one prefix; tests/io_managers/sharing/test_buckets.py is the conformance suite.

    A name consists of letters, digits, `-` and `/`. Several threads may use a bucket. Every method raises RemoteError if the
    bucket does not exist, cannot be reached, or refuses.
    """

    address: str
    """The address, for messages; it holds no password."""

    def get(self, name: str, most_bytes: int) -> bytes | None:
        """The bytes of a file; None if there is none, or if it has more than `most_bytes`."""
        ...

    def put_first(self, name: str, data: bytes) -> bool:
        """Write a file unless there is one. Of several writers, one gets True. A file is there as a whole, or not at all."""
        ...

    def replace(self, name: str, data: bytes) -> None:
        """Write a file, whether or not there is one."""
        ...

    def list(self, folder: str) -> Iterator[Found]:
        """All files below a folder, in no particular order."""
        ...

    def delete(self, name: str) -> None:
        """Remove a file; it need not be there."""
        ...

    def is_own(self) -> bool:
        """Whether only this user can write here, as far as this machine can tell."""
        ...
