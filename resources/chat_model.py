"""One model at one endpoint, asked for text.

What belongs here: what all providers share in asking. What does not: their bodies and replies (openai_api, ollama_api),
HTTP (endpoint), prompts and what an answer must say (seed_assets.core).
"""

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

from io_managers.store.fingerprint import Part
from resources.endpoint import Answer, Endpoint
from resources.llm import RUNGS, Payer, Reply, Rung, Schema, Tokens, Turn
from resources.tokens import at_most_tokens

# What roles and separators cost a server's tokenizer, for each message.
_TOKENS_A_TURN = 8


class ChatApi(Protocol):
    """How one provider is asked for text."""

    path: str

    def body(self, turns: Sequence[Turn], schema: Schema | None, rung: Rung, max_output_tokens: int) -> dict[str, Any]:
        """The request."""
        ...

    def read(self, reply: Any) -> Reply:
        """What was answered. Raises UnusableReplyError."""
        ...

    def refuses_format(self, message: str) -> bool:
        """Whether a refusal is of the way a structured answer was asked for."""
        ...


class ChatModel:
    """A model and its parameters. rung: how a structured answer is asked for; found out once a process."""

    def __init__(
        self,
        endpoint: Endpoint,
        api: ChatApi,
        identity: Mapping[str, Part],
        *,
        context_tokens: int,
        max_output_tokens: int,
    ) -> None:
        self.endpoint = endpoint
        self.api = api
        self.identity = identity
        self.context_tokens = context_tokens
        self.max_output_tokens = max_output_tokens
        self.rung: Rung = RUNGS[0]

    async def send(
        self, turns: Sequence[Turn], schema: Schema | None, rung: Rung, payer: Payer, read: Callable[[Reply], Any]
    ) -> Any:
        """What `read` makes of the reply. Raises as Endpoint.ask; `read` may raise UnusableReplyError."""

        def read_reply(body: Any) -> Answer:
            reply = self.api.read(body)
            return Answer(read(reply), reply.tokens)

        body = self.api.body(turns, schema, rung, self.max_output_tokens)
        answer = await self.endpoint.ask(
            self.api.path, body, lambda: self.most_tokens(turns, schema), payer, read_reply
        )
        return answer.value

    def most_tokens(self, turns: Sequence[Turn], schema: Schema | None = None) -> Tokens:
        """The most that a request can come to; servers that are sent a schema count it as well."""
        asked = sum(at_most_tokens(turn.text) + _TOKENS_A_TURN for turn in turns)
        asked += at_most_tokens(json.dumps(schema.json)) if schema else 0
        return Tokens(asked, self.max_output_tokens)
