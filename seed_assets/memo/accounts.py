"""The accounts of one run: what was paid, how long answers took, and what found results had cost.

This module counts, and converts between the records that hold a cost: their fields are stored, so each keeps its own form. Who
pays for a request is in cost_context, and what may still be spent is in budget.
"""

from collections.abc import Iterable, Sequence

import msgspec

from io_managers.store.action_cache import ActionRecord, Provenance
from io_managers.store.failures import FailureRecord
from io_managers.store.request_ledger import Attempt, Saving
from io_managers.store.store import Store
from resources.endpoints.llm import InvalidOutputError, Usage


class Accounts:
    """The accounts of one run over one store.

    usage: all that was paid. By stage, spent: what was paid for results and for failures; latencies: the seconds of each
    usable answer.
    """

    def __init__(self, store: Store) -> None:
        self.usage = Usage()
        self.spent: dict[str, Usage] = {}
        self.latencies: dict[str, list[float]] = {}
        self._store = store
        # By stage and model, what results that were found had cost, and how many they are.
        self._saved: dict[tuple[str, str], Usage] = {}
        self._found: dict[tuple[str, str], int] = {}
        self._noted: set[str] = set()
        self._doubtful: list[tuple[FailureRecord, InvalidOutputError]] = []

    def charge(self, stage: str, usage: Usage) -> None:
        """Count what an action of a stage, or the actions inside it, paid."""
        self.usage.add(usage)
        self.spent.setdefault(stage, Usage()).add(usage)

    def note_found(self, stage: str, records: Iterable[ActionRecord]) -> None:
        """Count what these finished results had cost as saved, once a run."""
        for record in records:
            paid = record.provenance
            if paid.requests and record.key not in self._noted:
                self._noted.add(record.key)
                name = (stage, paid.model)
                self._saved.setdefault(name, Usage()).add(paid_for(paid))
                self._found[name] = self._found.get(name, 0) + 1

    def keep_savings(self) -> None:
        """Write what was saved since the last time into the store."""
        self._store.requests.save(
            [
                Saving(*name, self._found[name], u.requests, u.input_tokens, u.output_tokens, u.usd, u.unpriced)
                for name, u in self._saved.items()
            ]
        )
        self._saved, self._found = {}, {}

    def note_failure(self, failure: FailureRecord, error: Exception) -> None:
        """Record a failure of an action."""
        self._store.failures.record([failure])
        if isinstance(error, InvalidOutputError) and not error.transient:
            self._doubtful.append((failure, error))

    def look_again(self) -> None:
        """Let the next run ask again where a recorded failure turns out to come from an outage of the endpoint."""
        passing = [
            msgspec.structs.replace(failure, transient=True, remedy=error.remedy)
            for failure, error in self._doubtful
            if error.look_again()
        ]
        self._doubtful = []
        if passing:
            self._store.failures.record(passing)


def usage_of(attempt: Attempt) -> Usage:
    """What one request cost."""
    unpriced = int(attempt.usd is None)
    return Usage(1, attempt.input_tokens, attempt.output_tokens, attempt.usd or 0.0, unpriced, attempt.model)


def paid_for(provenance: Provenance) -> Usage:
    """What was paid for a result."""
    return Usage(
        provenance.requests,
        provenance.input_tokens,
        provenance.output_tokens,
        provenance.usd,
        provenance.unpriced,
        provenance.model,
    )


def provenance_of(usage: Usage, seconds: float, preview: str, warnings: Sequence[str] = ()) -> Provenance:
    """How a result came about, as it is stored."""
    return Provenance(
        round(seconds, 6),
        usage.requests,
        usage.input_tokens,
        usage.output_tokens,
        round(usage.usd, 9),
        preview,
        usage.unpriced,
        usage.model,
        tuple(warnings),
    )
