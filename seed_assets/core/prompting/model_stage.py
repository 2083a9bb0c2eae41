"""The base class of everything that asks a model with a prompt of its own: summarizers, concept extractor, judge, revisers.

What belongs here: their prompt, their part of the action key, their endpoint, and what a request costs. What does not: the
questions and the use of the answers, and how an answer gets its shape (structured_output).
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar, Self, TypeVar

from io_managers.store.fingerprint import Part
from resources.endpoints.endpoint import Endpoint
from resources.endpoints.llm import Tokens, Turn, Usage
from resources.models.chat_model import ChatModel
from resources.models.tokens import usual_tokens
from seed_assets.core.prompting.prompts import Prompt, load_prompt
from seed_assets.core.prompting.shown_examples import NO_EXAMPLES, ShownExamples
from seed_assets.memo.reuse import Reuse

if TYPE_CHECKING:
    from seed_assets.core.prompting.structured_output import UsersCheck

# An estimate assumes at least so much room for a document, however small the model's context is; chosen by judgement.
_LEAST_ROOM_TOKENS = 256

T = TypeVar("T")


def _none() -> int:
    return 0


@dataclass(frozen=True)
class ModelStage(ABC):
    """Asks a model. Subclasses are frozen dataclasses too, without slots, because the prompt is cached on the instance.

    model: the model that is asked.
    role: the name of this class among the parts of a key.
    prompt_name: the name of its files in seed_assets/prompts, which include a schema.
    version: the version of what the class does with answers; raise it when the same answers give other results.
    changes: a sentence on what changed with each version after the first; see RecordsChanges.
    examples: what the model is shown before each question. They are an input of a stage, and not a part of the identity.
    example_tokens: says how many tokens they can have in one request, for estimates.
    """

    model: ChatModel
    examples: ShownExamples = field(default=NO_EXAMPLES, kw_only=True)
    example_tokens: Callable[[], int] = field(default=_none, kw_only=True, compare=False, repr=False)

    role: ClassVar[str]
    prompt_name: ClassVar[str]
    version: ClassVar[str] = "1"
    changes: ClassVar[Mapping[str, str]] = {}

    @property
    @abstractmethod
    def parameters(self) -> Mapping[str, Part]:
        """Everything that decides a result besides the model, the prompts and the size of the context."""

    @cached_property
    def prompt(self) -> Prompt:
        """The prompt of this class, read from its files once, with the examples."""
        return load_prompt(self.prompt_name).showing(self.examples)

    def showing(self, examples: ShownExamples) -> Self:
        """Return the same with examples that the model is shown before each question."""
        return replace(self, examples=examples)

    @property
    def identity(self) -> Mapping[str, Part]:
        """Everything that decides a result: the parameters, the prompts, the model and the size of its context."""
        return {
            self.role: "model",
            "version": self.version,
            **self.parameters,
            "prompt": self.prompt.digest,
            "model": dict(self.model.identity),
            "context_tokens": self.model.context_tokens,
        }

    @property
    def prompt_texts(self) -> Mapping[str, bytes]:
        """The files of the prompt by the digest in the identity; see OfPrompts."""
        return {self.prompt.digest: self.prompt.data}

    @property
    def endpoint(self) -> Endpoint:
        """The endpoint that the model is asked at."""
        return self.model.endpoint

    async def ask(
        self, turns: Sequence[Turn], check: Callable[[Any], T], reuse: Reuse, users: "UsersCheck | None" = None
    ) -> T:
        """Ask the model and return the result of `check` for its answer; see `ask` and `ask_checked`."""
        from seed_assets.core.prompting.structured_output import ask, ask_checked

        schema = self.prompt.schema
        assert schema is not None
        if users is not None:
            return await ask_checked(self.model, turns, schema, check, users, reuse)
        return await ask(self.model, turns, schema, check, reuse)

    def answered_on(self, turns: Sequence[Turn], reuse: Reuse) -> str:
        """Return the day (UTC, as 2026-01-31) on which these turns were first answered, even if the answer was reused."""
        from seed_assets.core.prompting.structured_output import request_action

        assert self.prompt.schema is not None
        return reuse.day_of(request_action(self.model, turns, self.prompt.schema))

    def charge(self, requests: int, tokens: Tokens) -> Usage:
        """Return the usage of `requests` requests with `tokens` tokens in all; without a price they count as unpriced."""
        usd = self.model.endpoint.price.usd(tokens)
        name = str(self.model.identity["model"])
        return Usage(requests, tokens.input, tokens.output, usd or 0.0, requests if usd is None else 0, name)

    def estimated(self, characters: int, answer_tokens: int, which: str = "whole") -> Usage:
        """Estimate the cost of asking about a document of `characters`.

        A document that does not fit into one request is asked about in parts, and one more request combines their answers.

        answer_tokens: the usual length of one answer.
        which: the name of the prompt text that asks about a whole document.
        """
        around = usual_tokens(len(self.prompt.texts["system"]) + len(self.prompt.texts[which])) + self.example_tokens()
        room = max(_LEAST_ROOM_TOKENS, self.model.context_tokens - self.model.max_output_tokens - around)
        text_tokens = usual_tokens(characters)
        parts = -(-text_tokens // room)
        requests = 1 if parts == 1 else parts + 1
        asked = text_tokens + requests * around + (requests > 1) * parts * answer_tokens
        return self.charge(requests, Tokens(asked, requests * answer_tokens))
