"""What all that ask a model with one prompt of their own have in common: summarizer, concept extractor, judge, writer.

What belongs here: their prompt, their part of the action key, whom they ask, what asking costs. What does not: what they
ask and make of the answer, and how an answer gets its shape (structured_output).
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar, TypeVar

from io_managers.store.fingerprint import Part
from resources.chat_model import ChatModel
from resources.endpoint import Endpoint
from resources.llm import Tokens, Turn
from resources.tokens import usual_tokens
from seed_assets.core.prompts import Prompt, load_prompt
from seed_assets.core.structured_output import ask
from seed_assets.reuse import Reuse, Usage

_LEAST_ROOM_TOKENS = 256

T = TypeVar("T")


@dataclass(frozen=True)
class ModelStage(ABC):
    """Asks a model. A subclass is a frozen dataclass too, and without slots, since its prompt is read once.

    role: its name among the parts of a key. prompt_name: of its files in seed_assets/prompts, a schema among them.
    version: of what it does with answers, beside its prompts.
    """

    model: ChatModel

    role: ClassVar[str]
    prompt_name: ClassVar[str]
    version: ClassVar[str] = "1"

    @property
    @abstractmethod
    def parameters(self) -> Mapping[str, Part]:
        """What else decides a result: everything but the model, the prompts and how much fits into a request."""

    @cached_property
    def prompt(self) -> Prompt:
        """How it asks."""
        return load_prompt(self.prompt_name)

    @property
    def identity(self) -> Mapping[str, Part]:
        """Everything that decides a result: the parameters, the prompts, the model, how much fits into a request."""
        return {
            self.role: "model",
            "version": self.version,
            **self.parameters,
            "prompt": self.prompt.digest,
            "model": dict(self.model.identity),
            "context_tokens": self.model.context_tokens,
        }

    @property
    def endpoint(self) -> Endpoint:
        """Whom it asks."""
        return self.model.endpoint

    async def ask(self, turns: Sequence[Turn], check: Callable[[Any], T], reuse: Reuse) -> T:
        """What `check` makes of an answer of the prompt's schema; see structured_output.ask."""
        assert self.prompt.schema is not None
        return await ask(self.model, turns, self.prompt.schema, check, reuse)

    def charge(self, requests: int, tokens: Tokens) -> Usage:
        """What so many requests, of so many tokens in all, are charged."""
        usd = self.model.endpoint.price.usd(tokens)
        name = str(self.model.identity["model"])
        return Usage(requests, tokens.input, tokens.output, usd or 0.0, requests if usd is None else 0, name)

    def estimated(self, characters: int, answer_tokens: int, which: str = "whole") -> Usage:
        """What asking about a document of so many characters will cost, about; `which` of the prompts asks about it whole.

        One that does not fit is asked about in parts, whose answers go into one more request.
        """
        around = usual_tokens(len(self.prompt.texts["system"]) + len(self.prompt.texts[which]))
        room = max(_LEAST_ROOM_TOKENS, self.model.context_tokens - self.model.max_output_tokens - around)
        text_tokens = usual_tokens(characters)
        parts = -(-text_tokens // room)
        requests = 1 if parts == 1 else parts + 1
        asked = text_tokens + requests * around + (requests > 1) * parts * answer_tokens
        return self.charge(requests, Tokens(asked, requests * answer_tokens))
