"""The home (SEEDBANK_HOME): the folder with all state of one corpus, and the record of which corpus that is.

This module knows the layout of a home, binds it to its corpus and keeps it private. It opens nothing in it.
"""

import json
import os
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from io_managers.store.whole_files import write_whole
from resources.corpus.corpus_place import BucketAddress, Place, check_folder, is_same, place_of
from resources.errors import ConfigurationError
from resources.home.private_files import Closing, is_open
from resources.home.running import Marks, parsed
from resources.project_folder import PACKAGES_FOLDER

_FORMAT = 1
# The entries at the top of a home whose permissions are restricted. Entries that later versions add are created private.
_OURS = ("store", "lancedb", "dagster", "pictures", "limits", "running", "home.json", "corpus.index", "plan.whole")
_OURS += (
    "plan.memory",
    "imports.memory",
    "nothing-to-do",
    "model.digests",
    "asked",
    "ingestions.db",
    "report.html",
    "batches",
    "mirror",
    "tables.published",
    "erasing",
    "examples.json",
    "corpus-cache",
)
_PROJECT = Path(PACKAGES_FOLDER).resolve()
# Replaces the digest in the file `agreement` when Dagster's records may be out of sync. Homes written before hold this text.
_OUT_OF_SYNC = "in doubt since"


