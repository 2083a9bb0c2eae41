"""The command lines that README.md, CONTRIBUTING.md and docs/ show, read from there.

What belongs here: finding them in fenced blocks and in code spans, table cells included. What does not: running them
(test_doc_commands).
"""

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.support.seed_process import ROOT

# A line is a command if it begins with one of these; spans of text, if they go on after it as well.
PROGRAMS = ("seedbank", "dagster", "dg", "make", "pytest", "pre-commit", "createdb", "python -m", "python -c")
_BEGINNING = re.compile(rf"^(?:\w+=\S+ )*(?:\.venv/bin/)?(?:{'|'.join(PROGRAMS)})(?= \S)")
_EXPORT = re.compile(r"^export ((?:\w+=\S+ ?)+)$")
_FENCED = re.compile(r"^```(\w*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
_SPAN = re.compile(r"`([^`\n]+)`")
# What a span may say that begins as a command does.
_NO_COMMANDS = ("seedbank <codec> <version>", "seedbank msgpack 1")


@dataclass(frozen=True, slots=True)
class DocCommand:
    """One command line as it is shown. environment: what was exported before it in the same block."""

    line: str
    environment: tuple[tuple[str, str], ...]
    page: str

    @property
    def words(self) -> list[str]:
        """Variables, program and arguments, without what a comment says."""
        return shlex.split(self.line, comments=True)


def doc_commands() -> list[DocCommand]:
    """Every command line, each once: what two pages say is one command."""
    found: dict[tuple[str, ...], DocCommand] = {}
    for page in [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]:
        for command in _of(page):
            words = [word.removeprefix(".venv/bin/") for word in command.words]
            found.setdefault((*words, *(value for _, value in command.environment)), command)
    return list(found.values())


def _of(page: Path) -> Iterator[DocCommand]:
    text = page.read_text()
    for block in _FENCED.finditer(text):
        exported: dict[str, str] = {}
        for line in _lines(block[2]):
            if export := _EXPORT.match(line):
                exported |= dict(word.split("=", 1) for word in shlex.split(export[1]))
            elif _BEGINNING.match(line):
                yield DocCommand(line, tuple(exported.items()), page.name)
    for span in _SPAN.finditer(_FENCED.sub("", text)):
        # In a table a bar is written with a backslash.
        line = span[1].replace("\\|", "|").strip()
        if _BEGINNING.match(line) and line not in _NO_COMMANDS:
            yield DocCommand(line, (), page.name)


def _lines(block: str) -> Iterator[str]:
    """The lines of a shell, of which one goes on while a quotation is open."""
    held = ""
    for line in block.splitlines():
        held = f"{held}\n{line}" if held else line
        try:
            shlex.split(held, comments=True)
        except ValueError:
            continue
        yield held.strip()
        held = ""
