"""Where a corpus lies: a folder, or a bucket of an object store with a prefix; and how a bucket is used. Nothing is read here."""

from dataclasses import dataclass
from pathlib import Path

import msgspec

from io_managers.object_stores import SCHEMES, wrong_bucket
from resources.errors import ConfigurationError


class BucketAddress(msgspec.Struct, frozen=True):
    """The address of a corpus in an object store, such as `s3://bucket/prefix`; it ends with no slash."""

    address: str

    @property
    def name(self) -> str:
        """The last part of the address, as a path has it."""
        return self.address.rpartition("/")[2]

    def __str__(self) -> str:
        """The address."""
        return self.address


Place = Path | BucketAddress
"""The root of a corpus; `str` of it is what a user writes."""


@dataclass(frozen=True, slots=True)
class BucketRules:
    """How a bucket is used.

    timeout_seconds: for one request. most_requests: downloads at the same time. cache: the folder in which `cache_bytes` of what
    was downloaded are kept; None to keep nothing. least_free_bytes: nothing is kept on a disk with less free space.
    """

    timeout_seconds: float = 120.0
    most_requests: int = 16
    cache: Path | None = None
    cache_bytes: int = 1 << 30
    least_free_bytes: int = 0


def place_of(text: str) -> Place:
    """The place that a text names: a bucket if it has the scheme of one, otherwise a folder.

    Raises ValueError for an address that is not valid, or that has another scheme.
    """
    scheme, separator, _ = text.partition("://")
    if not separator:
        return Path(text)
    if not text.startswith(SCHEMES):
        raise ValueError(f"{scheme}:// is none of {', '.join(SCHEMES)}; a folder is written as a path")
    if wrong := wrong_bucket(text):
        raise ValueError(wrong)
    return BucketAddress(text.rstrip("/"))


def is_same(one: Place, other: Place) -> bool:
    """Whether two places are the same. Equal paths are, even if a link among them was changed since."""
    if isinstance(one, BucketAddress) or isinstance(other, BucketAddress):
        return one == other
    return one == other or one.resolve() == other.resolve()


def check_folder(place: Place) -> None:
    """Raise ConfigurationError if the corpus folder does not exist or cannot be reached. A bucket is looked at by a scan only."""
    if isinstance(place, BucketAddress):
        return
    try:
        is_folder = place.is_dir()
    except OSError as error:  # this user may not enter a folder above it
        raise ConfigurationError(f"The corpus folder {place} cannot be reached: {error.strerror}.") from error
    if not is_folder:
        found = f"{place} is not a folder." if place.exists() else f"There is no corpus folder {place}."
        raise ConfigurationError(f"{found} Give one with --corpus DIR or SEEDBANK_CORPUS.")
