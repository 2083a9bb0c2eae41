"""Reads how long a server asks to wait, from headers, JSON fields and sentences. The waiting is in `endpoint` and `limits`.

A time may be given as seconds (`12`, `0.5`), as a duration (`1m30s`, `250ms`, `1h`), as seconds or milliseconds since 1970
(`1735689600`, `1735689600000`), or as a date of HTTP (RFC 9110, 5.6.7) or ISO 8601.
"""

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

_UNIT = r"(?:milliseconds?|msecs?|ms|seconds?|secs?|s|minutes?|mins?|m|hours?|hrs?|h|days?|d)(?![a-z])"
_PART = re.compile(rf"(\d+(?:\.\d+)?)\s*({_UNIT})?")
_UNIT_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86_400.0}
_AGAIN = (
    r"(?:try(?:\s+(?:your|the|this)\s+\w{1,20})?\s+again|retry(?:ing)?(?:\s+(?:your|the|this)\s+\w{1,20})?"
    r"|wait|available again|resets?)"
)
_IN_WORDS = re.compile(
    rf"(?:{_AGAIN}\s+(?:in|after|for|at least)?\s*(?:(?:about|around|approximately)\s+)?|retry_?(?:delay|after)[\"'\\:= ]+)"
    rf"(\d+(?:\.\d+)?\s*{_UNIT}(?:\s*(?:,|and)?\s*\d+(?:\.\d+)?\s*{_UNIT})*|\d+(?:\.\d+)?)",
)
_DATE_IN_WORDS = re.compile(
    rf"{_AGAIN}\s+(?:at|on|after|until)\s+(\d{{4}}-\d\d-\d\d[t ]\d\d:\d\d(?::\d\d)?[0-9.:+z-]{{0,20}})"
)
# Names of a delay in a reply's JSON, without separators between words, and their unit in seconds.
_DELAYS = {
    "retrydelay": 1.0,
    "retryafter": 1.0,
    "retryafterseconds": 1.0,
    "retryafterms": 0.001,
    "retryin": 1.0,
    "waitseconds": 1.0,
    "estimatedtime": 1.0,
    "quotaresetdelay": 1.0,
    "resetinseconds": 1.0,
    "resetsinseconds": 1.0,
}
# Names of the time at which a limit is renewed.
_TIMES = ("resetsat", "resetat", "resettime", "retryat")
_EPOCH_SECONDS, _EPOCH_MILLISECONDS, _EPOCH_MICROSECONDS, _EPOCH_NANOSECONDS = 1e9, 1e11, 1e14, 1e17
_ISO_DURATION = re.compile(r"pt(?:(\d+)h)?(?:(\d+)m)?(?:(\d+(?:\.\d+)?)s)?")
_CLOCK = re.compile(r"(\d+):(\d\d):(\d\d(?:\.\d+)?)")
# Deeper nesting than any known reply has; a bound against hostile replies.
# Deeper nesting than any known reply has; a bound against hostile replies.
_MOST_DEPTH = 8


def wait_asked(headers: Mapping[str, str], body: Any, words: str, now: float) -> float:
    """The seconds that a refusal asks to wait; 0 if it does not.

    headers, body, words: the headers, the decoded JSON (None if it is not JSON) and the text of the reply. now: seconds
    since 1970.
    """
    return (
        retry_after(headers, now)
        or wait_in_body(body, now)
        or wait_in_words(words, now)
        or limit_wait(headers, now)
        or limit_wait(headers, now, of_tokens=True)
    )


def retry_after(headers: Mapping[str, str], now: float) -> float:
    """The seconds in Retry-After (seconds or a date, RFC 9110, 10.2.3) or `retry-after-ms`; 0 if there is neither.

    Some servers put a prefix before the name (`x-ms-`, `x-ratelimit-`).
    """
    named = {name.lower(): value for name, value in headers.items() if "retry-after" in name.lower()}
    for name, value in named.items():
        if name.endswith("retry-after-ms") and (milliseconds := _number(value)):
            return milliseconds / 1000
    own = _seconds(named.get("retry-after", ""), now)
    return own or max(
        (_seconds(value, now) for name, value in named.items() if name.endswith("-retry-after")), default=0.0
    )


def limit_wait(headers: Mapping[str, str], now: float, *, of_tokens: bool = False) -> float:
    """The seconds until a limit that is used up is renewed; 0 if none is used up.

    of_tokens: include token limits of which something is left, since it was not enough for the refused request. Reads pairs
    of `...ratelimit...` headers with `remaining` and `reset` in the name, and the `RateLimit` header of the IETF draft
    (draft-ietf-httpapi-ratelimit-headers).
    """
    named = {name.lower(): value for name, value in headers.items()}
    waits = [
        _seconds(_reset_of(name, named), now)
        for name, left in named.items()
        if _is_remaining(name) and (_left(left) == 0 or (of_tokens and "token" in name))
    ]
    return max([*waits, *_combined(named.get("ratelimit", ""))], default=0.0)


