"""Looks at the corpus, the disk of the home, and the store: can they be read and written, how fast, and with how much space."""

import os
import shutil
import sqlite3
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from io_managers.store.retention.space import size_of
from io_managers.store.sqlite.connection import connect, transaction
from resources.corpus.corpus_place import BucketAddress, check_folder, is_same
from seed_assets.doctor.probe import Finding, Probe, median
from seed_assets.session.session import Session
from seed_assets.session.stage_notes import stage_notes

_TIMES = 10
# A durable write takes 0.1 ms on a drive with a protected cache, 5 ms on others, 20 ms on a spinning disk; a slower disk is
# probably a network share (a judgement).
_SLOW_SECONDS = 0.05
_LOOKED_UP = 1_000


def probes_of(session: Session) -> Iterator[Probe]:
    """The probes of the corpus, the home and the store."""
    yield Probe("corpus", lambda: _corpus(session), "Mount the folder, or set `corpus` to the right one.")
    yield Probe("home", lambda: _home(session), "Make the home writable for this user, or set SEEDBANK_HOME elsewhere.")
    yield Probe("store", lambda: _store(session), "Run `seedbank cache verify`, which says what is damaged.")
    yield Probe("stages", lambda: _stages(session), "See the module or the setting that declares the stage.")


def _corpus(session: Session) -> Finding:
    if session.mirrored is not None:
        return Finding("off", "This home only reads tables that another one publishes, and needs no documents.")
    root, found = session.settings.corpus, Finding("fine", "")
    check_folder(root)
    if isinstance(root, BucketAddress):
        from resources.corpus.buckets.object_reader import ObjectReader

        reader = ObjectReader(str(root), session.settings.corpus_bucket.timeout_seconds)
        with found.timed("first request"):
            reader.ignored()
        with found.timed("listing of a page"):
            entries = reader.some()
        found.said = f"{root} can be listed; the first page has {entries:,} objects."
    else:
        with found.timed("listing"):
            entries = len(os.listdir(root))
        found.said = f"{root} can be read; it has {entries:,} entries at its top."
    bound = session.home.bound_corpus()
    if bound is not None and not is_same(bound, root):
        found.warn(
            f"The home belongs to {bound}.", "Give each corpus a home of its own, or add --rebind if it was moved."
        )
    return found


def _home(session: Session) -> Finding:
    directory, rules = session.home.directory, session.settings.store
    there = next(path for path in (directory, *directory.parents) if path.is_dir())
    free = shutil.disk_usage(there).free
    found = Finding("fine", f"{directory}: {free / 2**30:,.1f} GB free.")
    with tempfile.NamedTemporaryFile(dir=there, prefix=".probe-") as file:
        took: list[float] = []
        for _ in range(_TIMES):
            started = time.perf_counter()
            file.write(bytes(4096))
            file.flush()
            os.fsync(file.fileno())
            took.append(time.perf_counter() - started)
    found.seconds["fsync of 4 KB"] = median(took)
    if free < rules.least_free_mb << 20:
        found.state = "fault"
        found.remedy = "Free some space: no run starts. `seedbank cache gc` shows what is not in use."
    elif free < rules.warn_free_mb << 20:
        found.warn("That is little.", "Free some space. `seedbank cache gc` shows what is not in use.")
    if median(took) > _SLOW_SECONDS:
        found.warn(
            "The disk is slow to make writes durable, as network shares are.",
            "Put the store on a local disk: store.directory.",
        )
    if open_still := session.home.keep_private(session.settings.corpus):
        found.warn(open_still, "")
    if elsewhere := session.home.running_elsewhere():
        found.said += f" It is being seeded by {elsewhere}"
    if elsewhere := session.home.erasing_elsewhere():
        found.said += f" Documents are being erased from it by {elsewhere}"
    return found


def _store(session: Session) -> Finding:
    directory = session.home.store
    if not (directory / "store.db").exists():
        return Finding("off", "Nothing is seeded yet.")
    found = Finding("fine", "")
    with tempfile.TemporaryDirectory(dir=directory, prefix=".probe-") as folder:
        found.seconds["durable commit"] = _commit_seconds(Path(folder) / "probe.db")
    store = session.store
    keys = [key for (key,) in store.database.read("SELECT action_key FROM actions LIMIT ?", (_LOOKED_UP,))]
    with found.timed(f"look-up of {len(keys):,} results"):
        store.actions.existing(keys)
    size, limit = size_of(directory), session.settings.store.limit_mb << 20
    found.said = f"{directory}: {size / 2**20:,.1f} MB, {store.contents().failures:,} recorded failures."
    if limit and size > limit:
        found.warn(f"It is larger than store.limit_mb ({limit >> 20:,} MB).", "Run `seedbank cache gc`.")
    if store.reserve.is_waiting():
        found.warn("Paid answers wait in the reserve.", "Run `seedbank seed`, which commits them.")
    if open_batches := store.batches.open():
        found.said += f" {len(open_batches):,} batches of a provider have not ended."
    if not session.settings.store.enabled:
        found.warn("store.enabled is false, so every run pays again.", "Set it to true.")
    return found


def _commit_seconds(path: Path) -> float:
    connection = connect(path)
    try:
        connection.execute("CREATE TABLE probe (value BLOB)")
        took: list[float] = []
        for _ in range(_TIMES):
            started = time.perf_counter()
            with transaction(connection):
                connection.execute("INSERT INTO probe VALUES (zeroblob(2048))")
            took.append(time.perf_counter() - started)
        return median(took)
    except sqlite3.Error as error:
        raise OSError(f"SQLite cannot write in {path.parent.parent}: {error}.") from error
    finally:
        connection.close()


def _stages(session: Session) -> Finding:
    pipeline = session.pipeline
    found = Finding("fine", f"{len(pipeline.stages)} stages.")
    if session.home.bound_corpus() is not None:
        for sentence in stage_notes(session).sentences(unlisted=True):
            found.warn(sentence, "")
    return found
