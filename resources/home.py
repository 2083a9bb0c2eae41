"""SEEDBANK_HOME: the one directory that holds all state of one corpus, and which corpus that is.

What belongs here: where things lie and the bond between home and corpus. What does not: opening any of them.
"""

import json
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

from resources.errors import ConfigurationError

_FORMAT = 1


def this_process() -> str:
    """`host/pid/start`: this process, and no later one of the same number."""
    process = psutil.Process()
    return f"{socket.gethostname()}/{process.pid}/{process.create_time():.0f}"


def is_alive(process: str) -> bool:
    """Whether a process, as `this_process` named it, is there; that of another host is taken to be."""
    host, pid, started = process.rsplit("/", 2)
    if host != socket.gethostname():
        return True
    try:
        return abs(psutil.Process(int(pid)).create_time() - float(started)) < 2
    except psutil.NoSuchProcess:
        return False


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
            found = json.loads(self._bond.read_text())
            if found["format"] > _FORMAT:
                raise ConfigurationError(
                    f"The home {self.directory} was written by a newer Seedbank. Update, or set SEEDBANK_HOME elsewhere."
                )
            return Path(found["corpus"])
        except FileNotFoundError:
            return None
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise ConfigurationError(
                f"{self._bond} cannot be read ({error}). It only says which corpus this home belongs to: mend its "
                "permissions, or delete it and seed again from that corpus."
            ) from error

    def bind(self, corpus: Path, *, rebind: bool = False) -> None:
        """Make this home the one of `corpus`.

        Raises ConfigurationError where it belongs to another (unless `rebind`, for a corpus that was moved), or where
        the home cannot be written.
        """
        bound = self.bound_corpus()
        if bound == corpus:
            return
        if bound is not None and not rebind:
            raise ConfigurationError(
                f"The home {self.directory} belongs to the corpus {bound}, not to {corpus}. Give the other corpus a home "
                f"of its own (SEEDBANK_HOME=DIR or --home DIR); if the folder was moved, say --rebind."
            )
        temporary = self._bond.with_suffix(f".{os.getpid()}")
        try:
            self.directory.mkdir(parents=True, exist_ok=True)
            temporary.write_text(json.dumps({"format": _FORMAT, "corpus": str(corpus)}) + "\n")
            temporary.replace(self._bond)
        except OSError as error:
            raise ConfigurationError(
                f"The home {self.directory} cannot be written: {error.strerror}. Make it writable for this user and see "
                "that its disk has space, or set SEEDBANK_HOME to another directory."
            ) from error

    @contextmanager
    def running(self) -> Iterator[None]:
        """Leave a mark while the body runs, so that a kill -9 in it is noticed by the next run."""
        mark = self.directory / "running" / this_process().replace("/", "_")
        mark.parent.mkdir(exist_ok=True)
        mark.write_text(this_process())
        try:
            yield
        finally:
            for left in [*self._abandoned(), mark]:
                left.unlink(missing_ok=True)

    def abandoned(self) -> bool:
        """Whether a run in this home was killed, and what it left in Dagster's records was not seen to since."""
        return bool(self._abandoned())

    def _abandoned(self) -> list[Path]:
        return [mark for mark in (self.directory / "running").glob("*") if not is_alive(mark.read_text())]

    @property
    def _bond(self) -> Path:
        return self.directory / "home.json"
