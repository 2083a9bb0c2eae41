"""Erases from the decisions of people about entities those that hold in a document only. The results are erased as any other."""

from pathlib import Path

from io_managers.store.retention.traces import Outcome, Traces
from seed_assets.core.entities.resolution.decisions_file import EntityDecisions


class DecisionsAboutDocuments:
    """The decisions in one file. Raises ConfigurationError if it cannot be read."""

    def __init__(self, path: Path) -> None:
        self._decisions = EntityDecisions(path)

    def erase(self, traces: Traces, *, dry_run: bool) -> Outcome:
        """Remove the decisions that name one of the documents; those about names alone stay."""
        found = self._decisions.about(traces.documents)
        if found and not dry_run:
            self._decisions.remove(found)
        return Outcome({"decisions about entities": len(found)} if found else {})
