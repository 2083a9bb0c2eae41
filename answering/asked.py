"""What was asked in a home: which passages each question's answer was made from, how often it was asked, and conversations.

This module keeps a small SQLite file in the home. The answers themselves are in the store, so this file can be deleted: then
conversations are lost, and an answer may be made from other passages than before. What does not belong here: answering (asker).
"""

import hashlib
import sqlite3
import threading
import time
import uuid
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from answering.answers import Question, Reply, Turn
from answering.passages import Choice
from io_managers.store.errors import StoreUnavailableError
from io_managers.store.sqlite.wiping import overwrite_deleted, wipe

_SCHEMA = """
CREATE TABLE IF NOT EXISTS choices (question TEXT PRIMARY KEY, asked BLOB NOT NULL, choice BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS uses (document TEXT, question TEXT, PRIMARY KEY (document, question)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS counts (question TEXT PRIMARY KEY, times INTEGER NOT NULL, last REAL NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS sessions (id TEXT PRIMARY KEY, title TEXT NOT NULL, made_at REAL NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS turns (session TEXT, number INTEGER, reply BLOB NOT NULL, asked_at REAL NOT NULL,
    PRIMARY KEY (session, number)) WITHOUT ROWID;
"""
_BUSY_SECONDS = 30.0
# The title of a conversation is the beginning of its first question; chosen by judgement.
_TITLE_CHARACTERS = 80
# So many turns of a conversation are shown to the next question; older ones hardly matter (a judgement).
MOST_TURNS = 6


class Conversation(NamedTuple):
    """A conversation. made_at: when it began, in seconds since 1970. turns: how many questions it has."""

    id: str
    title: str
    made_at: float
    turns: int


def question_key(question: Question) -> str:
    """Return a digest of a question with everything that decides which passages are chosen for it."""
    seen: dict[str, Any] = {"text": question.text, "turns": question.turns, "limit": question.limit}
    if question.filters:
        seen["filters"] = question.filters
    return hashlib.sha256(msgspec.json.encode(seen)).hexdigest()[:32]


