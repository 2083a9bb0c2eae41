"""The knowledge bases that one service answers from: each is a home with its own token, and shares nothing with the others.

What belongs here: opening the homes and what works in them. What does not: requests (routes), and who may send them (access).
"""

import asyncio
from collections.abc import Callable
from functools import cached_property, partial
from pathlib import Path
from typing import ParamSpec, TypeVar

from anyio import to_thread

from resources.errors import ConfigurationError
from resources.home.home import Home
from resources.ingestions.ingestion_requests import IngestionRequests
from resources.settings.config import Settings, absolute, load_settings
from resources.tables.lance_import import import_lancedb
from seed_assets.session.session import Session
from service.asking import Asking
from service.work import Work

P = ParamSpec("P")
T = TypeVar("T")
OpenAsker = Callable[[Session], Asking]


class Base:
    """A knowledge base. name: as in its addresses; "" if it is the only one. token: what opens it; "" if nothing is needed."""

    def __init__(self, name: str, token: str, settings: Settings, open_asker: OpenAsker) -> None:
        self.name = name
        self.token = token
        self.settings = settings
        self.home = Home(settings.home)
        self.requests = IngestionRequests(self.home.ingestions)
        self.work = Work(settings.service.parallel, settings.service.timeout_seconds)
        self._open_asker = open_asker
        self._one_at_a_time = asyncio.Lock()

    @cached_property
    def session(self) -> Session:
        """The home with the corpus that it belongs to. Raises ConfigurationError if nothing was ever seeded into it."""
        self.check_seeded()
        if self.settings.tables.read_from:
            session = Session(self.settings)
            assert session.mirrored is not None
            session.mirrored.refresh()
            session.mirrored.watch()
            return session
        # As for the commands that only read: another corpus in the environment is no reason to call all documents gone.
        return Session(self.settings.model_copy(update={"corpus": self.home.bound_corpus()}))

    @property
    def is_seeded(self) -> bool:
        """Whether there is something to be answered from: documents, or the tables of another home."""
        return bool(self.settings.tables.read_from) or self.home.bound_corpus() is not None

    @cached_property
    def asker(self) -> Asking:
        """What answers questions. Raises what `session` raises."""
        return self._open_asker(self.session)

    async def ready(self) -> Asking:
        """What answers questions; it is opened in a thread at the first call. Raises what `session` raises."""
        found = self.__dict__.get("asker")
        return found if found is not None else await self.in_thread(lambda: self.asker)

    async def opened(self) -> Session:
        """The home with its corpus; it is opened in a thread at the first call. Raises what `session` raises."""
        found = self.__dict__.get("session")
        return found if found is not None else await self.in_thread(lambda: self.session)

    def check_ingestible(self) -> None:
        """Raise ConfigurationError if the home cannot be seeded from here."""
        if self.settings.tables.read_from:
            raise ConfigurationError(
                f"This service answers from tables that are published at {self.settings.tables.read_from}: start the ingestion "
                "where they are published."
            )
        self.home.check(self.settings.corpus)

    def check_seeded(self) -> None:
        """Raise ConfigurationError if nothing was ever seeded into the home."""
        if not self.is_seeded:
            raise ConfigurationError(
                f"Nothing is seeded in {self.home.directory} yet. Run `seedbank seed`, or start an ingestion and wait for "
                "its end."
            )

    async def in_thread(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Do some slow work with the home in a thread, one piece of work at a time. Raises its errors."""
        async with self._one_at_a_time:
            return await to_thread.run_sync(partial(work, *args, **kwargs))

    def warm_up(self) -> None:
        """Load what the first question needs, which takes seconds. Errors are left to the first question, which reports them."""
        import_lancedb()

    async def aclose(self) -> None:
        """Close what was opened."""
        if "asker" in self.__dict__:
            await self.asker.aclose()
        if "session" in self.__dict__:
            self.session.close()


def open_bases(settings: Settings, open_asker: OpenAsker) -> list[Base]:
    """The knowledge bases of the settings: those of `service.bases`, or the home of the command.

    Nothing in a home is opened yet. Raises ConfigurationError if a home of `service.bases` was never seeded, or has two names.
    """
    service = settings.service
    if not service.bases:
        return [Base("", service.token.get_secret_value(), settings, open_asker)]
    if settings.tables.read_from:
        raise ConfigurationError(
            "service.bases and tables.read_from exclude each other: published tables are answered from in a service of their own."
        )
    found: dict[Path, str] = {}
    bases: list[Base] = []
    for name, folder in sorted(service.bases.items()):
        home = Home(absolute(folder, f"service.bases.{name}"))
        corpus = home.bound_corpus()
        if corpus is None:
            raise ConfigurationError(
                f"service.bases.{name}: nothing is seeded in {home.directory} yet. Run `seedbank seed --home {home.directory} "
                "--corpus DIR` with its folder of documents first."
            )
        other = found.setdefault(home.directory.resolve(), name)
        if other != name:
            raise ConfigurationError(
                f"service.bases: {other} and {name} are the same home, {home.directory}. A token of one would open both."
            )
        token = service.tokens.get(name)
        own = load_settings({"home": home.directory, "corpus": corpus})
        bases.append(Base(name, token.get_secret_value() if token else "", own, open_asker))
    return bases
