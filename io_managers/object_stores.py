"""Object stores (S3, Google Cloud Storage, Azure) through `obstore`: opening one, and what its errors mean.

Timeouts and retries are set here, since those of the library last minutes. Its errors have no types that tell a missing bucket
from a missing object, so they are recognised by their texts. What to do about a cause is up to those who use the store.
"""

import os
from collections.abc import Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from obstore.store import ObjectStore

SCHEMES = ("s3://", "gs://", "az://")
_CONNECT_SECONDS = 5

Cause = Literal["no bucket", "clock", "no credentials", "credentials", "archived", "denied", "busy", "unreachable"]
# (what stands in the text of an error, what it means), the first that fits.
_SIGNS: tuple[tuple[tuple[str, ...], Cause], ...] = (
    (("NoSuchBucket", "The specified bucket does not exist", "ContainerNotFound"), "no bucket"),
    (("RequestTimeTooSkewed", "RequestExpired"), "clock"),
    (
        ("169.254.169.254", "metadata.google.internal", "MissingAccessKey", "missing credentials"),
        "no credentials",
    ),
    (
        ("InvalidAccessKeyId", "SignatureDoesNotMatch", "InvalidToken", "ExpiredToken", "401 Unauthorized"),
        "credentials",
    ),
    (("InvalidObjectState", "BlobArchived"), "archived"),
    (("AccessDenied", "403 Forbidden", "AuthorizationFailure", "AuthenticationFailed"), "denied"),
    (("SlowDown", "ServerBusy", "503 Service Unavailable", "429 Too Many Requests"), "busy"),
    (("error sending request", "connect", "timed out", "timeout", "dns", "max_retries"), "unreachable"),
)
SAID: Mapping[Cause, str] = {
    "no bucket": "the bucket does not exist",
    "clock": "it refuses requests of this machine because its clock is wrong",
    "no credentials": "no credentials were found",
    "credentials": "it refuses the credentials",
    "archived": "the object is in an archive tier, from which it has to be restored",
    "denied": "it denies access",
    "busy": "it asks for fewer requests than it is sent",
    "unreachable": "it cannot be reached",
}
"""Each cause in words that follow "... cannot be used:"."""
REMEDIES: Mapping[Cause, str] = {
    "clock": "Set the clock of this machine, then run again.",
    "no credentials": "Set those of your object store in the environment, such as AWS_ACCESS_KEY_ID and "
    "AWS_SECRET_ACCESS_KEY.",
    "credentials": "Correct the credentials in the environment, such as AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY.",
    "archived": "Restore it from the archive tier, then run again.",
}
"""What to do about the causes with which it does not matter what the store is used for."""


def open_object_store(
    address: str, *, timeout_seconds: float, retries: int, longest_wait_seconds: float
) -> "ObjectStore":
    """Open the object store of an address such as `s3://bucket/prefix`, with credentials from the environment.

    timeout_seconds: for one request, and for its retries together unless these may wait for longer. retries: how often a request
    is sent again when the store is busy or does not answer. longest_wait_seconds: between two of them; waits double, from a
    tenth of a second on.

    Raises ImportError if obstore is not installed, and its errors if the address is wrong. Nothing is sent.
    """
    from obstore.store import from_url

    endpoint = os.environ.get("AWS_ENDPOINT_URL") or os.environ.get("AWS_ENDPOINT") or ""
    options: Any = {
        "connect_timeout": f"{_CONNECT_SECONDS}s",
        "timeout": f"{timeout_seconds:g}s",
        "allow_http": endpoint.startswith("http://"),
    }
    retrying: Any = {
        "max_retries": retries,
        "retry_timeout": timedelta(seconds=max(timeout_seconds, retries * longest_wait_seconds)),
        "backoff": {
            "init_backoff": timedelta(seconds=0.1),
            "max_backoff": timedelta(seconds=longest_wait_seconds),
            "base": 2,
        },
    }
    return from_url(address, client_options=options, retry_config=retrying)


def cause_of(error: Exception) -> Cause | None:
    """What an error of an object store means; None if its text says nothing that is known."""
    text = str(error).lower()
    return next((cause for signs, cause in _SIGNS if any(sign.lower() in text for sign in signs)), None)


def first_line(error: Exception) -> str:
    """The beginning of an error's text, for a message about a cause that is not known."""
    return str(error).partition("\n")[0][:300]


def wrong_bucket(address: str) -> str:
    """What is wrong with the address of a bucket that begins with one of the SCHEMES; "" if nothing is."""
    scheme, _, rest = address.partition("://")
    bucket, _, prefix = rest.rstrip("/").partition("/")
    if not bucket or "@" in rest or "?" in rest:
        return f"an address has the form {scheme}://NAME/PREFIX; credentials come from the environment"
    if any(part in ("", ".", "..") or not part.isprintable() for part in prefix.split("/") if prefix):
        return (
            f"the prefix {prefix!r} has a part between slashes that is empty, a dot or two, or that cannot be printed"
        )
    return ""
