"""docs/tutorial.md, from its first line to its last, in an empty folder and by the installed wheel.

What belongs here: how the files and commands of the page are carried out. What does not: other pages
(tests/cli/test_doc_commands).

A block with a title is a file. In a console block, lines with `$` are commands, and every other line is one that they print;
`...` at the end of one stands for what differs each time.
"""

import re
import subprocess
import urllib.request
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.http_service import free_port
from tests.support.installed import Installed
from tests.support.model_server import ModelServer
from tests.support.seed_process import PATIENCE_SECONDS, ROOT

pytestmark = [pytest.mark.integration, pytest.mark.long]

PAGE = ROOT / "docs" / "tutorial.md"
# It runs until it is stopped.
SERVED = "seedbank dev"


@dataclass(frozen=True, slots=True)
class Step:
    """One block of the page. path: of the file that it is; "" for commands."""

    path: str
    text: str

    @property
    def commands(self) -> list[str]:
        return [line[2:] for line in self.text.splitlines() if line.startswith("$ ")]

    @property
    def printed(self) -> list[str]:
        return [line for line in self.text.splitlines() if line and not line.startswith("$ ")]


def steps() -> list[Step]:
    blocks = re.findall(r'^```(\w+)(?: title="(.+?)")?\n(.*?)^```$', PAGE.read_text("utf-8"), re.DOTALL | re.MULTILINE)
    assert all(path or kind == "console" for kind, path, _ in blocks), "a block is neither a file nor commands"
    return [Step(path, text) for _, path, text in blocks]


def missing(expected: list[str], printed: str) -> list[str]:
    """The lines of the page that the commands did not print."""
    found = [" ".join(line.split()) for line in printed.splitlines()]
    beginnings = [(" ".join(line.removesuffix("...").split()), line.endswith("...")) for line in expected]
    return [
        words
        for words, goes_on in beginnings
        if not any(line.startswith(words) if goes_on else line == words for line in found)
    ]


def test_the_tutorial_works_as_it_stands(installed: Installed, tmp_path: Path) -> None:
    with ModelServer() as server:
        # By itself a seed sends 30 requests a minute to a server that names no limit.
        variables = {"SEEDBANK_LLM__BASE_URL": server.url, "SEEDBANK_LLM__RPM": "0"}
        for step in steps():
            if step.path:
                (tmp_path / step.path).parent.mkdir(exist_ok=True)
                (tmp_path / step.path).write_text(step.text)
                continue
            if step.commands == [SERVED]:
                serves(installed, tmp_path, variables)
                continue
            done = subprocess.run(
                ["sh", "-c", "\n".join(step.commands)],
                cwd=tmp_path,
                env=installed.environment(COLUMNS="120", **variables),
                capture_output=True,
                text=True,
                timeout=PATIENCE_SECONDS * 2,
                check=False,
            )
            printed = done.stdout + done.stderr
            assert "Traceback" not in printed, printed
            assert missing(step.printed, printed) == [], f"{step.commands}\n{printed}"
        assert server.calls


def serves(installed: Installed, folder: Path, variables: dict[str, str]) -> None:
    """Start Dagster at a free port, wait until it answers, and end it."""
    port = free_port()
    command = installed.command(*SERVED.split(), "--port", str(port))
    with subprocess.Popen(
        command,
        cwd=folder,
        env=installed.environment(**variables),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    ) as process:
        try:
            assert answered(port, process), "Dagster's page did not answer"
        finally:
            process.terminate()
            process.wait(PATIENCE_SECONDS)


def answered(port: int, process: "subprocess.Popen[bytes]") -> bool:
    for _ in range(PATIENCE_SECONDS * 5):
        if process.poll() is not None:
            return False
        with suppress(OSError), urllib.request.urlopen(f"http://127.0.0.1:{port}/server_info", timeout=5) as reply:
            return reply.status == 200
        with suppress(subprocess.TimeoutExpired):
            process.wait(0.2)
    return False


def test_a_line_that_is_not_printed_is_found() -> None:
    """A comparison that finds everything would let the page say anything."""
    assert missing(["3 documents; 0 in ...", "status 0"], "3 documents;  0 in 5 s.\nstatus 01\n") == ["status 0"]
