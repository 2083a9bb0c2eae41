"""The place of a store that is not in its home (setting `store.directory`). The home has a link to it, which everything follows.

A store that is suddenly missing is never replaced by an empty one, since everything in it would be paid for again.
"""

import os
from pathlib import Path

from io_managers.store.whole_files import write_whole
from resources.errors import ConfigurationError

_DATABASE = "store.db"
# Names the home in the folder of its store, so that two homes cannot use one store.
_OWNER = "home"


def place_store(home: Path, directory: Path | None) -> None:
    """Let the store of a home be in `directory`; None leaves it where it is.

    Raises ConfigurationError if the home has its store elsewhere, or the folder is missing or is another home's.
    """
    link = home / "store"
    if directory is None:
        if link.is_symlink() and not link.exists():
            raise _missing(Path(os.path.realpath(link)))
        return
    target = directory.resolve()
    if link.is_symlink() and link.resolve() == target and (target / _DATABASE).exists():
        return
    if target == link.absolute() or target in (home.resolve(), *home.resolve().parents):
        raise ConfigurationError(
            f"store.directory is {directory}, which is the home {home} or above it. Give a folder of its own, or leave "
            "the setting out: then the store is in the home."
        )
    moved = (target / _DATABASE).exists()
    if link.exists() and not link.is_symlink() and any(link.iterdir()):
        raise ConfigurationError(
            f"The store of this home is {link}, and store.directory is {directory}. While nothing runs, move it "
            f"(mv {link} {directory}), then run again; or leave the setting out. Nothing was changed."
        )
    if link.is_symlink() and not moved and (link.resolve() == target or link.exists()):
        if link.resolve() == target:
            raise _missing(target)
        raise ConfigurationError(
            f"The store of this home is {link.resolve()}, and store.directory is {directory}. While nothing runs, move it "
            f"(mv {link.resolve()} {directory}), then run again. Nothing was changed."
        )
    if link.is_symlink() and not moved:
        raise _missing(Path(os.path.realpath(link)))
    _place(home, link, target)


def _missing(target: Path) -> ConfigurationError:
    return ConfigurationError(
        f"The store of this home, {target}, is missing. If its disk is not mounted, mount it; if the folder was moved, set "
        "store.directory to where it is now. If it is lost for good, delete the link `store` in the home: then everything is "
        "computed, and paid for, again. Nothing was changed."
    )


def _place(home: Path, link: Path, target: Path) -> None:
    owner = target / _OWNER
    try:
        belongs_to = owner.read_text(encoding="utf-8").strip() if owner.exists() else ""
        if belongs_to and Path(belongs_to).resolve() != home.resolve():
            raise ConfigurationError(
                f"{target} is the store of the home {belongs_to}, and each home needs a store of its own. Give another folder; "
                f"or, if that home was moved to {home}, delete {owner}. Nothing was changed."
            )
        target.mkdir(mode=0o700, parents=True, exist_ok=True)
        home.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_whole(owner, f"{home.resolve()}\n")
        if link.is_dir() and not link.is_symlink():
            link.rmdir()
        new = home / f".store.{os.getpid()}"
        new.symlink_to(target, target_is_directory=True)
        os.replace(new, link)
    except OSError as error:
        raise ConfigurationError(
            f"The store cannot be placed in {target}: {error.strerror or error}. Give a folder that this user can write, or "
            "leave store.directory out."
        ) from error
