"""A bucket in an object store (S3, Google Cloud Storage, Azure), through `obstore`.

Timeouts and retries are set here, since those of the library last minutes. Its errors are translated here: a missing bucket and
a missing file raise the same error there, and an empty remote must never be assumed because of a wrong name.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from io_managers.sharing.buckets.bucket import Found
from io_managers.store.errors import RemoteError

if TYPE_CHECKING:
    from obstore.store import ObjectStore

SCHEMES = ("s3://", "gs://", "az://")
_CONNECT_SECONDS = 5
_RETRIES = 3
# (what stands in the text of an error, what is wrong, what to do), the first that fits.
_CAUSES = (
    (
        ("NoSuchBucket", "The specified bucket does not exist", "ContainerNotFound"),
        "the bucket does not exist",
        "Create it, or correct {setting}: without it, everything there would seem to be missing.",
    ),
    (
        ("RequestTimeTooSkewed", "RequestExpired"),
        "it refuses requests of this machine because its clock is wrong",
        "Set the clock of this machine, then run again.",
    ),
    (
        ("169.254.169.254", "metadata.google.internal", "MissingAccessKey", "missing credentials"),
        "no credentials were found",
        "Set those of your object store in the environment, such as AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY.",
    ),
    (
        ("InvalidAccessKeyId", "SignatureDoesNotMatch", "InvalidToken", "ExpiredToken", "401 Unauthorized"),
        "it refuses the credentials",
        "Correct the credentials in the environment, such as AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY.",
    ),
    (
        ("AccessDenied", "403 Forbidden", "AuthorizationFailure", "AuthenticationFailed"),
        "it denies access",
        'Check the credentials and what they may do. If they may only read, set store.remote_access = "read".',
    ),
    (
        ("error sending request", "connect", "timed out", "timeout", "dns", "after 3 retries"),
        "it cannot be reached",
        'Check the network and the address. To work without it, set store.remote_access = "off".',
    ),
)


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
            from obstore.store import from_url
        except ImportError as error:
            raise RemoteError(
                f"The remote {self.address} needs the package obstore, which is not installed.",
                "Install it: `.venv/bin/pip install 'seedbank[remote]'`.",
            ) from error
        endpoint = os.environ.get("AWS_ENDPOINT_URL") or os.environ.get("AWS_ENDPOINT") or ""
        options: Any = {
            "connect_timeout": f"{_CONNECT_SECONDS}s",
            "timeout": f"{self._timeout_seconds:g}s",
            "allow_http": endpoint.startswith("http://"),
        }
        retries: Any = {
            "max_retries": _RETRIES,
            "retry_timeout": timedelta(seconds=self._timeout_seconds),
            "backoff": {"init_backoff": timedelta(seconds=0.1), "max_backoff": timedelta(seconds=2), "base": 2},
        }
        with self._translated():
            return from_url(self.address, client_options=options, retry_config=retries)

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
            text = str(error)
            for signs, cause, remedy in _CAUSES:
                if any(sign.lower() in text.lower() for sign in signs):
                    raise RemoteError(
                        f"The remote {self.address} cannot be used: {cause}.", remedy.format(setting=self._setting)
                    ) from error
            raise RemoteError(
                f"The remote {self.address} cannot be used: {text.partition(chr(10))[0][:300]}",
                'Correct what it says. To work without the remote, set store.remote_access = "off".',
            ) from error


def _is_missing_bucket(error: FileNotFoundError) -> bool:
    return any(sign in str(error) for sign in _CAUSES[0][0])
