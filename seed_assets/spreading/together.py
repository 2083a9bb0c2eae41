"""One observer for runs that several processes do at once: a stage begins with the first of them and ends with the last.

This module adds up. What is shown is in the cli.
"""

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

from resources.endpoints.llm import Usage
from seed_assets.engine.observer import Observer
from seed_assets.engine.progress import Progress
from seed_assets.memo.accounts import Accounts
from seed_assets.planning.phases import Run
from seed_assets.spreading.messages import Noted

# Each run reports its progress every ten seconds.
_BETWEEN_SECONDS = 9.0


@dataclass(slots=True)
class _Stage:
    """A stage of these runs. documents: of all runs. left: how many runs have not ended it. since: when the first began it.

    shown: when its progress was passed on last.
    """

    documents: int = 0
    left: int = 0
    since: float | None = None
    shown: float = 0.0
    paid: dict[int, Usage] = field(default_factory=dict[int, Usage])
    reached: dict[int, Progress] = field(default_factory=dict[int, Progress])


class Together:
    """The runs of one group, each known by a number. seconds: how long each stage took that has ended."""

    def __init__(self, observer: Observer, accounts: Accounts, runs: Iterable[Run]) -> None:
        """accounts: what was paid in the seed, without runs that are under way."""
        self.seconds: dict[str, float] = {}
        self._observer = observer
        self._accounts = accounts
        self._stages: dict[str, _Stage] = {}
        for run in runs:
            for name in run.stages:
                stage = self._stages.setdefault(name, _Stage())
                stage.documents += len(run.members)
                stage.left += 1

    def note(self, number: int, noted: Noted) -> None:
        """Take in what the observer of a run has seen. number: of the run."""
        name, *figures = noted.arguments
        match noted.method:
            case "began":
                self._began(name)
            case "advanced":
                reused, computed, failed = figures
                self._observer.advanced(name, reused=reused, computed=computed, failed=failed)
            case "paid":
                self._paid(number, name, figures[0])
            case "reached":
                self._reached(number, name)
            case "ended":
                self._ended(name)
            case _:
                raise ValueError(f"no observer has a method {noted.method}")

    def settled(self, number: int) -> None:
        """A run has ended, and the accounts have what it paid; or it was killed, and begins again."""
        for stage in self._stages.values():
            stage.paid.pop(number, None)

    def end(self) -> None:
        """End the stages that are still open, since a run has ended before them."""
        for name, stage in self._stages.items():
            if stage.since is not None:
                stage.left = 1
                self._ended(name)

    def _began(self, name: str) -> None:
        stage = self._stages.setdefault(name, _Stage())
        if stage.since is None and name not in self.seconds:
            stage.since = time.perf_counter()
            self._observer.began(name, stage.documents)

    def _paid(self, number: int, name: str, usage: Usage) -> None:
        # A run may pay for a stage before its own ones, whose damaged value it repairs.
        stage = self._stages.setdefault(name, _Stage())
        stage.paid[number] = usage
        self._observer.paid(name, _sum([self._accounts.spent.get(name, Usage()), *stage.paid.values()]))

    def _reached(self, number: int, progress: Progress) -> None:
        stage = self._stages.setdefault(progress.stage, _Stage())
        stage.reached[number] = progress
        now = time.monotonic()
        if now - stage.shown < _BETWEEN_SECONDS:
            return
        stage.shown = now
        found = stage.reached.values()
        together = replace(
            progress,
            done=sum(one.done for one in found),
            total=sum(one.total for one in found),
            paid=_sum([one.paid for one in found]),
            seconds=max(one.seconds for one in found),
        )
        self._observer.reached(together)

    def _ended(self, name: str) -> None:
        stage = self._stages.setdefault(name, _Stage())
        stage.left -= 1
        if stage.left <= 0 and stage.since is not None:
            self.seconds[name] = time.perf_counter() - stage.since
            stage.since = None
            self._observer.ended(name, self.seconds[name])


def _sum(usages: Sequence[Usage]) -> Usage:
    total = Usage()
    for usage in usages:
        total.add(usage)
    return total
