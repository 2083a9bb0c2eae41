"""The answer of a seed that found nothing to do, which stands for as long as nothing has changed since.

What belongs here: what the answer depends on, how that is compared, and the file that keeps both. What does not: finding
out that there is nothing to do (seeding), what is printed (cli), and any import that takes longer than a walk through some
thousand files: this is all that a seed with nothing to do needs.

An answer depends on how the seed was called (options, environment, configuration file), on the code, on the corpus, and on
files of the home: the store, the tables' marks and versions, and the record that Dagster's records are in sync. All of these
are compared by size, times and inode, as the scan of a corpus compares documents. A file that changed shortly before the
comparison may change again without a new time, so it is never counted as unchanged. If anything differs, is missing or cannot
be read, the seed plans as always. It also does so with `--verify`, and with every other option that asks for more work.
"""

import hashlib
import os
import sys
import time

from io_managers.store.whole_files import read_memory, write_memory
from resources.corpus.corpus_stamp import corpus_stamp
from resources.project_folder import CONFIG_NAME, PACKAGES_FOLDER, project_folder

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

_FORMAT = "1"
_PACKAGES = ("cli", "event_log", "io_managers", "resources", "retrieval", "seed_assets")
# A file that changed within this time of being looked at may change again without another time stamp (FAT counts in 2 s).
_SETTLED_NS = 2_000_000_000
# Code is imported some time before its stamp is taken; a minute is enough even on a busy machine.
_CODE_SETTLED_NS = 60_000_000_000
# The beginnings and ends of the names of variables from which settings are read, or which a seed checks.
_VARIABLES = (
    "SEEDBANK_",
    "OPENAI_",
    "OLLAMA_",
    "HF_",
    "WORDLLAMA_",
    "TESSDATA_",
    "PYTHON",
    "XDG_STATE_HOME",
    "HOME",
    "TMP",
    "TEMP",
)
_VARIABLES += ("SSL_", "REQUESTS_CA", "CURL_CA", "DAGSTER_")
_PROXIES = "_PROXY"
_TEMPORARY = ("TMPDIR", "TEMP", "TMP")
# The printed answer depends on the terminal and the output options. So many different ones are kept at the same time.
_MOST_VIEWS = 6


Answer = tuple[str, str, str]
"""The exit status, and what was printed before the seconds that the seed took and after them."""


class Unsettled(Exception):  # noqa: N818 - it is no error, but an answer
    """Something may have changed, or may change, in a way that cannot be seen."""


def called(home: str | None, corpus: str | None) -> str:
    """A digest of how a seed was called, and by which code. home, corpus: the options. Raises OSError, Unsettled."""
    environment = sorted(
        (name, value)
        for name, value in os.environ.items()
        if name.upper().startswith(_VARIABLES) or name.upper().endswith(_PROXIES)
    )
    given = [value or "" for value in (home, corpus)]
    folder = project_folder()
    said = [
        sys.version,
        sys.prefix,
        PACKAGES_FOLDER,
        folder,
        *given,
        *(f"{name}={value}" for name, value in environment),
    ]
    # A value that is not an absolute path may be a relative one, whose meaning depends on the working directory.
    if any(value and not os.path.isabs(value) for value in (*given, *(value for _, value in environment))):
        said.append(os.getcwd())
    configuration = os.environ.get("SEEDBANK_CONFIG") or os.path.join(folder, CONFIG_NAME)
    try:
        with open(configuration, "rb") as file:
            said.append(hashlib.sha256(file.read()).hexdigest())
    except FileNotFoundError:
        said.append("")
    said += [_stamp(path) for path in sys.path if path.endswith("site-packages")]
    said += _code()
    return hashlib.sha256("\0".join(said).encode("utf-8", "surrogateescape")).hexdigest()


def _code() -> list[str]:
    """A stamp of each of the project's own files. Raises OSError, Unsettled."""
    latest = time.time_ns() - _CODE_SETTLED_NS
    said: list[str] = []
    folders = [os.path.join(PACKAGES_FOLDER, package) for package in _PACKAGES]
    while folders:
        with os.scandir(folders.pop()) as listing:
            for entry in sorted(listing, key=lambda entry: entry.name):
                if entry.name == "__pycache__":
                    continue
                if entry.is_dir():
                    folders.append(entry.path)
                    continue
                status = entry.stat()
                if status.st_ctime_ns > latest:
                    raise Unsettled(entry.path)
                said.append(f"{entry.path} {status.st_size} {status.st_mtime_ns} {status.st_ctime_ns}")
    return said


