"""Makes the models that the settings name.

What belongs here: which provider, address, key, limits and price go together, and which of these decide results. What does not:
sending requests (chat_model, model_embedder, endpoint).
"""

import hashlib
import logging
import os
import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit, urlunsplit

from io_managers.store.fingerprint import Part
from resources.batches import openai_batches
from resources.batches.batch_service import BatchAccess, BatchService
from resources.endpoints.endpoint import Endpoint
from resources.endpoints.model_request import Sender
from resources.errors import ConfigurationError
from resources.limits.limits import LimitRules, Limits
from resources.models.chat_model import ChatModel
from resources.models.model_embedder import ModelEmbedder
from resources.models.ollama_api import DEFAULT_URL as OLLAMA_URL
from resources.models.ollama_api import OllamaChat, OllamaEmbeddings
from resources.models.openai_api import OpenAIChat, OpenAIEmbeddings, OpenAISender
from resources.models.prices import NOTHING, UNKNOWN, ModelPrice, price_of
from resources.settings.config import OPENAI_ADDRESS, Settings
from resources.settings.model_settings import EmbeddingSettings, EndpointSettings, LLMSettings
from resources.settings.request_settings import request_settings
from resources.wire.addresses import host_of, is_loopback
from resources.wire.certificates import trusted
from resources.wire.guarded_http import JsonSender, open_client
from resources.wire.proxies import proxy_for

if TYPE_CHECKING:
    import httpx2

logger = logging.getLogger(__name__)

# Requests per minute to a paid server, unless `rpm` says otherwise: low enough for the smallest accounts.
_PAID_RPM = 30
# The results of a batch have 50,000 replies at most; a reply is a few kilobytes.
_MOST_BATCH_BYTES = 1 << 30
# The default address of the `openai` package.
OPENAI_URL = "https://api.openai.com/v1"
# Hosts for which this process has already warned that keys are sent to them without encryption.
_warned: set[str] = set()
_DEFAULT_PORTS = {"http": 80, "https": 443}
# A user's name and password, or a parameter whose name says that it is a key.
_KEY_IN_ADDRESS = re.compile(
    r"://[^/?#]*@|[?&][^=&#]*(?:key|token|secret|password|sig|code)[^=&#]*=[^&#]", re.IGNORECASE
)


