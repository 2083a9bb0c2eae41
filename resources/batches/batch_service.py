"""The batches of a provider as this project uses them, whichever provider it is.

What belongs here: the seam that OpenAI's batches fit, and those of other providers can fit: one that takes the requests with the
call that begins a batch has nothing to upload, and one that gives one list of results has one file of them. What does not: the
format of a provider (openai_batches), and when a batch is sent and looked at (submission, results).
"""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from io_managers.store.batches.batch_records import Batch
from resources.endpoints.endpoint_errors import AttemptError, refused_all
from resources.endpoints.llm import EndpointError, Price, TransientLLMError

# Statuses with which a server refuses for certain. After any other failure it may have accepted all the same.
_CERTAIN = range(400, 500)
_UNCERTAIN = (408, 409)


@dataclass(frozen=True, slots=True)
class BatchLimits:
    """How much one batch may hold."""

    requests: int
    bytes: int


@dataclass(frozen=True, slots=True)
class RemoteBatch:
    """A batch as the provider describes it.

    state: the provider's word. ended: whether nothing is added to its results any more. failed: whether it was refused as a
    whole. files: where its results are, and for some providers the requests that failed. detail: why it failed. expires_at:
    when the provider gives it up, in seconds since 1970; 0 if it does not say.
    """

    remote_id: str
    state: str
    ended: bool
    failed: bool
    files: tuple[str, ...]
    detail: str = ""
    expires_at: float = 0.0


@dataclass(frozen=True, slots=True)
class BatchReply:
    """One line of the results. executed: False if the batch ended before the request got to a model, so that it cost nothing."""

    action_key: str
    status: int
    body: bytes
    executed: bool = True


class BatchService(Protocol):
    """The batches of one account, within one event loop. All methods raise AttemptError and DocumentError."""

    async def upload(self, name: str, file: Path) -> str:
        """Send the requests; the provider's name for them."""
        ...

    async def create(self, batch: Batch) -> RemoteBatch:
        """Begin a batch, once: a failure is not tried again, since it may have begun."""
        ...

    async def find(self, batch: Batch) -> RemoteBatch | None:
        """The batch that was begun with this project's own id; None if the provider knows none."""
        ...

    async def get(self, remote_id: str) -> RemoteBatch | None:
        """A batch by the provider's name; None if this account has none of that name."""
        ...

    async def cancel(self, remote_id: str) -> RemoteBatch | None:
        """Ask the provider to end a batch; what it has answered by then is paid, and is kept. None as for `get`."""
        ...

    def replies(self, remote: RemoteBatch) -> AsyncIterator[BatchReply]:
        """All lines of the results, those of failed requests included, in any order."""
        ...


@dataclass(frozen=True, slots=True)
class BatchAccess:
    """How the batches of one model are reached. It implements BatchTerms.

    deployment: the server, as in action keys. name: the model and its server, for messages. price: of requests in a batch.
    limits: how much one batch may hold. line: (action key, path, body) -> a request as a line of a file. opened: the service,
    with connections that last as long as the context; entering it raises ConfigurationError if the key or the address cannot be
    used.
    """

    deployment: str
    model: str
    name: str
    price: Price
    limits: BatchLimits
    line: Callable[[str, str, Mapping[str, Any]], bytes]
    opened: Callable[[], AbstractAsyncContextManager[BatchService]]


def refused_for_certain(failed: AttemptError) -> bool:
    """Whether a server that failed a request has certainly not accepted it."""
    return failed.status in _CERTAIN and failed.status not in _UNCERTAIN


def batch_error(access: BatchAccess, failed: AttemptError) -> EndpointError:
    """The error for the stage if its batch could not be sent."""
    if failed.rule.kind in ("account", "endpoint", "document", "setting"):
        return refused_all(access.name, failed, of_vectors=False)
    return EndpointError(
        f"{access.name} did not take a batch: {failed.outcome}, {failed.detail}.",
        "Run again: only unfinished work is sent. `seedbank seed --no-wait` sends it without a batch.",
    )


def batch_trouble(access: BatchAccess, failed: AttemptError) -> TransientLLMError:
    """The error if a batch that was sent cannot be looked at."""
    return TransientLLMError(
        f"{access.name} does not show its batches: {failed.outcome}, {failed.detail}.",
        "The batch goes on. Run again later; what it has answered is taken then.",
    )
