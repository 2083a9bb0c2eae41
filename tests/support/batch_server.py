"""A model server on loopback with OpenAI's files and batches, which misbehaves as it is told, and counts what was paid.

What belongs here: the state of files and batches, their paths, their faults. What does not: requests that are sent alone
(model_server), answers (model_answers).
"""

import asyncio
import hashlib
import json
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import Any, Literal

from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse

from tests.support.model_answers import Call, Json, fitting_answer, openai_chat
from tests.support.model_server import ModelServer

End = Literal["completed", "expired", "cancelled", "failed"]


@dataclass(slots=True)
class BatchFaults:
    """How batches go wrong. Numbers say how often something happens from now on.

    holds: batches stay in progress. end: how they end. share: of the requests that are executed before that. error_rows: how
    many requests of a batch fail with an error of the server. double, unknown: how many replies come twice with different
    texts, or with an id that no request has. lost_creates: calls that begin a batch and answer 500. dropped_creates: those
    whose connection answers 500 without beginning one. quota: calls that are refused for want of credit. forgets: batches are
    not known any more. hides: how many lists leave out the newest batch. seconds: how long each call about batches takes.
    """

    holds: bool = False
    end: End = "completed"
    share: float = 1.0
    error_rows: int = 0
    error: tuple[int, Json] = (500, {"error": {"message": "The server had an error.", "code": "server_error"}})
    double: int = 0
    unknown: int = 0
    lost_creates: int = 0
    dropped_creates: int = 0
    quota: int = 0
    forgets: bool = False
    hides: int = 0
    seconds: float = 0.0


@dataclass(slots=True)
class _Batch:
    described: Json
    lines: list[Json] = field(default_factory=list[Json])
    canceling: bool = False


