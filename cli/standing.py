"""Stores the report of a seed that had nothing to do, so that the next seed can print it again without looking.

This module decides when a report is stored, and captures its text. What it depends on is in `seeding.standing_answer`;
`start` prints it again.
"""

import io
import logging
import os
import sys
from collections.abc import Callable
from contextlib import redirect_stdout
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from cli.views import seconds_in, view_of

if TYPE_CHECKING:
    from seed_assets.seeding.seed_report import SeedReport
    from seed_assets.seeding.standing_answer import Depends
    from seed_assets.session.session import Session

# A placeholder for the seconds that a seed took; no other number in a report looks like this.
_SECONDS = 987_654_321.0


class Standing:
    """The report that one seed may store for the next. It records file states before the seed looks at anything."""

    def __init__(self, home: Path | None, corpus: str | Path | None, *, as_json: bool, default_options: bool) -> None:
        """home, corpus: the options. default_options: whether all other options of the seed have their defaults."""
        from seed_assets.seeding.standing_answer import Unsettled, called

        self._as_json = as_json
        self._depends: Depends | None = None
        self._call = ""
        self._warnings = _WarningRecorder()
        if default_options:
            try:
                self._call = called(str(home) if home else None, str(corpus) if corpus else None)
            except (OSError, Unsettled):
                return

    def before_seed(self, session: "Session") -> None:
        """Record the state of every file on which the report will depend."""
        from seed_assets.seeding.standing_answer import Depends, Unsettled

        if not self._call:
            return
        logging.getLogger().addHandler(self._warnings)
        try:
            self._depends = Depends(self._call, str(session.home.directory), str(session.corpus.root), _files(session))
        except (OSError, Unsettled):
            return

    def after_seed(self, report: "SeedReport", print_report: Callable[["SeedReport"], None]) -> None:
        """Store the report if nothing was to be done and no warning was logged."""
        from seed_assets.seeding.standing_answer import keep, place

        logging.getLogger().removeHandler(self._warnings)
        if self._depends is None or not report.corpus_stamp or self._warnings.anything:
            return
        try:
            text = _printed(replace(report, seconds=_SECONDS), print_report)
            before, found, after = text.partition(seconds_in(_SECONDS, as_json=self._as_json))
            if found:
                answer = (str(report.exit_code), before, after)
                path = place(self._depends.home)
                keep(path, self._depends, report.corpus_stamp, view_of(as_json=self._as_json), answer)
        except OSError:  # the home cannot be written; the next seed looks at everything again
            return


class _WarningRecorder(logging.Handler):
    """Notes whether a warning was logged: it is not part of the report and would be missing when that is printed again."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.anything = False

    def emit(self, record: logging.LogRecord) -> None:
        """See Handler."""
        self.anything = True


class _Taken(io.TextIOWrapper):
    """A buffer that claims to be a terminal if standard output is one, so that the report looks the same."""

    def isatty(self) -> bool:
        """Whether standard output is a terminal."""
        return os.isatty(1)


def _printed(report: "SeedReport", print_report: Callable[["SeedReport"], None]) -> str:
    taken = _Taken(io.BytesIO(), encoding=sys.stdout.encoding, errors=sys.stdout.errors, newline="")
    with redirect_stdout(taken):
        print_report(report)
    taken.flush()
    return taken.buffer.getvalue().decode("utf-8", "surrogateescape")  # type: ignore[attr-defined]


def _files(session: "Session") -> list[str]:
    """The files beside the corpus that decide a plan. None of them is opened."""
    from io_managers.store.reserve import reserve_paths

    home = session.home
    store = home.store / "store.db"
    tables = {stage.table for stage in session.pipeline.stages.values() if stage.table}
    folders = [session.tables.folder(table) for table in sorted(tables)]
    return [
        str(path)
        for path in (
            home.directory / "home.json",
            home.published,
            home.dagster / "agreement",
            store,
            store.with_name("store.db-wal"),
            store.with_name("store.db-position"),
            *reserve_paths(home.store),
            *(folder / "_versions" for folder in folders),
            *(folder / "seedbank.json" for folder in folders),
            *session.deciding_files,
        )
    ]
