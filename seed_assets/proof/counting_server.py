"""A model server on loopback that counts: what it was asked, what it answered, and what it answered a second time.

What belongs here: two paths of OpenAI's API, the faults of a server that the proof needs, counting. What does not: the answers
themselves (answers), and what is done to the commands that ask (scenarios).
"""

import base64
import hashlib
import json
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, ClassVar, Self

from seed_assets.proof import answers

# So that a test or a user never waits for a request that is held by mistake.
_LONGEST_HOLD_SECONDS = 600.0


@dataclass(frozen=True, slots=True)
class Counts:
    """What a server has counted.

    requests: that came in. answered: those that got a whole answer. unanswered: those whose answer never arrived, because the
    connection was cut. twice: questions that were answered although they had been answered before; in a request for vectors each
    text is a question. tokens: of the prompts and answers of all that were answered.
    """

    requests: int = 0
    answered: int = 0
    unanswered: int = 0
    twice: int = 0
    tokens: int = 0

    def __sub__(self, earlier: "Counts") -> "Counts":
        return Counts(*(getattr(self, each.name) - getattr(earlier, each.name) for each in fields(self)))


@dataclass(frozen=True, slots=True)
class Exchange:
    """One chat that was answered. schema: the name of the answer's schema. said: the user's messages. answer: as JSON."""

    schema: str
    said: str
    answer: str


class CountingServer:
    """Serves on a free port of 127.0.0.1 while the `with` lasts. Leaving it raises what went wrong inside of it."""

    def __init__(self) -> None:
        self.exchanges: list[Exchange] = []
        self.embedded: set[str] = set()
        self._changed = threading.Condition()
        self._counts = dict.fromkeys((each.name for each in fields(Counts)), 0)
        self._asked: set[str] = set()
        self._answered: set[str] = set()
        self._broken: list[Exception] = []
        self._drop_every = 0
        self._chats_let_through: int | None = None
        self._held = 0
        self._abandoned = False
        self.url = ""

    def counts(self) -> Counts:
        """What was counted so far."""
        with self._changed:
            return Counts(**self._counts)

    def forget(self) -> None:
        """Take every question for a new one from now on: the next to ask is another home, which has no answers yet."""
        with self._changed:
            self._asked.clear()
            self._answered.clear()
            self.exchanges.clear()
            self.embedded.clear()

    def drop_every(self, number: int) -> None:
        """From now on cut the connection of every n-th new request when it is first sent; 0: answer all."""
        with self._changed:
            self._drop_every = number

    def hold_chats_after(self, count: int) -> None:
        """Answer so many more chats, and hold all later ones until `release` or `abandon`."""
        with self._changed:
            self._chats_let_through, self._held, self._abandoned = count, 0, False

    @property
    def held(self) -> int:
        """How many chats wait for their answer now."""
        with self._changed:
            return self._held

    def release(self) -> None:
        """Answer the chats that are held, and hold no more."""
        with self._changed:
            self._chats_let_through = None
            self._changed.notify_all()

    def abandon(self) -> None:
        """Leave the chats that are held without an answer, and hold no more."""
        with self._changed:
            self._abandoned = True
        self.release()
        with self._changed:
            self._changed.wait_for(lambda: not self._held, _LONGEST_HOLD_SECONDS)

    def __enter__(self) -> Self:
        server = self

        class Handler(_Handler):
            owner = server

        self._http = _Server(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._http.server_address[1]}"
        self._thread = threading.Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.05})
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.abandon()
        self._http.shutdown()
        self._http.server_close()
        self._thread.join()
        if self._broken and error is None:
            raise self._broken[0]

    def take(self, path: str, body: Any, send: Callable[[bytes], None]) -> bool:
        """Answer one request through `send`; False if it gets no answer."""
        try:
            return self._take(path, body, send)
        except OSError:  # the process that asked has ended
            self._count("unanswered")
            return False
        except Exception as error:
            with self._changed:
                self._broken.append(error)
            raise

    def _take(self, path: str, body: Any, send: Callable[[bytes], None]) -> bool:
        digest = _digest([path, body])
        is_chat = path == "/v1/chat/completions"
        with self._changed:
            self._counts["requests"] += 1
            number = self._counts["requests"]
            new = digest not in self._asked
            self._asked.add(digest)
            dropped = new and self._drop_every > 0 and len(self._asked) % self._drop_every == 0
        if dropped or (is_chat and not self._let_through()):
            self._count("unanswered")
            return False
        texts: list[str] = []
        exchange: Exchange | None = None
        if is_chat:
            said = "\n".join(message["content"] for message in body["messages"] if message["role"] == "user")
            asked = body["response_format"]["json_schema"]
            content = answers.answer_to(said, asked["schema"])
            exchange = Exchange(asked["name"], said, content)
            words = sum(len(message["content"].split()) for message in body["messages"])
            reply = answers.chat_reply(number, body["model"], content, words)
            questions = [digest]
        else:
            texts = body["input"]
            vectors = [answers.vector(text, body["dimensions"]) for text in texts]
            encode = _as_base64 if body.get("encoding_format") == "base64" else list[Any]
            reply = answers.embeddings_reply(body["model"], vectors, encode, sum(len(text.split()) for text in texts))
            questions = [_digest([path, body["model"], text]) for text in texts]
        payload, tokens = json.dumps(reply, default=float).encode(), reply["usage"]["total_tokens"]
        # Counted before it is sent, since the one who gets the answer may look at the counts at once.
        with self._changed:
            again = self._answered.intersection(questions)
            self._counts["answered"] += 1
            self._counts["tokens"] += tokens
            self._counts["twice"] += len(again)
            self._answered.update(questions)
            self.embedded.update(texts)
            if exchange is not None:
                self.exchanges.append(exchange)
        try:
            send(payload)
        except OSError:  # the process that asked has ended
            with self._changed:
                self._counts["answered"] -= 1
                self._counts["tokens"] -= tokens
                self._counts["twice"] -= len(again)
                self._answered -= set(questions) - again
            raise
        return True

    def _let_through(self) -> bool:
        """Wait while chats are held; False if this one is abandoned."""
        with self._changed:
            if self._chats_let_through is None:
                return True
            if self._chats_let_through > 0:
                self._chats_let_through -= 1
                return True
            self._held += 1
            self._changed.notify_all()
            released = self._changed.wait_for(lambda: self._chats_let_through is None, _LONGEST_HOLD_SECONDS)
            self._held -= 1
            self._changed.notify_all()
            return released and not self._abandoned

    def _count(self, what: str) -> None:
        with self._changed:
            self._counts[what] += 1


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing: a connection that was cut is what the proof is about, and anything else is raised at the end."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # Headers and body are written at once; otherwise the body waits for 40 ms.
    wbufsize = -1
    disable_nagle_algorithm = True
    owner: ClassVar[CountingServer]

    def do_POST(self) -> None:
        """Answer one request."""
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.close_connection = not self.owner.take(self.path, body, self._send)

    def _send(self, payload: bytes) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(payload)))
        self.end_headers()
        self.wfile.write(payload)
        self.wfile.flush()

    def log_message(self, format: str, *args: Any) -> None:
        """Print nothing."""


def _digest(value: Sequence[Any]) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def _as_base64(vector: Any) -> str:
    return base64.b64encode(vector.astype("<f4").tobytes()).decode()
