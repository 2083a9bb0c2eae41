"""Imports a module of the user, whatever the module does: fails, prints, reads the terminal, ends the program, or hangs.

This module turns each of these into a ConfigurationError that names the line. What would end this process is found in another one
first (trial_import). What a module declares is read in module_stages.
"""

import difflib
import importlib
import importlib.util
import io
import os
import sys
import threading
import traceback
from collections.abc import Sequence
from contextlib import redirect_stdout
from pathlib import Path
from traceback import FrameSummary
from types import FrameType, ModuleType

from resources.errors import ConfigurationError
from seed_assets.own_stages.trial_import import DiedError, is_users, try_import

# The process that imports modules now. What they start must not import them again, and so on without an end. It is no setting.
_IMPORTING = "_SEEDBANK_IMPORTING"


def import_users_module(
    name: str, folder: Path, seconds: float, setting: str = "stages.modules", memory: Path | None = None
) -> ModuleType:
    """Import a module that lies in `folder` or is installed, and return it.

    folder: where seedbank.toml is. setting: the one that names the module, for messages. memory: the file that remembers which
    modules were tried in another process; without it none are.

    What the module prints goes to standard error, and its standard input is empty. The import runs in a thread, so that it can be
    given up; the thread of a module that hangs ends with the process.

    Raises ConfigurationError if there is no such module, or its name is taken by another one, or its import fails, ends the
    program, or takes longer than `seconds`.
    """
    if os.environ.get(_IMPORTING, own := str(os.getpid())) != own:
        raise ConfigurationError(
            f"The module {name} of `{setting}` is imported by a program that it starts itself when it is imported, and so on "
            "without an end. Move that from its top level into a function."
        )
    _check_place(name, folder, setting)
    os.environ[_IMPORTING] = own
    try:
        return _imported(name, folder, seconds, setting, memory)
    finally:
        os.environ.pop(_IMPORTING, None)


def _imported(name: str, folder: Path, seconds: float, setting: str, memory: Path | None) -> ModuleType:
    if memory is not None and name not in sys.modules:
        try:
            try_import(name, folder, seconds, memory)
        except DiedError as error:
            where = _where([FrameSummary(file, line, "") for file, line in reversed(error.places)])
            if error.hangs:
                raise _hanging(name, setting, seconds, where) from error
            raise ConfigurationError(
                f"The module {name} of `{setting}` cannot be imported{where}: {error.how}, which a module must not do when it is "
                "imported. Move that from its top level into a function, or take it out."
            ) from error
    found: list[ModuleType] = []
    errors: list[BaseException] = []

    def run() -> None:
        try:
            found.append(importlib.import_module(name))
        except BaseException as error:  # noqa: BLE001 - SystemExit as well: a module must not end the program
            errors.append(error)

    thread = threading.Thread(target=run, name=f"import {name}", daemon=True)
    with redirect_stdout(sys.stderr), _no_input():
        thread.start()
        thread.join(seconds)
    if thread.is_alive():
        frame = sys._current_frames().get(thread.ident or 0)
        raise _hanging(name, setting, seconds, _where(_frames(frame)))
    if errors:
        raise _failed(name, setting, errors[0]) from errors[0]
    return found[0]


def _hanging(name: str, setting: str, seconds: float, where: str) -> ConfigurationError:
    return ConfigurationError(
        f"The module {name} of `{setting}` was not imported within {seconds:g} seconds{where}. Move what waits or computes for "
        "long from its top level into the functions of its stages. If it only needs more time, raise `stages.import_seconds`."
    )


def _check_place(name: str, folder: Path, setting: str) -> None:
    """Make `folder` a place of modules. Raises ConfigurationError if there is no such module, or another has its name."""
    if name.endswith(".py") and (folder / name).is_file():
        raise ConfigurationError(
            f"`{setting}` names {name}. Write it as in an `import` statement: {name.removesuffix('.py')}."
        )
    root = name.partition(".")[0]
    beside = next((path for path in (folder / f"{root}.py", folder / root) if path.exists()), None)
    if beside is not None and str(folder) not in sys.path:
        # At the end, so that no file there comes before a library of the same name.
        sys.path.append(str(folder))
    importlib.invalidate_caches()
    try:
        spec = importlib.util.find_spec(root)
    except ValueError:  # a module that was made by a program, such as __main__
        spec = None
    if spec is None:
        names = sorted(
            {path.stem for path in folder.glob("*.py")} | {path.parent.name for path in folder.glob("*/__init__.py")}
        )
        close = difflib.get_close_matches(root, names, n=1)
        raise ConfigurationError(
            f"`{setting}` names {name}, and there is no such module, neither in {folder} nor installed"
            f"{f' (is {close[0]} meant?)' if close else ''}. Correct the name, or put {root}.py beside seedbank.toml."
        )
    places = [spec.origin or "", *(spec.submodule_search_locations or ())]
    if beside is not None and not any(_is_below(place, folder) for place in places):
        raise ConfigurationError(
            f"`{setting}` names {name}, which is {beside}, but Python finds another module of this name in "
            f"{spec.origin or places[-1]}. Give your module another name."
        )


def _is_below(path: str, folder: Path) -> bool:
    return bool(path) and Path(path).resolve().is_relative_to(folder.resolve())


class _no_input:  # noqa: N801 - used like a function
    """Inside of it, standard input is empty: a module that asks for input gets an error instead of waiting for ever."""

    def __enter__(self) -> None:
        self._before, sys.stdin = sys.stdin, io.StringIO()

    def __exit__(self, *_: object) -> None:
        sys.stdin = self._before


def _failed(name: str, setting: str, error: BaseException) -> ConfigurationError:
    """The error for a module whose import raised."""
    if isinstance(error, ConfigurationError):
        return error
    # The chain of causes is not looked at: the last error is what the module raised.
    frames = traceback.extract_tb(error.__traceback__)
    said = error.msg if isinstance(error, SyntaxError) else str(error)
    what = " ".join(f"{type(error).__name__}: {said}".rstrip(": ").split())
    if isinstance(error, SystemExit):
        what = f"it ends the program ({what}), which a module must not do when it is imported"
    elif isinstance(error, SyntaxError) and error.filename:
        return ConfigurationError(
            f"The module {name} of `{setting}` cannot be imported, at {error.filename}, line {error.lineno}: {what}."
        )
    return ConfigurationError(f"The module {name} of `{setting}` cannot be imported{_where(frames)}: {what}.")


def _frames(frame: FrameType | None) -> traceback.StackSummary:
    return traceback.extract_stack(frame) if frame is not None else traceback.StackSummary()


def _where(frames: Sequence[FrameSummary]) -> str:
    """The innermost line of the user's code, as the end of a clause; "" if there is none."""
    own = [one for one in frames if is_users(one.filename)]
    return f", at {own[-1].filename}, line {own[-1].lineno}: {own[-1].line}" if own else ""
