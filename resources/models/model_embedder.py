"""An embedder that sends texts to an endpoint, and checks the vectors that come back.

The formats of requests and replies are in `openai_api` and `ollama_api`, HTTP is in `endpoint`.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from io_managers.store.fingerprint import Part
from resources.endpoints.endpoint import Endpoint
from resources.endpoints.endpoint_errors import AttemptError
from resources.endpoints.failure_kinds import FailureRule
from resources.endpoints.llm import (
    InvalidOutputError,
    PermanentLLMError,
    RequestCosts,
    Tokens,
    UnusableReplyError,
    Usage,
)
from resources.endpoints.model_request import ModelRequest, ParsedReply
from resources.errors import ConfigurationError
from resources.models.float_arrays import Float32Array
from resources.models.prompt_counts import is_short, least_tokens
from resources.models.tokens import at_most_tokens, usual_tokens

# Chunks are on average a little shorter than the maximum (a judgement, for estimates only).
_USUAL_CHUNK_CHARACTERS = 800
# A short request that shows at almost no cost whether a server answers at all.
_HARMLESS = ("yes",)
# Servers count the tokens of vectors less carefully than those of answers.
_LEAST_SHARE = 0.5


class EmbeddingApi(Protocol):
    """The format of one provider's requests for vectors."""

    path: str

    def body(self, texts: Sequence[str]) -> dict[str, Any]:
        """The JSON of a request."""
        ...

    def read(self, reply: Any) -> tuple[list[Float32Array], Tokens | None]:
        """The vectors in the order of the texts, and the server's token count. Raises UnusableReplyError."""
        ...

    def adapts(self, refusal: FailureRule, refused: Mapping[str, Any]) -> bool:
        """Adapt to a refusal, for the rest of the process. True if the next body differs from the refused one."""
        ...


class ModelEmbedder:
    """An Embedder that uses an endpoint. Every vector is checked and scaled to norm 1."""

    def __init__(
        self, endpoint: Endpoint, api: EmbeddingApi, identity: Mapping[str, Part], *, dimensions: int, batch: int
    ) -> None:
        """batch: the most texts per request."""
        self.endpoint = endpoint
        self.identity = identity
        self.dimensions = dimensions
        self.batch = batch
        self._api = api
        self._matched = False

    def estimate(self, characters: int) -> Usage:
        """The estimated cost of the vectors of a document with this many characters."""
        tokens = Tokens(usual_tokens(characters))
        usd = self.endpoint.price.usd(tokens)
        requests = -(-characters // (self.batch * _USUAL_CHUNK_CHARACTERS))
        return Usage(requests, tokens.input, 0, usd or 0.0, requests if usd is None else 0, str(self.identity["model"]))

    async def embed(self, texts: Sequence[str], costs: RequestCosts) -> Float32Array:
        """See Embedder; one request of at most `batch` texts. Raises DocumentError, ConfigurationError."""

        least = sum(map(least_tokens, texts))

        def read(reply: Any) -> ParsedReply:
            vectors, tokens = self._api.read(reply)
            if tokens is not None and is_short(tokens.input, least, _LEAST_SHARE):
                raise UnusableReplyError(
                    "read in part",
                    f"the server counts {tokens.input:,} tokens in texts that have at least {least:,}, so it read only a "
                    "part of them",
                    "no",
                )
            return ParsedReply(self._checked(vectors, len(texts)), tokens)

        def most() -> Tokens:
            return Tokens(sum(map(at_most_tokens, texts)))

        while True:
            request = ModelRequest(self._api.path, self._api.body(texts), most, self._api.body(_HARMLESS))
            try:
                return (await self.endpoint.ask(request, costs, read)).value
            except PermanentLLMError as error:
                refused = error.__cause__
                if not isinstance(refused, AttemptError) or not self._api.adapts(refused.rule, request.body):
                    raise
            except UnusableReplyError as error:
                remedy = "Check that the model is an embedding model, and run again with --retry-failed."
                if error.outcome == "read in part":
                    remedy = "Lower `chunks.characters`, so that each text fits into the model's context window."
                raise InvalidOutputError(
                    f"{self.endpoint.name} answered with vectors that cannot be used: {error.detail}.",
                    remedy,
                    settings=self.endpoint.settings.shape,
                ) from error

    def _checked(self, vectors: Sequence[Float32Array], count: int) -> Float32Array:
        import numpy as np

        if len(vectors) != count:
            raise UnusableReplyError(
                "no vectors", f"{count} texts were sent and {len(vectors)} vectors came back", "send"
            )
        for vector in vectors:
            if vector.shape != (self.dimensions,):
                found = f"vectors of {vector.size} numbers, and `embeddings.dimensions` is {self.dimensions}"
                if self._matched:
                    raise UnusableReplyError("no vectors", found, "send")
                # A wrong length in the first reply is a wrong setting and not an accident.
                raise ConfigurationError(
                    f"{self.endpoint.name} gives {found}. Set it to what the model gives "
                    "(SEEDBANK_EMBEDDINGS__DIMENSIONS)."
                )
            if not np.isfinite(vector).all() or not vector.any():
                raise UnusableReplyError("no vectors", "a vector holds what is no number, or only zeros", "send")
        self._matched = True
        rows = np.stack(vectors).astype(np.float64)
        return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)
