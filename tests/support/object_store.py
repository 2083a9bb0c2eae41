"""An object store with S3's API on loopback: moto's server, in a process of its own.

What belongs here: starting it, buckets, and the environment in which a client finds it. What does not: assertions.
"""

import socket
import subprocess
import sys
import time
import urllib.request
from types import TracebackType
from typing import Self

from tests.support.http_service import free_port

_PATIENCE_SECONDS = 120


class ObjectStore:
    """Serves while the `with` lasts. environment: with which a client finds it."""

    def __init__(self) -> None:
        self.port = free_port()
        self.environment = {
            "AWS_ENDPOINT_URL": f"http://127.0.0.1:{self.port}",
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_REGION": "us-east-1",
        }
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        command = (sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(self.port))
        self._process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
            except OSError:
                if time.monotonic() > deadline or self._process.poll() is not None:
                    raise
                time.sleep(0.1)
            else:
                return self

    def create(self, bucket: str) -> str:
        """Make a bucket, and return its address."""
        url = f"http://127.0.0.1:{self.port}/{bucket}"
        urllib.request.urlopen(urllib.request.Request(url, method="PUT"), timeout=60).close()
        return f"s3://{bucket}"

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
