"""What the model server is asked and what it says where nothing goes wrong: answers that fit, in the words of two APIs.

What belongs here: calls and replies as values, answers to them (and ways to mark claims), the payloads of OpenAI's API and of
Ollama's own. What does not: what goes wrong (tests.support.model_faults), and serving (tests.support.model_server).
"""

import base64
import json
import re
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from seed_assets.proof.answers import concepts_of, first_words
from seed_assets.proof.answers import vector as vector

Json = dict[str, Any]
Vector = NDArray[np.float32]
_DOCUMENT = re.compile(r"<document>(.*?)</document>", re.DOTALL)
_PASSAGE = re.compile(r"<passage of=\"[^\n]*\">\n(.*?)\n</passage>", re.DOTALL)
_CLAIM = re.compile(r"^(\d+)\. (.*)$", re.MULTILINE)
_PROBLEM = re.compile(r"^- “(.*?)” is ", re.MULTILINE)
_QUOTED = re.compile(r"\S+(?:\s+\S+){0,11}")

Mark = Literal["contradicted", "not found", "misquoted", "unquoted"]
"""How a claim is judged otherwise: misquoted is supported by words that are in no passage, unquoted by none."""


@dataclass(slots=True)
class Call:
    """One request. valid: a complete, valid answer was handed over while the client was there to take it."""

    number: int
    arrived_at: float  # time.monotonic()
    path: str
    headers: dict[str, str]  # names in lower case
    body: Any
    digest: str  # sha256 of path and body, whatever the order of the body's keys
    fault: str = ""  # the name of the fault that it met; "" also where the script's fault did not apply
    valid: bool = False

    @property
    def of_ollama(self) -> bool:
        return self.path.startswith("/api/")

    @property
    def is_chat(self) -> bool:
        return self.path in ("/v1/chat/completions", "/api/chat")

    @property
    def format(self) -> Any:
        """What the call says about its answer's form: `response_format` or, for Ollama, `format`; None if nothing."""
        return self.body.get("format" if self.of_ollama else "response_format")

    @property
    def schema(self) -> Json | None:
        """The JSON schema that was sent, if one was."""
        asked = self.format
        if self.of_ollama or not isinstance(asked, dict):
            return asked if isinstance(asked, dict) else None
        return asked["json_schema"].get("schema", {}) if asked.get("type") == "json_schema" else None

    def texts(self) -> list[str]:
        """What all messages say, or the inputs of an embedding request (tokens as their JSON)."""
        if self.is_chat:
            return [_said(message) for message in self.body.get("messages", [])]
        given = self.body.get("input", [])
        alone = isinstance(given, str) or (given and isinstance(given[0], int))
        return [one if isinstance(one, str) else json.dumps(one) for one in ([given] if alone else given)]


@dataclass(frozen=True, slots=True)
class Reply:
    """What would go over the wire."""

    body: bytes
    status: int = 200
    media_type: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict)


def fitting_answer(call: Call) -> str:
    """What a model that follows its instructions could answer to a chat; always the same to the same request.

    Concepts: three of the document's longest words, each with a piece of a sentence that holds it. A summary: the first
    40 words. Claims: all supported, each by the first words of the passage most like it. A text to be mended: without the
    sentences that are among its problems. Any other schema is filled by its types; without schema or a word of any of
    these, the first 40 words as text.
    """
    if claims_in(call):
        return judgement_answer(call)
    if between(call, "problems"):
        return _revision_answer(call)
    texts = call.texts()
    said = [text for message, text in zip(call.body.get("messages", []), texts, strict=True) if _by_user(message)]
    marked = [match[1] for text in said if (match := _DOCUMENT.search(text))]
    document = marked[-1] if marked else "\n".join(said[-1:])
    schema = call.schema
    if schema is not None:
        filled = _filled(schema, schema, document)
        known = [name for name in ("concepts", "summary") if name in schema.get("properties", {})]
        return json.dumps({**filled, **_known(known, document)} if known else filled, ensure_ascii=False)
    prompt = "\n".join(_DOCUMENT.sub("", text) for text in texts)
    # In quotes first: a prompt for a summary may speak of concepts, but it will not quote the word as a key.
    for sign in ('"concepts"', '"summary"', "concepts", "summary"):
        if sign in prompt:
            return json.dumps(_known([sign.strip('"')], document), ensure_ascii=False)
    return first_words(document, 40)


def between(call: Call, mark: str) -> str:
    """What stands between two marks of its own lines in what the user said; "" where there are none."""
    found = re.search(rf"^<{mark}>\n(.*?)\n</{mark}>$", _by_users(call), re.DOTALL | re.MULTILINE)
    return found[1] if found else ""


def claims_in(call: Call) -> dict[int, str]:
    """The claims that a call asks about, by number."""
    return {int(number): text for number, text in _CLAIM.findall(between(call, "claims"))}


def passages_in(call: Call) -> list[str]:
    """The passages that a call shows."""
    return _PASSAGE.findall(_by_users(call))


def judgement_answer(call: Call, marks: Mapping[str, Mark] | None = None) -> str:
    """What a judge could say. marks: by a piece of the claims' text, how those are judged that have it."""
    answers: list[Json] = []
    for number, claim in claims_in(call).items():
        mark = next((mark for piece, mark in (marks or {}).items() if piece in claim), None)
        words = set(claim.casefold().split())
        passage = max(passages_in(call), key=lambda passage: len(words.intersection(passage.casefold().split())))
        found = _QUOTED.search(passage)
        quotation = found[0] if found else ""
        if mark in ("not found", "unquoted"):
            quotation = ""
        elif mark == "misquoted":
            quotation = "words that nobody ever wrote anywhere"
        status = mark if mark in ("contradicted", "not found") else "supported"
        answers.append({"number": number, "quotation": quotation, "status": status})
    return json.dumps({"claims": answers}, ensure_ascii=False)


