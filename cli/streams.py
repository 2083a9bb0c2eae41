"""Standard output and standard error: encodings, plain text, closed pipes and full disks at the other end.

Layout is in `progress`; other errors are handled in `invocation` and `process_exit`.
"""

import codecs
import errno
import io
import json
import logging
import os
import sys
from contextlib import suppress
from typing import IO, Any

from io_managers.plain_text import escaped_json, plain, plain_lines

# Replacements for characters that our own reports use and some encodings lack. All others are escaped (`\xe9`), so that
# the reader sees that a character is missing.
_INSTEAD = {"≤": "<=", "·": "-", "…": "...", "→": "->", "“": '"', "”": '"', "’": "'"}
_HANDLER = "seedbank"
# Standard output while it is kept for one JSON document, and sys.stdout is standard error.
_kept: list[IO[str]] = []


class OutputError(Exception):
    """Standard output cannot be written. `__cause__` is the error of the operating system."""


class BrokenOutputError(OutputError):
    """The reader of standard output has closed it, as `head` does when it has enough lines."""


class _Output(io.TextIOWrapper):
    """Standard output that raises OutputError, so that a full disk there is not taken for a failure of the store."""

    def write(self, text: str, /) -> int:
        try:
            return super().write(text)
        except OSError as error:
            raise _output_error(self, error) from error

    def flush(self) -> None:
        try:
            super().flush()
        except OSError as error:
            raise _output_error(self, error) from error


class _Messages(io.TextIOWrapper):
    """Standard error that ignores failures: the message is lost, but the work goes on and the exit status is still right."""

    def write(self, text: str, /) -> int:
        try:
            return super().write(text)
        except OSError:
            _redirect_to_devnull(2)
            return len(text)

    def flush(self) -> None:
        try:
            super().flush()
        except OSError:
            _redirect_to_devnull(2)


class _PlainFormatter(logging.Formatter):
    """Formats a log record and its traceback without control sequences for the terminal."""

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - the name is logging's
        record.message = plain_lines(record.message)
        return super().formatMessage(record)

    def formatException(self, ei: Any) -> str:  # noqa: N802
        return plain_lines(super().formatException(ei))


def prepare_streams() -> None:
    """Let standard output and error accept any text. Call this once, before anything is printed."""
    codecs.register_error(_HANDLER, _replace_unencodable)
    for number in (0, 1, 2):
        try:
            os.fstat(number)
        except OSError:
            # Otherwise the next opened file, such as a database, would get this number, and libraries would print into it.
            os.open(os.devnull, os.O_RDWR)
    sys.stdout = _wrap_stream(sys.stdout, _Output)
    sys.stderr = _wrap_stream(sys.stderr, _Messages)
    if "--json" in sys.argv[1:] and "--help" not in sys.argv[1:]:
        _kept.append(_apart(sys.stdout))
        sys.stdout = sys.stderr
    # Python sets sys.stdin to None if descriptor 0 was closed at the start.
    sys.stdin = sys.stdin or open(os.devnull)  # noqa: SIM115


def _apart(stream: IO[str]) -> IO[str]:
    """Standard output with a descriptor of its own; descriptor 1 becomes standard error.

    What libraries, stages of the user and the programs that they start print must not stand between the reader and the document.
    """
    if not isinstance(stream, io.TextIOWrapper) or stream.fileno() != 1:
        return stream
    own = open(os.dup(1), "wb")  # noqa: SIM115 - open until the program ends
    os.dup2(2, 1)
    return _Output(own, encoding=stream.encoding, errors=_HANDLER, line_buffering=stream.line_buffering)


def _wrap_stream(stream: IO[str] | None, kind: type[io.TextIOWrapper]) -> IO[str]:
    if stream is None:
        return open(os.devnull, "w")
    if not isinstance(stream, io.TextIOWrapper):
        return stream
    encoding, buffered = stream.encoding, stream.line_buffering
    with suppress(OSError):
        stream.flush()
    return kind(stream.detach(), encoding=encoding, errors=_HANDLER, line_buffering=buffered or kind is _Messages)


def _replace_unencodable(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    found = error.object[error.start : error.end]
    return "".join(_INSTEAD.get(one) or one.encode("ascii", "backslashreplace").decode() for one in found), error.end


def _output_error(stream: IO[str], error: OSError) -> OutputError:
    # Python would flush the rest of the buffer at exit, and that would fail with a traceback.
    _redirect_to_devnull(stream.fileno())
    if error.errno == errno.EPIPE:
        return BrokenOutputError("the reader has closed the output")
    return OutputError(
        f"The output could not be written: {error.strerror or error}. All finished work is kept. Check that there is space "
        "where the output goes and that it can be written, then run the command again."
    )


def _redirect_to_devnull(number: int) -> None:
    with suppress(OSError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, number)
        os.close(nowhere)


def standard_output() -> IO[str]:
    """Standard output for what a command prints itself."""
    return _kept[0] if _kept and sys.stdout is sys.stderr else sys.stdout


def log_to_stderr() -> None:
    """Show the warnings of every module on standard error, as plain text."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_PlainFormatter("%(message)s"))
    logging.basicConfig(level=logging.WARNING, handlers=[handler])


def print_text(text: str) -> None:
    """Print a text of one or more lines to standard output. Raises OutputError."""
    print(plain_lines(text), file=standard_output(), flush=bool(_kept))


def print_error(text: str) -> None:
    """Print an error message, on one line, to standard error."""
    print(f"seedbank: {plain(text)}", file=sys.stderr, flush=True)


def print_json(value: Any) -> None:
    """Print a value as one JSON document to standard output, escaped as its encoding requires. Raises OutputError."""
    import msgspec

    found = msgspec.to_builtins(value)
    unicode = (getattr(standard_output(), "encoding", None) or "").lower().replace("-", "") in (
        "utf8",
        "utf16",
        "utf32",
    )
    print(escaped_json(json.dumps(found, ensure_ascii=not unicode)), file=standard_output(), flush=bool(_kept))
