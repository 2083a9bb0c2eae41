"""The published results of all stages, for stages that look at more than their own unit.

This module reads refs, snapshots and values of any stage, each once. What a stage makes from them is in its corpus inputs.
"""

from collections.abc import Mapping
from typing import Any

from io_managers.store.errors import CorruptObjectError, MissingObjectError
from io_managers.store.fingerprint import content_digest, encode_part
from io_managers.store.refs import Published
from io_managers.store.store import Store


class PublishedCorpus:
    """The published results of one store, each stage's as they are when it is first looked at.

    from_scratch: whether a stage that continues from its previous result begins from scratch. made: what corpus inputs have
    derived, under names of their own, so that they derive it once.
    """

    def __init__(self, store: Store, *, from_scratch: bool = False) -> None:
        self.from_scratch = from_scratch
        self.made: dict[object, Any] = {}
        self._store = store
        self._published: dict[str, Mapping[str, Published]] = {}
        self._snapshots: dict[str, str] = {}
        self._values: dict[tuple[str, str], Any] = {}

    def note(self, stage: str, published: Mapping[str, Published]) -> None:
        """Use the published results of a stage that the caller has read already."""
        self._published[stage] = published

    def refs(self, stage: str) -> Mapping[str, Published]:
        """What a stage has published, by unit."""
        if stage not in self._published:
            self._published[stage] = self._store.refs.published(stage, results=False)
        return self._published[stage]

    def snapshot(self, stage: str) -> str:
        """The digest of the sorted (unit, content digest) list of a stage's published results."""
        if stage not in self._snapshots:
            pairs = sorted((unit, ref.content_digest) for unit, ref in self.refs(stage).items())
            self._snapshots[stage] = content_digest(encode_part(pairs))
        return self._snapshots[stage]

    def digest(self, stage: str, unit: str) -> str:
        """The content digest of a unit's published result; "" if there is none."""
        ref = self.refs(stage).get(unit)
        return ref.content_digest if ref else ""

    def value(self, stage: str, unit: str, expected: Any) -> Any:
        """The published value of a unit; None if there is none, or if it was lost."""
        if (stage, unit) not in self._values:
            if not (digest := self.digest(stage, unit)):
                return None
            try:
                self._values[stage, unit] = self._store.load(digest, expected)
            except (MissingObjectError, CorruptObjectError):
                return None
        return self._values[stage, unit]
