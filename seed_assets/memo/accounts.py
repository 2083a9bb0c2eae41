"""The accounts of one run: what was paid, how long answers took, and what found results had cost.

This module counts, and converts between the records that hold a cost: their fields are stored, so each keeps its own form. Who
pays for a request is in cost_context, and what may still be spent is in budget.
"""

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass

import msgspec

from io_managers.store.action_cache import Provenance
from io_managers.store.failures import FailureRecord
from io_managers.store.request_ledger import Attempt, Saving, percentiles
from io_managers.store.store import Store
from resources.endpoints.llm import InvalidOutputError, Usage

# To how many digits dollars are stored: a token of the cheapest model costs more than the last one.
_DIGITS = 9


@dataclass(frozen=True, slots=True)
class AccountsCopy:
    """The accounts of a run as it has ended, for another process. spent, promised_usd: see Accounts. noted: what was counted."""

    spent: Mapping[str, Usage]
    promised_usd: float
    noted: Set[tuple[str, str]]


class Accounts:
    """The accounts of one run over one store.

    usage: all that was paid. By stage, spent: what was paid for results and for failures. promised_usd: how much of that the
    budget of an earlier run has counted, because it submitted the batches.
    """

    def __init__(self, store: Store) -> None:
        self.usage = Usage()
        self.spent: dict[str, Usage] = {}
        self.promised_usd = 0.0
        self._store = store
        # By stage and model, what was found had cost, and how many whole results of units that is.
        self._saved: dict[tuple[str, str], Usage] = {}
        self._found: dict[tuple[str, str], int] = {}
        # (Stage, unit) of results that this run has made or counted, and (outer key, key) of actions found inside of others.
        self._noted: set[tuple[str, str]] = set()
        self._doubtful: list[tuple[FailureRecord, InvalidOutputError]] = []

    @property
    def budgeted_usd(self) -> float:
        """What was paid and counts against the budget of this run."""
        return self.usage.usd - self.promised_usd

    def charge(self, stage: str, usage: Usage) -> None:
        """Count what an action of a stage, or the actions inside it, paid."""
        self.usage.add(usage)
        self.spent.setdefault(stage, Usage()).add(usage)

    def copied(self) -> AccountsCopy:
        """The accounts as they are now."""
        return AccountsCopy(self.spent, self.promised_usd, self._noted)

    def add(self, other: AccountsCopy) -> None:
        """Count what a run in another process has paid and found; it has stored its savings itself."""
        for stage, usage in other.spent.items():
            self.charge(stage, usage)
        self.promised_usd += other.promised_usd
        self._noted |= other.noted

    def note_made(self, stage: str, unit: str) -> None:
        """Remember that this run has made the result of a unit, which is therefore not saved when it is found later on."""
        self._noted.add((stage, unit))

    def note_found(self, stage: str, results: Mapping[str, Provenance]) -> None:
        """Count the results of these units as saved, each once a run. results: unit -> how its result was made."""
        for unit, provenance in results.items():
            if (stage, unit) not in self._noted and self.note_used(stage, provenance):
                self._noted.add((stage, unit))

    def note_used(self, stage: str, provenance: Provenance) -> bool:
        """Count a result as saved that was used, each time. Returns whether it had cost anything."""
        worth = worth_of(provenance)
        if not worth.requests and not worth.tokens:
            return False
        self._save(stage, worth)
        name = (stage, worth.model)
        self._found[name] = self._found.get(name, 0) + 1
        return True

    def note_inside(self, stage: str, outer_key: str, key: str, provenance: Provenance) -> Usage:
        """Count an action as saved that was found inside of another one. Returns what that saves; nothing the second time."""
        if (outer_key, key) in self._noted:
            return Usage()
        self._noted.add((outer_key, key))
        worth = worth_of(provenance)
        self._save(stage, worth)
        return worth

    def is_noted(self, stage: str, unit: str) -> bool:
        """Whether the result of a unit was made or counted as saved."""
        return (stage, unit) in self._noted

    def _save(self, stage: str, worth: Usage) -> None:
        if worth.requests or worth.tokens:
            self._saved.setdefault((stage, worth.model), Usage()).add(worth)

    def keep_savings(self) -> None:
        """Write what was saved since the last time into the store."""
        self._store.requests.save(
            [
                Saving(*name, self._found.get(name, 0), u.requests, u.input_tokens, u.output_tokens, u.usd, u.unpriced)
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


def worth_of(provenance: Provenance) -> Usage:
    """What a result would cost without the store: what was paid for it, and what the results found inside of it had cost."""
    worth = paid_for(provenance)
    worth.requests += provenance.reused_requests
    worth.input_tokens += provenance.reused_input_tokens
    worth.output_tokens += provenance.reused_output_tokens
    worth.usd += provenance.reused_usd
    worth.unpriced += provenance.reused_unpriced
    return worth


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


def provenance_of(
    usage: Usage,
    seconds: float,
    preview: str,
    warnings: Sequence[str] = (),
    reused: Usage | None = None,
    latencies: Sequence[float] = (),
) -> Provenance:
    """How a result came about, as it is stored. reused: what was found inside had cost. latencies: seconds of its requests."""
    reused = reused or Usage()
    return Provenance(
        round(seconds, 6),
        usage.requests,
        usage.input_tokens,
        usage.output_tokens,
        round(usage.usd, _DIGITS),
        preview,
        usage.unpriced,
        usage.model or reused.model,
        tuple(warnings),
        reused.requests,
        reused.input_tokens,
        reused.output_tokens,
        round(reused.usd, _DIGITS),
        reused.unpriced,
        tuple(round(found, 4) for found in percentiles(latencies)) if latencies else (),
    )


def shares_of(usage: Usage, count: int) -> list[Usage]:
    """Divide the cost of a request among the results that it gave: tokens and dollars equally; the first has the requests.

    If the price is unknown, it is for each of them.
    """
    shares: list[Usage] = []
    each_usd = round(usage.usd / count, _DIGITS)
    for place in range(count):
        first = place == 0
        shares.append(
            Usage(
                usage.requests if first else 0,
                _share(usage.input_tokens, count, place),
                _share(usage.output_tokens, count, place),
                usage.usd - each_usd * (count - 1) if first else each_usd,
                usage.unpriced if first else min(1, usage.unpriced),
                usage.model,
            )
        )
    return shares


def _share(total: int, count: int, place: int) -> int:
    return total // count + (place < total % count)