class Asked:
    """The file of one home. Threads may share it; each call is one short transaction."""

    def __init__(self, path: Path) -> None:
        """Open the file, or create it when something is first written. Raises StoreUnavailableError."""
        self._path = path
        self._lock = threading.Lock()
        self._opened: sqlite3.Connection | None = None
        self._counts: dict[str, int] = {}

    def choice(self, key: str) -> Choice | None:
        """Return the passages that the last answer to a question was made from."""
        rows = self._read("SELECT choice FROM choices WHERE question = ?", key)
        with suppress(msgspec.DecodeError):
            return msgspec.msgpack.decode(rows[0][0], type=Choice) if rows else None
        return None

    def choose(self, key: str, question: Question, choice: Choice, documents: Iterable[str]) -> None:
        """Remember the passages that an answer is made from, and the documents that they are of."""
        asked, kept = msgspec.msgpack.encode(question), msgspec.msgpack.encode(choice)
        self._write(
            ("INSERT OR REPLACE INTO choices VALUES (?, ?, ?)", [(key, asked, kept)]),
            ("DELETE FROM uses WHERE question = ?", [(key,)]),
            ("INSERT OR IGNORE INTO uses VALUES (?, ?)", [(document, key) for document in documents]),
        )

    def uses_of(self, document: str) -> list[Question]:
        """Return the questions whose answers were made from passages of a document."""
        rows = self._read(
            "SELECT asked FROM uses JOIN choices USING (question) WHERE document = ? ORDER BY question", document
        )
        return [msgspec.msgpack.decode(asked, type=Question) for (asked,) in rows]

    def documents(self, key: str) -> tuple[str, ...]:
        """Return the documents whose passages the last answer to a question was made from."""
        rows = self._read("SELECT document FROM uses WHERE question = ? ORDER BY document", key)
        return tuple(document for (document,) in rows)

    def count(self, key: str) -> None:
        """Count that a question was asked. Counts are written in groups, by `flush`."""
        with self._lock:
            self._counts[key] = self._counts.get(key, 0) + 1

    def most_asked(self, limit: int) -> list[Question]:
        """Return the questions that were asked most often, most often first."""
        self.flush()
        rows = self._read(
            "SELECT asked FROM counts JOIN choices USING (question) ORDER BY times DESC, last DESC, question LIMIT ?",
            limit,
        )
        return [msgspec.msgpack.decode(asked, type=Question) for (asked,) in rows]

    def flush(self) -> None:
        """Write the counts that are not written yet."""
        with self._lock:
            counts, self._counts = self._counts, {}
        if counts:
            now = time.time()
            self._write(
                (
                    "INSERT INTO counts VALUES (?, ?, ?) ON CONFLICT (question) DO UPDATE SET times = times + excluded.times, "
                    "last = excluded.last",
                    [(key, times, now) for key, times in counts.items()],
                )
            )

    def forget(self) -> None:
        """Forget which passages answers were made from, and which documents they used."""
        self._write(("DELETE FROM choices", [()]), ("DELETE FROM uses", [()]))

    def choices_of(self, documents: Collection[str]) -> dict[str, Choice]:
        """Return the choices of passages of any of these documents, by the keys of their questions."""
        rows = self._read(
            "SELECT question, choice FROM choices WHERE question IN"
            " (SELECT question FROM uses WHERE document IN (SELECT value FROM json_each(?)))",
            msgspec.json.encode(list(documents)).decode(),
        )
        return {key: msgspec.msgpack.decode(choice, type=Choice) for key, choice in rows}

    def questions_of(self, is_of: Callable[[Question], bool]) -> list[str]:
        """Return the keys of the questions of which this is true."""
        rows = self._read("SELECT question, asked FROM choices")
        return [key for key, asked in rows if is_of(msgspec.msgpack.decode(asked, type=Question))]

    def conversations_of(self, is_of: Callable[[Reply], bool]) -> list[str]:
        """Return the ids of the conversations with a reply of which this is true."""
        rows = self._read("SELECT session, reply FROM turns")
        return list(dict.fromkeys(one for one, reply in rows if is_of(msgspec.msgpack.decode(reply, type=Reply))))

    def erase(self, questions: Iterable[str], conversations: Iterable[str]) -> None:
        """Erase questions with their choices and counts, and whole conversations, also from the free space of the file."""
        keys, sessions = [(key,) for key in questions], [(one,) for one in conversations]
        if not (keys or sessions):
            return
        with self._lock:
            overwrite_deleted(self._connection())
        self._write(
            *((f"DELETE FROM {table} WHERE question = ?", keys) for table in ("choices", "uses", "counts")),
            ("DELETE FROM turns WHERE session = ?", sessions),
            ("DELETE FROM sessions WHERE id = ?", sessions),
        )
        with self._lock:
            try:
                wipe(self._connection())
            except sqlite3.Error as error:
                raise self._unavailable(error) from error

    def begin(self) -> str:
        """Begin a conversation and return its id."""
        session = uuid.uuid4().hex
        self._write(("INSERT INTO sessions VALUES (?, '', ?)", [(session, time.time())]))
        return session

    def conversations(self) -> list[Conversation]:
        """Return all conversations, the newest first."""
        rows = self._read(
            "SELECT id, title, made_at, (SELECT count(*) FROM turns WHERE session = id) FROM sessions ORDER BY made_at DESC, id"
        )
        return [Conversation(*row) for row in rows]

    def has(self, session: str) -> bool:
        """Whether there is such a conversation."""
        return bool(self._read("SELECT 1 FROM sessions WHERE id = ?", session))

    def add(self, session: str, reply: Reply) -> None:
        """Add a question with its answer to a conversation."""
        title = " ".join(reply.question.text.split())[:_TITLE_CHARACTERS]
        kept = msgspec.msgpack.encode(reply)
        self._write(
            ("UPDATE sessions SET title = ? WHERE id = ? AND title = ''", [(title, session)]),
            (
                "INSERT INTO turns SELECT ?, coalesce(max(number) + 1, 0), ?, ? FROM turns WHERE session = ?",
                [(session, kept, time.time(), session)],
            ),
        )

    def replies(self, session: str) -> list[Reply]:
        """Return the questions of a conversation with their answers, oldest first."""
        rows = self._read("SELECT reply FROM turns WHERE session = ? ORDER BY number", session)
        return [msgspec.msgpack.decode(reply, type=Reply) for (reply,) in rows]

    def turns(self, session: str) -> tuple[Turn, ...]:
        """Return what the next question of a conversation may refer to."""
        return tuple(Turn(one.question.text, one.answer.text) for one in self.replies(session)[-MOST_TURNS:])

    def export(self, session: str) -> Iterator[bytes]:
        """Return a conversation as lines of JSON, one for each question."""
        for reply in self.replies(session):
            yield msgspec.json.encode(reply) + b"\n"

    def end(self, session: str) -> None:
        """Delete a conversation."""
        self._write(
            ("DELETE FROM turns WHERE session = ?", [(session,)]), ("DELETE FROM sessions WHERE id = ?", [(session,)])
        )

    def close(self) -> None:
        """Write what is not written yet, and close the file."""
        with suppress(StoreUnavailableError):
            self.flush()
        with self._lock:
            if self._opened is not None:
                self._opened.close()
                self._opened = None

    def _read(self, statement: str, *parameters: Any) -> list[tuple[Any, ...]]:
        with self._lock:
            if self._opened is None and not self._path.exists():
                return []
            try:
                return self._connection().execute(statement, parameters).fetchall()
            except sqlite3.Error as error:
                raise self._unavailable(error) from error

    def _write(self, *statements: tuple[str, list[tuple[Any, ...]]]) -> None:
        with self._lock:
            try:
                connection = self._connection()
                with connection:
                    connection.execute("BEGIN IMMEDIATE")
                    for statement, rows in statements:
                        connection.executemany(statement, rows)
            except (sqlite3.Error, OSError) as error:
                raise self._unavailable(error) from error

    def _connection(self) -> sqlite3.Connection:
        if self._opened is None:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            opened = sqlite3.connect(self._path, timeout=_BUSY_SECONDS, isolation_level=None, check_same_thread=False)
            try:
                opened.execute("PRAGMA journal_mode = WAL").fetchone()
                # A count or a conversation that a power failure loses costs nothing; answers are in the store.
                opened.execute("PRAGMA synchronous = NORMAL")
                opened.executescript(_SCHEMA)
            except BaseException:
                opened.close()
                raise
            self._opened = opened
        return self._opened

    def _unavailable(self, error: Exception) -> StoreUnavailableError:
        return StoreUnavailableError(
            f"The file of questions and conversations, {self._path}, cannot be used: {error}.",
            "Make it writable and free some space. If it is damaged, delete it: conversations are lost, and no answer is.",
        )
