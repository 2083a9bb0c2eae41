"""Finding the JSON in a model's answer: alone, in a code fence, between words, or with small faults.

What belongs here: finding it, and refusing what is incomplete. What does not: thoughts (thoughts), what the JSON must
contain (each stage), and sending the request (structured_output).

Small faults, such as an extra comma or quotation marks of another kind, are repaired. Truncated JSON is never completed: a
text that ends inside a string, a list or an object is refused, even if the server reports a normal end.
"""

import json
import re
from collections.abc import Callable
from typing import Any

import msgspec

from resources.endpoints.llm import UnusableReplyError
from seed_assets.core.prompting.thoughts import without_thoughts

_FENCE = re.compile(r"```[^\S\n]{0,9}(?:json[c5]?)?[^\S\n]{0,9}\n", re.IGNORECASE)
_DECODER = json.JSONDecoder(strict=False)
# The numbers of this module were chosen by judgement; they bound the time that one answer can take.
# A longer text is not repaired, since repairing is slow and no valid answer is so long.
_MOST_REPAIRED_CHARACTERS = 200_000
# At most so many faulty objects or lists of one answer are repaired, and so many places that look like JSON are tried.
_MOST_REPAIRED = 4
_MOST_PLACES = 64
# Stands for "no value", since None is a valid JSON value.
_NONE = object()


def read_json(text: str, fits: Callable[[Any], bool] = lambda found: True, *, ended: bool = True) -> Any:
    """Return the JSON value that an answer contains. Raises UnusableReplyError.

    fits: says whether a value may be the answer, for choosing among several.
    ended: whether the server reports that the answer is complete; if not, only a text that is JSON from its beginning to
        its end (in a code fence or not) is accepted.
    """
    answer = without_thoughts(text).strip()
    if not answer:
        raise UnusableReplyError("no JSON", "the answer is not JSON: there is nothing after the thoughts", "correct")
    try:
        return _read(answer, fits, ended)
    except RecursionError as error:
        raise UnusableReplyError("no JSON", "the answer is JSON that is nested too deeply", "correct") from error


def _read(answer: str, fits: Callable[[Any], bool], ended: bool) -> Any:
    whole = _decoded(answer)
    if whole is _NONE and answer.endswith("```") and (fence := _FENCE.match(answer)) is not None:
        whole = _decoded(answer[fence.end() : -3])
    if whole is not _NONE:
        return whole
    if not ended:
        raise UnusableReplyError(
            "cut off", "the server does not say that the answer ended, and its JSON is not whole", "correct"
        )
    found, faulty = _embedded(answer)
    if not any(map(fits, found)):
        found += [value for value in map(_repaired, faulty[:_MOST_REPAIRED]) if value is not _NONE]
    if not found:
        raise UnusableReplyError("no JSON", "the answer is not JSON", "correct")
    fitting = [value for value in found if fits(value)]
    if any(value != fitting[0] for value in fitting[1:]):
        raise UnusableReplyError("no JSON", "there are several answers; give the JSON of one alone", "correct")
    # If none fits, the caller reports what is wrong with the last one.
    return (fitting or found)[-1]


def _decoded(text: str) -> Any:
    try:
        return msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeError):
        return _NONE


def _embedded(text: str) -> tuple[list[Any], list[str]]:
    """Return (the objects and lists between words, the texts of faulty ones), none of them inside another.

    Raises UnusableReplyError if the text ends inside one.
    """
    found: list[Any] = []
    faulty: list[str] = []
    at = 0
    while (start := _first(text, at)) >= 0 and len(found) + len(faulty) < _MOST_PLACES:
        try:
            _, at = _DECODER.raw_decode(text, start)
        except ValueError:
            at, inside = json_end(text, start)
            if inside:
                raise UnusableReplyError(
                    "cut off", f"the answer is not whole: its JSON ends inside {inside}", "correct"
                ) from None
        value = _decoded(text[start:at])
        if value is _NONE:
            faulty.append(text[start:at])
        elif value:
            found.append(value)
    return found, faulty


def _repaired(text: str) -> Any:
    """Return the value of a complete text with small faults, or _NONE if it cannot be repaired."""
    if len(text) > _MOST_REPAIRED_CHARACTERS:
        return _NONE
    import json_repair

    # json_repair accepts any text: words alone become a string.
    repaired = json_repair.loads(text)
    return repaired if isinstance(repaired, dict | list) and repaired else _NONE


def _first(text: str, at: int) -> int:
    """Return the first place from `at` on at which an object or a list may begin; -1 if there is none."""
    places = [place for place in (text.find("{", at), text.find("[", at)) if place >= 0]
    return min(places, default=-1)


_STEP = re.compile(r"[\"'`“‘«{}\[\]]|(?<![\w:])//[^\n]*+|/\*(?:[^*]|\*(?!/))*+(?P<closed>\*/)?", re.DOTALL)
_STRINGS = {
    '"': re.compile(r'(?:[^"\\]|\\.)*+"', re.DOTALL),
    # Other quotation marks, without escapes: such a string ends at a mark after which JSON may go on.
    **{
        opening: re.compile(rf"[{closing}](?=\s*(?:[,:}}\]]|$))")
        for opening, closing in (("'", "'"), ("`", "`"), ("“", '”“"'), ("‘", "’‘'"), ("«", "»"))
    },
}
_KINDS = {"{": "an object", "[": "a list"}
_MATES = {"}": "{", "]": "["}


def json_end(text: str, start: int) -> tuple[int, str]:
    """Return (the end of the JSON that begins at `start`, ""), or (the end of the text, what the text ends inside of).

    It also works for JSON with faults, in time proportional to the text. When in doubt, the text counts as truncated.
    """
    opened: list[str] = []
    at = start
    while (step := _STEP.search(text, at)) is not None:
        mark, at = step[0], step.end()
        if mark in _KINDS:
            opened.append(mark)
        elif mark in _MATES:
            if opened and opened[-1] == _MATES[mark]:
                opened.pop()
            if not opened:
                return at, ""
        elif mark.startswith("/"):
            if mark.startswith("/*") and step["closed"] is None:
                return len(text), "a comment"
        elif mark == '"' or _begins_string(text, step.start()):
            string = _STRINGS[mark]
            closing = string.match(text, at) if mark == '"' else string.search(text, at)
            if closing is None:
                return len(text), "a string"
            at = closing.end()
    return len(text), _KINDS[opened[-1]] if opened else "an object"


def _begins_string(text: str, place: int) -> bool:
    """Whether a mark (an apostrophe or a quotation mark) stands where a key or a value begins."""
    before = text[max(0, place - 64) : place].rstrip()
    return bool(before) and before[-1] in "{[,:"
