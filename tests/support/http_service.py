"""The command `seedbank serve` as a process: a free port for it, and whether it answers."""

import json
import socket
import time
import urllib.request
from contextlib import suppress
from typing import Any


def free_port() -> int:
    """A port of this machine that nothing uses."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def answers(port: int) -> bool:
    """Whether the service answers at this port."""
    with suppress(OSError):
        return urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=5).status == 200
    time.sleep(0.1)
    return False


def asked(port: int, path: str, body: Any = None, **headers: str) -> Any:
    """What the service replies to a request, with a body in JSON if there is one. Raises urllib.error.HTTPError."""
    content = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}{path}", content, {"Content-Type": "application/json", **headers}
    )
    return json.load(urllib.request.urlopen(request, timeout=60))
