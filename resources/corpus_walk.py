"""Which files of a folder are documents.

What belongs here: the walk through the folders, links, hidden files and `.seedbankignore`. What does not: reading any
document, and what documents are called (corpus).
"""

import errno
import os
import stat
import unicodedata
from collections.abc import Iterator
from pathlib import Path

from resources.errors import ConfigurationError
from resources.formats import SUFFIXES
from resources.regular_files import open_regular

IGNORE_FILE = ".seedbankignore"


class Ignored:
    """The patterns of `.seedbankignore`, with the syntax of .gitignore.

    Only the one in the corpus root counts. Patterns and names are compared in their NFC form: a name typed in an editor
    and the same name on disk may differ in nothing else.
    """

    def __init__(self, lines: list[str]) -> None:
        """Raises ValueError for what is no pattern."""
        from pathspec import GitIgnoreSpec

        self._spec = GitIgnoreSpec.from_lines([_nfc(line) for line in lines])

    def __call__(self, relative: str) -> bool:
        """Whether a path is left out; a folder's ends with a slash."""
        return self._spec.match_file(_nfc(relative))


def read_ignored(root: Path) -> Ignored | None:
    """The patterns of a corpus, None where it has none.

    Raises ConfigurationError where they cannot be read: going on would take in what was to stay out.
    """
    path = root / IGNORE_FILE
    try:
        with open_regular(path) as file:
            text = file.read().decode("utf-8-sig")
        return Ignored(text.splitlines())
    except FileNotFoundError:
        return None
    except UnicodeDecodeError as error:
        raise ConfigurationError(
            f"{path} is not UTF-8 (byte {error.start:,}). Save it as UTF-8: one pattern a line, as in .gitignore."
        ) from error
    except ValueError as error:
        raise ConfigurationError(f"{path}: {error}. The syntax is that of .gitignore.") from error
    except OSError as error:
        raise ConfigurationError(
            f"{path} cannot be read: {error.strerror or error}. It has to be a file with one pattern a line, readable for "
            "this user; or remove it."
        ) from error


class Walk:
    """One walk through a corpus.

    skipped: how many files and folders were left out so far (suffix, hidden, ignored, links that are not followed).
    unreadable: folders that could not be listed, by path relative to the root, with the reason.
    """

    def __init__(self, root: Path, ignored: Ignored | None, left_out: Path) -> None:
        """left_out: a folder that is no part of the corpus, wherever it is (the home)."""
        self._root = root
        self._real_root = root.resolve()
        self._ignored = ignored
        self._left_out = left_out.resolve()
        self.skipped = 0
        self.unreadable: dict[str, OSError] = {}

    def files(self) -> Iterator[tuple[str, os.stat_result | OSError]]:
        """(path relative to the root, its status or why there is none) of every document, folder by folder.

        Raises ConfigurationError where the root itself cannot be listed.
        """
        folders = [""]  # not by recursion: folders may be nested deeper than calls
        while folders:
            below = folders.pop()
            try:
                with os.scandir(self._root / below) as listing:
                    entries = sorted(listing, key=lambda entry: entry.name)
            except OSError as error:
                if not below:
                    raise ConfigurationError(
                        f"The corpus folder {self._root} cannot be listed: {error.strerror}. Mend its permissions."
                    ) from error
                # One that was removed meanwhile is gone, no fault.
                if not isinstance(error, FileNotFoundError):
                    self.unreadable[below] = error
                continue
            for entry in entries:
                relative = f"{below}/{entry.name}" if below else entry.name
                if entry.name.startswith("."):
                    self.skipped += relative != IGNORE_FILE
                elif _is_folder(entry):
                    if self._is_part(relative):
                        folders.append(relative)
                    else:
                        self.skipped += 1
                elif (status := self._status(entry, relative)) is None:
                    self.skipped += 1
                else:
                    yield relative, status

    def _is_part(self, folder: str) -> bool:
        if self._ignored is not None and self._ignored(folder + "/"):
            return False
        return folder.rpartition("/")[2] != self._left_out.name or self._real_root / folder != self._left_out

    def _status(self, entry: os.DirEntry[str], relative: str) -> os.stat_result | OSError | None:
        """The status of a document; None for what is no document."""
        if os.path.splitext(entry.name)[1].lower() not in SUFFIXES or (self._ignored and self._ignored(relative)):
            return None
        try:
            # A link is a document where it leads to a file of this corpus; a link out of it, to a folder or in a
            # circle is not followed.
            if entry.is_symlink() and not Path(entry.path).resolve().is_relative_to(self._real_root):
                return None
            status = entry.stat()
        except (FileNotFoundError, NotADirectoryError, RuntimeError):  # dangling, or gone meanwhile; a circle
            return None
        except OSError as error:
            # It is there and cannot be looked at: what was known of it is not gone.
            return None if error.errno == errno.ELOOP else error
        return status if stat.S_ISREG(status.st_mode) else None


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir(follow_symlinks=False)
    except OSError:  # no look at it is allowed: if its name is a document's, `_status` says so
        return False


def _nfc(text: str) -> str:
    return unicodedata.normalize("NFC", text)
