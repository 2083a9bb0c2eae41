"""What people read about an explanation: one line for each stage, what follows from what, and why a run computed a result.

What belongs here: wording. What does not: finding anything out (explanation, key_changes), and how a page or a screen is laid out
(orchestration, cli).
"""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

from resources.wording import counted, shortened
from seed_assets.explaining.explanation import Explanation, Failed, Made, StageExplanation
from seed_assets.explaining.key_changes import Change
from seed_assets.planning.plan import UPSTREAM

# A page of Dagster shows so many characters of the reason; the first differences fit (a judgement).
_PAGE_CHARACTERS = 400
# More stages that follow from another one are counted and not named.
_MOST_NAMED = 4


def summary(found: StageExplanation) -> str:
    """Return what a seed does with a result and the first reason for it, on one line, without a full stop."""
    match found.outcome:
        case "reused":
            return _current(found)
        case "kept":
            difference = _lower(_first(found.changes)) or f"its {found.reason} changed"
            return f"kept, although {difference}, by {found.kept_by}"
        case "published":
            return f"found in the store ({made_words(found.made)}); a seed only publishes it"
        case "perhaps computed":
            return only_if(found.waits_for)
        case "computed":
            return _first(found.changes) or _missing(found)
        case "failed":
            return f"failed: {found.failed.reason if found.failed else 'the reason is not recorded'}".removesuffix(".")
        case "blocked":
            return f"blocked: `{found.failed.stage}` failed" if found.failed else "blocked: a stage before it failed"
        case "waiting":
            return "waits for a batch of the provider; `seedbank batch list` shows since when"
        case "removed":
            return f"a seed removes it: {found.reason}"


def made_words(made: Made | None) -> str:
    """Return how a result was made, such as `made on 2026-11-21 by gpt-x in 2.1 s, for $0.0021`."""
    if made is None:
        return "how it was made is not recorded"
    on = f" on {day(made.at)}" if made.at else ""
    by = f" by {made.model}" if made.model else ""
    return f"made{on}{by} in {made.seconds:.3g} s{_price(made)}"


def day(at: float) -> str:
    """Return a moment in seconds since 1970 as a day in UTC, as 2026-01-31."""
    return datetime.fromtimestamp(at, UTC).date().isoformat()


def since(failed: Failed) -> str:
    """Return since when a stage fails, as a part of a sentence; "" if that is not recorded."""
    if failed.since is None:
        return ""
    moment = datetime.fromtimestamp(failed.since, UTC)
    return f"since {moment:%Y-%m-%d %H:%M} UTC"


def what_follows(found: Explanation) -> Iterator[str]:
    """Yield a sentence for each stage that is computed for a reason of its own and from which others follow."""
    waiting = {one.stage: one.waits_for for one in found.stages if one.reason == UPSTREAM}
    said: set[str] = set()
    for one in found.stages:
        own_reason = one.outcome in ("computed", "published") and one.reason != UPSTREAM
        if not own_reason and not (one.outcome == "computed" and one.changes):
            continue
        after = {one.stage}
        for stage, waits_for in waiting.items():
            if after.intersection(waits_for):
                after.add(stage)
        others = [stage for stage in waiting if stage in after and stage != one.stage and stage not in said]
        said.update(others)
        if not others:
            continue
        follow, they, are = ("follows", "it", "is") if len(others) == 1 else ("follow", "they", "are")
        which = names(others) if len(others) <= _MOST_NAMED else f"{len(others)} stages after it"
        yield f"From `{one.stage}` {follow} {which}: {they} {are} computed only where results differ."


def because(changes: Sequence[Change], reason: str) -> str:
    """Return why a run computed a result, on one line of at most 400 characters. reason: if the keys do not say it."""
    return shortened("; ".join(change.text for change in changes) or reason, _PAGE_CHARACTERS)


def only_if(waits_for: Sequence[str]) -> str:
    """Return the condition under which a result is computed again, of which the inputs are computed first."""
    if len(waits_for) > 1:
        return f"only if one of {names(waits_for)} differs, which come first"
    return f"only if {names(waits_for)} differs, which comes first"


def names(stages: Sequence[str]) -> str:
    """Return names of stages in a sentence: `a`, `b` and `c`."""
    quoted = [f"`{stage}`" for stage in stages]
    if len(quoted) < 2:
        return "".join(quoted) or "a stage before it"
    return f"{', '.join(quoted[:-1])} and {quoted[-1]}"


def _current(found: StageExplanation) -> str:
    return f"current: {made_words(found.made)}" if found.made else "current"


def _missing(found: StageExplanation) -> str:
    if found.waits_for:
        return f"never computed; {names(found.waits_for)} first" if found.state == "missing" else found.reason
    return f"never computed: {found.reason}" if found.state == "missing" else found.reason


def _first(changes: Sequence[Change]) -> str:
    if not changes:
        return ""
    more = f"; and {counted(len(changes) - 1, 'more difference')}" if len(changes) > 1 else ""
    return f"{changes[0].text}{more}"


def _lower(text: str) -> str:
    """A sentence inside of another one."""
    return text[:1].lower() + text[1:] if text[1:2].islower() and " " in text.partition(":")[0] else text


def _price(made: Made) -> str:
    if not made.requests:
        return ""
    if made.unpriced:
        return f", for {counted(made.requests, 'request')} at an unknown price"
    return f", for ${made.usd:.4f}" if made.usd < 1 else f", for ${made.usd:,.2f}"
