"""What crosses the border between stages and Dagster: results that are committed, and inputs that open when asked for.

What belongs here: the two mappings by partition. What does not: how results come to be (the runner) and how they are
published (the IO manager).
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from io_managers.store.action_cache import Provenance
from io_managers.store.refs import Ref


@dataclass(frozen=True, slots=True)
class Result:
    """One finished action of one partition; its value is in the store.

    reason: "" for a hit, else why it was computed.
    """

    partition: str
    action_key: str
    content_digest: str
    provenance: Provenance
    reason: str = ""
    state: str = ""

    @property
    def reused(self) -> bool:
        """Whether nothing was computed for it."""
        return not self.reason


class CommittedResults(Mapping[str, Result]):
    """partition -> Result: what a stage hands to the IO manager, which publishes it.

    latencies: p50, p95 and p99 of the requests that were answered for them, in seconds; none where nobody was asked.
    """

    def __init__(self, stage: str, results: Mapping[str, Result], latencies: Sequence[float] = ()) -> None:
        self.stage = stage
        self.latencies = latencies
        self._results = results

    def __getitem__(self, partition: str) -> Result:
        return self._results[partition]

    def __iter__(self) -> Iterator[str]:
        return iter(self._results)

    def __len__(self) -> int:
        return len(self._results)


class StoredValues(Mapping[str, Any]):
    """partition -> value of one stage, opened and verified when asked for; never recorded partitions are absent.

    Nothing is kept after it was opened: an iteration over ten thousand documents holds one of them.
    """

    def __init__(self, stage: str, refs: Mapping[str, Ref], open_ref: Callable[[Ref], Any]) -> None:
        self.stage = stage
        self._refs = refs
        self._open = open_ref

    def ref(self, partition: str) -> Ref:
        """What is current for the partition, unopened. Raises KeyError where nothing was recorded."""
        return self._refs[partition]

    @property
    def refs(self) -> Mapping[str, Ref]:
        """All of them, unopened."""
        return self._refs

    def __getitem__(self, partition: str) -> Any:
        return self._open(self._refs[partition])

    def __contains__(self, partition: object) -> bool:
        return partition in self._refs

    def __iter__(self) -> Iterator[str]:
        return iter(self._refs)

    def __len__(self) -> int:
        return len(self._refs)