class ModelClients:
    """The models of one home. Each is made once, when it is first needed."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._chat: dict[str, ChatModel] = {}
        self._chat_limits: Limits | None = None

    def chat(self, model: str = "") -> ChatModel:
        """Return the model of this name at the address of `[llm]`; if none is named, that of `llm.model`."""
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
                self._endpoint(settings, address, model, self._chat_limits),
                api,
                identity,
                context_tokens=settings.context_tokens,
                max_output_tokens=settings.max_output_tokens,
            )
        return self._chat[model]

    def embedder(self) -> ModelEmbedder | None:
        """Return the model that makes the vectors of chunks; None if they are made in this process."""
        settings = self._settings.embeddings
        if not settings.asks_server:
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

    def asked_with(self) -> frozenset[str]:
        """Return digests of the settings that shape requests. A recorded failure holds only as long as these are the same."""
        found: set[str] = set()
        for settings in (self._settings.llm, self._settings.embeddings):
            if settings.model and settings.provider != "local":
                digests = request_settings(settings, _Address(settings, settings.provider).api_key)
                found |= {digests.shape, digests.account}
        return frozenset(found)

    def _endpoint(
        self,
        settings: LLMSettings | EmbeddingSettings,
        address: "_Address",
        model: str,
        limits: Limits,
    ) -> Endpoint:
        name, price = f"{model} at {address.shown}", self._price(model, address)
        return Endpoint(
            name,
            address.sender,
            address.check,
            limits,
            model=model,
            price=price,
            timeout_seconds=settings.timeout_seconds,
            in_flight=settings.in_flight,
            url=address.asked,
            secret=address.api_key,
            settings=request_settings(settings, address.api_key),
            of_vectors=isinstance(settings, EmbeddingSettings),
            models_path="/api/tags" if address.is_ollama else "/models",
            batch=self._batches(name, model, price, address, settings),
        )

    def _batches(
        self,
        name: str,
        model: str,
        price: ModelPrice,
        address: "_Address",
        settings: LLMSettings | EmbeddingSettings,
    ) -> BatchAccess | None:
        """How the batches of a model are reached; None if its server has none, or its requests never go into one."""
        if address.is_ollama or isinstance(settings, EmbeddingSettings):
            return None

        @asynccontextmanager
        async def opened() -> AsyncIterator[BatchService]:
            address.check()
            client = open_client(
                address.asked,
                timeout_seconds=settings.timeout_seconds,
                connections=1,
                most_reply_bytes=_MOST_BATCH_BYTES,
            )
            try:
                yield openai_batches.OpenAIBatches(client, address.url, address.api_key, name, address.asked)
            finally:
                await client.aclose()

        return BatchAccess(
            address.deployment, model, name, price.in_batch, openai_batches.LIMITS, openai_batches.line, opened
        )

    def _price(self, model: str, address: "_Address") -> ModelPrice:
        own_file = self._settings.prices
        named = own_file != type(self._settings).model_fields["prices"].default
        found = price_of(model, own_file=own_file if named else None, bundled=not address.url)
        return NOTHING if found is UNKNOWN and address.is_ollama else found

    def _limits(self, use: str, settings: EndpointSettings, address: "_Address") -> Limits:
        rpm = settings.rpm if settings.rpm != "auto" else 0 if address.is_ollama else _PAID_RPM
        # Each key of a server has limits of its own.
        key = hashlib.sha256(address.api_key.encode()).hexdigest()[:16]
        return Limits(
            f"{use} {address.deployment} {key}",
            LimitRules(requests=rpm, tokens=settings.tpm, in_flight=settings.in_flight),
            Path(self._settings.home) / "limits",
            self._settings.limits.redis_url.get_secret_value(),
        )


class _Address:
    """The address of a provider's server, and the key for it.

    is_ollama: whether Ollama's API is used. url: the address that is set; "" for the default address of the `openai` package.
    api_key: the key; "" for none. asked: the address to which requests go, which decides whether a proxy is used. deployment: the
    address as it stands in action keys. shown: the address as messages show it.
    """

    def __init__(self, settings: EndpointSettings, provider: str) -> None:
        self.is_ollama = provider == "ollama"
        self.url = settings.base_url or (OLLAMA_URL if self.is_ollama else os.environ.get(OPENAI_ADDRESS, ""))
        # A key that was read from a file may end with a line end.
        own_key = settings.api_key.get_secret_value().strip()
        # A key from the environment is for OpenAI only, so that no other server gets it.
        self.api_key = own_key or ("" if self.url else os.environ.get("OPENAI_API_KEY", "").strip())
        self.asked = self.url or OPENAI_URL
        self.deployment = normalised_url(self.url) if self.url else "openai"
        self.shown = self.deployment if self.url else "OpenAI"

    def sender(self, client: "httpx2.AsyncClient") -> Sender:
        """Make the sender for one event loop."""
        return (JsonSender if self.is_ollama else OpenAISender)(client, self.url, self.api_key)

    def check(self) -> None:
        """Raise ConfigurationError if no request can be sent: the key is missing or cannot be a key, or the proxy or the
        certificates that the environment names cannot be used.

        A key with a wrong character must not reach HTTP, whose error message would show it. The method also warns if a key would
        be sent without encryption.
        """
        self._check_key()
        proxy_for(self.asked)
        trusted()
        host = host_of(self.asked)
        in_the_open = self.asked.lower().startswith("http:") and not is_loopback(host)
        if in_the_open and (self.api_key or _KEY_IN_ADDRESS.search(self.asked)) and host not in _warned:
            _warned.add(host)
            logger.warning(
                "The key for %s is sent over http://, without encryption: anybody on the way to %s can read it, and the "
                "texts. Write https:// in `base_url` if the server supports it.",
                self.shown,
                host,
            )

    def _check_key(self) -> None:
        if not (self.api_key.isascii() and self.api_key.isprintable()):
            raise ConfigurationError(
                f"The key for {self.shown} has a character that no key has, such as the end of a line. Copy it once more."
            )
        if not self.url and not self.api_key:
            raise ConfigurationError(
                "OpenAI needs a key: set SEEDBANK_LLM__API_KEY (for embeddings SEEDBANK_EMBEDDINGS__API_KEY) or "
                "OPENAI_API_KEY. For another server, set its `base_url`."
            )


def normalised_url(url: str) -> str:
    """Return one form of an address for all its spellings, without user and password.

    The query string may be a key, so only its digest is kept.
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
    """Return the parameters that change how fast answers come, and no answer."""
    return {"num_thread": settings.num_thread} if settings.num_thread else {}
