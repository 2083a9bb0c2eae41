"""Structured output: requesting an answer of a given shape, checking it, and requesting it once more with the problem.

What belongs here: the output modes, checking answers, and making each request an action. What does not: finding the JSON in
an answer (json_answers), sending (resources.models.chat_model), and what an answer must contain (each stage).

There are three output modes. With `json_schema` the server enforces the schema, with `json_object`
it enforces JSON, and with `prompt` only the prompt asks for the shape. If a server refuses a mode, the next one is tried, and
the process remembers it. The mode is not part of the key: an answer is valid in whichever mode it was given.
"""

import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, TypeVar

import msgspec
from pydantic import ValidationError

from io_managers.plain_text import plain_values
from io_managers.store.fingerprint import Action, KeyTemplate, content_digest, encode_part
from resources.endpoints.endpoint_errors import AttemptError
from resources.endpoints.endpoint_health import HealthOutageCheck
from resources.endpoints.failure_rules import SERVER_FAULT
from resources.endpoints.llm import (
    OUTPUT_MODES,
    InvalidOutputError,
    ModelReply,
    OutputMode,
    PermanentLLMError,
    RequestCosts,
    Schema,
    TransientLLMError,
    Turn,
    UnusableReplyError,
    described,
)
from resources.errors import DocumentError
from resources.models.chat_model import ChatModel
from seed_assets.core.prompting.json_answers import read_json
from seed_assets.core.prompting.material import marks_in, without_marks
from seed_assets.core.prompting.prompts import load_prompt
from seed_assets.memo.reuse import Reuse

MODEL_REQUEST = "model_request"
_VERSION = "1"
# Both were chosen by judgement: a correction shows so many characters of the wrong answer, and names so many problems.
_SHOWN_CHARACTERS = 4_000
_PROBLEMS = 5

# Of a digest in the name of a schema, which servers limit to 64 characters.
_DIGEST_CHARACTERS = 12

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class UsersCheck:
    """What code of the user checks in answers.

    check: raises ValueError with the reason if the code refuses an answer, and DocumentError if the code itself fails. digest: of
    the code.
    """

    check: Callable[[Any], object]
    digest: str


class Answered(msgspec.Struct, frozen=True):
    """A valid answer.

    text: the answer as JSON.
    rung: the output mode in which it was given.
    model: the model's name as the server reports it.
    """

    text: str
    rung: OutputMode
    model: str = ""


async def ask(model: ChatModel, turns: Sequence[Turn], schema: Schema, check: Callable[[Any], T], reuse: Reuse) -> T:
    """Return the result of `check` for the model's answer; a request that was answered before is not sent again.

    check: takes the decoded JSON and raises ValueError (or pydantic's ValidationError) if it is wrong. The model is shown
        the message once, and may correct its answer. The result must depend only on the answer and the messages.

    Raises DocumentError, StoppedError or ConfigurationError.
    """

    async def compute(_: Sequence[Action], own: Reuse) -> list[tuple[Any, str]]:
        answer = await _Question(model, turns, schema, check, own.costs).answer()
        return [(answer, answer.rung)]

    (answered,) = await reuse.values([request_action(model, turns, schema)], compute, Answered)
    return check(msgspec.json.decode(answered.text))


async def ask_checked(
    model: ChatModel,
    turns: Sequence[Turn],
    schema: Schema,
    check: Callable[[Any], T],
    users: "UsersCheck",
    reuse: Reuse,
) -> T:
    """As `ask`, for an answer that code of the user may refuse besides: then it is asked for once more, with the reason.

    The first answer is kept whatever that code says, so that a change of the code asks again only where it refuses the answer.

    users: its ValueErrors are shown to the model. It is called with what `check` returns.
    """
    given: list[Any] = []

    def noted(found: Any) -> T:
        given[:] = [found]
        return check(found)

    first = await ask(model, turns, schema, noted, reuse)
    try:
        users.check(first)
        return first
    except ValueError as error:
        turns = _corrected(turns, msgspec.json.encode(given[0]).decode(), reason(error))

    failed: list[DocumentError] = []

    def checked(found: Any) -> T:
        result = check(found)
        try:
            users.check(result)
        except DocumentError as error:  # the answer is kept, as it may be right
            failed[:] = [error]
        return result

    # The name of a schema is in the key: another check asks again, whatever the earlier one made of the second answer.
    named = Schema(f"{schema.name}_{users.digest[-_DIGEST_CHARACTERS:]}", schema.json)
    second = await ask(model, turns, named, checked, reuse)
    if failed:
        raise failed[0]
    return second


def request_action(model: ChatModel, turns: Sequence[Turn], schema: Schema) -> Action:
    """Return the action of one request; its key covers everything that decides the answer."""
    # The messages are a digest in the key, because the store already holds the document's text.
    return _template(model).action(
        {
            "messages": content_digest(encode_part(described(turns))),
            "schema": content_digest(json.dumps([schema.name, schema.json]).encode()),
        }
    )


@lru_cache(maxsize=8)
def _template(model: ChatModel) -> KeyTemplate:
    fixed = {
        "version": _VERSION,
        "model": dict(model.identity),
        "structured_output": load_prompt("structured_output").digest,
    }
    return KeyTemplate(MODEL_REQUEST, fixed)