def judging(marks: Mapping[str, Mark]) -> Callable[[Call], str]:
    """An `answer` for a ModelServer: claims are judged by these marks, all else is answered fittingly."""
    return lambda call: judgement_answer(call, marks) if claims_in(call) else fitting_answer(call)


def _revision_answer(call: Call) -> str:
    # Not what is quoted of the passages, which is right.
    problems = "\n".join(_PROBLEM.findall(between(call, "problems")))
    sentences = re.split(r"(?<=[.!?])\s+", between(call, "text"))
    kept = " ".join(sentence for sentence in sentences if sentence not in problems)
    return json.dumps({"text": kept or first_words(" ".join(passages_in(call)), 12)}, ensure_ascii=False)


def _by_users(call: Call) -> str:
    messages = zip(call.body.get("messages", []), call.texts(), strict=True)
    return "\n".join(text for message, text in messages if _by_user(message)) if call.is_chat else ""


def error(
    call: Call, status: int, message: str, code: str | None = None, headers: Mapping[str, str] | None = None
) -> Reply:
    kind = "server_error" if status >= 500 else "requests" if status == 429 else "invalid_request_error"
    error = message if call.of_ollama else {"message": message, "type": kind, "param": None, "code": code}
    return Reply(json.dumps({"error": error}).encode(), status, headers=headers or {})


def openai_chat(call: Call, content: str, prompt_tokens: int) -> Json:
    said = len(content.split())
    message = {"role": "assistant", "content": content, "refusal": None}
    return {
        "id": f"chatcmpl-{call.number}",
        "object": "chat.completion",
        "created": int(time.time()),
        "model": call.body.get("model"),
        "choices": [{"index": 0, "message": message, "finish_reason": "stop", "logprobs": None}],
        "usage": {"prompt_tokens": prompt_tokens, "completion_tokens": said, "total_tokens": prompt_tokens + said},
    }


def ollama_chat(call: Call, content: str, prompt_tokens: int) -> Json:
    return {
        "model": call.body.get("model"),
        "created_at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "message": {"role": "assistant", "content": content},
        "done": True,
        "done_reason": "stop",
        "total_duration": 1,
        "prompt_eval_count": prompt_tokens,
        "eval_count": len(content.split()),
    }


def openai_embeddings(call: Call, vectors: list[Vector], prompt_tokens: int) -> Json:
    encoded = call.body.get("encoding_format") == "base64"
    items = [base64.b64encode(each.astype("<f4").tobytes()).decode() if encoded else each.tolist() for each in vectors]
    return {
        "object": "list",
        "data": [{"object": "embedding", "index": index, "embedding": item} for index, item in enumerate(items)],
        "model": call.body.get("model"),
        "usage": {"prompt_tokens": prompt_tokens, "total_tokens": prompt_tokens},
    }


def ollama_embeddings(call: Call, vectors: list[Vector], prompt_tokens: int) -> Json:
    embeddings = [vector.tolist() for vector in vectors]
    model = call.body.get("model")
    return {"model": model, "embeddings": embeddings, "total_duration": 1, "prompt_eval_count": prompt_tokens}


def message(call: Call, payload: Json) -> Json:
    return payload["message"] if call.of_ollama else payload["choices"][0]["message"]


def finish(call: Call, payload: Json, reason: str) -> None:
    if call.of_ollama:
        payload["done_reason"] = reason
    else:
        payload["choices"][0]["finish_reason"] = reason


def _known(names: Sequence[str], document: str) -> Json:
    """The answers that are more than their types: concepts with evidence, a summary."""
    makers: dict[str, Callable[[str], Any]] = {"concepts": concepts_of, "summary": lambda text: first_words(text, 40)}
    return {name: makers[name](document) for name in names}


def _filled(schema: Json, root: Json, document: str) -> Any:
    """A value that the schema allows, by its types alone; patterns and formats of strings are not looked at."""
    if "$ref" in schema:
        target: Any = root
        for name in schema["$ref"].removeprefix("#/").split("/"):
            target = target[name]
        return _filled(target, root, document)
    if "const" in schema or "enum" in schema:
        return schema["const"] if "const" in schema else schema["enum"][0]
    for choice in ("anyOf", "oneOf", "allOf"):
        if choice in schema:
            return _filled(schema[choice][0], root, document)
    kind = schema.get("type", "object" if "properties" in schema else "string")
    match kind[0] if isinstance(kind, list) else kind:
        case "object":
            return {name: _filled(each, root, document) for name, each in schema.get("properties", {}).items()}
        case "array":
            item = _filled(schema.get("items", {}), root, document)
            return [item] * min(max(1, schema.get("minItems", 1)), schema.get("maxItems", 1_000))
        case "integer" | "number":
            return min(max(1, schema.get("minimum", 1)), schema.get("maximum", 1_000_000))
        case "boolean":
            return True
        case "null":
            return None
        case _:
            return first_words(document, 8)[: schema.get("maxLength")]


def _by_user(message: Json) -> bool:
    return message.get("role") == "user"


def _said(message: Json) -> str:
    content = message.get("content") or ""
    return content if isinstance(content, str) else "\n".join(part.get("text", "") for part in content)
