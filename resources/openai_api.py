"""OpenAI's API, as OpenAI, Azure, vLLM, LM Studio, OpenRouter and many others speak it.

What belongs here: bodies, replies, and sending through the `openai` package (which sets headers and knows the default
address). What does not: retries and limits (endpoint), and what is asked.
"""

import base64
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from resources.llm import Reply, Rung, Schema, Tokens, Turn, UnusableReplyError, described, error_text

if TYPE_CHECKING:
    import httpx2
    from openai._types import RequestOptions

# Encoded here, since the package takes a tenth of a millisecond longer for it.
_AS_JSON: "RequestOptions" = {"headers": {"Content-Type": "application/json"}}

# What servers call the thing when they do not know it.
_FORMAT_WORDS = ("response_format", "json_schema", "json_object", "schema", "structured", "grammar", "guided")
_NO_FORMAT = ("context length", "context window", "too long", "maximum context", "too many tokens")


class OpenAISender:
    """Sends with the `openai` package, whose own retries are off; of its errors it takes out what they are about."""

    def __init__(self, client: "httpx2.AsyncClient", base_url: str, api_key: str) -> None:
        """base_url: "" for the package's own."""
        import httpx2
        import openai

        # The package would put the path behind what follows a question mark.
        address, _, query = base_url.partition("?")
        self._openai = openai.AsyncOpenAI(
            # Servers without keys take any.
            api_key=api_key or "none",
            base_url=address or None,
            default_query=dict(httpx2.QueryParams(query)),
            http_client=client,
            max_retries=0,
            # None would let the package look into the environment of whoever runs this.
            organization="",
            project="",
        )

    async def post(self, path: str, body: Mapping[str, Any]) -> "httpx2.Response":
        """The whole reply, whatever its status. Raises errors of httpx2, and what the client's guards raise."""
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
    """Chat completions. parameters: sent as they are, whether or not anybody here knows them."""

    path = "/chat/completions"

    def __init__(self, model: str, parameters: Mapping[str, Any], *, own_address: bool) -> None:
        """own_address: whether another server than OpenAI's is asked."""
        self._model = model
        self._parameters = dict(parameters)
        # OpenAI's newer models refuse the old name, many other servers ignore the new one.
        self._limit_name = "max_tokens" if own_address else "max_completion_tokens"

    def body(self, turns: Sequence[Turn], schema: Schema | None, rung: Rung, max_output_tokens: int) -> dict[str, Any]:
        """See ChatApi."""
        body: dict[str, Any] = {"model": self._model, "messages": described(turns)}
        if not {"max_tokens", "max_completion_tokens"} & self._parameters.keys():
            body[self._limit_name] = max_output_tokens
        if schema is not None and rung == "json_schema":
            described_schema = {"name": schema.name, "strict": True, "schema": schema.json}
            body["response_format"] = {"type": "json_schema", "json_schema": described_schema}
        elif schema is not None and rung == "json_object":
            body["response_format"] = {"type": "json_object"}
        return body | self._parameters

    def read(self, reply: Any) -> Reply:
        """See ChatApi."""
        reply = _object(reply)
        choices = reply.get("choices")
        if not isinstance(choices, list) or not choices or not isinstance(choices[0], dict):
            told = reply.get("error")
            raise UnusableReplyError(
                "no choices", error_text(str(told)) if told else "the reply has no choices", "send"
            )
        choice: dict[str, Any] = choices[0]
        message = choice.get("message")
        message = message if isinstance(message, dict) else {}
        check_ending(str(choice.get("finish_reason") or ""), message.get("refusal"))
        return Reply(_text(message.get("content")), str(reply.get("model") or ""), _tokens(reply.get("usage")))

    def refuses_format(self, message: str) -> bool:
        """See ChatApi."""
        return refuses_format(message)


class OpenAIEmbeddings:
    """Embeddings."""

    path = "/embeddings"

    def __init__(self, model: str, parameters: Mapping[str, Any]) -> None:
        self._model = model
        self._parameters = dict(parameters)

    def body(self, texts: Sequence[str]) -> dict[str, Any]:
        """See EmbeddingApi."""
        return {"model": self._model, "input": list(texts), "encoding_format": "float"} | self._parameters

    def read(self, reply: Any) -> tuple[list[NDArray[np.float32]], Tokens | None]:
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


def check_ending(reason: str, refusal: Any = None) -> None:
    """Raise UnusableReplyError where an answer is not whole, or is none."""
    if refusal:
        raise UnusableReplyError("refusal", error_text(str(refusal)), "no")
    if reason == "content_filter":
        raise UnusableReplyError("content filter", "the server's content filter stopped the answer", "no")
    if reason == "length":
        raise UnusableReplyError("cut off", "the answer was cut off at its greatest length", "correct")


def refuses_format(message: str) -> bool:
    """Whether an error's words are of the format of answers; one without words may be."""
    words = message.lower()
    return any(word in words for word in _FORMAT_WORDS) and not any(word in words for word in _NO_FORMAT)


def vector(numbers: Any) -> NDArray[np.float32]:
    """One vector. Raises UnusableReplyError."""
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
    """The text of a message: a string, or parts of which some are text."""
    if isinstance(content, list):
        content = "".join(str(part.get("text") or "") for part in content if isinstance(part, dict))
    if not isinstance(content, str) or not content.strip():
        raise UnusableReplyError("empty answer", "the message has no text", "correct")
    return content


def _tokens(usage: Any) -> Tokens | None:
    if not isinstance(usage, dict) or not isinstance(usage.get("prompt_tokens"), int):
        return None
    answered = usage.get("completion_tokens")
    return Tokens(usage["prompt_tokens"], answered if isinstance(answered, int) else 0)
