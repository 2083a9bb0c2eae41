"""Texts to vectors by asking an endpoint. What belongs here: batches, and checking what comes back.

What does not: the provider's words (openai_api, ollama_api), HTTP (endpoint), reuse (the stage's).
"""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from io_managers.store.fingerprint import Part
from resources.endpoint import Answer, Endpoint
from resources.errors import ConfigurationError
from resources.llm import InvalidOutputError, Payer, Tokens, UnusableReplyError, Usage
from resources.tokens import at_most_tokens, usual_tokens

# Chunks are a little shorter than they may be.
_USUAL_CHUNK_CHARACTERS = 800


class EmbeddingApi(Protocol):
    """How one provider is asked for vectors."""

    path: str

    def body(self, texts: Sequence[str]) -> dict[str, Any]:
        """The request."""
        ...

    def read(self, reply: Any) -> tuple[list[NDArray[np.float32]], Tokens | None]:
        """The vectors, in the order of the texts, and what they cost. Raises UnusableReplyError."""
        ...


class ModelEmbedder:
    """An Embedder that asks an endpoint. Every vector is checked, and made of length 1."""

    def __init__(
        self, endpoint: Endpoint, api: EmbeddingApi, identity: Mapping[str, Part], *, dimensions: int, batch: int
    ) -> None:
        """batch: the most texts in one request."""
        self.endpoint = endpoint
        self.identity = identity
        self.dimensions = dimensions
        self.batch = batch
        self._api = api
        self._matched = False

    def estimate(self, characters: int) -> Usage:
        """What the vectors of a document of so many characters will cost, about."""
        tokens = Tokens(usual_tokens(characters))
        usd = self.endpoint.price.usd(tokens)
        requests = -(-characters // (self.batch * _USUAL_CHUNK_CHARACTERS))
        return Usage(requests, tokens.input, 0, usd or 0.0, requests if usd is None else 0, str(self.identity["model"]))

    async def embed(self, texts: Sequence[str], payer: Payer) -> NDArray[np.float32]:
        """See Embedder; one request of at most `batch` texts. Raises DocumentError, ConfigurationError."""

        def read(reply: Any) -> Answer:
            vectors, tokens = self._api.read(reply)
            return Answer(self._checked(vectors, len(texts)), tokens)

        def most() -> Tokens:
            return Tokens(sum(map(at_most_tokens, texts)))

        try:
            answer = await self.endpoint.ask(self._api.path, self._api.body(texts), most, payer, read)
        except UnusableReplyError as error:
            raise InvalidOutputError(
                f"{self.endpoint.name} answered with vectors that cannot be used: {error.detail}.",
                "See that the model is one for embeddings, and run again with --retry-failed.",
            ) from error
        return answer.value

    def _checked(self, vectors: Sequence[NDArray[np.float32]], count: int) -> NDArray[np.float32]:
        if len(vectors) != count:
            raise UnusableReplyError(
                "no vectors", f"{count} texts were sent and {len(vectors)} vectors came back", "send"
            )
        for vector in vectors:
            if vector.shape != (self.dimensions,):
                found = f"vectors of {vector.size} numbers, and `embeddings.dimensions` is {self.dimensions}"
                if self._matched:
                    raise UnusableReplyError("no vectors", found, "send")
                # What the first reply shows is no accident.
                raise ConfigurationError(
                    f"{self.endpoint.name} gives {found}. Set it to what the model gives "
                    "(SEEDBANK_EMBEDDINGS__DIMENSIONS)."
                )
            if not np.isfinite(vector).all() or not vector.any():
                raise UnusableReplyError("no vectors", "a vector holds what is no number, or only zeros", "send")
        self._matched = True
        rows = np.stack(vectors).astype(np.float64)
        return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)