class _Question:
    """One request, sent in one or more output modes, and its correction."""

    def __init__(
        self, model: ChatModel, turns: Sequence[Turn], schema: Schema, check: Callable[[Any], Any], costs: RequestCosts
    ) -> None:
        self._model = model
        self._turns = list(turns)
        self._schema = schema
        self._check = check
        self._costs = costs
        self._text = ""
        self._began = time.monotonic()
        self._mark = object()  # identifies this question to the endpoint, which then need not keep its texts

    async def answer(self) -> Answered:
        """Return the valid answer. Raises what `ask` raises."""
        try:
            return await self._in_first_mode(self._turns)
        except UnusableReplyError as error:
            if error.again != "correct":
                raise self._unusable(error) from error
            turns = _corrected(self._turns, self._text, error.detail)
        try:
            return await self._in_first_mode(turns)
        except UnusableReplyError as error:
            raise self._unusable(error) from error

    async def _in_first_mode(self, turns: Sequence[Turn]) -> Answered:
        """Send the request in the strictest output mode that the server accepts. Raises UnusableReplyError."""
        for mode in OUTPUT_MODES[OUTPUT_MODES.index(self._model.output_mode) :]:
            try:
                answered = await self._model.send(
                    self._with_format(turns, mode), self._schema, mode, self._costs, self._reader(mode), self._mark
                )
            except PermanentLLMError as error:
                failed = error.__cause__
                if not isinstance(failed, AttemptError) or failed.rule.first_step != "next output mode":
                    raise
                if mode != OUTPUT_MODES[-1]:
                    continue
                if failed.status is not None and failed.status >= 500:
                    raise TransientLLMError(error.reason, SERVER_FAULT.remedy) from failed
                raise
            except UnusableReplyError:
                self._lower(mode)
                raise
            self._lower(mode)
            return answered
        raise AssertionError("the last output mode raises or returns")

    def _lower(self, mode: OutputMode) -> None:
        # The server accepts the mode in which it answered. A weaker mode that another request found meanwhile is kept.
        if OUTPUT_MODES.index(mode) > OUTPUT_MODES.index(self._model.output_mode):
            self._model.output_mode = mode

    def _with_format(self, turns: Sequence[Turn], mode: OutputMode) -> list[Turn]:
        """Return the turns with a description of the schema, unless the server enforces the schema."""
        if mode == "json_schema":
            return list(turns)
        described_format = load_prompt("structured_output").fill(
            "format", schema=json.dumps(self._schema.json, indent=1)
        )
        first = next(place for place, turn in enumerate(turns) if turn.role == "user")
        return [
            Turn(turn.role, f"{turn.text}\n\n{described_format}") if place == first else turn
            for place, turn in enumerate(turns)
        ]

    def _reader(self, mode: OutputMode) -> Callable[[ModelReply], Answered]:
        def answered(reply: ModelReply) -> Answered:
            self._text = reply.text
            answer = read_json(reply.text, self._fits, ended=reply.ended)
            try:
                msgspec.json.encode(answer)  # a value that the store cannot hold is refused before anything else
                found = plain_values(answer)
                self._check(found)
                text = msgspec.json.encode(found).decode()
            except (ValueError, RecursionError, OverflowError) as error:
                # The store cannot hold the value (it is nested too deeply or too large), or the stage refused it.
                outcome = "wrong shape" if isinstance(error, ValidationError) else "wrong answer"
                raise UnusableReplyError(outcome, reason(error), "correct") from error
            return Answered(text, mode, reply.model)

        return answered

    def _fits(self, found: Any) -> bool:
        try:
            self._check(found)
        except (ValueError, RecursionError, OverflowError):
            return False
        return True

    def _unusable(self, error: UnusableReplyError) -> InvalidOutputError:
        """Return the error for a question that got no usable answer."""
        endpoint = self._model.endpoint
        remedy = "It is not asked again until the document, the prompt or the model changes, or with --retry-failed."
        verb, outage_check = "gave no usable answer", None
        if error.outcome == "read in part":
            remedy = (
                "Set `llm.context_tokens` to what the server really holds, so that longer documents are read in parts, or let "
                "the server hold more."
            )
        elif error.again == "no":
            verb = "refused to answer"
        else:
            remedy += " A larger `llm.max_output_tokens` or a stronger model may help."
            outage_check = HealthOutageCheck(endpoint.health, self._mark, self._began, time.monotonic())
        return InvalidOutputError(
            f"{endpoint.name} {verb}: {error.outcome}, {error.detail}.",
            remedy,
            settings=endpoint.settings.shape,
            outage_check=outage_check,
        )


def reason(error: BaseException) -> str:
    """Return what is wrong with an answer, in words for the model."""
    if not isinstance(error, ValidationError):
        return str(error)
    found = [f"{'.'.join(map(str, problem['loc'])) or 'the answer'}: {problem['msg']}" for problem in error.errors()]
    return "; ".join(found[:_PROBLEMS])


def _corrected(turns: Sequence[Turn], answer: str, problem: str) -> list[Turn]:
    """The question once more, with the answer to it and what is wrong with that.

    Both may quote the document, so they are treated as material.
    """
    marks = marks_in(*(turn.text for turn in turns if turn.role == "system"))
    answer = without_marks(answer[:_SHOWN_CHARACTERS], marks)
    correction = load_prompt("structured_output").fill("correction", problem=without_marks(f"{problem}.", marks))
    return [*turns, *([Turn("assistant", answer)] if answer else []), Turn("user", correction)]
