"""Looks at a stage every few seconds while it computes, so that people and Dagster can follow it.

This module decides when that happens and counts what is done. What a progress line says is in progress; how Dagster is shown
finished results is in orchestration. A stage that takes less than a few seconds is never looked at.
"""

import asyncio
import logging
import time
from collections.abc import Collection
from itertools import islice

from resources.endpoints.llm import Usage
from seed_assets.engine.observer import ResultsObserver
from seed_assets.engine.progress import Progress
from seed_assets.engine.runner import Runner
from seed_assets.engine.stage_run import StageRun
from seed_assets.graph.stage import Stage, Units

# Shown in the log of a Dagster run; see dagster.yaml.
progress = logging.getLogger("seedbank.progress")

# A person who watches sees partitions turn green every few seconds.
LOOK_SECONDS = 2.5
# The most of the time that looks may take: on a machine that has other work, or with a slow database, they are rarer.
_SHARE_OF_LOOKS = 0.05
# The least time between two lines of progress: in a log that is read later, more of them would hide everything else.
LINE_SECONDS = 10.0


class StageWatch:
    """Follows one stage while it computes what is missing."""

    def __init__(
        self, runner: Runner, stage: Stage, run: StageRun, missing: Collection[str], results: ResultsObserver | None
    ) -> None:
        """run: what has become of the units so far, which the stage goes on to fill. missing: the units to compute."""
        self._runner = runner
        self._stage = stage
        self._run = run
        self._missing = missing
        self._results = results
        self._before = len(run.results) + len(run.failures)
        self._said = 0

    async def follow(self) -> None:
        """Look until this is cancelled."""
        begun = said_at = time.monotonic()
        pause = LOOK_SECONDS
        while True:
            await asyncio.sleep(pause)
            now = time.monotonic()
            if self._results is not None:
                self._results.look(self._run)
                pause = max(LOOK_SECONDS, (time.monotonic() - now) / _SHARE_OF_LOOKS)
            if now - said_at >= LINE_SECONDS and self._say(now - begun):
                said_at = now

    def _say(self, seconds: float) -> bool:
        """Report the progress; False if nothing was finished since the last time."""
        done = len(self._run.results) + len(self._run.failures) - self._before
        if done == self._said:
            return False
        self._said = done
        name = self._stage.name
        paid = self._runner.reuse.accounts.spent.get(name, Usage())
        found = Progress(name, done, len(self._missing), self._last(), paid, seconds)
        self._runner.observer.reached(found)
        progress.info("%s", found.line())
        return True

    def _last(self) -> str:
        """The unit that was finished last, with the preview of its result if it is a cluster, whose name says little."""
        unit = next((unit for unit in reversed(self._run.results) if unit in self._missing), "")
        if not unit:
            return next(islice(reversed(self._run.failures), 1), "")
        return f"{unit}: {self._run.results[unit].provenance.preview}" if self._stage.units is Units.CLUSTERS else unit
