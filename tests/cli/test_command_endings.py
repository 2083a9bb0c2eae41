"""However the world around a command is, it ends in a sentence and with the right exit status: no traceback, no silence.

Real processes, as a user starts them. What belongs here: the terminal, pipes, folders and limits of the process. What does
not: faults of the home (test_home_faults) and of settings (test_config).
"""

import json
import os
import resource
import shutil
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import IO

import pytest

from cli.environment_checks import check_exposure, check_port, check_temporary_folder
from resources.errors import ConfigurationError, DocumentError
from resources.memory_errors import is_memory_error, out_of_memory
from tests.support.pipelines import World
from tests.support.seed_process import ROOT, Finished, seed, seedbank

# The name and the text of a document with sequences that a terminal would obey.
NAME = "[red]a[-bold] \u202etxt.md"
SAID = "The harbour \u2264 caf\u00e9 \x1b]0;owned\x07\x1b[31mkeeps\x1b[0m the tides \u202eevil\u202c\u200b. "
LOOKING = {
    "status": ("status",),
    "plan": ("plan",),
    "search": ("search", "harbour tides"),
    "check": ("check",),
    "stats": ("cache", "stats"),
    "verify": ("cache", "verify"),
    "seed": ("seed",),
    "trim": ("history", "trim", "--dry-run"),
}
JSON = {name: (*arguments, "--json") for name, arguments in LOOKING.items()}


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory, integration: None) -> Path:
    """A home in which nothing is to be done, of documents that are made to disturb."""
    folder = tmp_path_factory.mktemp("endings")
    (folder / "corpus").mkdir()
    for number, name in enumerate((NAME, "zero\u200bwidth.txt", "plain.md")):
        (folder / "corpus" / name).write_text(f"# Title {number} [x](javascript:y) \u202e\n\n" + SAID * (30 + number))
    (folder / "corpus" / "broken.pdf").write_bytes(b"no PDF")
    done = seed(folder / "home", folder / "corpus", before=lambda: os.umask(0) and None)
    assert done.status == 1, done.printed()
    return folder / "home"


def run(
    home: Path,
    arguments: tuple[str, ...],
    environment: dict[str, str] | None = None,
    stdout: IO[str] | int = subprocess.PIPE,
) -> Finished:
    unset = ("SEEDBANK_", "DAGSTER_", "PYTHONIO")
    clean = {name: value for name, value in os.environ.items() if not name.startswith(unset)}
    done = subprocess.run(
        [sys.executable, "-m", "cli.main", *arguments],
        env={**clean, "SEEDBANK_HOME": str(home), "PYTHONPATH": str(ROOT), **(environment or {})},
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        stdout=stdout,
        stderr=subprocess.PIPE,
        check=False,
    )
    return Finished(done.returncode, (done.stdout or b"").decode(), done.stderr.decode())


def expected(name: str) -> int:
    """The status where nothing is in the way: a document has failed, which these two report."""
    return 1 if name in ("status", "seed") else 0


@pytest.mark.integration
@pytest.mark.parametrize("name", ["status", "search", "check", "stats", "seed"])
def test_every_command_prints_in_ascii_and_nothing_that_steers(home: Path, name: str) -> None:
    done = run(home, LOOKING[name], {"PYTHONIOENCODING": "ascii", "LC_ALL": "C"})
    assert done.status == expected(name), done.printed()
    assert "Traceback" not in done.errors
    printed = done.output + done.errors
    assert printed.isascii()
    assert not [c for c in printed if ord(c) < 32 and c not in "\n\t"]


@pytest.mark.integration
@pytest.mark.parametrize("name", ["status", "search"])
def test_every_json_is_one_document_that_can_be_printed(home: Path, name: str) -> None:
    for encoding in ("ascii", "utf-8"):
        done = run(home, JSON[name], {"PYTHONIOENCODING": encoding})
        assert done.status == expected(name), done.printed()
        json.loads(done.output)
        assert not {*done.output} & {*"\u202e\u202c\u200b\x1b\x07"}