@dataclass(frozen=True, slots=True)
class Home:
    """The layout of a home."""

    directory: Path

    @property
    def store(self) -> Path:
        """The folder of the store: values, finished actions and refs."""
        return self.directory / "store"

    @property
    def lancedb(self) -> Path:
        """The folder of the LanceDB tables."""
        return self.directory / "lancedb"

    @property
    def mirror(self) -> Path:
        """The folder of tables that another home has published, if this one only reads them."""
        return self.directory / "mirror"

    @property
    def published(self) -> Path:
        """The file that records which editions of the tables this home has published."""
        return self.directory / "tables.published"

    @property
    def dagster(self) -> Path:
        """The folder of Dagster's runs, events and schedules."""
        return self.directory / "dagster"

    @property
    def batches(self) -> Path:
        """The folder of the requests that are about to be sent in a batch."""
        return self.directory / "batches"

    @property
    def pictures(self) -> Path:
        """The folder of the pictures of clusters."""
        return self.directory / "pictures"

    @property
    def report(self) -> Path:
        """The report that `seedbank report` writes unless it is given another place."""
        return self.directory / "report.html"

    @property
    def corpus_index(self) -> Path:
        """The file with the size, times and digest of each file of the corpus at the last scan."""
        return self.directory / "corpus.index"

    @property
    def corpus_cache(self) -> Path:
        """The folder with objects that were downloaded from the bucket of the corpus, by digest."""
        return self.directory / "corpus-cache"

    @property
    def plan_memory(self) -> Path:
        """The file that records which documents the last plan found current."""
        return self.directory / "plan.memory"

    @property
    def whole_plan(self) -> Path:
        """The file that records the last plan that found nothing to do."""
        return self.directory / "plan.whole"

    @property
    def imports(self) -> Path:
        """The file that remembers which modules of the user were imported without harm."""
        return self.directory / "imports.memory"

    @property
    def asked(self) -> Path:
        """The file of questions and conversations, in a folder of its own."""
        return self.directory / "asked" / "asked.db"

    @property
    def model_digests(self) -> Path:
        """The file that remembers the digests of a local model's files, which take long to read."""
        return self.directory / "model.digests"

    @property
    def entity_decisions(self) -> Path:
        """The file with what people decided about entities."""
        return self.directory / "entity-decisions.csv"

    @property
    def examples(self) -> Path:
        """The selection of accepted results that models are shown as examples, unless the settings name another file."""
        return self.directory / "examples.json"

    @property
    def ingestions(self) -> Path:
        """The file with the requests for ingestions that were made to the service."""
        return self.directory / "ingestions.db"

    def keep_private(self, corpus: Place) -> str:
        """Remove the permissions of group and others from this home. Returns a warning if that was not possible, or "".

        This is cheap if it was done before: only the home and its top entries are checked. If the home is also used for
        other things (it contains the corpus, or it is shared like /tmp), its own permissions stay, and only Seedbank's
        entries in it are made private.
        """
        closing = Closing()
        directory = self.directory.resolve() if self.directory.is_symlink() else self.directory
        # A folder that is not a home yet may be a typing error, so it is not changed.
        open_to_others = is_open(directory) and self._bond.exists()
        if open_to_others:  # otherwise no other user can reach its entries
            shared = _is_shared(directory, corpus)
            for path in (directory / name for name in _OURS):
                if not shared or is_open(path):
                    closing.close(path)
            if not shared:
                closing.close_one(directory)
        left = closing.left
        if left.path is None:
            return ""
        return (
            f"Others can read or change {left.path} in the home {self.directory}"
            f"{f' and {left.count - 1:,} more' if left.count > 1 else ''}: its permissions could not be changed "
            f"({left.why}). Let its owner run `chmod -R go-rwx` on it, or use another home for this user."
        )

    def bound_corpus(self) -> Place | None:
        """The corpus of this home; None if it has none yet. Raises ConfigurationError if that cannot be read."""
        try:
            found = json.loads(self._bond.read_text(encoding="utf-8"))
            if found["format"] > _FORMAT:
                raise ConfigurationError(
                    f"The home {self.directory} was written by a newer Seedbank. Update, or set SEEDBANK_HOME elsewhere."
                )
            return place_of(os.fspath(found["corpus"]))
        except FileNotFoundError:
            return None
        except NotADirectoryError as error:
            raise ConfigurationError(
                f"The home {self.directory} is a file or lies below a file. Set SEEDBANK_HOME to a folder."
            ) from error
        except PermissionError as error:
            raise ConfigurationError(
                f"{self._bond} cannot be read: {error.strerror}. Make the home readable for this user, or set SEEDBANK_HOME "
                "to another folder."
            ) from error
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise ConfigurationError(
                f"{self._bond} cannot be read ({type(error).__name__}: {error}). It only records which corpus this home "
                "belongs to: delete it and seed again from that corpus."
            ) from error

    def check(self, corpus: Place, *, rebind: bool = False) -> None:
        """Raise ConfigurationError if this home cannot belong to `corpus`, as `bind` does. Writes nothing."""
        if not isinstance(corpus, BucketAddress) and is_same(self.directory, corpus):
            raise ConfigurationError(
                f"{corpus} cannot be both the corpus and the home. Set SEEDBANK_HOME to another folder, such as "
                f"{corpus / '.seedbank'}."
            )
        bound = self.bound_corpus()
        if bound is not None and not rebind and not is_same(bound, corpus):
            raise ConfigurationError(
                f"The home {self.directory} belongs to the corpus {bound}, not to {corpus}. Give the other corpus a home "
                f"of its own (SEEDBANK_HOME=DIR or --home DIR). If the corpus was moved, add --rebind."
            )

    def bind(self, corpus: Place, *, rebind: bool = False) -> None:
        """Record that this home belongs to `corpus`.

        rebind: replace the recorded corpus, for a corpus that was moved. Raises ConfigurationError if the home belongs to
        another corpus, if `corpus` is a folder that does not exist or is the home itself, or if the home cannot be written.
        """
        self.check(corpus, rebind=rebind)
        bound = self.bound_corpus()
        if bound == corpus or (bound is not None and not rebind and is_same(bound, corpus)):
            return
        check_folder(corpus)
        with self._writing():
            write_whole(self._bond, json.dumps({"format": _FORMAT, "corpus": str(corpus)}) + "\n")
        # The folder may have existed with open permissions. The next command that opens it warns if they cannot be changed.
        self.keep_private(corpus)

    @contextmanager
    def running(self) -> Iterator[None]:
        """Leave a mark while the body runs, so that the next run, on any host, notices if this process was killed.

        Raises ConfigurationError if the home cannot be written, or if documents are being erased from it.
        """
        marks = self._marks
        with self._writing():
            mark = marks.leave()
        try:
            # An erasure looks for marks after it has left its own, so one of the two always sees the other.
            self.check_not_erasing()
            yield
        finally:
            marks.remove(mark)
            self.clear_abandoned()

    @contextmanager
    def erasing(self) -> Iterator[None]:
        """Hold back runs while the body erases documents; what they computed of these meanwhile would be left.

        Raises ConfigurationError if another process works in the home, or if the home cannot be written.
        """
        marks = self._erasures
        with self._writing():
            # The command line names the documents, of which nothing is to be left.
            mark = marks.leave("seedbank forget")
        try:
            self.check_not_erasing()
            if elsewhere := self.running_elsewhere():
                raise ConfigurationError(
                    f"The home is being seeded by {elsewhere} Nothing was erased. Run the command again when that process has "
                    "ended."
                )
            yield
        finally:
            for left in (mark, *marks.abandoned()):
                marks.remove(left)

    def erasing_elsewhere(self) -> str:
        """The name of another process that erases documents from this home now, as `running_elsewhere` gives it."""
        return _named(self._erasures)

    def check_not_erasing(self) -> None:
        """Raise ConfigurationError if another process erases documents from this home."""
        if elsewhere := self.erasing_elsewhere():
            raise ConfigurationError(
                f"Documents are being erased from the home by {elsewhere} Nothing was done. Run the command again when that "
                "process has ended."
            )

    def abandoned(self) -> bool:
        """Whether a run in this home was killed and its entries in Dagster's records were not corrected since."""
        return bool(self._marks.abandoned())

    def clear_abandoned(self) -> None:
        """Remove the marks of killed runs, after Dagster's records were corrected."""
        for mark in self._marks.abandoned():
            self._marks.remove(mark)

    def others_running(self) -> bool:
        """Whether another process is seeding this home now, or erases documents from it."""
        return bool(self.running_elsewhere() or self.erasing_elsewhere())

    def running_elsewhere(self) -> str:
        """The name of another process that is seeding this home now, and what to do if it is stopped; "" if there is none."""
        return _named(self._marks)

    def is_alive(self, process: str) -> bool:
        """Whether a process that works in this home is alive. process: its name from `this_process`."""
        return self._marks.is_alive(process)

    def exists(self, process: str) -> bool:
        """Whether a process of this host has not ended, though it may not work in this home any more. process: see `is_alive`."""
        found = parsed(process)
        return found is not None and found.exists

    def unchanged_seconds(self, name: str, beat: str) -> float:
        """For how many seconds `beat` was seen unchanged under `name`; see Marks.unchanged_seconds."""
        return self._marks.unchanged_seconds(name, beat)

    def synced_digest(self) -> str:
        """The digest of all states, if Dagster's records are known to be in sync with them; otherwise another text or ""."""
        try:
            return self._sync_file.read_text(encoding="utf-8")
        except OSError:
            return ""

    def record_in_sync(self, digest: str, instead_of: str | None = None) -> bool:
        """Record that Dagster's records are in sync with the states of this digest. False if it was not recorded.

        instead_of: record it only if `synced_digest` still gives this value, so that a process that was stopped meanwhile
        does not overwrite the value of another process.
        """
        with self._writing():
            if instead_of is None:
                write_whole(self._sync_file, digest)
                return True
            return _exchange(self._sync_file, instead_of, digest)

    def record_out_of_sync(self) -> None:
        """Record that Dagster's records may be out of sync, so that the next seed compares them with the store."""
        with self._writing():
            # The file is replaced and not removed, so that a process that is about to create it finds that it exists.
            if self.dagster.is_dir():
                write_whole(self._sync_file, f"{_OUT_OF_SYNC} {secrets.token_hex(8)}")

    @contextmanager
    def _writing(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise ConfigurationError(
                f"The home {self.directory} cannot be written: {error.strerror}. Make it writable for this user and check "
                "that its disk has space, or set SEEDBANK_HOME to another directory."
            ) from error

    @property
    def _marks(self) -> Marks:
        return Marks(self.directory / "running")

    @property
    def _erasures(self) -> Marks:
        return Marks(self.directory / "erasing")

    @property
    def _sync_file(self) -> Path:
        # It lies in the folder of Dagster's records, so that deleting them deletes it as well.
        return self.dagster / "agreement"

    @property
    def _bond(self) -> Path:
        return self.directory / "home.json"


def _named(marks: Marks) -> str:
    """The name of the first other process that has left a mark, and what to do if it is stopped."""
    holder = next(marks.others(), None)
    return f"{holder}. {holder.if_stopped}".strip() if holder else ""


def _is_shared(directory: Path, corpus: Place) -> bool:
    """Whether the folder of a home is used for other things as well."""
    inside = [_PROJECT, Path(os.path.expanduser("~")).resolve()]
    if not isinstance(corpus, BucketAddress):
        inside.append(corpus.resolve())
    whole = directory.resolve()
    return any(whole == path or whole in path.parents for path in inside) or bool(
        directory.lstat().st_mode & stat.S_ISVTX
    )


def _exchange(path: Path, expected: str, text: str) -> bool:
    """Write `text` to a file that contains `expected` ("": does not exist), unless another process changes it meanwhile.

    Returns whether it was written. The file is missing for a moment, and stays missing if this process is killed then.
    """
    if expected:
        mine = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
        try:
            path.replace(mine)
        except FileNotFoundError:
            return False
        found = mine.read_text(encoding="utf-8", errors="replace")
        mine.unlink(missing_ok=True)
        if found != expected:
            text = found
    else:
        found = ""
        path.parent.mkdir(parents=True, exist_ok=True)
    try:
        with path.open("x", encoding="utf-8") as new:
            new.write(text)
    except FileExistsError:
        return False
    return found == expected
