"""The rules by which a store is bounded, and the report of what was, or would be, removed. Nothing is removed here."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Reason = Literal["unused", "over the limit", "asked for", "erased"]
"""Why a result is removed: it was not used for its time to live, the store is too large, or somebody asked for it."""


@dataclass(frozen=True, slots=True)
class Rules:
    """When results may be removed. Whatever they say, what a ref points to stays.

    ttl_days: by stage (or kind of request), after how many days without use a result is removed. free_ttl_days: the same for
    results of all other stages that cost no money and were replaced by a newer one; 0 for never. grace_days: what is younger, or
    was used since, stays in any case, and so does what is less than a day old. limit_bytes: the size of the store above which
    results are removed, those that are the cheapest to compute again per byte first; 0 for no limit. quarantine_days: after how
    many days damaged values that were set aside are removed; 0 for never.
    """

    ttl_days: Mapping[str, float] = field(default_factory=dict[str, float])
    free_ttl_days: float = 30.0
    grace_days: float = 7.0
    limit_bytes: int = 0
    quarantine_days: float = 30.0


@dataclass(slots=True)
class Removed:
    """Results of one stage that are removed for one reason.

    results, bytes: how many, and the space of their rows and of values that nothing else has. usd, unpriced, requests, seconds:
    what computing them had cost, so what computing them again would cost at most.
    """

    results: int = 0
    bytes: int = 0
    usd: float = 0.0
    unpriced: int = 0
    requests: int = 0
    seconds: float = 0.0

    def add(self, other: "Removed") -> None:
        """Add the figures of another one."""
        self.results += other.results
        self.bytes += other.bytes
        self.usd += other.usd
        self.unpriced += other.unpriced
        self.requests += other.requests
        self.seconds += other.seconds


@dataclass(slots=True)
class Collection:
    """What a collection removed, or would remove.

    stages: by (stage, reason). orphans, orphan_bytes: values that nothing names any more. files: left over from killed
    processes. quarantined: damaged values that were set aside long ago. before_bytes, after_bytes: the size of the store;
    after_bytes is an estimate if nothing was removed. free_bytes: space inside of the database file that new results will use.
    still_over_bytes: by how much the store stays above its limit, since the rest is in use. dry_run: whether nothing was removed.
    """

    stages: dict[tuple[str, Reason], Removed] = field(default_factory=dict[tuple[str, Reason], Removed])
    orphans: int = 0
    orphan_bytes: int = 0
    files: int = 0
    quarantined: int = 0
    before_bytes: int = 0
    after_bytes: int = 0
    free_bytes: int = 0
    still_over_bytes: int = 0
    dry_run: bool = True

    @property
    def total(self) -> Removed:
        """The sum over all stages and reasons."""
        total = Removed()
        for removed in self.stages.values():
            total.add(removed)
        return total

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to remove."""
        return not (self.stages or self.orphans or self.files or self.quarantined)
