"""OpenAI's API, which OpenAI, Azure, vLLM, LM Studio, OpenRouter and many others offer.

What belongs here: the bodies of requests, the reading of replies, and sending through the `openai` package (which sets headers
and knows the default address). What does not: retries and limits (endpoint), and the content of requests.
"""

import base64
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import msgspec

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

if TYPE_CHECKING:
    import httpx2
    from openai._types import RequestOptions

# Bodies are encoded here, since the package takes 0.1 ms longer to do it.
_AS_JSON: "RequestOptions" = {"headers": {"Content-Type": "application/json"}}

_TEXTS = ("text", "output_text")
_LIMIT_NAMES = ("max_tokens", "max_completion_tokens")


# How servers and the gateways before them say why an answer ended, in lower case.
_ENDED = frozenset({"stop", "stop_sequence", "end_turn", "eos", "eos_token", "complete", "completed", "done", "finish"})
_CUT = frozenset(
    {"length", "max_tokens", "max_output_tokens", "max_length", "model_length", "model_context_window_exceeded"}
)
_FILTERED = frozenset(
    {
        "content_filter",
        "content_filtered",
        "safety",
        "recitation",
        "refusal",
        "sensitive",
        "prohibited_content",
        "blocklist",
        "spii",
        "guardrail_intervened",
        "error_toxic",
    }
)
_BROKEN_OFF = frozenset(
    {
        "error",
        "abort",
        "aborted",
        "cancelled",
        "canceled",
        "timeout",
        "network_error",
        "insufficient_system_resource",
        "engine_overloaded",
        "malformed_response",
        "malformed_function_call",
    }
)


class OpenAISender:
    """Sends with the `openai` package, without the package's own retries and without its error classes."""

    def __init__(self, client: "httpx2.AsyncClient", base_url: str, api_key: str) -> None:
        """base_url: the server's address; "" for the package's default."""
        import httpx2
        import openai

        # The package would append the path after the query string.
        address, _, query = base_url.partition("?")
        self._openai = openai.AsyncOpenAI(
            # Servers without keys accept any text, but the package needs one.
            api_key=api_key or "none",
            base_url=address or None,
            default_query=dict(httpx2.QueryParams(query)),
            http_client=client,
            max_retries=0,
            # With None the package would read them from the environment of this process.
            organization="",
            project="",
        )

    async def post(self, path: str, body: Mapping[str, Any]) -> "httpx2.Response":
        """Send a body and return the whole reply, with any status. Raises errors of httpx2, and those of the client's guards."""
        import httpx2
        import openai

        try:
            return await self._openai.post(
                path, cast_to=httpx2.Response, content=msgspec.json.encode(body), options=_AS_JSON
            )
        except openai.APIStatusError as error:
            return error.response
        except openai.APIConnectionError as error:
            cause = error.__cause__ or error
        raise cause


class OpenAIChat:
    """Chat completions."""

    path = "/chat/completions"

    def __init__(self, model: str, parameters: Mapping[str, Any], *, own_address: bool) -> None:
        """parameters: sent unchanged, even if this project does not know them. own_address: whether it is not OpenAI's server."""
        self._model = model
        self._parameters = dict(parameters)
        # OpenAI's newer models refuse the old name, and many other servers ignore the new one.
        self._limit_name = "max_tokens" if own_address else "max_completion_tokens"
        self._refused_names: set[str] = set()

    def body(
        self, turns: Sequence[Turn], schema: Schema | None, output_mode: OutputMode, max_output_tokens: int
    ) -> dict[str, Any]:
        """See ChatApi."""
        body: dict[str, Any] = {"model": self._model, "messages": described(turns)}
        if not self._parameters.keys() & set(_LIMIT_NAMES):
            body[self._limit_name] = max_output_tokens
        if schema is not None and output_mode == "json_schema":
            described_schema = {"name": schema.name, "strict": True, "schema": schema.json}
            body["response_format"] = {"type": "json_schema", "json_schema": described_schema}
        elif schema is not None and output_mode == "json_object":
            body["response_format"] = {"type": "json_object"}
        return body | self._parameters

    def read(self, reply: Any) -> ModelReply:
        """See ChatApi."""
        reply = _object(reply)
        choices = reply.get("choices")
        if not isinstance(choices, list) or not choices or not isinstance(choices[0], dict):
            words = reply.get("error")
            raise UnusableReplyError(
                "no choices", error_text(str(words)) if words else "the reply has no choices", "send"
            )
        choice: dict[str, Any] = choices[0]
        message = choice.get("message")
        message = message if isinstance(message, dict) else {}
        ended = check_ending(choice.get("finish_reason"), message.get("refusal"))
        usage = reply.get("usage")
        return ModelReply(
            _text(message.get("content")), str(reply.get("model") or ""), _tokens(usage), ended, cached_tokens(usage)
        )

    def adapts(self, refusal: FailureRule, refused: Mapping[str, Any]) -> bool:
        """See ChatApi. The parameter for the longest answer has two names, and many servers accept only one of them."""
        name = next((name for name in _LIMIT_NAMES if name in refused), "")
        if refusal.first_step != "other parameter name" or not name or name in self._parameters:
            return False
        self._refused_names.add(name)
        others = [other for other in _LIMIT_NAMES if other not in self._refused_names]
        if others:
            self._limit_name = others[0]
        return bool(others)


