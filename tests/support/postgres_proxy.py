"""A way to the PostgreSQL server, or to another one, that can be cut, at any time or at a moment that matters."""

import socket
import threading
from contextlib import suppress
from typing import Literal

SERVER = ("127.0.0.1", 5432)


class Proxy:
    """On a port of loopback, until it is closed.

    at_commit: what becomes of the next COMMIT. "lost": the connection is cut before the server has it. "unanswered":
    the server does it, and the connection is cut before its answer. Once; then it is None.
    stays_away: after that, no connection comes through any more. away: none comes through now.
    """

    def __init__(self, server: tuple[str, int] = SERVER) -> None:
        self._server = server
        self.at_commit: Literal["lost", "unanswered"] | None = None
        self.stays_away = False
        self.away = False
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._ends: list[socket.socket] = []
        self._threads = [threading.Thread(target=self._accept)]
        self._threads[0].start()

    def cut(self) -> None:
        """End all connections that there are."""
        for end in self._ends:
            _end(end)

    def close(self) -> None:
        """End everything, and wait for it."""
        _end(self._listener)
        self.cut()
        for thread in self._threads:
            thread.join()
        for each in [self._listener, *self._ends]:
            each.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            self._ends.append(client)
            if self.away:
                _end(client)
                continue
            server = socket.create_connection(self._server)
            self._ends.append(server)
            muted = threading.Event()
            for pump in (self._to_server, self._to_client):
                thread = threading.Thread(target=pump, args=(client, server, muted))
                self._threads.append(thread)
                thread.start()

    def _to_server(self, client: socket.socket, server: socket.socket, muted: threading.Event) -> None:
        while data := _received(client):
            if self.at_commit is not None and data.startswith(b"Q") and b"COMMIT\0" in data:
                lost = self.at_commit == "lost"
                self.at_commit, self.away = None, self.stays_away
                if lost:
                    break
                muted.set()
            _send(server, data)
        _end(server)
        _end(client)

    def _to_client(self, client: socket.socket, server: socket.socket, muted: threading.Event) -> None:
        while (data := _received(server)) and not muted.is_set():
            _send(client, data)
        _end(server)
        _end(client)


def _received(end: socket.socket) -> bytes:
    try:
        return end.recv(65_536)
    except OSError:
        return b""


def _send(end: socket.socket, data: bytes) -> None:
    with suppress(OSError):  # its other end is gone, of which the next reading hears
        end.sendall(data)


def _end(end: socket.socket) -> None:
    """Wake the threads that wait for it. Its file number stays in use, so that no thread meets another socket there."""
    with suppress(OSError):
        end.shutdown(socket.SHUT_RDWR)
