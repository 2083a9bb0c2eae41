"""A home that publishes its tables, and homes that only read them, over one folder.

What belongs here: making and opening them. What does not: assertions.
"""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from io_managers.sharing.segments.signatures import SigningKey, public_text
from resources.models.embedder import WordLlamaEmbedder
from retrieval.hits import SearchHit
from seed_assets.session.session import Session
from tests.support.pipelines import World

KEY, OTHER = SigningKey.parse("secret:" + "07" * 32), SigningKey.parse("secret:" + "08" * 32)


class SearchingEmbedder(WordLlamaEmbedder):
    """The bundled embedder in a world, so that its tables can be searched."""

    def __init__(self) -> None:
        super().__init__()
        self.texts: list[str] = []


NEW = "# Lighthouses\n\nA keeper lights the lamp of the lighthouse each evening, and the ships at sea know their way.\n"
"""A document that is added."""


def publishing(world: World, place: str, key: SigningKey = KEY, **more: Any) -> World:
    """Let the seeds of a world publish its tables. more: settings of the tables."""
    world.embedder = SearchingEmbedder()  # type: ignore[assignment]
    world.settings = {"tables": {"publish_to": place} | more, "store": {"signing_key": key.text}}
    return world


class Reader:
    """A home that only reads tables."""

    def __init__(self, folder: Path, place: str, **more: Any) -> None:
        """more: settings of the tables."""
        self.world = World(folder, plain=True)
        self.world.embedder = SearchingEmbedder()  # type: ignore[assignment]
        self.world.settings = {
            "tables": {"read_from": place, "refresh_seconds": 1} | more,
            "store": {"trusted_keys": [public_text(KEY.public)]},
        }

    @contextmanager
    def session(self) -> Iterator[Session]:
        """A session over this home."""
        with self.world.session() as session:
            yield session

    def pull(self, **options: Any) -> Any:
        """Fetch the newest edition."""
        with self.session() as session:
            assert session.mirrored is not None
            return session.mirrored.pull(**options)

    def search(self, query: str) -> list[SearchHit]:
        """What a search finds."""
        with self.session() as session:
            return session.searcher().search(query, 3)

    def rows(self, table: str) -> list[dict[str, Any]]:
        """All rows of a table, by key."""
        with self.session() as session:
            return session.tables.read(table).to_pylist()


def shared_folder(folder: Path) -> Path:
    """A folder that others can write, so that only what is signed counts."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    folder.chmod(0o777)
    return folder
