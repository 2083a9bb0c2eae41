"""Opens the published results of a stage for its checks.

What belongs here: reading them from the store. What does not: the checks, which stages declare.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from io_managers.store.errors import StoreError
from io_managers.store.fingerprint import Part
from seed_assets.engine.runner import Runner
from seed_assets.graph.declared_checks import Finding


class StoredResults:
    """The published results of one stage. It implements PublishedResults."""

    def __init__(self, runner: Runner, stage: str, *, keep: bool = False) -> None:
        """keep: keep opened values in memory for further checks, if the stage has few of them."""
        self._store = runner.store
        self._pipeline = runner.pipeline
        self._stage = stage
        self._kept: dict[str, Any] | None = {} if keep else None

    def values(self, finding: Finding) -> Iterator[tuple[str, Any]]:
        """Yield (unit, value), in order. A value that cannot be opened is an offender."""
        returns = self._pipeline.stages[self._stage].returns
        for unit, ref in sorted(self._store.refs.get(self._stage).items()):
            finding.looked_at += 1
            try:
                value = self._opened(ref.content_digest, returns)
            except StoreError as error:
                finding.offenders[unit] = f"its value cannot be opened: {error}"
            else:
                yield unit, value

    def _opened(self, digest: str, returns: Any) -> Any:
        if self._kept is None:
            return self._store.load(digest, returns)
        if digest not in self._kept:
            self._kept[digest] = self._store.load(digest, returns)
        return self._kept[digest]

    def values_with(self, stage: str, finding: Finding) -> Iterator[tuple[str, Any, Any]]:
        """Yield (unit, value, the other stage's value), in order. A value that cannot be opened is an offender."""
        refs, returns = self._store.refs.get(stage), self._pipeline.stages[stage].returns
        for unit, value in self.values(finding):
            if unit not in refs:
                continue
            try:
                other = self._store.load(refs[unit].content_digest, returns)
            except StoreError as error:
                finding.offenders[unit] = f"its {stage} cannot be opened: {error}"
            else:
                yield unit, value, other

    def key_parts(self) -> Mapping[str, Mapping[str, Part]]:
        """Return unit -> the parts of its action key; nothing for a unit whose parts are not recorded any more."""
        refs = self._store.refs.get(self._stage)
        parts = self._store.actions.parts(ref.action_key for ref in refs.values())
        return {unit: parts.get(ref.action_key, {}) for unit, ref in refs.items()}

    def documents(self) -> set[str]:
        """All documents of which anything is published."""
        return self._store.refs.partitions(stage.name for stage in self._pipeline.document_stages)

    def resource(self, name: str) -> Any:
        """A resource of the pipeline."""
        return self._pipeline.resources[name]