@pytest.mark.integration
@pytest.mark.parametrize("name", ["status", "search", "plan", "verify", "trim"])
def test_output_that_finds_no_space_is_an_error_in_words(home: Path, name: str) -> None:
    with open("/dev/full", "w") as full:
        done = run(home, LOOKING[name], stdout=full)
    assert done.status == 1, done.printed()
    assert "The output could not be written: No space left on device" in done.errors
    assert "Traceback" not in done.errors


@pytest.mark.integration
@pytest.mark.parametrize("name", ["status", "search", "seed"])
def test_a_reader_that_has_gone_ends_it_quietly(home: Path, name: str) -> None:
    """As it ends `ls | head -1`."""
    reading, writing = os.pipe()
    os.close(reading)
    try:
        done = run(home, LOOKING[name], stdout=writing)
    finally:
        os.close(writing)
    assert done.status == -signal.SIGPIPE, done.printed()
    assert "Traceback" not in done.errors
    assert "BrokenPipe" not in done.errors


@pytest.mark.integration
def test_without_standard_output_and_error_it_does_its_work(home: Path) -> None:
    """Their numbers must not become those of a database, into which a library would print."""

    def close() -> None:
        os.close(1)
        os.close(2)

    done = subprocess.run(
        [sys.executable, "-m", "cli.main", "status"],
        env={**os.environ, "SEEDBANK_HOME": str(home), "PYTHONPATH": str(ROOT)},
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        preexec_fn=close,
        check=False,
    )
    assert done.returncode == 1


@pytest.fixture
def deleted_folder(tmp_path: Path) -> str:
    """A shell command that goes to a folder and deletes it."""
    folder = tmp_path / "gone"
    folder.mkdir()
    return f"cd {folder} && rmdir {folder} && exec "


@pytest.mark.integration
@pytest.mark.parametrize("name", ["search", "seed"])
def test_from_a_deleted_folder_an_absolute_home_is_as_good_as_ever(home: Path, name: str, deleted_folder: str) -> None:
    done = _from_shell(deleted_folder, home, LOOKING[name])
    assert done.status == expected(name), done.printed()
    assert "Traceback" not in done.errors


@pytest.mark.integration
@pytest.mark.parametrize("arguments", [("status",), ("seed",), ("cache", "repair"), ("dev",)], ids="-".join)
def test_from_a_deleted_folder_a_relative_home_is_named(arguments: tuple[str, ...], deleted_folder: str) -> None:
    done = _from_shell(deleted_folder, Path("relative"), arguments)
    assert done.status == 2, done.printed()
    assert "home is relative, relative to the working directory, which was deleted" in done.errors
    assert "Traceback" not in done.errors


@pytest.mark.integration
def test_from_a_deleted_folder_a_relative_backup_is_named(home: Path, deleted_folder: str) -> None:
    done = _from_shell(deleted_folder, home, ("backup", "relative"))
    assert done.status == 2, done.printed()
    assert "folder of the backup is relative, relative to the working directory, which was deleted" in done.errors
    assert "Traceback" not in done.errors


