"""Measures how long an asset's page of partitions takes in a browser, with dagster-webserver and Chromium without a window.

What belongs here: the two processes, and the part of the DevTools protocol that is needed to read a page. What does not: what
the figures are compared with (dagster_scale).
"""

import base64
import json
import os
import re
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psutil
from websockets.sync.client import ClientConnection, connect

_PROJECT = Path(__file__).resolve().parents[1]
_ASSET = "summaries"
_PATIENCE_SECONDS = 300.0
_LOOK_EVERY_SECONDS = 0.02
_CLICK_AGAIN_SECONDS = 10.0
_FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--window-size=1400,900",
    "--remote-debugging-port=0",
)


def measure_page(
    home: Path, documents: int, first: str, chromium: str, picture: Path | None, instance: Path = _PROJECT
) -> dict[str, float]:
    """Return the seconds until the partitions are shown, and then until the details of a clicked one are shown.

    Cold is the first page that a new browser requests from a new server, with a home as seeding left it. Warm is the same page
    again. first: the partition at the top. instance: the folder of dagster.yaml. The peak is the largest resident set of the
    server and of its code server, and the processor seconds are theirs, without the browser.
    """
    figures: dict[str, float] = {}
    with _tab(chromium) as tab, _webserver(home, instance, figures) as address:
        for state in ("cold", "warm"):
            began = time.perf_counter()
            tab.call("Page.navigate", url=f"{address}/assets/{_ASSET}?view=partitions")
            tab.wait_for(f"Materialized ({documents})", first)
            drawn = time.perf_counter()
            tab.wait_for("content_digest", first, after=first)
            shown = time.perf_counter()
            figures |= {f"{state}_grid_seconds": drawn - began, f"{state}_details_seconds": shown - drawn}
            if quote(first, safe="") not in (address_now := tab.evaluate("location.search")):
                raise SystemExit(f"The click on {first} led to {address_now}.")
        if picture is not None:
            picture.write_bytes(base64.b64decode(tab.call("Page.captureScreenshot")["data"]))
    return figures


@contextmanager
def _webserver(home: Path, instance: Path, figures: dict[str, float]) -> Iterator[str]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    address = f"http://127.0.0.1:{port}"
    command = [sys.executable, "-m", "dagster_webserver", "-w", str(_PROJECT / "workspace.yaml")]
    environment = os.environ | {"SEEDBANK_HOME": str(home), "DAGSTER_HOME": str(instance)}
    began = time.perf_counter()
    with tempfile.TemporaryFile() as output:
        server = subprocess.Popen(
            [*command, "-h", "127.0.0.1", "-p", str(port)],
            cwd=_PROJECT,
            env=environment,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
        try:
            while not _answers(f"{address}/server_info"):
                if server.poll() is not None or time.perf_counter() - began > _PATIENCE_SECONDS:
                    output.seek(0)
                    raise SystemExit(f"dagster-webserver did not start: {output.read().decode(errors='replace')}")
                time.sleep(_LOOK_EVERY_SECONDS)
            figures["server_start_seconds"] = time.perf_counter() - began
            yield address
            used = [process.cpu_times() for process in _family(server)]
            figures["processor_seconds"] = sum(one.user + one.system for one in used)
            figures["peak_mb"] = max(_peak_mb(process.pid) for process in _family(server))
        finally:
            _end(server)  # Otherwise its code server would run for most of a minute after it.


def _family(started: subprocess.Popen[bytes]) -> list[psutil.Process]:
    if started.poll() is not None:
        return []
    process = psutil.Process(started.pid)
    return [process, *process.children(recursive=True)]


def _end(started: subprocess.Popen[bytes]) -> None:
    family = _family(started)
    for process in family:
        with suppress(psutil.NoSuchProcess):
            process.terminate()
    started.wait()
    psutil.wait_procs(family[1:])


def _peak_mb(pid: int) -> float:
    """Return the largest resident set that a process has had, from Linux's own record."""
    found = re.search(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())
    return int(found[1]) / 1024 if found else 0.0


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=1):
            return True
    except OSError:
        return False


class _Tab:
    """One page of the browser, controlled through the DevTools protocol."""

    def __init__(self, connection: ClientConnection) -> None:
        self._connection = connection
        self._calls = 0

    def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Send a command and return its result; {} if it failed, as happens while the page is being replaced."""
        self._calls += 1
        self._connection.send(json.dumps({"id": self._calls, "method": method, "params": parameters}))
        while True:
            answer = json.loads(self._connection.recv(timeout=_PATIENCE_SECONDS))
            if answer.get("id") == self._calls:
                return answer.get("result", {})

    def evaluate(self, expression: str) -> Any:
        """Return the value of a JavaScript expression in the page."""
        return self.call("Runtime.evaluate", expression=expression, returnByValue=True).get("result", {}).get("value")

    def wait_for(self, *texts: str, after: str = "") -> None:
        """Wait until the page shows all of these texts. after: what is clicked for that, again if the page was being drawn."""
        began = clicked = time.perf_counter()
        until = began + _PATIENCE_SECONDS
        if after:
            self.click(after)
        while True:
            page = self.evaluate("document.body ? document.body.innerText : ''") or ""
            if all(text in page for text in texts):
                return
            if time.perf_counter() > until:
                raise SystemExit(f"The page never showed {texts}, but: {page[:500]}")
            if after and time.perf_counter() > clicked + _CLICK_AGAIN_SECONDS:
                clicked = time.perf_counter()
                self.click(after)
            time.sleep(_LOOK_EVERY_SECONDS)

    def click(self, text: str) -> None:
        """Click the first visible element that shows exactly this text."""
        found = self.evaluate(
            "(() => { for (const e of document.querySelectorAll('*')) {"
            f" if (e.offsetHeight && !e.childElementCount && e.textContent.trim() === {json.dumps(text)}) {{"
            " const r = e.getBoundingClientRect(); return [r.x + r.width / 2, r.y + r.height / 2]; } } })()"
        )
        if not found:
            raise SystemExit(f"The page has no element with the text {text} to click.")
        for kind in ("mousePressed", "mouseReleased"):
            self.call("Input.dispatchMouseEvent", type=kind, x=found[0], y=found[1], button="left", clickCount=1)


@contextmanager
def _tab(chromium: str) -> Iterator[_Tab]:
    with tempfile.TemporaryDirectory(prefix="seedbank-chromium-", ignore_cleanup_errors=True) as profile:
        command = [chromium, *_FLAGS, f"--user-data-dir={profile}", "about:blank"]
        browser = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            port = _devtools_port(browser, Path(profile) / "DevToolsActivePort")
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/json") as answer:
                page = next(target for target in json.load(answer) if target["type"] == "page")
            with connect(page["webSocketDebuggerUrl"], max_size=None, compression=None) as connection:
                yield _Tab(connection)
        finally:
            _end(browser)  # Processes that the browser started still write to its profile.


def _devtools_port(browser: subprocess.Popen[bytes], file: Path) -> int:
    """Return the port that Chromium chose, from the file to which Chromium writes it."""
    until = time.perf_counter() + _PATIENCE_SECONDS
    while browser.poll() is None and time.perf_counter() < until:
        if file.exists() and len(lines := file.read_text().split()) == 2:
            return int(lines[0])
        time.sleep(_LOOK_EVERY_SECONDS)
    raise SystemExit(f"Chromium did not start; its exit status is {browser.poll()}.")
