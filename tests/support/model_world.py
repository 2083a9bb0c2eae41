"""Models that ask a ModelServer, over a store of their own: what the tests of the model layer are made with.

What belongs here: settings that fit a server on loopback, running coroutines to their end, reading the accounts. What does
not: assertions, servers and their faults.
"""

import asyncio
from collections.abc import Coroutine, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

import msgspec
from pydantic import BaseModel, ConfigDict

from io_managers.store.request_ledger import Attempt
from io_managers.store.store import Store
from resources.endpoints.endpoint import Endpoint
from resources.endpoints.llm import Schema, Turn
from resources.models.chat_model import ChatModel
from resources.models.model_clients import ModelClients
from resources.models.model_embedder import ModelEmbedder
from resources.settings.config import load_settings
from seed_assets.core.prompting.answer_shapes import validated
from seed_assets.core.prompting.structured_output import ask
from seed_assets.memo.reuse import Reuse

NOWHERE = "http://127.0.0.1:9"
SCHEMA = Schema(
    "summaries",
    {
        "type": "object",
        "properties": {"summary": {"type": "string"}},
        "required": ["summary"],
        "additionalProperties": False,
    },
)
_RETRY_SECONDS = 0.01

T = TypeVar("T")


class Answer(BaseModel):
    """What SCHEMA says."""

    model_config = ConfigDict(extra="forbid")

    summary: str


def check(found: Any) -> str:
    """The summary of an answer of SCHEMA. Raises ValidationError."""
    return validated(Answer, found).summary


def question(text: str = "A text about bread.") -> list[Turn]:
    """A request for the summary of a text."""
    return [Turn("system", "You summarise."), Turn("user", f"Summarise.\n<document>{text}</document>")]


class ModelWorld:
    """A store, and the models that its settings name; retries wait some milliseconds only."""

    def __init__(
        self,
        folder: Path,
        url: str = NOWHERE,
        *,
        provider: str = "openai",
        embeddings: Mapping[str, Any] | None = None,
        prices: Path | None = None,
        **llm: Any,
    ) -> None:
        """url: of a ModelServer. embeddings, llm: settings of their sections that are not the usual ones here."""
        common = {
            "provider": provider,
            "base_url": f"{url}/v1" if provider == "openai" else url,
            "model": "scripted",
            "rpm": 0,
        }
        settings: dict[str, Any] = {
            "home": folder / "home",
            "corpus": folder,
            "llm": common | llm,
            "embeddings": common | {"dimensions": 256} | dict(embeddings or {}),
        }
        self.store = Store(folder / "home" / "store")
        self.clients = ModelClients(load_settings(settings | ({"prices": prices} if prices else {})))
        self._endpoints: dict[int, Endpoint] = {}

    def model(self, name: str = "") -> ChatModel:
        """The chat model of that name, else the settings' own."""
        model = self.clients.chat(name)
        self._known(model.endpoint)
        return model

    def embedder(self) -> ModelEmbedder:
        """A new one each time: one that has seen no vector yet."""
        embedder = self.clients.embedder()
        assert isinstance(embedder, ModelEmbedder)
        self._known(embedder.endpoint)
        return embedder

    def _known(self, endpoint: Endpoint) -> None:
        endpoint._retry_seconds = _RETRY_SECONDS
        self._endpoints[id(endpoint)] = endpoint

    def reuse(self, **options: Any) -> Reuse:
        """That of a new run over the store."""
        return Reuse(self.store, asked_with=self.clients.asked_with(), **options)

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """What it returns; the connections that were opened for it are closed."""

        async def whole() -> T:
            try:
                return await work
            finally:
                for endpoint in self._endpoints.values():
                    await endpoint.aclose()

        return asyncio.run(whole())

    async def say(self, text: str, reuse: Reuse | None = None, model: ChatModel | None = None) -> str:
        """The reply to one request without a schema, which is no action: what the endpoint alone does."""
        asked = model or self.model()
        return await asked.send(question(text), None, "prompt", (reuse or self.reuse()).costs, lambda reply: reply.text)

    async def asked(self, text: str = "A text about bread.", reuse: Reuse | None = None, model: str = "") -> str:
        """The summary of a text, an action as any other."""
        return await ask(self.model(model), question(text), SCHEMA, check, reuse or self.reuse())

    def ask(self, text: str = "A text about bread.", reuse: Reuse | None = None, model: str = "") -> str:
        """`asked`, alone in an event loop."""
        return self.run(self.asked(text, reuse, model))

    def attempts(self) -> list[Attempt]:
        """The accounts, in the order in which requests ended."""
        self.store.database.write().result()
        columns = ", ".join(Attempt.__struct_fields__)
        return [Attempt(*row) for row in self.store.database.read(f"SELECT {columns} FROM requests ORDER BY rowid")]

    def outcomes(self) -> list[str]:
        """Return the outcomes of all attempts, in order."""
        return [attempt.outcome for attempt in self.attempts()]

    def actions(self) -> list[str]:
        """The keys of all finished actions."""
        return [key for (key,) in self.store.database.read("SELECT action_key FROM actions ORDER BY rowid")]

    def written(self, *tables: str) -> str:
        """All that is in these tables, and all values, as text."""
        self.store.database.write().result()
        rows = [self.store.database.read(f"SELECT * FROM {table}") for table in tables]
        values = [self.store.load(digest) for digest in self.store.content.digests()]
        return f"{rows}\n{[value if isinstance(value, bytes) else msgspec.json.encode(value) for value in values]}"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        for endpoint in self._endpoints.values():
            endpoint.close()
        self.store.close()
