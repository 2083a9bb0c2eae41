"""Asks the model of the settings with a prompt of a stage of the user, and returns answers of the shape that the stage declares.

This module reads the prompt and makes the schema. How requests are sent, limited, paid and stored is in core.prompting.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Generic, TypeVar

from pydantic import BaseModel, ValidationError

from io_managers.store.fingerprint import Part, content_digest
from io_managers.store.whole_files import open_regular
from resources.endpoints.llm import InvalidOutputError, Schema, Usage
from resources.errors import ConfigurationError, DocumentError
from resources.models.tokens import usual_tokens
from seed_assets.core.prompting.model_stage import ModelStage
from seed_assets.core.prompting.prompts import Prompt, load_prompt
from seed_assets.core.prompting.structured_output import UsersCheck
from seed_assets.core.prompting.users_models import refused_by_validators, validated
from seed_assets.core.text.text_parts import split_for_model
from seed_assets.core.text.text_work import TextWork
from seed_assets.memo.concurrently import all_of
from seed_assets.memo.reuse import Reuse
from seed_assets.own_stages.declared_resources import DeclaredResource, Making, NeedsModelError
from seed_assets.own_stages.stage_source import source_of

_AROUND = "own_stages"
_TEXT = "{text}"
_PLACE = re.compile(r"\{([a-z]+)\}")

A = TypeVar("A", bound=BaseModel)


@dataclass(frozen=True)
class PromptedModel(ModelStage, Generic[A]):
    """Asks a model about a text, and returns its answers as instances of a pydantic model.

    written: the prompt, with the schema of answers. shape: the class of an answer. answer_tokens: the usual length of one, for
    estimates. work: the workers that cut a text into parts. file: the file of the prompt.
    """

    written: Prompt
    shape: type[A]
    answer_tokens: int
    file: str = field(compare=False)
    work: TextWork | None = field(default=None, compare=False, repr=False)

    role = "asks"

    @property
    def prompt(self) -> Prompt:  # pyright: ignore[reportIncompatibleVariableOverride]
        """The prompt of the user's file, with the examples."""
        return self.written.showing(self.examples)

    @property
    def parameters(self) -> Mapping[str, Part]:
        """Nothing else decides an answer."""
        return {}

    @property
    def files(self) -> list[str]:
        """The file of the prompt; see OfFiles."""
        return [self.file]

    def estimate(self, characters: int) -> Usage:
        """Estimate the cost of asking about a document of `characters`; see Priced."""
        return self.estimated(characters, self.answer_tokens)

    async def answer(self, text: str, reuse: Reuse, **values: str | int) -> A:
        """Ask about a text that fits into one request.

        values: what the prompt has places for besides the text, by name. Raises DocumentError, also if the text is too long, and
        StoppedError and ConfigurationError, which the stage lets pass.
        """
        found = await self.answers(text, reuse, **values)
        if len(found) != 1:
            raise InvalidOutputError(
                f"it takes {len(found)} requests to show {self.model.endpoint.name} all of it, and its stage expects one answer.",
                "Raise `llm.context_tokens`, or let the stage use `answers`, which gives one for each part.",
            )
        return found[0]

    async def answers(self, text: str, reuse: Reuse, **values: str | int) -> list[A]:
        """Ask about each part of a text, in order; there is one if all of it fits into a request. The rest: see `answer`."""
        places = set(_PLACE.findall(self.prompt.texts["whole"]))
        if unknown := values.keys() - places:
            raise ConfigurationError(
                f"The prompt {self.file} has no place {{{min(unknown)}}}, for which its stage gives a value. Add it, or correct "
                "the name in the stage."
            )
        parts = await split_for_model(self.work, text, self.model, self.prompt.turns("whole", **values))
        turns = [self.prompt.turns("whole", text=part, **values) for part in parts]
        users = UsersCheck(self._validated, content_digest(source_of(self.shape, {self.shape.__module__}).encode()))
        found = await all_of(self.ask(one, self._of_shape, reuse, users) for one in turns)
        return [self._validated(one) for one in found]

    def _of_shape(self, found: Any) -> Any:
        """An answer that has the declared types, whatever validators say. Raises ValidationError."""
        try:
            self._validated(found)
        except DocumentError:  # raised again once the answer is kept
            pass
        except ValidationError as error:
            if not refused_by_validators(error):
                raise
        return found

    def _validated(self, found: Any) -> A:
        return validated(self.shape, found, strict=True)


@dataclass(frozen=True)
class Prompted(DeclaredResource):
    """Declares that a stage asks a model with a prompt.

    file: the prompt, relative to the module. `{text}` in it is where the text goes, between marks that the text cannot contain;
    every other name in braces is a place for a value that the stage gives. answers: the pydantic model of an answer, of which
    the model is shown the fields and their descriptions. model: another model than `llm.model`, at the same address.
    answer_tokens: the usual length of an answer, for estimates of costs.
    """

    file: str
    answers: type[BaseModel]
    model: str = ""
    answer_tokens: int = 100

    def made(self, making: Making) -> PromptedModel[Any]:
        """Read the prompt and make the resource; see DeclaredResource."""
        path = making.folder / self.file
        prompt = _read(path, making.stage, self.answers)
        if making.models is None:
            raise NeedsModelError(
                'it asks a model, and no model is set. Set llm.provider = "openai" or "ollama" with a model (docs/models.md)'
            )
        model = making.models.chat(self.model)
        needed, room = usual_tokens(len(prompt.texts["whole"])), model.context_tokens - model.max_output_tokens
        if needed > room:
            raise ConfigurationError(
                f"The prompt {path} of the stage {making.stage} takes about {needed:,} tokens, and the context of the model has "
                f"room for {room:,}. Shorten it, or raise `llm.context_tokens` if the model holds more."
            )
        return PromptedModel(model, prompt, self.answers, self.answer_tokens, str(path), making.work)


def _read(path: Path, stage: str, answers: type[BaseModel]) -> Prompt:
    try:
        with open_regular(path) as file:
            written = file.read().decode("utf-8-sig").strip()
    except (OSError, ValueError) as error:
        raise ConfigurationError(
            f"The prompt {path} of the stage {stage} cannot be read: {getattr(error, 'strerror', None) or error}. Put it beside "
            "the module, as text in UTF-8."
        ) from error
    if _TEXT not in written:
        raise ConfigurationError(
            f"The prompt {path} of the stage {stage} has no {_TEXT}: write it where the text of the document goes."
        )
    around = load_prompt(_AROUND)
    texts = {"system": around.texts["system"], "whole": written.replace(_TEXT, around.texts["material"])}
    if not (isinstance(answers, type) and issubclass(answers, BaseModel)):
        raise ConfigurationError(
            f"The stage {stage} declares {getattr(answers, '__name__', answers)} as the shape of its answers. Declare a pydantic "
            "model: a subclass of BaseModel."
        )
    schema = Schema("answer", _closed(answers.model_json_schema()))
    data = f"{texts['system']}\n\n{texts['whole']}\n\0{json.dumps(schema.json, indent=1)}\n".encode()
    return Prompt(stage, "", texts, schema, content_digest(data), data)


def _closed(schema: Any) -> Any:
    """The schema with all fields required and no others allowed, as servers that enforce a schema demand it."""
    if isinstance(schema, list):
        return [_closed(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    found = {name: _closed(part) for name, part in schema.items()}
    if isinstance(found.get("properties"), dict):
        found |= {"required": list(found["properties"]), "additionalProperties": False}
    return found
