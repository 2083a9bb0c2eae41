"""Erases from the frozen selection the examples of documents. What was made with them is erased as any other result."""

from io_managers.store.retention.traces import Outcome, Traces
from seed_assets.core.examples.selection import Selection


class FrozenExamples:
    """The examples in one selection. Its methods raise ConfigurationError if it cannot be read."""

    def __init__(self, selection: Selection) -> None:
        self._selection = selection

    def erase(self, traces: Traces, *, dry_run: bool) -> Outcome:
        """Remove the examples that are of one of the documents."""
        found = self._selection.of_documents(traces.documents)
        if found and not dry_run:
            self._selection.erase(traces.documents)
        return Outcome({"examples": found} if found else {})