def _from_shell(before: str, home: Path, arguments: tuple[str, ...]) -> Finished:
    command = " ".join([before, sys.executable, "-m", "cli.main", *(f"'{one}'" for one in arguments)])
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("SEEDBANK_", "DAGSTER_"))}
    done = subprocess.run(
        ["sh", "-c", command],
        env={**clean, "SEEDBANK_HOME": str(home), "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    return Finished(done.returncode, done.stdout, done.stderr)


@pytest.mark.integration
@pytest.mark.parametrize(
    ("name", "megabytes"),
    [("search", 60), ("search", 120), ("search", 500), ("search", 570), ("seed from scratch", 500)],
)
def test_too_small_an_address_space_ends_in_words(home: Path, tmp_path: Path, name: str, megabytes: int) -> None:
    """Libraries that get no memory abort: nothing in the process itself can say why."""
    own = tmp_path / "home"
    shutil.copytree(home, own)
    arguments = LOOKING["search"] if name == "search" else ("seed", "--no-cache")
    limit = megabytes << 20
    done = seedbank(own, *arguments, before=lambda: resource.setrlimit(resource.RLIMIT_AS, (limit, limit)))
    assert done.status == 1, done.printed()
    assert "There was not enough memory" in done.output + done.errors
    assert "ulimit -v" in done.output + done.errors
    assert "Traceback" not in done.errors


@pytest.mark.integration
def test_a_wide_address_space_changes_nothing_but_the_number_of_processes(home: Path) -> None:
    """Its status is passed on, and a signal reaches it."""
    limit = 1 << 40
    options = {"before": lambda: resource.setrlimit(resource.RLIMIT_AS, (limit, limit))}
    assert seedbank(home, "status", **options).status == 1
    assert seedbank(home, "plan", **options).status == 0


@pytest.mark.integration
def test_a_library_that_ends_the_process_is_distinguished_from_the_command_itself() -> None:
    """OpenBLAS exits with 1 and the C library with 127: no more than a status says that memory was short."""
    program = (
        "import os, resource, sys\n"
        "from cli.process_exit import exit_with_message, watch_address_limit\n"
        "resource.setrlimit(resource.RLIMIT_AS, (1 << 40, 1 << 40))\n"
        "watcher = watch_address_limit()\n"
        "with exit_with_message(watcher):\n"
        "    os._exit(127) if sys.argv[1] == 'library' else sys.exit(3)\n"
    )
    for ends, status in (("library", 1), ("command", 3)):
        done = subprocess.run(
            [sys.executable, "-c", program, ends], cwd=ROOT, capture_output=True, text=True, check=False
        )
        assert done.returncode == status
        assert ("There was not enough memory" in done.stderr) == (ends == "library")


def test_code_that_fails_without_a_reason_had_no_memory_where_it_is_limited(monkeypatch: pytest.MonkeyPatch) -> None:
    silent = SystemError("error return without exception set")
    monkeypatch.setattr("resources.memory_errors.address_limit_bytes", lambda: None)
    assert not is_memory_error(silent)
    monkeypatch.setattr("resources.memory_errors.address_limit_bytes", lambda: 1 << 30)
    assert is_memory_error(silent)


def test_memory_that_ran_out_is_known_by_its_many_names(monkeypatch: pytest.MonkeyPatch) -> None:
    wrapped = RuntimeError("a step failed")
    wrapped.__cause__ = ImportError("libx.so: failed to map segment from shared object")
    for error in (
        MemoryError(),
        OSError(12, "Cannot allocate memory"),
        RuntimeError("can't start new thread"),
        wrapped,
    ):
        assert is_memory_error(error)
        assert is_memory_error(ExceptionGroup("several", [ValueError(), error]))
    assert not is_memory_error(OSError(28, "No space left on device"))
    monkeypatch.setattr("resources.memory_errors.address_limit_bytes", lambda: None)
    assert isinstance(out_of_memory(), DocumentError)
    monkeypatch.setattr("resources.memory_errors.address_limit_bytes", lambda: 1 << 29)
    assert isinstance(out_of_memory(), ConfigurationError)


@pytest.mark.parametrize("variable", ["TMPDIR", "TEMP", "TMP"])
def test_a_folder_for_temporary_files_that_cannot_be_used_is_named(
    variable: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("TMPDIR", "TEMP", "TMP"):
        monkeypatch.delenv(name, raising=False)
    check_temporary_folder()
    (tmp_path / "file").touch()
    for folder, problem in ((tmp_path / "none", "does not exist"), (tmp_path / "file", "is not a folder")):
        monkeypatch.setenv(variable, str(folder))
        with pytest.raises(ConfigurationError, match=rf"{folder} \(from {variable}\), {problem}"):
            check_temporary_folder()
    monkeypatch.setenv(variable, str(tmp_path))
    check_temporary_folder()


@pytest.mark.integration
def test_seed_and_dev_name_a_missing_folder_for_temporary_files(home: Path) -> None:
    for command in ("seed", "dev"):
        done = run(home, (command,), {"TMPDIR": "/not/there"})
        assert done.status == 2, done.printed()
        assert "TMPDIR" in done.errors
        assert "/not/there" in done.errors


@pytest.mark.integration
def test_a_port_that_is_taken_is_named_before_dagster_starts(home: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen(1)
        port = taken.getsockname()[1]
        done = run(home, ("dev", "--port", str(port)))
    assert done.status == 2, done.printed()
    assert f"Port {port} of 127.0.0.1 is in use" in done.errors
    assert "--port" in done.errors
    assert "dagster" not in done.output.lower()
    check_port("127.0.0.1", port)
    with pytest.raises(ConfigurationError, match="--host"):
        check_port("nowhere.invalid", port)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.7", "", "nowhere.invalid"])
def test_dagsters_page_is_not_opened_to_others_unasked(host: str) -> None:
    with pytest.raises(ConfigurationError, match=r"no login.*start runs.*--expose"):
        check_exposure(host, 3000, expose=False)
    assert "no login and can start runs" in check_exposure(host, 3000, expose=True)


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.8.8", "localhost", "::1"])
def test_dagsters_page_may_be_opened_for_this_machine(host: str) -> None:
    for expose in (False, True):  # said of what nobody else reaches, it would only frighten
        assert check_exposure(host, 3000, expose=expose) == ""


@pytest.mark.integration
def test_dev_asks_for_expose(home: Path) -> None:
    done = run(home, ("dev", "--host", "0.0.0.0"))
    assert done.status == 2, done.printed()
    assert "--expose" in done.errors


@pytest.mark.integration
def test_a_home_made_under_an_open_mask_is_its_users_alone(home: Path) -> None:
    """LanceDB's files and Dagster's too; the fixture seeded it under umask 000."""
    paths = [home, *home.rglob("*")]
    kinds = {path.relative_to(home).parts[0] for path in paths if path != home}
    assert kinds >= {"store", "lancedb", "dagster", "home.json", "corpus.index"}
    assert not [path for path in paths if not path.is_symlink() and path.stat().st_mode & 0o077]


@pytest.mark.integration
def test_what_dagster_keeps_of_a_hostile_corpus_steers_nothing(home: Path) -> None:
    for database in (home / "dagster").rglob("*.db"):
        data = database.read_bytes() + (
            database.with_name(database.name + "-wal").read_bytes()
            if database.with_name(database.name + "-wal").exists()
            else b""
        )
        for hidden in ("\u202e", "\u200b", "\\u202e", "\\u200b", "\x1b]0", "\\u001b"):
            assert hidden.encode() not in data, f"{hidden!a} in {database}"


def test_a_progress_table_that_cannot_be_written_does_not_end_the_seed(world: World) -> None:
    """Standard error is for looking at; the work goes on without it."""
    with open("/dev/full", "w") as full:
        running = subprocess.run(
            [sys.executable, "-m", "cli.main", "seed", "--no-cache", "--stages", "chunks", "--json"],
            env={**os.environ, "SEEDBANK_HOME": str(world.home), "PYTHONPATH": str(ROOT)},
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=full,
            check=False,
        )
    assert running.returncode == 0
    assert json.loads(running.stdout)["stages"]["chunks"]["computed"]


@pytest.mark.integration
def test_a_command_ends_without_a_scan_of_all_objects_and_loses_no_output() -> None:
    """Python scans all objects at its end, whose memory is free a moment later: a fifth of the time of `seedbank show`."""
    program = (
        "import atexit, gc, sys\n"
        "from cli.start import main\n"
        "atexit.register(lambda: print(f'{gc.get_freeze_count()} {gc.get_count()[0]}', end=''))\n"
        "sys.argv = ['seedbank', *sys.argv[1:]]\n"
        "main()\n"
    )
    for arguments, status in ((("--help",), 0), (("show",), 2)):
        done = subprocess.run(
            [sys.executable, "-c", program, *arguments], cwd=ROOT, capture_output=True, text=True, check=False
        )
        assert done.returncode == status
        assert "Usage" in (done.stderr if status else done.stdout)
        left, new = map(int, done.stdout.split("\n")[-1].split())
        assert left > 10 * new, done.stdout
