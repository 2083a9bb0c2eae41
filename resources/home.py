"""SEEDBANK_HOME: the one directory that holds all state of one corpus, and which corpus that is.

What belongs here: where things lie and the bond between home and corpus. What does not: opening any of them.
"""

import json
import secrets
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

from resources.corpus import check_folder
from resources.errors import ConfigurationError

_FORMAT = 1


def this_process() -> str:
    """`host/pid/start`: this process, and no later one of the same number."""
    process = psutil.Process()
    return f"{socket.gethostname()}/{process.pid}/{process.create_time():.0f}"


def is_alive(process: str) -> bool:
    """Whether a process, as `this_process` named it, is there; that of another host is taken to be.

    What names no process, as a file that a power failure left empty, is not there.
    """
    try:
        host, pid, started = process.rsplit("/", 2)
        if host != socket.gethostname():
            return True
        return abs(psutil.Process(int(pid)).create_time() - float(started)) < 2
    except (psutil.NoSuchProcess, ValueError):
        return False
    except psutil.AccessDenied:  # somebody else's, so it is there
        return True


@dataclass(frozen=True, slots=True)
class Home:
    """The layout of a home."""

    directory: Path

    @property
    def store(self) -> Path:
        """Values, finished actions, refs."""
        return self.directory / "store"

    @property
    def lancedb(self) -> Path:
        """The knowledge base."""
        return self.directory / "lancedb"

    @property
    def dagster(self) -> Path:
        """Dagster's runs, events and schedules."""
        return self.directory / "dagster"

    @property
    def corpus_index(self) -> Path:
        """What was last seen of each file of the corpus."""
        return self.directory / "corpus.index"

    def bound_corpus(self) -> Path | None:
        """The corpus of this home; None where it has none yet. Raises ConfigurationError where that cannot be read."""
        try:
            found = json.loads(self._bond.read_text(encoding="utf-8"))
            if found["format"] > _FORMAT:
                raise ConfigurationError(
                    f"The home {self.directory} was written by a newer Seedbank. Update, or set SEEDBANK_HOME elsewhere."
                )
            return Path(found["corpus"])
        except FileNotFoundError:
            return None
        except NotADirectoryError as error:
            raise ConfigurationError(
                f"The home {self.directory} is, or lies below, a file. Set SEEDBANK_HOME to a folder."
            ) from error
        except PermissionError as error:
            raise ConfigurationError(
                f"{self._bond} cannot be read: {error.strerror}. Make the home readable for this user, or set SEEDBANK_HOME "
                "to another folder."
            ) from error
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise ConfigurationError(
                f"{self._bond} cannot be read ({type(error).__name__}: {error}). It only says which corpus this home "
                "belongs to: delete it and seed again from that corpus."
            ) from error

    def check(self, corpus: Path, *, rebind: bool = False) -> None:
        """Raises ConfigurationError where this home cannot be the one of `corpus`: see `bind`. Writes nothing."""
        if _same(self.directory, corpus):
            raise ConfigurationError(
                f"{corpus} cannot be both the corpus and the home. Set SEEDBANK_HOME to another folder, such as "
                f"{corpus / '.seedbank'}."
            )
        bound = self.bound_corpus()
        if bound is not None and not rebind and not _same(bound, corpus):
            raise ConfigurationError(
                f"The home {self.directory} belongs to the corpus {bound}, not to {corpus}. Give the other corpus a home "
                f"of its own (SEEDBANK_HOME=DIR or --home DIR); if the folder was moved, say --rebind."
            )

    def bind(self, corpus: Path, *, rebind: bool = False) -> None:
        """Make this home the one of `corpus`, an existing folder: of a mistyped one it would refuse the right one later.

        Raises ConfigurationError where it belongs to another (unless `rebind`, for a corpus that was moved), where
        there is no such folder, where the two are one, or where the home cannot be written.
        """
        self.check(corpus, rebind=rebind)
        bound = self.bound_corpus()
        if bound == corpus or (bound is not None and not rebind and _same(bound, corpus)):
            return
        check_folder(corpus)
        with self._writing():
            _write(self._bond, json.dumps({"format": _FORMAT, "corpus": str(corpus)}) + "\n")

    @contextmanager
    def running(self) -> Iterator[None]:
        """Leave a mark while the body runs, so that a kill -9 in it is noticed by the next run.

        Raises ConfigurationError where the home cannot be written.
        """
        mark = self._running / this_process().replace("/", "_")
        with self._writing():
            _write(mark, this_process())
        try:
            yield
        finally:
            for left in [*self._abandoned(), mark]:
                with suppress(OSError):  # one that stays is seen to by the next run
                    left.unlink()

    def abandoned(self) -> bool:
        """Whether a run in this home was killed, and what it left in Dagster's records was not seen to since."""
        return bool(self._abandoned())

    def others_running(self) -> bool:
        """Whether another process is seeding this home now."""
        return any(process != this_process() and is_alive(process) for _, process in self._marks())

    def agreement(self) -> str:
        """The digest of what Dagster's records are known to show as the store has it; "" where that is in doubt."""
        try:
            return self._agreement.read_text(encoding="utf-8")
        except OSError:
            return ""

    def agree(self, digest: str) -> None:
        """Dagster's records now show this: see `agreement`."""
        with self._writing():
            _write(self._agreement, digest)

    def doubt(self) -> None:
        """Somebody else than `seedbank seed` changes Dagster's records: the next seed compares them with the store."""
        with self._writing():
            self._agreement.unlink(missing_ok=True)

    def _abandoned(self) -> list[Path]:
        return [mark for mark, process in self._marks() if not is_alive(process)]

    def _marks(self) -> Iterator[tuple[Path, str]]:
        """The marks of runs, and the process that each names."""
        for mark in self._running.glob("[!.]*"):
            with suppress(FileNotFoundError):  # its run has just ended
                yield mark, mark.read_text(encoding="utf-8", errors="replace")

    @contextmanager
    def _writing(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise ConfigurationError(
                f"The home {self.directory} cannot be written: {error.strerror}. Make it writable for this user and see "
                "that its disk has space, or set SEEDBANK_HOME to another directory."
            ) from error

    @property
    def _running(self) -> Path:
        return self.directory / "running"

    @property
    def _agreement(self) -> Path:
        # beside the records that it is about: deleted with them
        return self.dagster / "agreement"

    @property
    def _bond(self) -> Path:
        return self.directory / "home.json"


def _same(one: Path, other: Path) -> bool:
    """Whether two paths lead to one folder. A link that was turned to another folder still is what it was."""
    return one == other or one.resolve() == other.resolve()


def _write(path: Path, text: str) -> None:
    """Write a file whole: another process sees nothing of it, or all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        temporary.write_text(text, encoding="utf-8")
        temporary.replace(path)
    except OSError:
        with suppress(OSError):
            temporary.unlink()
        raise
