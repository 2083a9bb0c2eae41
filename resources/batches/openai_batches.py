"""OpenAI's batches: a file of requests, a batch over it, and files with its results.

They are documented at https://platform.openai.com/docs/guides/batch. What belongs here: the format of the lines, and sending
through the `openai` package. What does not: what follows from the state of a batch (submission, results).
"""

import time
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from io_managers.store.batches.batch_records import Batch
from resources.batches.batch_service import BatchLimits, BatchReply, RemoteBatch
from resources.endpoints.endpoint_errors import AttemptError, refusal
from resources.endpoints.llm import error_text
from resources.endpoints.wire_faults import wire_fault
from resources.errors import ConfigurationError

if TYPE_CHECKING:
    import httpx2
    from openai.types import Batch as OpenAIBatch

LIMITS = BatchLimits(50_000, 200 * 1000 * 1000)
_ENDED = frozenset({"completed", "failed", "expired", "cancelled"})
# What is between the address of the API and the path of an endpoint.
_VERSION = "/v1"
# Our own id among the metadata of a batch, by which it is found again.
_OUR_ID, _OUR_DIGEST = "seedbank_batch", "seedbank_digest"
_RETRIES = 3
_PAGE = 100
# A batch that was begun before its record, by the clocks of two machines (a judgement).
_CLOCKS_SECONDS = 3_600
# Errors of requests that were not sent to a model before the batch ended.
_NOT_EXECUTED = ("batch_expired", "batch_cancelled")
_MOST_SHOWN = 3


class _Response(msgspec.Struct):
    status_code: int = 0
    body: msgspec.Raw = msgspec.Raw(b"null")


class _Error(msgspec.Struct):
    code: str | None = None
    message: str | None = None


class _Line(msgspec.Struct):
    custom_id: str
    response: _Response | None = None
    error: _Error | None = None


_LINES = msgspec.json.Decoder(_Line)


def line(action_key: str, path: str, body: Mapping[str, Any]) -> bytes:
    """A request as a line of the file of a batch, with its line end."""
    asked = {"custom_id": action_key, "method": "POST", "url": f"{_VERSION}{path}", "body": body}
    return msgspec.json.encode(asked) + b"\n"


class OpenAIBatches:
    """It implements BatchService."""

    def __init__(self, client: "httpx2.AsyncClient", base_url: str, api_key: str, name: str, url: str) -> None:
        """base_url: the server's address; "" for the package's default. name: the server in messages. url: where requests go."""
        import httpx2
        import openai

        address, _, query = base_url.partition("?")
        self._secret = api_key
        self._name = name
        self._url = url
        self._openai = openai.AsyncOpenAI(
            api_key=api_key or "none",
            base_url=address or None,
            default_query=dict(httpx2.QueryParams(query)),
            http_client=client,
            max_retries=_RETRIES,
            # With None the package would read them from the environment of this process.
            organization="",
            project="",
        )

    async def upload(self, name: str, file: Path) -> str:
        """See BatchService. A file that was sent twice costs nothing, so failures are tried again."""
        with self._translated(), file.open("rb") as opened:
            return (await self._openai.files.create(file=(name, opened), purpose="batch")).id

    async def create(self, batch: Batch) -> RemoteBatch:
        """See BatchService."""
        with self._translated():
            once = self._openai.with_options(max_retries=0)
            endpoint: Any = f"{_VERSION}{batch.path}"
            created = await once.batches.create(
                input_file_id=batch.file_id,
                endpoint=endpoint,
                completion_window="24h",
                metadata={_OUR_ID: batch.batch_id, _OUR_DIGEST: batch.digest},
            )
        return _remote(created)

    async def find(self, batch: Batch) -> RemoteBatch | None:
        """See BatchService. The newest batches come first, so older ones than this need not be looked at."""
        with self._translated():
            async for found in self._openai.batches.list(limit=_PAGE):
                metadata = found.metadata or {}
                if metadata.get(_OUR_ID) == batch.batch_id and metadata.get(_OUR_DIGEST) == batch.digest:
                    return _remote(found)
                if found.created_at and found.created_at < batch.created_at - _CLOCKS_SECONDS:
                    break
        return None

    async def get(self, remote_id: str) -> RemoteBatch | None:
        """See BatchService."""
        try:
            with self._translated():
                return _remote(await self._openai.batches.retrieve(remote_id))
        except AttemptError as failed:
            if failed.status == 404:
                return None
            raise

    async def cancel(self, remote_id: str) -> RemoteBatch | None:
        """See BatchService. A server refuses to cancel a batch that has ended, which changes nothing."""
        try:
            with self._translated():
                return _remote(await self._openai.batches.cancel(remote_id))
        except AttemptError as failed:
            if failed.status in (400, 404, 409):
                return await self.get(remote_id)
            raise

    async def replies(self, remote: RemoteBatch) -> AsyncIterator[BatchReply]:
        """See BatchService. Lines that are not of the documented form are left out: their requests count as not answered."""
        for file_id in remote.files:
            async for text in self._lines(file_id):
                if (reply := _reply(text)) is not None:
                    yield reply

    async def _lines(self, file_id: str) -> AsyncIterator[bytes]:
        pending = b""
        with self._translated():
            # A body that is packed would be kept in memory as a whole.
            content = self._openai.files.with_streaming_response.content(
                file_id, extra_headers={"Accept-Encoding": "identity"}
            )
            async with content as response:
                async for piece in response.iter_bytes(1 << 20):
                    *lines, pending = (pending + piece).split(b"\n")
                    for text in lines:
                        yield text
        yield pending

    @contextmanager
    def _translated(self) -> Iterator[None]:
        """Raise errors of the package as AttemptError, or as the error that says what is wrong with the connection."""
        import httpx2
        import openai

        try:
            yield
        except openai.APIStatusError as error:
            text = error.response.text if error.response.is_stream_consumed else error.message
            raise refusal(error.response, self._clean(text), "", time.time()) from None
        except (openai.OpenAIError, httpx2.HTTPError, OSError) as error:
            cause: BaseException | None = error
            while cause is not None:
                if isinstance(cause, ConfigurationError):
                    raise cause from None
                cause = cause.__cause__
            if (fault := wire_fault(self._name, self._url, error.__cause__ or error)) is not None:
                raise fault from None
            detail = error_text(self._clean(str(error.__cause__ or error) or type(error).__name__))
            raise AttemptError("connection", detail) from None

    def _clean(self, text: str) -> str:
        return text.replace(self._secret, "***") if self._secret else text


def _remote(found: "OpenAIBatch") -> RemoteBatch:
    errors = (found.errors.data if found.errors else None) or []
    described = [": ".join(filter(None, (one.code, one.message))) for one in errors[:_MOST_SHOWN]]
    files = tuple(file for file in (found.output_file_id, found.error_file_id) if file)
    return RemoteBatch(
        found.id,
        found.status,
        ended=found.status in _ENDED,
        failed=found.status == "failed",
        files=files,
        detail=error_text("; ".join(described)),
        expires_at=float(found.expires_at or 0),
    )


def _reply(text: bytes) -> BatchReply | None:
    if not text.strip():
        return None
    try:
        found = _LINES.decode(text)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
    if found.response is not None and found.response.status_code:
        return BatchReply(found.custom_id, found.response.status_code, bytes(found.response.body))
    code = (found.error.code if found.error else None) or "no response"
    said = {"error": {"code": code, "message": (found.error.message if found.error else None) or code}}
    return BatchReply(found.custom_id, 500, msgspec.json.encode(said), executed=code not in _NOT_EXECUTED)
