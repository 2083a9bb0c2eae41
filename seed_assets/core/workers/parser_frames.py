"""The protocol between the parser pool and its workers: length-prefixed frames over pipes. What does not belong here: the
processes at both ends, and the arguments and results of tasks (text_tasks).
"""

import struct
from typing import IO

import msgspec

from resources.errors import DocumentError
from seed_assets.core.workers.task_names import FILE_TASKS

_LENGTH = struct.Struct(">Q")
READY = b"ready"
"""The first frame that a worker sends, once it is able to parse."""


def doing(task: str) -> str:
    """Return what a task does to a document, in the words of a failure message, such as "parsing it"."""
    if task in FILE_TASKS:
        return "parsing it"
    from seed_assets.core.workers.text_tasks import TASKS

    return TASKS[task].doing


class WorkerRequest(msgspec.Struct, array_like=True, frozen=True):
    """A request to run one task for one document.

    task: the name of the task.
    arguments: the arguments, encoded by text_tasks.
    """

    task: str
    arguments: bytes


class WorkerFailure(msgspec.Struct, array_like=True, frozen=True):
    """The parts of a DocumentError, for sending it between processes."""

    reason: str
    remedy: str
    transient: bool

    def error(self) -> DocumentError:
        """Return the DocumentError again."""
        return DocumentError(self.reason, self.remedy, transient=self.transient)


class WorkerReply(msgspec.Struct, array_like=True, frozen=True):
    """The reply to a request; either `result` or `failure` is set.

    result: the encoded result.
    failure: the error of the document.
    retires: whether the worker ends after this reply.
    """

    result: bytes | None
    failure: WorkerFailure | None
    retires: bool = False


def write_frame(stream: IO[bytes], content: bytes) -> None:
    """Write one frame and flush it. Raises OSError (BrokenPipeError) if the reader is gone."""
    stream.write(_LENGTH.pack(len(content)))
    stream.write(content)
    stream.flush()


def read_frame(stream: IO[bytes]) -> bytes | None:
    """Return the next frame; None if the writer is gone, even in the middle of a frame."""
    head = stream.read(_LENGTH.size)
    if len(head) < _LENGTH.size:
        return None
    (length,) = _LENGTH.unpack(head)
    content = stream.read(length)
    return content if len(content) == length else None
