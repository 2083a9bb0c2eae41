"""The walk through a folder of documents: its folders, files and links. No document is read here.

Which names are those of documents is decided in `document_choice`. Ids of documents are in `corpus`.
"""

import errno
import os
import stat

from resources.corpus.document_choice import IGNORE_FILE, DocumentChoice, Ignored, ignored_by, wrong

TYPE_CHECKING = False
if TYPE_CHECKING:  # importing these takes nearly as long as the walk of a seed with nothing to do
    from collections.abc import Iterator
    from pathlib import Path

    from resources.corpus.skipped_files import SkippedFiles


def read_ignored(root: "Path | str") -> "Ignored | None":
    """The patterns of a corpus; None if it has no `.seedbankignore`.

    Raises ConfigurationError if the file cannot be read, since ignored files would otherwise become documents.
    """
    path = os.path.join(root, IGNORE_FILE)
    if not os.path.lexists(path):
        return None
    from io_managers.store.whole_files import open_regular

    try:
        with open_regular(path) as file:
            return ignored_by(file.read(), path)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise wrong(
            f"{path} cannot be read: {error.strerror or error}. It must be a file with one pattern per line that this user "
            "can read. Correct it or remove it."
        ) from error


class Walk:
    """One walk through a corpus.

    skipped: how many files and folders were skipped so far, and why.
    unreadable: folders that could not be listed, by path relative to the root, with the reason.
    """

    def __init__(self, root: "Path | str", ignored: Ignored | None, left_out: "Path | str") -> None:
        """left_out: a folder that does not belong to the corpus (the home)."""
        self._root = os.fspath(root)
        self._real_root = os.path.realpath(root)
        self._choice = DocumentChoice(ignored)
        self._left_out = os.path.realpath(left_out)
        self._left_out_name = os.path.basename(self._left_out)
        self.skipped: SkippedFiles = self._choice.skipped
        self.unreadable: dict[str, OSError] = {}

    def files(self) -> "Iterator[tuple[str, os.stat_result | OSError]]":
        """(path relative to the root, its status or the error) for each document, folder by folder.

        Raises ConfigurationError if the root cannot be listed.
        """
        folders = [""]  # without recursion, since folders may be nested deeper than Python's limit of calls
        while folders:
            below = folders.pop()
            try:
                with os.scandir(os.path.join(self._root, below)) as listing:
                    entries = sorted(listing, key=lambda entry: entry.name)
            except OSError as error:
                if not below:
                    raise wrong(
                        f"The corpus folder {self._root} cannot be listed: {error.strerror}. Correct its permissions."
                    ) from error
                # A folder that was removed meanwhile is gone, which is not an error.
                if not isinstance(error, FileNotFoundError):
                    self.unreadable[below] = error
                continue
            for entry in entries:
                name = entry.name
                relative = f"{below}/{name}" if below else name
                if self._choice.is_hidden(name, relative):
                    continue
                if _is_folder(entry):
                    if self._is_part(relative):
                        folders.append(relative)
                elif (status := self._status(entry, relative)) is not None:
                    yield relative, status

    def _is_part(self, folder: str) -> bool:
        if not self._choice.takes_folder(folder):
            return False
        if folder.rpartition("/")[2] != self._left_out_name or os.path.join(self._real_root, folder) != self._left_out:
            return True
        self.skipped.ignored += 1
        return False

    def _status(self, entry: "os.DirEntry[str]", relative: str) -> os.stat_result | OSError | None:
        """The status of a document, or the error; None if it is not a document, which is counted."""
        if not self._choice.takes_file(entry.name, relative):
            return None
        status = self._status_of_file(entry)
        if status is None:
            self.skipped.special += 1
        return status

    def _status_of_file(self, entry: "os.DirEntry[str]") -> os.stat_result | OSError | None:
        """The status of a file of the corpus, or the error; None if it is a special file or a link that is not followed."""
        try:
            # A link is a document if it leads to a file of this corpus. Links that leave the corpus, lead to a folder or
            # form a cycle are not followed.
            if entry.is_symlink() and not _lies_in(entry.path, self._real_root):
                return None
            status = entry.stat()
        except (FileNotFoundError, NotADirectoryError, RuntimeError):  # a dangling link, a removed file, or a cycle
            return None
        except OSError as error:
            # It exists but cannot be read, so an earlier document of this name is not gone.
            return None if error.errno == errno.ELOOP else error
        return status if stat.S_ISREG(status.st_mode) else None


def _lies_in(link: str, folder: str) -> bool:
    """Whether a link leads into a folder. Raises FileNotFoundError if its target is missing, RuntimeError for a cycle."""
    from pathlib import Path

    return Path(link).resolve().is_relative_to(folder)


def _is_folder(entry: "os.DirEntry[str]") -> bool:
    try:
        return entry.is_dir(follow_symlinks=False)
    except OSError:  # it may not be read; `_status` reports that if it is a document
        return False