class OpenAIEmbeddings:
    """Requests for embeddings."""

    path = "/embeddings"

    def __init__(self, model: str, parameters: Mapping[str, Any]) -> None:
        self._model = model
        self._parameters = dict(parameters)
        self._form = {"encoding_format": "float"}

    def body(self, texts: Sequence[str]) -> dict[str, Any]:
        """See EmbeddingApi."""
        return {"model": self._model, "input": list(texts), **self._form} | self._parameters

    def adapts(self, refusal: FailureRule, refused: Mapping[str, Any]) -> bool:
        """See EmbeddingApi. Servers that do not know `encoding_format` send lists of numbers in any case."""
        if (
            refusal.first_step != "omit parameter"
            or "encoding_format" not in refused
            or "encoding_format" in self._parameters
        ):
            return False
        self._form = {}
        return True

    def read(self, reply: Any) -> tuple[list[Float32Array], Tokens | None]:
        """See EmbeddingApi. Servers may answer in any order, as lists of numbers or as base64 of float32."""
        reply = _object(reply)
        items = reply.get("data")
        if not isinstance(items, list):
            raise UnusableReplyError("no vectors", "the reply has no data", "send")
        places = [item.get("index", place) if isinstance(item, dict) else None for place, item in enumerate(items)]
        if sorted(map(str, places)) != sorted(map(str, range(len(items)))):
            raise UnusableReplyError("no vectors", "the indexes of the vectors are not 0, 1, 2, ...", "send")
        ordered = sorted(zip(places, items, strict=True), key=lambda pair: int(pair[0] or 0))
        return [vector(item.get("embedding")) for _, item in ordered], _tokens(reply.get("usage"))


def check_ending(reason: Any, refusal: Any = None) -> bool:
    """Whether the server says that an answer is complete. Raises UnusableReplyError if it was cut off, filtered or refused.

    The result is False if the server gives no reason, or an unknown one; some servers give none with complete answers.
    """
    if refusal:
        raise UnusableReplyError("refusal", error_text(str(refusal)), "no")
    name = str(reason or "").lower().rpartition(".")[2]
    if name in _FILTERED:
        raise UnusableReplyError("content filter", f"the server's content filter stopped the answer ({reason})", "no")
    if name in _CUT:
        raise UnusableReplyError("cut off", "the answer was cut off at its greatest length", "correct")
    if name in _BROKEN_OFF:
        raise UnusableReplyError("broken off", f"the server broke the answer off ({reason})", "send")
    return name in _ENDED


def cached_tokens(usage: Any) -> int:
    """Return the number of prompt tokens that the server read from a cache, and may have left out of its count."""
    if not isinstance(usage, dict):
        return 0
    details = usage.get("prompt_tokens_details")
    counts = [details.get("cached_tokens") if isinstance(details, dict) else 0]
    counts += [
        usage.get(name)
        for name in ("cache_read_input_tokens", "cache_creation_input_tokens", "prompt_cache_hit_tokens")
    ]
    return sum(count for count in counts if isinstance(count, int) and count > 0)


def vector(numbers: Any) -> Float32Array:
    """Decode one vector: a list of numbers, or base64 of float32. Raises UnusableReplyError if it is neither."""
    import numpy as np

    try:
        if isinstance(numbers, str):
            return np.frombuffer(base64.b64decode(numbers, validate=True), "<f4").astype(np.float32)
        return np.array(numbers, dtype=np.float64).astype(np.float32)
    except (ValueError, TypeError) as error:
        raise UnusableReplyError("no vectors", f"a vector is not made of numbers: {error}", "send") from error


def _object(reply: Any) -> dict[str, Any]:
    if not isinstance(reply, dict):
        raise UnusableReplyError("no object", f"the reply is a JSON {type(reply).__name__}", "send")
    return reply


def _text(content: Any) -> str:
    """Return the text of a message, which is a string or a list of parts: some are text, others the model's reasoning."""
    if isinstance(content, list):
        parts = [part for part in content if isinstance(part, dict) and part.get("type", "text") in _TEXTS]
        content = "".join(str(part.get("text") or "") for part in parts)
    if not isinstance(content, str) or not content.strip():
        raise UnusableReplyError("empty answer", "the message has no text", "correct")
    return content


def _tokens(usage: Any) -> Tokens | None:
    if not isinstance(usage, dict) or not isinstance(usage.get("prompt_tokens"), int):
        return None
    answered = usage.get("completion_tokens")
    return Tokens(usage["prompt_tokens"], answered if isinstance(answered, int) else 0)
