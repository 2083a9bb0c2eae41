"""What a stage reads from the corpus, beside the results of other stages for the same unit.

This module defines what such an input must declare. The inputs are declared beside the stages that take them.

A stage takes one by annotating a parameter with it: `material: Annotated[ClusteringMaterial, Material()]`. The name of the
parameter is the name of its part in the action key.
"""

from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable
from typing import Any, ClassVar

from io_managers.store.fingerprint import Part
from seed_assets.graph.published import PublishedCorpus

Opened = Callable[[str, str], Awaitable[Any]]
"""(stage, unit) -> the published value, verified; it is computed again if it is corrupt."""


class CorpusInput(ABC):
    """An input of a stage that looks at more than its own unit.

    compared: whether Dagster calls a result stale when a result of `over` changes; False if the part of the key takes only
    a piece of them, so that Dagster cannot know. kept_by: the setting under which `kept` says something; "" if it never does.
    """

    compared: ClassVar[bool] = True
    kept_by: ClassVar[str] = ""

    @property
    @abstractmethod
    def looks_at(self) -> tuple[str, ...]:
        """All stages whose published results its value is made from, whatever the unit. They come before the stage."""

    def over(self, unit: str) -> tuple[str, ...]:
        """The stages of `looks_at` whose published results decide a unit's part of the key. It is known once they are settled.

        For clusters, either the unit or its cluster type may be given.
        """
        return self.looks_at

    @abstractmethod
    def part(self, corpus: PublishedCorpus, unit: str) -> Part | None:
        """A unit's part of the key, formed without opening a document's value; None if the unit is not in the corpus.

        A stage that continues from its previous result gives the present inputs under `now`, and that result under `before`.
        Only `now` decides whether a result is current.
        """

    def frozen_part(self) -> Part | None:
        """Return what decides the parts of all units, for an input that looks at no stage; None for others.

        Raises ConfigurationError.
        """
        return None

    def kept(self, corpus: PublishedCorpus, unit: str) -> str:
        """What has changed for a unit although its part stays, as the settings say, in a word; "" if nothing has."""
        return ""

    @abstractmethod
    async def value(self, corpus: PublishedCorpus, unit: str, opened: Opened) -> Any:
        """What the stage's function gets for a unit that has a part. Raises what `opened` raises."""
