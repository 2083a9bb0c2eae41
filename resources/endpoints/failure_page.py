"""The table of failures in docs/models.md, as Markdown made from `failure_rules` and `failure_kinds`."""

from resources.endpoints.failure_kinds import KINDS, STEPS, FailureRule
from resources.endpoints.failure_rules import REFUSED, RULES, SERVER_FAULT


def failure_table() -> str:
    """The two tables of docs/models.md in Markdown: what is done for each kind of failure, and how failures are recognised."""
    kinds = [f"| {whose} | {does} |" for whose, does in KINDS.values()]
    rows = [_row(rule) for rule in (*RULES, SERVER_FAULT, REFUSED)]
    return "\n".join(
        [
            "| kind | what is done |",
            "|---|---|",
            *kinds,
            "",
            "| failure | kind | recognised by | remedy |",
            "|---|---|---|---|",
            *rows,
        ]
    )


def _row(rule: FailureRule) -> str:
    statuses = ", ".join(map(str, sorted(rule.statuses)))
    if rule is SERVER_FAULT:
        statuses = "any other status from 500, a timeout, a broken connection, a reply that is not JSON"
    elif rule is REFUSED:
        statuses = "any other status from 400 to 499"
    said = ", ".join([*(f"`{code}`" for code in sorted(rule.codes)), *(f"“{word.strip()}”" for word in rule.words)])
    known = f"{statuses}: {said}" if said else statuses
    if rule.seen_at and rule.seen_at != "all":
        known += f" ({rule.seen_at})"
    remedy = rule.remedy if not rule.vectors else f"{rule.remedy} Vectors: {rule.vectors}"
    step = f" ({STEPS[rule.first_step]})" if rule.first_step else ""
    return f"| {rule.name} | {rule.kind}{step} | {known} | {remedy} |"
