"""Erases from frozen selections the examples of documents. What was made with them is erased as any other result."""

from collections.abc import Sequence

from io_managers.store.retention.traces import Outcome, Traces
from seed_assets.core.examples.selection import Selection


class FrozenExamples:
    """The examples in some selections. Its methods raise ConfigurationError if one cannot be read."""

    def __init__(self, selections: Sequence[Selection]) -> None:
        self._selections = selections

    def erase(self, traces: Traces, *, dry_run: bool) -> Outcome:
        """Remove the examples that are of one of the documents."""
        found = 0
        for selection in self._selections:
            here = selection.of_documents(traces.documents)
            if here and not dry_run:
                selection.erase(traces.documents)
            found += here
        return Outcome({"examples": found} if found else {})
