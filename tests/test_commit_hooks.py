"""What pre-commit runs at a commit: the tools of `make check`, and the form of the commit message.

What belongs here: that .pre-commit-config.yaml and the Makefile say the same, and which messages are refused. What does
not: what the tools find.
"""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from pre_commit.languages import pygrep

from tests.support.seed_process import ROOT

CONFIG = ".pre-commit-config.yaml"
LONGEST = "Keep " + "x" * 67
FITTING = (
    "Keep a failure to its document",
    LONGEST,
    LONGEST.replace("x", "é"),
    "Seed twice",
    "Bring tables back",
    "Merge what a fresh trial found",
    "fixup! Keep a failure to its document",
    "Keep it\n\nBecause it was lost.",
    "Keep it\n# Please enter the commit message",
)
REFUSED = (
    f"{LONGEST}x",
    f"\n\n{LONGEST}x",
    LONGEST.replace("x", "é") + "é",
    "keep a failure to its document",
    "Keep a failure to its document.",
    "Kept failures are listed, and retried.",
    "Added a hook",
    "Adding a hook",
    "Keep it\nbecause it was lost.",
)


def hooks() -> list[dict[str, Any]]:
    """The hooks, as they are configured."""
    (repo,) = yaml.safe_load((ROOT / CONFIG).read_text())["repos"]
    assert repo["repo"] == "local", "Hooks of other repositories are downloaded."
    return repo["hooks"]


def test_a_commit_is_checked_by_what_make_check_runs() -> None:
    """A tool that is added to the Makefile alone would let a commit through that CI refuses."""
    recipe = re.search(r"^check:.*\n((?:\t.*\n)+)", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert recipe is not None
    checks = [line.strip().removeprefix("@").replace("$(BIN)", ".venv/bin") for line in recipe[1].splitlines()]
    assert [hook["entry"] for hook in hooks() if hook["language"] == "system"] == checks


@pytest.mark.parametrize("message", FITTING)
def test_a_message_of_the_form_that_is_asked_for_passes(message: str, tmp_path: Path) -> None:
    assert _refused(message, tmp_path) == 0


@pytest.mark.parametrize("message", REFUSED)
def test_a_message_of_another_form_is_refused(message: str, tmp_path: Path) -> None:
    assert _refused(message, tmp_path) == 1


def _refused(message: str, directory: Path) -> int:
    """What the hook's own program says of a message: 1 where it is refused."""
    (hook,) = (hook for hook in hooks() if hook["id"] == "message")
    written = directory / "message"
    written.write_text(f"{message}\n")
    return pygrep.main([*hook["args"], hook["entry"], str(written)])


@pytest.mark.integration
@pytest.mark.slow
def test_git_refuses_such_a_commit_and_nothing_is_downloaded(tmp_path: Path) -> None:
    """A configuration that pre-commit does not read as we do would check nothing."""
    shutil.copy(ROOT / CONFIG, tmp_path)
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("GIT_")},
        "PRE_COMMIT_HOME": str(tmp_path / "cache"),
        # An address that nobody answers at: what is to be downloaded fails.
        "HTTPS_PROXY": "http://127.0.0.1:9",
        "SKIP": ",".join(hook["id"] for hook in hooks() if hook["language"] == "system"),
    }

    def run(*words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(words, cwd=tmp_path, env=environment, capture_output=True, text=True)

    def commit(message: str) -> subprocess.CompletedProcess[str]:
        who = ("-c", "user.name=Somebody", "-c", "user.email=somebody@localhost")
        return run("git", *who, "commit", "--message", message)

    run("git", "init")
    installed = run(sys.executable, "-m", "pre_commit", "install")
    assert installed.returncode == 0, installed.stderr
    run("git", "add", CONFIG)
    refused = commit("Added hooks")
    assert refused.returncode != 0
    assert "subject: imperative" in refused.stderr + refused.stdout
    kept = commit("Add hooks")
    assert kept.returncode == 0, kept.stderr
    assert run("git", "log", "--format=%s").stdout == "Add hooks\n"
