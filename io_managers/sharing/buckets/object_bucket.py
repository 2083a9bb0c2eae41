"""A bucket in an object store (S3, Google Cloud Storage, Azure), through `obstore`.

Its errors are translated here: a missing bucket and a missing file raise the same error in the library, and an empty remote must
never be assumed because of a wrong name.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING

from io_managers.object_stores import REMEDIES, SAID, Cause, cause_of, first_line, open_object_store
from io_managers.sharing.buckets.bucket import Found
from io_managers.store.errors import RemoteError

if TYPE_CHECKING:
    from obstore.store import ObjectStore

_RETRIES = 3
_LONGEST_WAIT_SECONDS = 2
_REMEDIES: Mapping[Cause, str] = {
    **REMEDIES,
    "no bucket": "Create it, or correct {setting}: without it, everything there would seem to be missing.",
    "denied": 'Check the credentials and what they may do. If they may only read, set store.remote_access = "read".',
    "busy": 'Run again later. To work without it, set store.remote_access = "off".',
    "unreachable": 'Check the network and the address. To work without it, set store.remote_access = "off".',
}


class ObjectBucket:
    """See Bucket."""

    def __init__(self, address: str, timeout_seconds: float, setting: str = "store.remote") -> None:
        """address: as `s3://bucket/prefix`. timeout_seconds: for one request. setting: where the address comes from, for
        messages. Credentials come from the environment.

        Raises RemoteError; nothing is sent.
        """
        self.address = address.rstrip("/")
        self._timeout_seconds = timeout_seconds
        self._setting = setting
        self._store = self._opened()

    def _opened(self) -> "ObjectStore":
        try:
            import obstore.store  # noqa: F401 - whether it is there
        except ImportError as error:
            raise RemoteError(
                f"The remote {self.address} needs the package obstore, which is not installed.",
                "Install it: `.venv/bin/pip install 'seedbank[remote]'`.",
            ) from error
        with self._translated():
            return open_object_store(
                self.address,
                timeout_seconds=self._timeout_seconds,
                retries=_RETRIES,
                longest_wait_seconds=_LONGEST_WAIT_SECONDS,
            )

    def get(self, name: str, most_bytes: int) -> bytes | None:
        """See Bucket."""
        with self._translated():
            try:
                found = self._store.get(name)
            except FileNotFoundError as error:
                if _is_missing_bucket(error):
                    raise
                return None
            return bytes(found.bytes()) if found.meta["size"] <= most_bytes else None

    def put_first(self, name: str, data: bytes) -> bool:
        """See Bucket."""
        from obstore.exceptions import AlreadyExistsError

        with self._translated():
            try:
                self._store.put(name, data, mode="create")
            except AlreadyExistsError:
                return False
        return True

    def replace(self, name: str, data: bytes) -> None:
        """See Bucket."""
        with self._translated():
            self._store.put(name, data)

    def list(self, folder: str) -> Iterator[Found]:
        """See Bucket."""
        with self._translated():
            for page in self._store.list(folder):
                for found in page:
                    yield Found(found["path"], found["size"], found["last_modified"].timestamp())

    def delete(self, name: str) -> None:
        """See Bucket."""
        with self._translated():
            try:
                self._store.delete(name)
            except FileNotFoundError as error:
                if _is_missing_bucket(error):
                    raise

    def is_own(self) -> bool:
        """See Bucket: who else can write to an object store cannot be seen from here."""
        return False

    @contextmanager
    def _translated(self) -> Iterator[None]:
        from obstore.exceptions import BaseError

        try:
            yield
        except (BaseError, OSError, ValueError) as error:
            if (cause := cause_of(error)) is not None:
                raise RemoteError(
                    f"The remote {self.address} cannot be used: {SAID[cause]}.",
                    _REMEDIES[cause].format(setting=self._setting),
                ) from error
            raise RemoteError(
                f"The remote {self.address} cannot be used: {first_line(error)}",
                'Correct what it says. To work without the remote, set store.remote_access = "off".',
            ) from error


def _is_missing_bucket(error: FileNotFoundError) -> bool:
    return cause_of(error) == "no bucket"
