"""Ollama's own API: its OpenAI-compatible one ignores how much context to hold and how long to stay loaded.

What belongs here: bodies and replies. What does not: sending (guarded_http), retries and limits (endpoint), and what is
asked.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from resources.llm import Reply, Rung, Schema, Tokens, Turn, UnusableReplyError, described, error_text
from resources.openai_api import check_ending, refuses_format, vector

DEFAULT_URL = "http://127.0.0.1:11434"


class OllamaChat:
    """`/api/chat`, whole replies. options: what the server calls by that name; speed: what changes no answer."""

    path = "/api/chat"

    def __init__(
        self, model: str, options: Mapping[str, Any], speed: Mapping[str, Any], keep_alive: str, context_tokens: int
    ) -> None:
        self._model = model
        self._options = {"num_ctx": context_tokens, **options, **speed}
        self._keep_alive = keep_alive

    def body(self, turns: Sequence[Turn], schema: Schema | None, rung: Rung, max_output_tokens: int) -> dict[str, Any]:
        """See ChatApi."""
        body: dict[str, Any] = {
            "model": self._model,
            "messages": described(turns),
            "stream": False,
            "keep_alive": self._keep_alive,
            "options": {"num_predict": max_output_tokens, **self._options},
        }
        if schema is not None and rung != "prompt":
            body["format"] = schema.json if rung == "json_schema" else "json"
        return body

    def read(self, reply: Any) -> Reply:
        """See ChatApi."""
        message = reply.get("message") if isinstance(reply, dict) else None
        if not isinstance(message, dict):
            raise UnusableReplyError("no message", _told(reply), "send")
        check_ending(str(reply.get("done_reason") or ""))
        text = message.get("content")
        if not isinstance(text, str) or not text.strip():
            raise UnusableReplyError("empty answer", "the message has no text", "correct")
        return Reply(text, str(reply.get("model") or ""), _tokens(reply))

    def refuses_format(self, message: str) -> bool:
        """See ChatApi."""
        return refuses_format(message) or "format" in message.lower()


class OllamaEmbeddings:
    """`/api/embed`."""

    path = "/api/embed"

    def __init__(self, model: str, options: Mapping[str, Any], speed: Mapping[str, Any], keep_alive: str) -> None:
        self._model = model
        self._options = {**options, **speed}
        self._keep_alive = keep_alive

    def body(self, texts: Sequence[str]) -> dict[str, Any]:
        """See EmbeddingApi. What is too long for the model is an error, not cut off in silence."""
        return {
            "model": self._model,
            "input": list(texts),
            "truncate": False,
            "keep_alive": self._keep_alive,
            "options": self._options,
        }

    def read(self, reply: Any) -> tuple[list[NDArray[np.float32]], Tokens | None]:
        """See EmbeddingApi."""
        vectors = reply.get("embeddings") if isinstance(reply, dict) else None
        if not isinstance(vectors, list):
            raise UnusableReplyError("no vectors", _told(reply), "send")
        return [vector(numbers) for numbers in vectors], _tokens(reply)


def _told(reply: Any) -> str:
    told = reply.get("error") if isinstance(reply, dict) else None
    return error_text(str(told)) if told else "the reply is not one of Ollama's"


def _tokens(reply: Mapping[str, Any]) -> Tokens | None:
    asked, answered = reply.get("prompt_eval_count"), reply.get("eval_count")
    if not isinstance(asked, int):
        return None
    return Tokens(asked, answered if isinstance(answered, int) else 0)
