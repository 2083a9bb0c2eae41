"""What Ctrl-C and SIGTERM mean while a seed or a stage runs: finish what is in flight; a second one ends at once.

This module handles the signals. The runner stops, and the cli reports it.
"""

import signal
import socket
import threading
from types import FrameType, TracebackType
from typing import Any, Self

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Draining:
    """While its body runs in the main thread, the first SIGINT or SIGTERM sets `stopping`, the next is a KeyboardInterrupt.

    Dagster replaces these handlers with its own while it runs, and loses a signal that arrives then. The system also writes
    each signal to a socket, which is read when the body ends, so that none is lost. In other threads this does nothing.
    """

    def __init__(self, stopping: threading.Event) -> None:
        self._stopping = stopping
        self._previous: dict[int, Any] = {}

    def __enter__(self) -> Self:
        if threading.current_thread() is threading.main_thread():
            self._heard, self._wakeup = socket.socketpair()
            self._heard.setblocking(False)
            self._wakeup.setblocking(False)
            self._previous_wakeup = signal.set_wakeup_fd(self._wakeup.fileno(), warn_on_full_buffer=False)
            for number in _SIGNALS:
                self._previous[number] = signal.getsignal(number)
                signal.signal(number, self._handle)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if not self._previous:
            return
        for number, handler in self._previous.items():
            signal.signal(number, handler)
        signal.set_wakeup_fd(self._previous_wakeup)
        try:
            if set(self._heard.recv(4096)).intersection(_SIGNALS):
                self._stopping.set()
        except BlockingIOError:  # nothing arrived
            pass
        finally:
            self._heard.close()
            self._wakeup.close()

    def _handle(self, number: int, frame: FrameType | None) -> None:
        if self._stopping.is_set():
            raise KeyboardInterrupt
        self._stopping.set()
