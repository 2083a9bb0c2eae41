"""What the service needs of that which answers questions; `answering.asker.Asker` implements it."""

from collections.abc import AsyncIterator
from typing import Protocol

from answering.answers import CacheUse, Event, Passage, Question, Reply
from answering.asked import Asked
from retrieval.filters import NO_FILTERS, Filters


class Asking(Protocol):
    """Answers questions over one home, in one event loop. See answering.asker.Asker for what each method does and raises."""

    sessions: Asked

    async def ask(self, question: Question, *, use_cache: bool = True, refresh: bool = False) -> Reply:
        """The reply to a question."""
        ...

    def stream(self, question: Question, *, use_cache: bool = True, refresh: bool = False) -> AsyncIterator[Event]:
        """The steps to a reply."""
        ...

    async def search(
        self, query: str, limit: int = 10, filters: Filters = NO_FILTERS
    ) -> tuple[list[Passage], CacheUse]:
        """The best passages for a query."""
        ...

    def peek(self, question: Question) -> Reply | None:
        """The kept reply, if nothing has to be computed for it."""
        ...

    def uses_of(self, document: str) -> list[Question]:
        """The questions whose kept answers use a document."""
        ...

    def forget(self) -> None:
        """Forget what is kept in memory, as after a purge of the store."""
        ...

    async def aclose(self) -> None:
        """Wait for what is under way, and close."""
        ...
