"""What an endpoint's failures mean: which are worth asking again, how long to wait, and what its users are told.

What belongs here: reading statuses and headers. What does not: sending and waiting (endpoint).
"""

import re
from collections.abc import Mapping
from datetime import UTC
from email.utils import parsedate_to_datetime

from resources.llm import EndpointError, PermanentLLMError

_DURATION = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h|d)?")
_UNIT_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86_400.0}
_LIMIT_HEADERS = ("x-ratelimit", "ratelimit", "anthropic-ratelimit")
_ADDRESS_REMEDIES = {
    401: "See that the key is right: `llm.api_key` (SEEDBANK_LLM__API_KEY), for embeddings `embeddings.api_key`.",
    403: "See that the key may use this model, and that this address is let in.",
    404: "See that `base_url` and `model` are right: the endpoint knows one of them not.",
}


class AttemptError(Exception):
    """One attempt failed. outcome: which kind; status: of HTTP, None without a reply; wait_seconds: what the server asks."""

    def __init__(self, outcome: str, detail: str, status: int | None = None, wait_seconds: float = 0.0) -> None:
        super().__init__(f"{outcome}: {detail}")
        self.outcome = outcome
        self.detail = detail
        self.status = status
        self.wait_seconds = wait_seconds


def is_refusal_of_all(status: int) -> bool:
    """Whether every other request would be refused as well: the key, the address or the model is wrong."""
    return status in _ADDRESS_REMEDIES or 300 <= status < 400


def refused_all(name: str, failed: AttemptError) -> EndpointError:
    """The error for a wrong key, address or model."""
    remedy = _ADDRESS_REMEDIES.get(failed.status or 0, "Set `base_url` to the address that it redirects to.")
    return EndpointError(f"{name} refuses requests: {failed.detail}.", f"{remedy} Then run again.")


def refused_this(name: str, failed: AttemptError) -> PermanentLLMError:
    """The error for a request that the endpoint will never take."""
    return PermanentLLMError(
        f"{name} refused the request: {failed.detail}.",
        "Where its words name a parameter, mend it in the settings (docs/configuration.md); a text that is too long needs "
        "a smaller `llm.context_tokens`. It is asked again when that has changed, or with --retry-failed.",
    )


def exhausted_wait(name: str, failed: AttemptError) -> EndpointError:
    """The error for a server that asks for a wait nobody would sit through."""
    return EndpointError(
        f"{name} asks to wait {failed.wait_seconds:,.0f} s: {failed.detail}.",
        "Run again after that: only what is unfinished is asked.",
    )


def retry_after(headers: Mapping[str, str], now: float) -> float:
    """Seconds that a server asks to wait (Retry-After as seconds or as a date, RFC 9110 10.2.3); 0 where it does not."""
    if milliseconds := _number(headers.get("retry-after-ms", "")):
        return milliseconds / 1000
    told = headers.get("retry-after", "").strip()
    if not told:
        return 0.0
    if (seconds := _number(told)) is not None:
        return seconds
    try:
        date = parsedate_to_datetime(told)
        # Without a zone it is the server's word for UTC (RFC 5322 3.3, "-0000").
        return max(0.0, (date if date.tzinfo else date.replace(tzinfo=UTC)).timestamp() - now)
    except ValueError:
        return 0.0


def wait_told(headers: Mapping[str, str]) -> float:
    """Seconds until a limit of which nothing is left is renewed, by the headers that servers send with answers."""
    return max(
        (
            _duration(headers.get(f"{prefix}-reset{of}", ""))
            for prefix in _LIMIT_HEADERS
            for of in ("", "-requests", "-tokens")
            if _number(headers.get(f"{prefix}-remaining{of}", "")) == 0
        ),
        default=0.0,
    )


def _number(text: str) -> float | None:
    try:
        return max(0.0, float(text))
    except ValueError:
        return None


def _duration(text: str) -> float:
    """Seconds of `1m30s`, `250ms` or `12`; 0 for anything else, such as a date or seconds since 1970."""
    found = _DURATION.findall(text)
    if "".join(f"{number}{unit}" for number, unit in found) != text.strip():
        return 0.0
    seconds = sum(float(number) * _UNIT_SECONDS[unit or "s"] for number, unit in found)
    return seconds if seconds < 1e9 else 0.0
