"""Ollama's own API. It is used because Ollama's OpenAI-compatible API ignores the context size and `keep_alive`.

What belongs here: the bodies of requests and the reading of replies. What does not: sending (guarded_http), retries and limits
(endpoint), and the content of requests.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from resources.endpoints.failure_kinds import FailureRule
from resources.endpoints.llm import (
    ModelReply,
    OutputMode,
    Schema,
    Tokens,
    Turn,
    UnusableReplyError,
    described,
    error_text,
)
from resources.models.float_arrays import Float32Array
from resources.models.openai_api import check_ending, vector

DEFAULT_URL = "http://127.0.0.1:11434"


class OllamaChat:
    """Requests to `/api/chat`, without streaming."""

    path = "/api/chat"

    def __init__(
        self,
        model: str,
        options: Mapping[str, Any],
        speed: Mapping[str, Any],
        keep_alive: float | str,
        context_tokens: int,
    ) -> None:
        """options: the server's options that may change answers. speed: those that change only how fast answers come.

        keep_alive: how long the model stays loaded. context_tokens: the context size to load the model with.
        """
        self._model = model
        self._options = {"num_ctx": context_tokens, **options, **speed}
        self._keep_alive = keep_alive

    def body(
        self, turns: Sequence[Turn], schema: Schema | None, output_mode: OutputMode, max_output_tokens: int
    ) -> dict[str, Any]:
        """See ChatApi."""
        body: dict[str, Any] = {
            "model": self._model,
            "messages": described(turns),
            "stream": False,
            # If the prompt or the answer does not fit, the server must report an error and not cut it off silently.
            "truncate": False,
            "shift": False,
            "keep_alive": self._keep_alive,
            "options": {"num_predict": max_output_tokens, **self._options},
        }
        if schema is not None and output_mode != "prompt":
            body["format"] = schema.json if output_mode == "json_schema" else "json"
        return body

    def read(self, reply: Any) -> ModelReply:
        """See ChatApi."""
        message = reply.get("message") if isinstance(reply, dict) else None
        if not isinstance(message, dict):
            raise UnusableReplyError("no message", _error_in(reply), "send")
        ended = check_ending(reply.get("done_reason"))
        text = message.get("content")
        if not isinstance(text, str) or not text.strip():
            raise UnusableReplyError("empty answer", "the message has no text", "correct")
        return ModelReply(text, str(reply.get("model") or ""), _tokens(reply), ended)

    def adapts(self, refusal: FailureRule, refused: Mapping[str, Any]) -> bool:
        """See ChatApi. Ollama's parameters have only one name each."""
        return False


class OllamaEmbeddings:
    """Requests to `/api/embed`."""

    path = "/api/embed"

    def __init__(
        self, model: str, options: Mapping[str, Any], speed: Mapping[str, Any], keep_alive: float | str
    ) -> None:
        self._model = model
        self._options = {**options, **speed}
        self._keep_alive = keep_alive

    def body(self, texts: Sequence[str]) -> dict[str, Any]:
        """See EmbeddingApi. If a text is too long for the model, the server must report an error and not cut it off silently."""
        return {
            "model": self._model,
            "input": list(texts),
            "truncate": False,
            "keep_alive": self._keep_alive,
            "options": self._options,
        }

    def adapts(self, refusal: FailureRule, refused: Mapping[str, Any]) -> bool:
        """See EmbeddingApi. Ollama's parameters have only one name each."""
        return False

    def read(self, reply: Any) -> tuple[list[Float32Array], Tokens | None]:
        """See EmbeddingApi."""
        vectors = reply.get("embeddings") if isinstance(reply, dict) else None
        if not isinstance(vectors, list):
            raise UnusableReplyError("no vectors", _error_in(reply), "send")
        return [vector(numbers) for numbers in vectors], _tokens(reply)


def _error_in(reply: Any) -> str:
    words = reply.get("error") if isinstance(reply, dict) else None
    return error_text(str(words)) if words else "the reply is not one of Ollama's"


def _tokens(reply: Mapping[str, Any]) -> Tokens | None:
    asked, answered = reply.get("prompt_eval_count"), reply.get("eval_count")
    if not isinstance(asked, int):
        return None
    return Tokens(asked, answered if isinstance(answered, int) else 0)
