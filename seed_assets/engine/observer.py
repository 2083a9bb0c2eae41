"""The interface through which a run reports its progress. What is shown of it is in the cli."""

from typing import Protocol

from resources.endpoints.llm import Usage


class Observer(Protocol):
    """Receives the progress of a run. It is called often, so it must be quick."""

    def began(self, stage: str, documents: int) -> None:
        """A stage begins with this number of documents."""
        ...

    def advanced(self, stage: str, *, reused: int = 0, computed: int = 0, failed: int = 0) -> None:
        """These numbers of documents more are done."""
        ...

    def reached(self, stage: str, place: int, total: int, name: str) -> None:
        """`place` of `total` clusters are done; `name` describes the last one."""
        ...

    def paid(self, stage: str, usage: Usage) -> None:
        """What was paid in the stage so far."""
        ...

    def ended(self, stage: str, seconds: float) -> None:
        """The stage has ended."""
        ...


class Silent:
    """Shows nothing."""

    def began(self, stage: str, documents: int) -> None:
        """Do nothing."""

    def advanced(self, stage: str, *, reused: int = 0, computed: int = 0, failed: int = 0) -> None:
        """Do nothing."""

    def reached(self, stage: str, place: int, total: int, name: str) -> None:
        """Do nothing."""

    def paid(self, stage: str, usage: Usage) -> None:
        """Do nothing."""

    def ended(self, stage: str, seconds: float) -> None:
        """Do nothing."""