def _is_remaining(name: str) -> bool:
    return ("ratelimit" in name or "rate-limit" in name) and "remaining" in name


def _left(text: str) -> float | None:
    """The number that is left of a limit; policies may follow it after a comma or semicolon."""
    return _number(re.split("[,;]", text, maxsplit=1)[0])


def _reset_of(remaining: str, headers: Mapping[str, str]) -> str:
    """The reset time that belongs to a `remaining` header: its own header, or the one for all limits."""
    own = remaining.replace("remaining", "reset")
    names = (own, f"{own}-after", "x-ratelimit-reset", "ratelimit-reset")
    return next((headers[name] for name in names if headers.get(name)), "")


def wait_in_body(body: Any, now: float = 0.0) -> float:
    """The seconds in a JSON field such as `retryDelay`, `resets_at` or `estimated_time`, or in the headers of another server
    that the reply passes on; 0 without one.
    """
    return max((seconds for seconds in _delays(body, now, 0)), default=0.0)


def wait_in_words(words: str, now: float = 0.0) -> float:
    """The seconds in a sentence such as "Please try again in 1m2.5s" or "retry after 26 seconds"; 0 without one."""
    words = words[:4_000].lower()
    if date := _DATE_IN_WORDS.search(words):
        return max(0.0, _date(date[1].strip(".").upper()) - now)
    found = _IN_WORDS.search(words)
    return _duration(found[1]) if found else 0.0


def _delays(value: Any, now: float, depth: int) -> Iterator[float]:
    if depth > _MOST_DEPTH:
        return
    if isinstance(value, list):
        for item in value[:64]:
            yield from _delays(item, now, depth + 1)
    elif isinstance(value, dict):
        fields = {str(name): item for name, item in list(value.items())[:64]}
        yield limit_wait({name: item for name, item in fields.items() if isinstance(item, str)}, now)
        for name, item in fields.items():
            plain = name.lower().replace("_", "").replace("-", "")
            unit = _DELAYS.get(plain)
            is_number = isinstance(item, int | float) and not isinstance(item, bool)
            if plain in _TIMES and (is_number or isinstance(item, str)):
                yield _seconds(str(item), now)
            elif unit is None:
                yield from _delays(item, now, depth + 1)
            elif isinstance(item, str):
                number = _number(item)
                yield _duration(item) if number is None else number * unit
            elif is_number:
                yield max(0.0, float(item)) * unit


def _combined(text: str) -> list[float]:
    """The seconds until reset in `limit=100, remaining=0, reset=12` or `"name";r=0;t=12`, for each limit that is used up."""
    found: list[float] = []
    # The newer form separates policies by commas, the older one separates fields by commas.
    for policy in [text] if "reset" in text.lower() else text.split(","):
        fields = {
            name.strip().lower(): value.strip()
            for name, _, value in (field.partition("=") for field in re.split(r"[;,]", policy))
        }
        left = fields.get("remaining", fields.get("r", ""))
        if _number(left) == 0:
            found.append(_duration(fields.get("reset", fields.get("t", ""))))
    return found


def _seconds(words: str, now: float) -> float:
    """The seconds from now until a time in any form; 0 if it is not a time or has passed."""
    words = words.strip()
    number = _number(words)
    if number is not None:
        if number < _EPOCH_SECONDS:
            return number
        for least, parts in ((_EPOCH_NANOSECONDS, 1e9), (_EPOCH_MICROSECONDS, 1e6), (_EPOCH_MILLISECONDS, 1e3)):
            if number >= least:
                return max(0.0, number / parts - now)
        return max(0.0, number - now)
    for form in (_ISO_DURATION, _CLOCK):
        if words and (found := form.fullmatch(words.lower())):
            hours, minutes, seconds = (float(part or 0) for part in found.groups())
            return hours * 3600 + minutes * 60 + seconds
    return _duration(words) or max(0.0, _date(words) - now)


def _date(text: str) -> float:
    """The seconds since 1970 of a date; 0 if it is not a date. A date without a time zone is UTC."""
    for read in (datetime.fromisoformat, parsedate_to_datetime):
        try:
            date = read(text)
            return (date if date.tzinfo else date.replace(tzinfo=UTC)).timestamp()
        except (ValueError, TypeError, OverflowError):
            continue
    return 0.0


def _number(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return max(0.0, number) if number < float("inf") else None


def _duration(text: str) -> float:
    """The seconds in `1m30s`, `250 ms`, `26 seconds` or `12`; 0 for anything else, such as a date or seconds since 1970."""
    text = text.strip().lower()
    if not text:
        return 0.0
    seconds, end = 0.0, 0
    for found in _PART.finditer(text):
        if text[end : found.start()].strip() not in ("", ",", "and"):
            return 0.0
        unit = found[2] or "s"
        seconds += float(found[1]) * _UNIT_SECONDS["ms" if unit.startswith(("ms", "milli")) else unit[0]]
        end = found.end()
    return seconds if end == len(text) and seconds < _EPOCH_SECONDS else 0.0
