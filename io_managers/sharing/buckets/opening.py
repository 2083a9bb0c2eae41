"""Opens the bucket of an address, and checks before the first write that it keeps what a remote relies on."""

import secrets
import time
from contextlib import suppress
from pathlib import Path

from io_managers.object_stores import SCHEMES
from io_managers.sharing.buckets.bucket import Bucket
from io_managers.sharing.buckets.folder_bucket import FolderBucket
from io_managers.sharing.buckets.object_bucket import ObjectBucket
from io_managers.store.errors import RemoteError

# Object stores refuse requests by a clock that is a quarter of an hour off; this is said before.
_SKEW_SECONDS = 120


def open_bucket(address: str, timeout_seconds: float, setting: str = "store.remote") -> Bucket:
    """The bucket of an address: `s3://`, `gs://` or `az://` with a bucket and a prefix, or an absolute folder.

    setting: where the address comes from, for messages. Raises RemoteError; nothing is sent.
    """
    if address.startswith(SCHEMES):
        return ObjectBucket(address, timeout_seconds, setting)
    return FolderBucket(Path(address), setting)


def check_writable(bucket: Bucket) -> str:
    """Check that a bucket can be written, and that of two writers of one file only the first succeeds.

    Returns a warning about the clock of this machine, or "". Raises RemoteError.
    """
    name = f"probes/{secrets.token_hex(8)}"
    sent_at = time.time()
    try:
        bucket.put_first(name, b"one")
        if bucket.put_first(name, b"two"):
            raise RemoteError(
                f"The remote {bucket.address} overwrites a file that exists although it was asked not to (its server ignores "
                "If-None-Match). Two machines that push at once could lose each other's work.",
                'Use another server or folder, or set store.remote_access = "read". Nothing was pushed.',
            )
        times = [found.modified_at for found in bucket.list("probes") if found.name == name]
    finally:
        with suppress(RemoteError):  # who may not delete may write still
            bucket.delete(name)
    seconds = abs(times[0] - sent_at) if times else 0.0
    if seconds < _SKEW_SECONDS:
        return ""
    return f"The clock of this machine differs by {seconds:,.0f} s from that of {bucket.address}: set it."
