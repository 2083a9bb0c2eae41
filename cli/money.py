"""How the costs of requests are shown: layout and wording only."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from rich.table import Table

from cli.screen import Screen
from resources.wording import counted, dollars

if TYPE_CHECKING:
    from io_managers.store.request_ledger import Account
    from io_managers.store.store import Contents


def account_json(account: "Account") -> dict[str, Any]:
    """The account of one stage and model as JSON, under stable keys.

    `usd` leaves out the requests whose price is unknown; `unpriced_requests` counts them.
    """
    saved = account.saved
    return {
        "stage": account.stage,
        "model": account.model,
        "requests": account.requests,
        "input_tokens": account.input_tokens,
        "output_tokens": account.output_tokens,
        "usd": round(account.usd, 6),
        "unpriced_requests": account.unpriced,
        "outcomes": account.outcomes,
        "latency_seconds": dict(zip(("p50", "p95", "p99"), (round(s, 4) for s in account.latencies), strict=True)),
        "saved": {
            "results": saved.results if saved else 0,
            "requests": saved.requests if saved else 0,
            "tokens": saved.input_tokens + saved.output_tokens if saved else 0,
            "usd": round(saved.usd, 6) if saved else 0.0,
            "unpriced_requests": saved.unpriced if saved else 0,
        },
    }


def show_stats(contents: "Contents", accounts: "Sequence[Account]") -> None:
    """Print what the store holds, then requests, costs and savings by stage and model."""
    console = Screen()
    stages = _table("stage", ("results",))
    for stage, count in contents.results.items():
        stages.add_row(stage, f"{count:,}")
    console.print(stages)
    console.sentence(
        f"{counted(contents.values, 'value')}, {contents.bytes / 2**20:,.1f} MB on disk; "
        f"{counted(contents.failures, 'failure')} recorded as permanent."
    )
    if not accounts:
        console.sentence("No requests were sent to a model.")
        return
    paid = _table("stage, model", ("requests", "tokens", "dollars", "p50 s", "p95 s", "p99 s"))
    saved = _table("saved by reuse", ("results", "requests", "tokens", "dollars"))
    for account in accounts:
        name = f"{account.stage}, {account.model}"
        latencies = (f"{seconds:.2f}" if seconds else "" for seconds in account.latencies)
        tokens = account.input_tokens + account.output_tokens
        paid.add_row(name, f"{account.requests:,}", f"{tokens:,}", dollars(account.usd, account.unpriced), *latencies)
        if saving := account.saved:
            tokens = saving.input_tokens + saving.output_tokens
            money = dollars(saving.usd, saving.unpriced)
            saved.add_row(name, f"{saving.results:,}", f"{saving.requests:,}", f"{tokens:,}", money)
    console.print()
    console.print(paid)
    failed = [(account, outcomes) for account in accounts if (outcomes := _failed(account.outcomes))]
    for account, outcomes in failed:
        console.sentence(f"{account.stage}, {account.model}: requests without a usable answer: {outcomes}.")
    if saved.row_count:
        console.print()
        console.print(saved)


def _failed(outcomes: Mapping[str, int]) -> str:
    from io_managers.store.request_ledger import ANSWERED

    return ", ".join(f"{count:,} {outcome}" for outcome, count in outcomes.items() if outcome != ANSWERED)


def _table(first: str, others: Sequence[str]) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0))
    table.add_column(first, min_width=15, overflow="fold")
    for name in others:
        table.add_column(name, justify="right", no_wrap=True)
    return table
