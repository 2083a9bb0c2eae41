"""The mappings by partition that pass between stages and Dagster: committed results, and inputs that are opened lazily."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from io_managers.store.action_cache import Provenance
from io_managers.store.refs import Ref


@dataclass(frozen=True, slots=True)
class Result:
    """One finished action of one partition; its value is in the store.

    reason: why it was computed; "" for a hit.
    """

    partition: str
    action_key: str
    content_digest: str
    provenance: Provenance
    reason: str = ""
    state: str = ""

    @property
    def reused(self) -> bool:
        """Whether the result was found and not computed."""
        return not self.reason


class CommittedResults(Mapping[str, Result]):
    """The results of a stage by partition, which the IO manager publishes."""

    def __init__(self, stage: str, results: Mapping[str, Result]) -> None:
        self.stage = stage
        self._results = results

    def __getitem__(self, partition: str) -> Result:
        return self._results[partition]

    def __iter__(self) -> Iterator[str]:
        return iter(self._results)

    def __len__(self) -> int:
        return len(self._results)


class StoredValues(Mapping[str, Any]):
    """The values of one stage by partition, opened and verified on access. Partitions that were never recorded are absent.

    Opened values are not cached, so that an iteration over 10,000 documents holds one of them in memory.
    """

    def __init__(self, stage: str, refs: Mapping[str, Ref], open_ref: Callable[[Ref], Any]) -> None:
        self.stage = stage
        self._refs = refs
        self._open = open_ref

    def ref(self, partition: str) -> Ref:
        """The ref of the partition, without opening its value. Raises KeyError if nothing was recorded."""
        return self._refs[partition]

    @property
    def refs(self) -> Mapping[str, Ref]:
        """The refs of all partitions, without opening their values."""
        return self._refs

    def __getitem__(self, partition: str) -> Any:
        return self._open(self._refs[partition])

    def __contains__(self, partition: object) -> bool:
        return partition in self._refs

    def __iter__(self) -> Iterator[str]:
        return iter(self._refs)

    def __len__(self) -> int:
        return len(self._refs)
