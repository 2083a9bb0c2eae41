"""Who is told how a run goes on. What belongs here: that seam. What does not: what is shown of it (cli)."""

from typing import Protocol


class Observer(Protocol):
    """Who is told how a run goes on; called often, so it must be quick."""

    def began(self, stage: str, documents: int) -> None:
        """A stage begins with so many documents."""
        ...

    def advanced(self, stage: str, *, reused: int = 0, computed: int = 0, failed: int = 0) -> None:
        """So many more of them are done."""
        ...

    def ended(self, stage: str, seconds: float) -> None:
        """The stage is through with them."""
        ...


class Silent:
    """Nobody."""

    def began(self, stage: str, documents: int) -> None:
        """Nothing."""

    def advanced(self, stage: str, *, reused: int = 0, computed: int = 0, failed: int = 0) -> None:
        """Nothing."""

    def ended(self, stage: str, seconds: float) -> None:
        """Nothing."""
