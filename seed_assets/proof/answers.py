"""The answers of the proof's model: what a model that follows its instructions could say; always the same to one request.

What belongs here: answers as functions of a request alone. What does not: serving and counting (counting_server).
"""

import hashlib
import json
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Json = dict[str, Any]
_DOCUMENT = re.compile(r"<document\b[^>]*>\n?(.*?)\n?</document>", re.DOTALL)
_PASSAGE = re.compile(r"<passage of=\"[^\n]*\">\n(.*?)\n</passage>", re.DOTALL)
_CLAIMS = re.compile(r"^<claims>\n(.*?)\n</claims>$", re.DOTALL | re.MULTILINE)
_CLAIM = re.compile(r"^(\d+)\. (.*)$", re.MULTILINE)
_QUOTED = re.compile(r"\S+(?:\s+\S+){0,11}")
_SUMMARY_WORDS = 40


def answer_to(said: str, schema: Mapping[str, Any]) -> str:
    """Return the answer, as JSON, to what the user said in a chat. schema: the JSON schema that the answer has to have.

    A summary is the first 40 words of the document. Concepts are three of its longest words, each with a part of its sentence.
    All claims are supported by the passage most like them. Raises ValueError if the schema asks for anything else.
    """
    documents = _DOCUMENT.findall(said)
    document = documents[-1] if documents else said
    makers: dict[str, Callable[[], Any]] = {
        "title": lambda: first_words(document, 5),
        "summary": lambda: first_words(document, _SUMMARY_WORDS),
        "concepts": lambda: concepts_of(document),
        "claims": lambda: claims_judged(said),
    }
    asked = list(schema.get("properties", {}))
    if unknown := [name for name in asked if name not in makers]:
        raise ValueError(f"The model of the proof knows no answer to {', '.join(unknown)}.")
    return json.dumps({name: makers[name]() for name in asked}, ensure_ascii=False)


def first_words(text: str, count: int) -> str:
    """Return the first words of a text, separated by single spaces."""
    return " ".join(text.split(maxsplit=count)[:count])


def concepts_of(document: str) -> list[Json]:
    """Return three of the document's longest words as concepts, each with a part of the sentence in which it occurs."""
    found = {word[0].casefold(): word for word in reversed(list(re.finditer(r"\b[^\W\d_]{2,40}\b", document)))}
    longest = sorted(found.values(), key=lambda word: (word.start() - word.end(), word.start()))[:3]
    return [{"name": word[0], "kind": "term", "evidence": _around(word, document)} for word in longest]


def claims_judged(said: str) -> list[Json]:
    """Return the judgement of each claim in a prompt: supported, with the first words of the passage most like it."""
    found = _CLAIMS.search(said)
    passages = _PASSAGE.findall(said)
    answers: list[Json] = []
    for number, claim in _CLAIM.findall(found[1] if found else ""):
        words = set(claim.casefold().split())
        passage = max(passages, key=lambda passage: len(words.intersection(passage.casefold().split())))
        quoted = _QUOTED.search(passage)
        answers.append({"number": int(number), "quotation": quoted[0] if quoted else "", "status": "supported"})
    return answers


def vector(text: str, dimensions: int) -> NDArray[np.float32]:
    """Return a vector of length 1 in a direction that only the text decides, shape (dimensions,)."""
    seed = int.from_bytes(hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest())
    direction = np.random.default_rng(seed).standard_normal(dimensions, dtype=np.float32)
    return direction / np.float32(np.linalg.norm(direction))


def chat_reply(number: int, model: str, content: str, prompt_tokens: int) -> Json:
    """Return a chat completion in the form of OpenAI's API. Tokens are counted as words."""
    said = len(content.split())
    message = {"role": "assistant", "content": content, "refusal": None}
    return {
        "id": f"chatcmpl-{number}",
        "object": "chat.completion",
        "created": 0,
        "model": model,
        "choices": [{"index": 0, "message": message, "finish_reason": "stop", "logprobs": None}],
        "usage": {"prompt_tokens": prompt_tokens, "completion_tokens": said, "total_tokens": prompt_tokens + said},
    }


def embeddings_reply(
    model: str, vectors: Sequence[NDArray[np.float32]], encode: Callable[..., Any], tokens: int
) -> Json:
    """Return embeddings in the form of OpenAI's API. encode: how each vector is written."""
    return {
        "object": "list",
        "data": [{"object": "embedding", "index": i, "embedding": encode(one)} for i, one in enumerate(vectors)],
        "model": model,
        "usage": {"prompt_tokens": tokens, "total_tokens": tokens},
    }


def _around(word: re.Match[str], document: str) -> str:
    """At most 120 characters of the sentence of a word, as they are in the document."""
    begin = max(document.rfind(mark, 0, word.start()) + 1 for mark in ".!?\n")
    begin = max(begin, word.start() - 40)
    ends = [at for mark in ".!?\n" if (at := document.find(mark, word.end(), begin + 120)) >= 0]
    return document[begin : min(ends, default=begin + 119) + 1].strip()
