"""The live table, on a real terminal: what only a person at one would meet."""

import os
import pty
import select
import subprocess
import sys
import time
from pathlib import Path

import pytest

pytestmark = pytest.mark.integration

ROOT = Path(__file__).resolve().parents[2]


def test_on_a_terminal_a_seed_draws_its_table_and_ends(tmp_path: Path) -> None:
    """A table that is drawn while its rows are locked would hang every seed that a person watches."""
    corpus = tmp_path / "corpus"
    corpus.mkdir()
    (corpus / "note.txt").write_text("A note about basalt. It flows far because it is hot and thin.\n")
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("DAGSTER", "SEEDBANK"))}
    environment |= {"SEEDBANK_CORPUS": str(corpus), "SEEDBANK_HOME": str(tmp_path / "home"), "TERM": "xterm-256color"}
    controller, terminal = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "cli.main", "seed"],
        cwd=ROOT,
        env=environment,
        stdin=terminal,
        stdout=terminal,
        stderr=terminal,
    )
    os.close(terminal)
    shown = b""
    deadline = time.monotonic() + 180
    try:
        while time.monotonic() < deadline:
            if select.select([controller], [], [], 1)[0]:
                try:
                    piece = os.read(controller, 65536)
                except OSError:  # the last process on the terminal has ended
                    break
                if not piece:
                    break
                shown += piece
        assert process.wait(30) == 0
    finally:
        process.kill()
        os.close(controller)
    text = shown.decode(errors="replace")
    assert text.count("extracted_text") >= 2, "once while it ran, once in the report"
    assert "\x1b[2K" in text, "the live table is drawn over, not printed again and again"
    assert "results computed" in text