def home_of(option: str | None) -> str:
    """Return the probable home of a seed with this option. The answer that lies there says whether it is the right one."""
    return os.path.abspath(
        os.path.expanduser(option or os.environ.get("SEEDBANK_HOME") or os.path.join(project_folder(), ".seedbank"))
    )


def place(home: str) -> str:
    """Return the path of the file that keeps the answer of a home."""
    return os.path.join(home, "nothing-to-do")


def _stamp(path: str) -> str:
    """Return the stamp of a file or folder as it is now; "" if it is missing. Raises OSError."""
    try:
        found = os.stat(path)
    except (FileNotFoundError, NotADirectoryError):
        return ""
    if not found.st_size and path.endswith("-wal"):  # a process that only reads makes and removes it
        return ""
    return f"{found.st_size} {found.st_mtime_ns} {found.st_ctime_ns} {found.st_ino} {found.st_mode}"


class Depends:
    """What the answer of one seed depends on, as it was before the seed looked at it.

    call: a digest from `called`. home, corpus: their folders. files: path -> stamp.
    """

    def __init__(self, call: str, home: str, corpus: str, files: "Iterable[str]") -> None:
        """files: the paths of the files, in the home and elsewhere. Raises OSError, Unsettled."""
        self.call, self.home, self.corpus = call, home, corpus
        looked_at = time.time_ns()
        self.files = {path: _stamp(path) for path in files}
        for path, stamp in self.files.items():
            if stamp and int(stamp.split()[2]) > looked_at - _SETTLED_NS:
                raise Unsettled(path)


def keep(path: str, depends: Depends, scan_stamp: str, view: str, answer: Answer) -> None:
    """Keep an answer, as it was printed in this view.

    path: the file to write. scan_stamp: the stamp of the corpus as the seed saw it. view: names the terminal and output options.
    Raises OSError.
    """
    conditions = [
        *(_FORMAT, depends.call, depends.home, depends.corpus, scan_stamp, str(len(depends.files))),
        *(text for item in depends.files.items() for text in item),
    ]
    views = {view: answer}
    known = _read(path)
    if known is not None and known[0] == conditions:
        views = {**known[1], **views}
    parts = [*conditions, *(text for name in list(views)[-_MOST_VIEWS:] for text in (name, *views[name]))]
    if any("\0" in part for part in parts):
        return
    write_memory(path, "\0".join(parts).encode("utf-8", "surrogateescape"))


def find(path: str, call: str, home: str, view: str) -> Answer | None:
    """Return the answer that was kept, if it still holds; None if anything has changed or no answer is kept."""
    known = _read(path)
    if known is None:
        return None
    conditions, views = known
    if conditions[:3] != [_FORMAT, call, home] or view not in views:
        return None
    corpus, scan_stamp = conditions[3:5]
    stamps = iter(conditions[6:])
    try:
        if any(_stamp(file) != stamp for file, stamp in zip(stamps, stamps, strict=True)):
            return None
        if not _has_temporary_folder() or _is_open(home) or _has_marks(os.path.join(home, "running")):
            return None
        if corpus_stamp(corpus, home) != scan_stamp:
            return None
    except Exception:  # noqa: BLE001 - the seed then plans, and reports any fault with more detail
        return None
    return views[view]


def _has_temporary_folder() -> bool:
    """Whether there is a folder for temporary files, which a seed checks: one that a variable names, or the system's."""
    named = [os.environ[name] for name in _TEMPORARY if os.environ.get(name)]
    return all(os.path.isdir(path) and os.access(path, os.W_OK | os.X_OK) for path in named or ("/tmp",))


def _is_open(home: str) -> bool:
    """Whether other users can read the home. A seed makes it private, or warns that it cannot."""
    return bool(os.stat(home).st_mode & 0o077)


def _has_marks(folder: str) -> bool:
    """Whether a process works in the home, or was killed while it did."""
    try:
        return any(not name.startswith(".") for name in os.listdir(folder))
    except FileNotFoundError:
        return False


def _read(path: str) -> "tuple[list[str], dict[str, Answer]] | None":
    """Return the conditions of an answer, and the answer by view; None if there is no complete file that belongs to this user."""
    data = read_memory(path)
    if data is None:
        return None
    try:
        parts = data.decode("utf-8", "surrogateescape").split("\0")
        end = 6 + 2 * int(parts[5])
        views = iter(parts[end:])
        answers = zip(views, views, views, views, strict=True)
        return parts[:end], {name: (status, before, after) for name, status, before, after in answers}
    except (ValueError, IndexError):
        return None
