"""A chat model at one endpoint: what requests of all providers have in common.

The formats of requests and replies are in `openai_api` and `ollama_api`, HTTP is in `endpoint`, prompts are in `seed_assets`.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol

from io_managers.store.fingerprint import Part
from resources.endpoints.endpoint_errors import AttemptError
from resources.endpoints.failure_kinds import FailureRule
from resources.endpoints.llm import (
    OUTPUT_MODES,
    ModelReply,
    OutputMode,
    PermanentLLMError,
    RequestCosts,
    Schema,
    Tokens,
    Turn,
    UnusableReplyError,
)
from resources.endpoints.model_request import ModelRequest, ParsedReply
from resources.models.prompt_counts import PromptCounts
from resources.models.tokens import at_most_tokens

if TYPE_CHECKING:
    # Workers of texts import this module for its types, and the settings of an endpoint would take a third of their start.
    from resources.endpoints.endpoint import Endpoint

# The tokens that roles and separators take per message (a judgement, on the high side).
_TOKENS_A_TURN = 8
# A short request that shows at almost no cost whether a server answers at all.
_HARMLESS = (Turn("user", "Answer with the word yes."),)
_HARMLESS_TOKENS = 16


class ChatApi(Protocol):
    """The format of one provider's chat requests."""

    path: str

    def body(
        self, turns: Sequence[Turn], schema: Schema | None, output_mode: OutputMode, max_output_tokens: int
    ) -> dict[str, Any]:
        """The JSON of a request. schema: the schema of the answer, or None for free text."""
        ...

    def read(self, reply: Any) -> ModelReply:
        """Parse a reply. Raises UnusableReplyError."""
        ...

    def adapts(self, refusal: FailureRule, refused: Mapping[str, Any]) -> bool:
        """Adapt to a refusal, for the rest of the process. True if the next body differs from the refused one."""
        ...


class ChatModel:
    """A model with its parameters. output_mode: the output mode that the server accepts, found out once per process."""

    def __init__(
        self,
        endpoint: "Endpoint",
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
        self.output_mode: OutputMode = OUTPUT_MODES[0]
        self._counts = PromptCounts()

    async def send(
        self,
        turns: Sequence[Turn],
        schema: Schema | None,
        output_mode: OutputMode,
        costs: RequestCosts,
        read: Callable[[ModelReply], Any],
        question: object = None,
    ) -> Any:
        """Send messages and return what `read` makes of the reply. question: identifies what is asked; see ModelRequest.

        Raises the errors of Endpoint.ask; `read` may raise UnusableReplyError.
        """
        prompt = "\n".join(turn.text for turn in turns)
        while True:
            request = ModelRequest(
                self.api.path,
                self.api.body(turns, schema, output_mode, self.max_output_tokens),
                lambda: self.most_tokens(turns, schema),
                self.api.body(_HARMLESS, None, OUTPUT_MODES[-1], _HARMLESS_TOKENS),
                question,
                final=schema is None or output_mode == OUTPUT_MODES[-1],
            )
            self._counts.note(prompt)
            try:
                return (await self.endpoint.ask(request, costs, partial(self._read, request, prompt, read))).value
            except PermanentLLMError as error:
                refused = error.__cause__
                if not isinstance(refused, AttemptError) or not self.api.adapts(refused.rule, request.body):
                    raise

    def _read(self, request: ModelRequest, prompt: str, read: Callable[[ModelReply], Any], body: Any) -> ParsedReply:
        reply = self.api.read(body)
        # Only the first attempt is checked, since later ones may find its prompt in the server's cache.
        if reply.tokens is not None and request.sent == 1:
            counted = reply.tokens.input + reply.cached_tokens
            if least := self._counts.shortfall(prompt, counted):
                raise UnusableReplyError(
                    "read in part",
                    f"the server counts {counted:,} tokens in a text that has at least {least:,}, so it read only a part",
                    "no",
                )
        return ParsedReply(read(reply), reply.tokens)

    def most_tokens(self, turns: Sequence[Turn], schema: Schema | None = None) -> Tokens:
        """The most tokens that a request can use. Servers count a schema in the request as well."""
        asked = sum(at_most_tokens(turn.text) + _TOKENS_A_TURN for turn in turns)
        asked += at_most_tokens(json.dumps(schema.json)) if schema else 0
        return Tokens(asked, self.max_output_tokens)
