"""The list of failures in a report: failures with the same reason or remedy are grouped, so that each is shown once."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from resources.wording import counted

_NAMED = 20
"""How many documents are named: about what one screen shows beside the table (a judgement)."""


def failure_lines(failures: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """The lines below the heading `<number> failed:`.

    failures: mappings with the keys `document`, `stage`, `reason` and `remedy`, as `--json` has them. Failures with the
    same remedy stand together, in the order of the first of them, followed by the remedy and how many failures it is for.
    At most 20 documents are named.
    """
    remedies: dict[str, list[Mapping[str, Any]]] = {}
    for failure in failures:
        remedies.setdefault(failure["remedy"], []).append(failure)
    left = _NAMED
    for remedy, alike in remedies.items():
        if left <= 0:
            break
        reasons: dict[tuple[str, str, bool], list[Mapping[str, Any]]] = {}
        for failure in alike:
            reasons.setdefault((failure["reason"], failure["stage"], bool(failure["document"])), []).append(failure)
        for (reason, stage, of_documents), equal in reasons.items():
            if left <= 0:
                break
            named = equal[:left]
            left -= len(named)
            yield f"  {_where(stage, named, len(equal) - len(named)) if of_documents else stage}: {reason}"
        yield f"    -> {remedy}" + (f" ({counted(len(alike), 'failure')})" if len(alike) > 1 else "")
    if len(failures) > _NAMED:
        yield f"  and {len(failures) - _NAMED:,} more: `seedbank status --json` lists all."


def _where(stage: str, named: Sequence[Mapping[str, Any]], others: int) -> str:
    documents = ", ".join(str(failure["document"]) for failure in named)
    return f"{documents}{f' and {others:,} more' if others else ''} ({stage})"
