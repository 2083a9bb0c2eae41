"""Who is told how a run goes on. What belongs here: that seam. What does not: what is shown of it (cli)."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Protocol

from resources.llm import Usage

if TYPE_CHECKING:
    from seed_assets.estimate import StageEstimate
    from seed_assets.planner import Plan


class Observer(Protocol):
    """Who is told how a run goes on; called often, so it must be quick."""

    def planned(self, plan: "Plan", estimates: "Mapping[str, StageEstimate]") -> None:
        """This is about to be done."""
        ...

    def began(self, stage: str, documents: int) -> None:
        """A stage begins with so many documents."""
        ...

    def advanced(self, stage: str, *, reused: int = 0, computed: int = 0, failed: int = 0) -> None:
        """So many more of them are done."""
        ...

    def reached(self, stage: str, place: int, total: int, name: str) -> None:
        """Of the few whose names say something, clusters, so many are through, this one the last."""
        ...

    def paid(self, stage: str, usage: Usage) -> None:
        """So much was paid in the stage so far."""
        ...

    def ended(self, stage: str, seconds: float) -> None:
        """The stage is through with them."""
        ...


class Silent:
    """Nobody."""

    def planned(self, plan: "Plan", estimates: "Mapping[str, StageEstimate]") -> None:
        """Nothing."""

    def began(self, stage: str, documents: int) -> None:
        """Nothing."""

    def advanced(self, stage: str, *, reused: int = 0, computed: int = 0, failed: int = 0) -> None:
        """Nothing."""

    def reached(self, stage: str, place: int, total: int, name: str) -> None:
        """Nothing."""

    def paid(self, stage: str, usage: Usage) -> None:
        """Nothing."""

    def ended(self, stage: str, seconds: float) -> None:
        """Nothing."""
