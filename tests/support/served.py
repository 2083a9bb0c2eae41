"""A service over small homes, in the process of the test: a client, and what stands for search and for a model.

What belongs here: opening and asking it. What does not: the fakes themselves (tests.support.asking), and the command (tests that
start a process).
"""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fastapi.testclient import TestClient

from answering.asked import Asked
from answering.asker import Asker
from resources.settings.config import Settings, load_settings
from seed_assets.session.session import Session
from service.access import rules
from service.app import build_service
from service.asking import Asking
from service.bases import Base
from tests.support.asking import CountingAnswerer, TextFinder

TEXTS = {
    "bread.md": "Sourdough bread rises slowly.",
    "rails.md": "Points guide trains.",
    "reef.md": "Corals build reefs slowly.",
}


class QuietBase(Base):
    """A knowledge base that loads nothing before it is asked."""

    def warm_up(self) -> None:
        """Do nothing."""


@dataclass
class Served:
    """A service. finder, answerer: what its answers are made by."""

    client: TestClient
    base: Base
    finder: TextFinder
    answerer: CountingAnswerer

    def ask(self, question: str, **more: Any) -> dict[str, Any]:
        """The reply to a question."""
        found = self.client.post("/ask", json={"question": question, **more})
        assert found.status_code == 200, found.text
        return found.json()


def base_over(
    home: Path,
    corpus: Path,
    finder: TextFinder,
    answerer: CountingAnswerer,
    name: str = "",
    token: str = "",
    **service: Any,
) -> Base:
    """A knowledge base over a home, whose answers come from these fakes. service: settings of the service."""
    settings: Settings = load_settings({"home": home, "corpus": corpus, "service": service})

    def open_asker(session: Session) -> Asking:
        asked = Asked(home / "asked" / "asked.db")
        return Asker(session.store, finder, answerer, asked, session.reuse, passages=2)

    return QuietBase(name, token, settings, open_asker)


@contextmanager
def served(home: Path, corpus: Path, token: str = "", *, loopback: bool = True, **service: Any) -> Iterator[Served]:
    """A service over one home."""
    finder, answerer = TextFinder(TEXTS), CountingAnswerer()
    base = base_over(home, corpus, finder, answerer, token=token, **service)
    with client_of([base], loopback=loopback, hosts=base.settings.service.hosts) as client:
        yield Served(client, base, finder, answerer)


@contextmanager
def client_of(bases: list[Base], *, loopback: bool = True, hosts: tuple[str, ...] = ()) -> Iterator[TestClient]:
    """A client of a service over these knowledge bases."""
    app = build_service(bases, lambda base: rules(base.token, "127.0.0.1", hosts, loopback=loopback))
    with ExitStack() as stack:
        yield stack.enter_context(TestClient(app, base_url="http://127.0.0.1:8000", raise_server_exceptions=False))
