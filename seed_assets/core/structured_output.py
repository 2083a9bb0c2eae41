"""Answers of a shape: asked for, read, checked, and asked for once more with what was wrong.

What belongs here: the ladder of ways in which servers can be held to a schema, reading what comes back, and that each
request is an action. What does not: sending (resources.chat_model), and what an answer must say (each stage's own).

The ladder: `json_schema`, where the server keeps to the schema; `json_object`, where it keeps to JSON; `prompt`, where the
model is only told. A server that refuses one is asked by the next, once a process. The rung is no part of the key: the
same answer is valid by whichever way it came.
"""

import json
import re
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any, TypeVar

import msgspec
from pydantic import BaseModel, ValidationError

from io_managers.store.fingerprint import Action, KeyTemplate, content_digest, encode_part
from resources.chat_model import ChatModel
from resources.endpoint_errors import AttemptError
from resources.llm import (
    RUNGS,
    InvalidOutputError,
    PermanentLLMError,
    Reply,
    Rung,
    Schema,
    Turn,
    UnusableReplyError,
    described,
)
from seed_assets.core.prompts import load_prompt
from seed_assets.reuse import Reuse

MODEL_REQUEST = "model_request"
_VERSION = "1"
# A wrong answer is shown to the model again, but no more of it than this.
_SHOWN_CHARACTERS = 4_000
_PROBLEMS = 5
_THOUGHTS = re.compile(r"^\s*<think>.*?</think>", re.DOTALL)
_FENCED = re.compile(r"```(?:json)?\s*\n(.*?)```", re.DOTALL | re.IGNORECASE)

T = TypeVar("T")
M = TypeVar("M", bound=BaseModel)


class Answered(msgspec.Struct, frozen=True):
    """A valid answer, as JSON. rung: how it was asked for; model: who says to have answered."""

    text: str
    rung: Rung
    model: str = ""


async def ask(model: ChatModel, turns: Sequence[Turn], schema: Schema, check: Callable[[Any], T], reuse: Reuse) -> T:
    """What `check` makes of the model's answer; asked only where nobody has asked the same before.

    check: from decoded JSON; raises ValueError (or pydantic's ValidationError), whose words the model is shown, once.
    It must depend on nothing but the answer and the messages. Raises DocumentError, StoppedError, ConfigurationError.
    """

    async def compute(_: Sequence[Action]) -> list[tuple[Any, str]]:
        answer = await _Question(model, turns, schema, check, reuse).answer()
        return [(answer, answer.rung)]

    (answered,) = await reuse.values([request_action(model, turns, schema)], compute, Answered)
    return check(msgspec.json.decode(answered.text))


def request_action(model: ChatModel, turns: Sequence[Turn], schema: Schema) -> Action:
    """The action of one request: everything that decides what may come back."""
    # By digest: the text of a document is among the values already.
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
    """One request, its ways down the ladder, and its correction."""

    def __init__(
        self, model: ChatModel, turns: Sequence[Turn], schema: Schema, check: Callable[[Any], Any], reuse: Reuse
    ) -> None:
        self._model = model
        self._turns = list(turns)
        self._schema = schema
        self._check = check
        self._reuse = reuse
        self._text = ""

    async def answer(self) -> Answered:
        """The valid answer. Raises as `ask`."""
        try:
            return await self._by_ladder(self._turns)
        except UnusableReplyError as error:
            if error.again != "correct":
                raise self._unusable(error) from error
            said = [Turn("assistant", self._text[:_SHOWN_CHARACTERS])] if self._text else []
            told = load_prompt("structured_output").fill("correction", problem=f"{error.detail}.")
            turns = [*self._turns, *said, Turn("user", told)]
        try:
            return await self._by_ladder(turns)
        except UnusableReplyError as error:
            raise self._unusable(error) from error

    async def _by_ladder(self, turns: Sequence[Turn]) -> Answered:
        """Ask by the best way that the server takes. Raises UnusableReplyError."""
        for rung in RUNGS[RUNGS.index(self._model.rung) :]:
            try:
                answered = await self._model.send(
                    self._told(turns, rung), self._schema, rung, self._reuse, self._reader(rung)
                )
            except PermanentLLMError as error:
                if rung == RUNGS[-1] or not self._refuses_format(error):
                    raise
                continue
            except UnusableReplyError:
                self._lower(rung)
                raise
            self._lower(rung)
            return answered
        raise AssertionError("the last rung raises or returns")

    def _lower(self, rung: Rung) -> None:
        # What the server has answered by, it takes; what others have found out meanwhile is not forgotten.
        if RUNGS.index(rung) > RUNGS.index(self._model.rung):
            self._model.rung = rung

    def _refuses_format(self, error: PermanentLLMError) -> bool:
        failed = error.__cause__
        return (
            isinstance(failed, AttemptError)
            and failed.status in (400, 422)
            and self._model.api.refuses_format(failed.detail)
        )

    def _told(self, turns: Sequence[Turn], rung: Rung) -> list[Turn]:
        if rung == "json_schema":
            return list(turns)
        told = load_prompt("structured_output").fill("format", schema=json.dumps(self._schema.json, indent=1))
        first = next(place for place, turn in enumerate(turns) if turn.role == "user")
        return [
            Turn(turn.role, f"{turn.text}\n\n{told}") if place == first else turn for place, turn in enumerate(turns)
        ]

    def _reader(self, rung: Rung) -> Callable[[Reply], Answered]:
        def read(reply: Reply) -> Answered:
            self._text = reply.text
            found = read_json(reply.text)
            try:
                self._check(found)
            except ValidationError as error:
                raise UnusableReplyError("wrong shape", _problems(error), "correct") from error
            except ValueError as error:
                raise UnusableReplyError("wrong answer", str(error), "correct") from error
            return Answered(msgspec.json.encode(found).decode(), rung, reply.model)

        return read

    def _unusable(self, error: UnusableReplyError) -> InvalidOutputError:
        refused = error.again == "no"
        return InvalidOutputError(
            f"{self._model.endpoint.name} {'refused to answer' if refused else 'gave no usable answer'}: "
            f"{error.outcome}, {error.detail}.",
            "It is not asked again until the document, the prompt or the model changes, or with --retry-failed. "
            + ("" if refused else "A larger `llm.max_output_tokens` or a stronger model may help."),
        )


def read_json(text: str) -> Any:
    """The JSON that a model's answer holds: alone, in a code fence, amid words, or broken and mended.

    Raises UnusableReplyError where there is none.
    """
    text = _THOUGHTS.sub("", text).strip()
    fenced = _FENCED.search(text)
    for candidate in (text, fenced[1] if fenced else ""):
        try:
            return msgspec.json.decode(candidate)
        except msgspec.DecodeError:
            continue
    import json_repair

    mended = json_repair.loads(fenced[1] if fenced else text)
    # It makes something of anything; words alone become a string.
    if isinstance(mended, dict | list) and mended:
        return mended
    raise UnusableReplyError("no JSON", "the answer is not JSON", "correct")


def shaped(kind: type[M], found: Any) -> M:
    """An answer as its model. Raises ValidationError."""
    return kind.model_validate(found, strict=True)


def _problems(error: ValidationError) -> str:
    found = [f"{'.'.join(map(str, problem['loc'])) or 'the answer'}: {problem['msg']}" for problem in error.errors()]
    return "; ".join(found[:_PROBLEMS])
