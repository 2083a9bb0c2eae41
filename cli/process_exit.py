"""How the process ends when its output cannot be written or memory runs out: with a message and an exit status.

The project's own errors are turned into messages in `invocation`.
"""

import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from cli.streams import BrokenOutputError, OutputError, print_error
from resources.memory_errors import address_limit_bytes, is_memory_error, out_of_memory_message, require_address_space

FAILED = 1
"""The exit status when something failed."""
INTERRUPTED = 130
"""The exit status after Ctrl-C: 128 + SIGINT, as shells have it."""

# Signals by which native code ends a process, for example when an allocation fails.
_ABRUPT = {signal.SIGABRT, signal.SIGSEGV, signal.SIGBUS, signal.SIGILL, signal.SIGTRAP, signal.SIGFPE}
# What a thread needs for its stack (8 MB on Linux), and for what Python allocates at its start.
_THREAD_BYTES = 16 << 20


@contextmanager
def exit_with_message(watcher: int | None = None) -> Iterator[None]:
    """Run a command and flush its output; if the output cannot be written or memory runs out, exit with a message.

    If the reader of the output is gone (`seedbank status | head`), the process ends by SIGPIPE without a message, as other
    programs do. watcher: the pipe from `watch_address_limit`; a byte in it tells the parent that the command ended by
    itself and was not ended by a library.
    """
    try:
        try:
            yield
        finally:
            sys.stdout.flush()
    except BrokenOutputError:
        _die_of(signal.SIGPIPE)
    except OutputError as error:
        print_error(str(error))
        sys.exit(FAILED)
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
    except (SystemExit, GeneratorExit):
        raise
    except BaseException as error:  # native code in Rust gives up with an error that is no Exception
        if not is_memory_error(error):
            raise
        print_error(out_of_memory_message())
        sys.exit(FAILED)
    finally:
        with suppress(OSError, ValueError):
            sys.stderr.flush()
        if watcher is not None:
            os.write(watcher, b".")


def watch_address_limit() -> int | None:
    """If the address space is limited (ulimit -v), run the command in a child process and report if that ran out of memory.

    Native code aborts or exits when an allocation fails, and Python cannot catch that. Without a limit this does nothing
    and returns None. With a limit it returns only in the child, with the pipe to the parent; the parent waits and exits
    with the child's status.
    """
    if address_limit_bytes() is None or not hasattr(os, "fork"):
        return None
    started_by = os.getpid()
    heard, watcher = os.pipe()
    child = os.fork()
    if not child:
        # In a process group of its own, the child gets a signal of the terminal once: from the parent.
        os.setpgid(0, 0)
        _die_with(started_by)
        _require_space_for_threads()
        return watcher
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda received, _: _pass_on(child, received))
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status):
        ended_by = signal.Signals(os.WTERMSIG(status))
        if ended_by not in _ABRUPT:
            _die_of(ended_by)
    else:
        code = os.waitstatus_to_exitcode(status)
        if code in (0, INTERRUPTED) or _has_spoken(heard):
            os._exit(code)
    print_error(out_of_memory_message())
    os._exit(FAILED)


def _require_space_for_threads() -> None:
    """Let `Thread.start` raise MemoryError where space is short: it would wait for ever for a thread that dies of that."""
    start = threading.Thread.start

    def start_with_space(self: threading.Thread) -> None:
        require_address_space(_THREAD_BYTES)
        start(self)

    threading.Thread.start = start_with_space


def _has_spoken(heard: int) -> bool:
    """Whether the child ended by itself. This does not block, since the child's own children may still hold the pipe."""
    os.set_blocking(heard, False)
    with suppress(BlockingIOError):
        return bool(os.read(heard, 1))
    return False


def _pass_on(child: int, received: int) -> None:
    with suppress(ProcessLookupError):
        os.kill(child, received)


def _die_with(parent: int) -> None:
    """Let the operating system kill this process when its parent is killed (only Linux can)."""
    import ctypes

    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(1, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:
        os._exit(FAILED)


def _die_of(number: int) -> None:
    signal.signal(number, signal.SIG_DFL)
    os.kill(os.getpid(), number)
    os._exit(128 + number)  # reached only if the signal is blocked
