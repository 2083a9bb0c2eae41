"""Imports a module of the user for the first time in a process of its own, which may be ended in any way and may hang.

What belongs here: that process, and the memory of what it found. What does not: the import in this process, and its messages for
modules that raise an error (module_import). `os._exit`, a crash and a hang in C code cannot be caught where they happen: without
this, a command would end with the status 0 and without a word.
"""

import faulthandler
import hashlib
import importlib
import io
import os
import re
import signal
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path

import msgspec

from io_managers.store.whole_files import read_memory, write_memory
from resources.project_folder import own_packages

_FORMAT = 1
# Beyond the time of the import: for the interpreter to start and to end.
_GRACE_SECONDS = 30
_PLACE = re.compile(r'^ +File "([^"\n]+)", line (\d+) in ', re.MULTILINE)
# Files below these folders are not the user's, unless the user's module is installed there itself.
_LIBRARIES = tuple(
    os.path.realpath(sysconfig.get_path(name)) for name in ("stdlib", "platstdlib", "purelib", "platlib")
)
_PROJECT = tuple(f"{os.path.realpath(folder)}{os.sep}" for folder in own_packages())

Places = list[tuple[str, int]]
"""Files with line numbers, the innermost first."""


class _Remembered(msgspec.Struct):
    """What was tried. modules: module and folder -> the digest of each file of the user that its import needs."""

    format: int
    python: str
    modules: dict[str, dict[str, str]]


class DiedError(Exception):
    """The import ended its process, or did not end. how: a clause. places: where it was; empty if that is not known."""

    def __init__(self, how: str, places: Places, *, hangs: bool = False) -> None:
        super().__init__(how)
        self.how, self.places, self.hangs = how, places, hangs


def try_import(name: str, folder: Path, seconds: float, memory: Path) -> None:
    """Import a module in another process, unless the files that it needs are those of an earlier time. Raises DiedError.

    memory: the file that remembers what was tried. A module that raises an error is no matter of this function.
    """
    if os.name != "posix":
        return
    remembered = _read(memory)
    key = f"{folder}\n{name}"
    known = remembered.modules.get(key)
    if known and _digests(known) == known:
        return
    files = _imported(name, folder, seconds)
    if files is not None and memory.parent.is_dir():
        write_memory(memory, msgspec.msgpack.encode(_with(remembered, key, _digests(files))))


def _read(memory: Path) -> _Remembered:
    try:
        found = msgspec.msgpack.decode(read_memory(memory) or b"", type=_Remembered)
    except msgspec.DecodeError:
        found = None
    now = _Remembered(_FORMAT, sys.version, {})
    return found if found and (found.format, found.python) == (now.format, now.python) else now


def _with(remembered: _Remembered, key: str, files: Mapping[str, str]) -> _Remembered:
    return msgspec.structs.replace(remembered, modules={**remembered.modules, key: dict(files)})


def _digests(files: Iterable[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for path in files:
        try:
            found[path] = hashlib.sha256(Path(path).read_bytes()).hexdigest()
        except OSError:
            found[path] = ""
    return found


def _imported(name: str, folder: Path, seconds: float) -> list[str] | None:
    """The files of all modules that were imported; None if the import raised an error. Raises DiedError."""
    program = f"import sys; sys.path[:] = sys.argv[4:]; from {__name__} import main; main(*sys.argv[1:4])"
    arguments = [name, str(seconds)]
    # Files and not pipes: a program that the module has started may keep a pipe open.
    with tempfile.TemporaryDirectory(prefix="seedbank-import-") as place, tempfile.TemporaryFile() as errors:
        report = Path(place) / "report"
        process = subprocess.Popen(
            [sys.executable, "-c", program, *arguments, str(report), *sys.path],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=errors,
            start_new_session=True,
        )
        hangs = False
        try:
            process.wait(seconds + _GRACE_SECONDS)
        except subprocess.TimeoutExpired:
            hangs = True
        finally:
            # With all programs that the module has started.
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        if report.exists():
            return msgspec.json.decode(report.read_bytes(), type=list[str] | None)
        errors.seek(0)
        said = errors.read().decode("utf-8", "replace")
    places = [(file, int(line)) for file, line in _PLACE.findall(said)]
    raise DiedError(_how(process.returncode), places, hangs=hangs or said.startswith("Timeout ("))


def _how(status: int) -> str:
    return (
        f"it ends the program with status {status}" if status >= 0 else f"it crashes ({signal.Signals(-status).name})"
    )


def is_users(file: str) -> bool:
    """Whether a file is the user's: neither of a library nor of the project."""
    return not file.startswith("<") and not os.path.realpath(file).startswith((*_LIBRARIES, *_PROJECT))


def _files_of(root: str) -> Iterator[str]:
    """The files of all modules of the user, and of those of an installed package."""
    for name, module in list(sys.modules.items()):
        path = getattr(module, "__file__", None)
        if path and (is_users(path) or name.partition(".")[0] == root):
            yield path


def main(name: str, seconds: str, report: str) -> None:
    """In the other process: import the module, and write down which files that took."""
    end, sys.stdin = os._exit, io.StringIO()
    # With what a command has imported by then, so that its time is not counted here either.
    importlib.import_module(f"{__package__}.prompted_model")

    def ended(status: int) -> None:
        faulthandler.dump_traceback()
        end(status)

    os._exit = ended
    faulthandler.enable()
    # It writes where the module is and ends the process, even if the module holds Python's lock.
    faulthandler.dump_traceback_later(float(seconds), exit=True)
    files: list[str] | None = None
    try:
        importlib.import_module(name)
        files = sorted(_files_of(name.partition(".")[0]))
    except BaseException:  # noqa: BLE001 - the import in the process of the command says what is wrong
        pass
    written = Path(f"{report}.part")
    written.write_bytes(msgspec.json.encode(files))
    written.rename(report)
    end(0)
