"""Looks at what is beside the store: the tables, Dagster's records, and the engine that reads pictures."""

import os
from collections.abc import Iterator
from contextlib import ExitStack

from seed_assets.core.reading.ocr.languages import missing_languages
from seed_assets.core.reading.ocr.picture_reader import PictureReader
from seed_assets.doctor.probe import Finding, Probe
from seed_assets.session.session import Session


def probes_of(session: Session) -> Iterator[Probe]:
    """The probes of the tables, of Dagster's records and of OCR."""
    yield Probe("tables", lambda: _tables(session), "Run `seedbank check`, and then `seedbank seed`.")
    yield Probe(
        "Dagster", lambda: _dagster(session), "See docs/event_log.md, or what dagster.yaml says of the storage."
    )
    yield Probe("pictures of pages", lambda: _pictures(session), "See docs/reading.md, or set ocr.enabled to false.")


def _tables(session: Session) -> Finding:
    if session.mirrored is not None and session.mirrored.mirror.current() is None:
        return Finding("off", "No table was fetched yet.")
    present = [table for table in session.tables.specs if session.tables.version(table) is not None]
    if not present:
        return Finding("off", "No table was written yet.")
    found = Finding("fine", f"{len(present)} tables.")
    with found.timed("opening one, after importing LanceDB"):
        rows = session.tables.open(present[0]).count_rows()
    found.said += f" {present[0]} has {rows:,} rows."
    if changed := [table for table in present if session.tables.state(table) is None]:
        found.warn(
            f"Another program has changed {', '.join(changed)}.", "Run `seedbank seed`, which compares the rows."
        )
    for stage, reason in session.maintenance_todo().items() if session.mirrored is None else ():
        found.warn(f"{stage} is not up to date: {reason}.", "Run `seedbank seed`.")
    return found


def _dagster(session: Session) -> Finding:
    if session.home.bound_corpus() is None:
        return Finding("off", "Nothing is seeded yet.")
    from event_log.home import open_instance, warning
    from seed_assets.orchestration.dagster_runs import translated

    os.environ["SEEDBANK_HOME"] = str(session.settings.home)  # Dagster's storages read it from here
    found = Finding("fine", "")
    with translated(), ExitStack() as opened:
        with found.timed("opening"):
            instance = open_instance()
        opened.callback(instance.dispose)
        with found.timed("request"):
            runs = instance.get_runs_count()
        place = type(instance.event_log_storage).__name__
        found.said = f"{place} has {runs:,} runs."
        if said := warning(instance):
            found.warn(said, "")
    return found


def _pictures(session: Session) -> Finding:
    readers = [one for one in session.pipeline.resources.values() if isinstance(one, PictureReader)]
    if not readers or not readers[0].enabled:
        return Finding("off", "Pages without text are not read as pictures (ocr.enabled).")
    reader = readers[0]
    if reader.languages is not None:
        return Finding("fine", f"Pages are read in {', '.join(reader.names)}.")
    missing = ", ".join(missing_languages(reader.names)) or "tesserocr"
    return Finding(
        "warning", f"Pages without text stay empty: {missing} is missing.", "docs/reading.md says how to install it."
    )
