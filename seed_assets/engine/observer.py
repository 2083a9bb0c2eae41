"""The interfaces through which a run reports its progress and its finished results.

What is shown of the progress is in the cli, and how results come into Dagster's records is in orchestration.
"""

from typing import Protocol

from resources.endpoints.llm import Usage
from seed_assets.engine.progress import Progress
from seed_assets.engine.stage_run import StageRun


class ResultsObserver(Protocol):
    """Sees the results of one stage while it computes the others."""

    def look(self, run: StageRun) -> None:
        """Look at what has become of the units so far; all of these results are durable.

        It is called every few seconds between two units, so it must be quick. It must not raise: requests are in flight.
        """
        ...


class Observer(Protocol):
    """Receives the progress of a run. It is called often, so it must be quick."""

    def began(self, stage: str, documents: int) -> None:
        """A stage begins with this number of documents."""
        ...

    def advanced(self, stage: str, *, reused: int = 0, computed: int = 0, failed: int = 0) -> None:
        """These numbers of documents more are done."""
        ...

    def reached(self, progress: Progress) -> None:
        """A stage has come so far. It is called every ten seconds or less often."""
        ...

    def paid(self, stage: str, usage: Usage) -> None:
        """What was paid in the stage so far."""
        ...

    def ended(self, stage: str, seconds: float) -> None:
        """The stage has ended."""
        ...


class Silent:
    """Shows nothing."""

    def began(self, stage: str, documents: int) -> None:
        """Do nothing."""

    def advanced(self, stage: str, *, reused: int = 0, computed: int = 0, failed: int = 0) -> None:
        """Do nothing."""

    def reached(self, progress: Progress) -> None:
        """Do nothing."""

    def paid(self, stage: str, usage: Usage) -> None:
        """Do nothing."""

    def ended(self, stage: str, seconds: float) -> None:
        """Do nothing."""
