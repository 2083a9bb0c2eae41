"""From settings to the models that they name.

What belongs here: which provider, address, key, limits and price go together, and what of it decides results. What does
not: asking (chat_model, model_embedder, endpoint).
"""

import hashlib
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit, urlunsplit

from io_managers.store.fingerprint import Part
from resources.chat_model import ChatModel
from resources.config import Settings
from resources.endpoint import Endpoint, Sender
from resources.errors import ConfigurationError
from resources.guarded_http import JsonSender
from resources.limits import LimitRules, Limits
from resources.model_embedder import ModelEmbedder
from resources.model_settings import EndpointSettings
from resources.ollama_api import DEFAULT_URL as OLLAMA_URL
from resources.ollama_api import OllamaChat, OllamaEmbeddings
from resources.openai_api import OpenAIChat, OpenAIEmbeddings, OpenAISender
from resources.prices import NOTHING, UNKNOWN, ModelPrice, price_of

if TYPE_CHECKING:
    import httpx2

_PAID_RPM = 30
_DEFAULT_PORTS = {"http": 80, "https": 443}


class ModelClients:
    """The models of one home; each is made once."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._chat: dict[str, ChatModel] = {}
        self._chat_limits: Limits | None = None

    def chat(self, model: str = "") -> ChatModel:
        """A model by name, else that of `llm.model`, at the address of `[llm]`."""
        settings = self._settings.llm
        model = model or settings.model
        if model not in self._chat:
            address = _Address(settings, settings.provider)
            self._chat_limits = self._chat_limits or self._limits("chat", settings, address)
            parameters = dict(settings.parameters)
            if settings.temperature != "server":
                parameters = {"temperature": settings.temperature} | parameters
            identity: dict[str, Part] = {
                "provider": settings.provider,
                "deployment": settings.identity or address.deployment,
                "model": model,
                "max_output_tokens": settings.max_output_tokens,
                "parameters": parameters,
            }
            if settings.provider == "ollama":
                identity["num_ctx"] = settings.context_tokens
                api = OllamaChat(model, parameters, _speed(settings), settings.keep_alive, settings.context_tokens)
            else:
                api = OpenAIChat(model, parameters, own_address=bool(address.url))
            self._chat[model] = ChatModel(
                self._endpoint(settings, address, model, self._chat_limits, api.refuses_format),
                api,
                identity,
                context_tokens=settings.context_tokens,
                max_output_tokens=settings.max_output_tokens,
            )
        return self._chat[model]

    def embedder(self) -> ModelEmbedder | None:
        """Who makes the vectors of chunks; None where they are made here."""
        settings = self._settings.embeddings
        if settings.provider == "wordllama":
            return None
        address = _Address(settings, settings.provider)
        identity: dict[str, Part] = {
            "provider": settings.provider,
            "deployment": settings.identity or address.deployment,
            "model": settings.model,
            "dimensions": settings.dimensions,
            "parameters": dict(settings.parameters),
        }
        if settings.provider == "ollama":
            api = OllamaEmbeddings(settings.model, settings.parameters, _speed(settings), settings.keep_alive)
        else:
            api = OpenAIEmbeddings(settings.model, settings.parameters)
        return ModelEmbedder(
            self._endpoint(settings, address, settings.model, self._limits("embeddings", settings, address)),
            api,
            identity,
            dimensions=settings.dimensions,
            batch=settings.batch,
        )

    def _endpoint(
        self,
        settings: EndpointSettings,
        address: "_Address",
        model: str,
        limits: Limits,
        tolerates: Callable[[str], bool] = lambda detail: False,
    ) -> Endpoint:
        return Endpoint(
            f"{model} at {address.told}",
            address.sender,
            address.check_key,
            limits,
            model=model,
            price=self._price(model, address),
            timeout_seconds=settings.timeout_seconds,
            in_flight=settings.in_flight,
            secret=address.api_key,
            tolerates=tolerates,
        )

    def _price(self, model: str, address: "_Address") -> ModelPrice:
        own_file = self._settings.prices
        named = own_file != type(self._settings).model_fields["prices"].default
        found = price_of(model, own_file=own_file if named else None, bundled=not address.url)
        return NOTHING if found is UNKNOWN and address.is_ollama else found

    def _limits(self, use: str, settings: EndpointSettings, address: "_Address") -> Limits:
        rpm = settings.rpm if settings.rpm != "auto" else 0 if address.is_ollama else _PAID_RPM
        # Two keys of one server have limits of their own.
        key = hashlib.sha256(address.api_key.encode()).hexdigest()[:16]
        return Limits(
            f"{use} {address.deployment} {key}",
            LimitRules(requests=rpm, tokens=settings.tpm, in_flight=settings.in_flight),
            Path(self._settings.home) / "limits",
            self._settings.limits.redis_url.get_secret_value(),
        )


class _Address:
    """Where a provider is asked. url: "" for the `openai` package's own address."""

    def __init__(self, settings: EndpointSettings, provider: str) -> None:
        self.is_ollama = provider == "ollama"
        self.url = settings.base_url or (OLLAMA_URL if self.is_ollama else os.environ.get("OPENAI_BASE_URL", ""))
        # As it is read from a file: with the end of its line.
        own_key = settings.api_key.get_secret_value().strip()
        # A key from the environment is for its own server; another one would get to know it.
        self.api_key = own_key or ("" if self.url else os.environ.get("OPENAI_API_KEY", "").strip())
        self.deployment = normalised_url(self.url) if self.url else "openai"
        self.told = self.deployment if self.url else "OpenAI"

    def sender(self, client: "httpx2.AsyncClient") -> Sender:
        """The sender of one event loop."""
        return (JsonSender if self.is_ollama else OpenAISender)(client, self.url, self.api_key)

    def check_key(self) -> None:
        """Raise ConfigurationError where the key is missing, or is none: an error of HTTP would show it."""
        if not (self.api_key.isascii() and self.api_key.isprintable()):
            raise ConfigurationError(
                f"The key for {self.told} has a character that no key has, such as the end of a line. Copy it once more."
            )
        if not self.url and not self.api_key:
            raise ConfigurationError(
                "OpenAI needs a key: set SEEDBANK_LLM__API_KEY (for embeddings SEEDBANK_EMBEDDINGS__API_KEY) or "
                "OPENAI_API_KEY. For another server, set its `base_url`."
            )


def normalised_url(url: str) -> str:
    """An address in the one form that stands for all its spellings; without user and password.

    Of what follows a question mark, which may be a key, only a digest.
    """
    parts = urlsplit(url.strip())
    host = (parts.hostname or "").lower()
    if ":" in host:
        host = f"[{host}]"
    if parts.port and parts.port != _DEFAULT_PORTS.get(parts.scheme.lower()):
        host += f":{parts.port}"
    query = hashlib.sha256(parts.query.encode()).hexdigest()[:16] if parts.query else ""
    return urlunsplit((parts.scheme.lower(), host, parts.path.rstrip("/"), query, ""))


def _speed(settings: EndpointSettings) -> Mapping[str, Any]:
    """What makes answers come sooner or later, and changes none."""
    return {"num_thread": settings.num_thread} if settings.num_thread else {}