class BatchServer(ModelServer):
    """A ModelServer with batches. faults: may be changed at any time. batches: all that were begun, as they are described."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.faults = BatchFaults()
        self.uploads = 0
        # How often a call about files and batches began, or had done what it does and was not answered yet.
        self.events = 0
        self._files: dict[str, bytes] = {}
        self._batches: dict[str, _Batch] = {}
        # By the digest of path and body: how often a request was answered, and is paid.
        self._executed: Counter[str] = Counter()

    @property
    def batches(self) -> list[Json]:
        return [batch.described for batch in self._batches.values()]

    @property
    def paid(self) -> Counter[str]:
        """How often each request was answered, alone or in a batch."""
        return self.valid_answers + self._executed

    @property
    def paid_in_batches(self) -> int:
        return self._executed.total()

    def paid_twice(self) -> list[str]:
        """The requests that were answered more than once."""
        return [digest for digest, count in self.paid.items() if count > 1]

    def finish(self) -> None:
        """End all batches that are held."""
        self.faults.holds = False
        for batch in self._batches.values():
            self._go_on(batch)

    def add_routes(self, app: FastAPI) -> None:
        app.add_api_route("/v1/files", self._upload, methods=["POST"])
        app.add_api_route("/v1/files/{name}/content", self._content)
        app.add_api_route("/v1/batches", self._create, methods=["POST"])
        app.add_api_route("/v1/batches", self._list)
        app.add_api_route("/v1/batches/{name}", self._get)
        app.add_api_route("/v1/batches/{name}/cancel", self._cancel, methods=["POST"])

    async def _event(self) -> None:
        self.events += 1
        await asyncio.sleep(self.faults.seconds)

    async def _upload(self, request: Request) -> Response:
        body = await request.body()
        await self._event()
        boundary = request.headers["content-type"].partition("boundary=")[2].strip('"').encode()
        parts = [part.partition(b"\r\n\r\n") for part in body.split(b"--" + boundary)]
        content = next(content for head, _, content in parts if b"filename=" in head).removesuffix(b"\r\n")
        self.uploads += 1
        described = self._file(content)
        await self._event()
        return JSONResponse(described)

    def _file(self, content: bytes) -> Json:
        name = f"file-{len(self._files)}"
        self._files[name] = content
        described = {"id": name, "object": "file", "bytes": len(content), "created_at": int(time.time())}
        return {**described, "filename": f"{name}.jsonl", "purpose": "batch", "status": "processed"}

    async def _content(self, name: str) -> Response:
        await self._event()
        return Response(self._files[name], media_type="application/octet-stream")

    async def _create(self, request: Request) -> Response:
        asked = await request.json()
        await self._event()
        if self.faults.quota:
            self.faults.quota -= 1
            return _error(429, "You exceeded your current quota.", "insufficient_quota")
        if self.faults.dropped_creates:
            self.faults.dropped_creates -= 1
            return _error(500, "The server had an error.", "server_error")
        lines = [json.loads(line) for line in self._files[asked["input_file_id"]].splitlines()]
        ids = Counter(line["custom_id"] for line in lines)
        assert ids.total() == len(ids), "custom ids are unique in a batch"
        assert all(line["url"] == asked["endpoint"] and line["method"] == "POST" for line in lines)
        assert len({line["body"]["model"] for line in lines}) == 1, "a batch is of one model"
        name, now = f"batch_{len(self._batches)}", int(time.time())
        described = {
            "id": name,
            "object": "batch",
            "status": "in_progress",
            "created_at": now,
            "expires_at": now + 86_400,
            **asked,
            "output_file_id": None,
            "error_file_id": None,
            "errors": None,
            "request_counts": {"total": len(lines), "completed": 0, "failed": 0},
        }
        self._batches[name] = batch = _Batch(described, lines)
        reply = JSONResponse(described)
        if not self.faults.holds:
            self._go_on(batch)
        await self._event()
        if self.faults.lost_creates:
            self.faults.lost_creates -= 1
            return _error(500, "The server had an error.", "server_error")
        return reply

    async def _list(self, after: str = "", limit: int = 20) -> Response:
        await self._event()
        newest = list(reversed(self._batches))
        if self.faults.hides:
            self.faults.hides -= 1
            newest = newest[1:]
        begin = newest.index(after) + 1 if after else 0
        page = newest[begin : begin + limit]
        data = [self._batches[name].described for name in page]
        return JSONResponse(
            {
                "object": "list",
                "data": data,
                "first_id": page[0] if page else None,
                "last_id": page[-1] if page else None,
                "has_more": begin + limit < len(newest),
            }
        )

    async def _get(self, name: str) -> Response:
        await self._event()
        if self.faults.forgets or name not in self._batches:
            return _error(404, f"No batch found with id '{name}'.", None)
        return JSONResponse(self._batches[name].described)

    async def _cancel(self, name: str) -> Response:
        if self.faults.forgets or name not in self._batches:
            return _error(404, f"No batch found with id '{name}'.", None)
        batch = self._batches[name]
        if batch.described["status"] != "in_progress":
            return _error(409, "Cannot cancel a batch that has ended.", None)
        batch.canceling = True
        self._go_on(batch)
        return JSONResponse(batch.described)

    def _go_on(self, batch: _Batch) -> None:
        if batch.described["status"] != "in_progress":
            return
        faults = self.faults
        end: End = "cancelled" if batch.canceling else faults.end
        if end == "failed":
            said = {"code": "token_limit_exceeded", "message": "Enqueued token limit reached.", "line": None}
            batch.described |= {"status": "failed", "errors": {"object": "list", "data": [said]}}
            return
        share = 1.0 if end == "completed" else faults.share
        done = batch.lines[: round(len(batch.lines) * share)]
        answered, failed = done[faults.error_rows :], done[: faults.error_rows]
        output = [self._answered(line) for line in answered]
        for row in output[: faults.double]:
            changed = json.loads(json.dumps(row))
            changed["response"]["body"]["choices"][0]["message"]["content"] += " "
            output.append(changed)
        unknown = [f"{place:064}" for place in range(faults.unknown)]
        output += [{**self._row(one), "response": {"status_code": 200, "body": {}}} for one in unknown]
        status, body = faults.error
        errors = [
            {**self._row(line["custom_id"]), "response": {"status_code": status, "body": body}} for line in failed
        ]
        code = {"expired": "batch_expired", "cancelled": "batch_cancelled"}.get(end, "")
        errors += [
            {
                **self._row(line["custom_id"]),
                "response": None,
                "error": {"code": code, "message": "It was not executed."},
            }
            for line in batch.lines[len(done) :]
        ]
        batch.described |= {
            "status": end,
            "output_file_id": self._written(output),
            "error_file_id": self._written(errors),
        }

    def _written(self, rows: list[Json]) -> str | None:
        return self._file("\n".join(map(json.dumps, rows)).encode())["id"] if rows else None

    def _answered(self, line: Json) -> Json:
        path, body = line["url"], line["body"]
        canonical = json.dumps([path, body], sort_keys=True, separators=(",", ":"))
        digest = hashlib.sha256(canonical.encode()).hexdigest()
        self._executed[digest] += 1
        call = Call(0, 0.0, path, {}, body, digest)
        words = sum(len(text.split()) for text in call.texts())
        payload = openai_chat(call, fitting_answer(call), words)
        return {**self._row(line["custom_id"]), "response": {"status_code": 200, "request_id": "r", "body": payload}}

    @staticmethod
    def _row(custom_id: str) -> Json:
        return {"id": f"batch_req_{custom_id[:8]}", "custom_id": custom_id, "error": None}


def _error(status: int, message: str, code: str | None) -> Response:
    return JSONResponse({"error": {"message": message, "type": "invalid_request_error", "code": code}}, status)
