"""Digests of the settings that shape requests without being part of action keys.

The number of texts in a request, how long a model stays loaded, or which account pays does not change an answer, so it is
not part of the action key. But it can decide whether there is an answer at all. A failure is therefore recorded as permanent
only for as long as these settings stay the same.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

import msgspec

from resources.settings.model_settings import EmbeddingSettings, LLMSettings

# Settings that change only the speed or the patience of requests, or that are part of action keys already.
_NOT_SENT = ("timeout_seconds", "in_flight", "rpm", "tpm", "identity", "api_key", "model", "provider")
_NOT_SENT += ("folder", "weights")


@dataclass(frozen=True, slots=True)
class RequestSettings:
    """Digests of the settings of one section, `[llm]` or `[embeddings]`."""

    shape: str = ""
    """Digest of the settings that are sent with each request."""
    account: str = ""
    """Digest of the same settings and the API key."""


def request_settings(settings: LLMSettings | EmbeddingSettings, api_key: str) -> RequestSettings:
    """The digests of one section. api_key: the key that is really sent; it cannot be recovered from the digest."""
    section = "embeddings" if isinstance(settings, EmbeddingSettings) else "llm"
    # Of embeddings, `batch` is the number of texts in a request; of `[llm]`, it is the way in which requests are sent.
    not_sent = _NOT_SENT if section == "embeddings" else (*_NOT_SENT, "batch")
    sent = {name: value for name, value in settings.model_dump(mode="json").items() if name not in not_sent}
    shape = {"section": section, **sent}
    return RequestSettings(_digest(shape), _digest({**shape, "api_key": api_key}))


def _digest(settings: Mapping[str, object]) -> str:
    return hashlib.sha256(msgspec.json.encode(settings, order="deterministic")).hexdigest()[:32]
