"""How the costs of requests are shown: layout and wording only."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from cli.screen import Screen, columns_of, stage_tables
from resources.wording import counted, dollars

if TYPE_CHECKING:
    from io_managers.store.account import Account
    from io_managers.store.store import Contents


def account_json(account: "Account") -> dict[str, Any]:
    """One account as JSON, under stable keys; `day`, `stage` and `model` only where it is for one of them.

    `usd` leaves out the requests whose price is unknown; `unpriced_requests` counts them.
    """
    saved = account.saved
    return {
        **({"day": account.day} if account.day else {}),
        "stage": account.stage,
        "model": account.model,
        "requests": account.requests,
        "input_tokens": account.input_tokens,
        "output_tokens": account.output_tokens,
        "usd": round(account.usd, 6),
        "unpriced_requests": account.unpriced,
        "outcomes": account.outcomes,
        "wasted": {
            "requests": account.wasted.requests,
            "tokens": account.wasted.tokens,
            "usd": round(account.wasted.usd, 6),
            "unpriced_requests": account.wasted.unpriced,
        },
        "hits": account.hits,
        "misses": account.misses,
        "hit_rate": None if account.hit_rate is None else round(account.hit_rate, 4),
        "latency_seconds": dict(zip(("p50", "p95", "p99"), (round(s, 4) for s in account.latencies), strict=True)),
        "saved": {
            "results": saved.results if saved else 0,
            "requests": saved.requests if saved else 0,
            "tokens": saved.input_tokens + saved.output_tokens if saved else 0,
            "usd": round(saved.usd, 6) if saved else 0.0,
            "unpriced_requests": saved.unpriced if saved else 0,
        },
    }


def show_contents(contents: "Contents") -> None:
    """Print what the store holds."""
    console = Screen()
    counts = columns_of(("results",), [(f"{count:,}",) for count in contents.results.values()])
    console.print(stage_tables(list(contents.results), [counts], console.width))
    console.sentence(
        f"{counted(contents.values, 'value')}, {contents.bytes / 2**20:,.1f} MB on disk; "
        f"{counted(contents.failures, 'failure')} recorded as permanent."
    )


def show_accounts(accounts: "Sequence[Account]", by: Sequence[str]) -> None:
    """Print requests, costs, hits and savings. by: the keys that the accounts are broken down by."""
    console = Screen()
    if not accounts:
        console.sentence("No requests were sent to a model.")
        return
    names = [_name(account) for account in accounts]
    costs = columns_of(("requests", "tokens", "dollars"), [_costs(account) for account in accounts])
    seconds = columns_of(("p50 s", "p95 s", "p99 s"), [_seconds(account) for account in accounts])
    console.print()
    console.print(stage_tables(names, [costs, seconds], console.width, heading=", ".join(by)))
    for account in accounts:
        if wasted := account.wasted.requests:
            amount = dollars(account.wasted.usd, account.wasted.unpriced)
            console.sentence(
                f"{_name(account)}: requests without a usable answer: {_failed(account.outcomes)}; wasted on "
                f"{'it' if wasted == 1 else 'them'}: {counted(account.wasted.tokens, 'token')}, {amount} dollars."
            )
    saved = columns_of(("requests", "tokens", "dollars"), [_savings(account) for account in accounts])
    hits = columns_of(("hits", "misses", "hit rate"), [_hits(account) for account in accounts])
    console.print()
    console.print(stage_tables(names, [saved, hits], console.width, heading="saved by reuse"))


def _costs(account: "Account") -> tuple[str, str, str]:
    tokens = account.input_tokens + account.output_tokens
    return f"{account.requests:,}", f"{tokens:,}", dollars(account.usd, account.unpriced)


def _seconds(account: "Account") -> list[str]:
    return [f"{seconds:,.2f}" if seconds else "" for seconds in account.latencies]


def _savings(account: "Account") -> tuple[str, str, str]:
    saved = account.saved
    if saved is None:
        return "0", "0", "0.00"
    return f"{saved.requests:,}", f"{saved.input_tokens + saved.output_tokens:,}", dollars(saved.usd, saved.unpriced)


def _hits(account: "Account") -> tuple[str, str, str]:
    rate = account.hit_rate
    return f"{account.hits:,}", f"{account.misses:,}", "" if rate is None else f"{rate:.1%}"


def _name(account: "Account") -> str:
    return ", ".join(filter(None, (account.day, account.stage, account.model)))


def _failed(outcomes: Mapping[str, int]) -> str:
    from io_managers.store.request_ledger import USABLE

    return ", ".join(f"{count:,} {outcome}" for outcome, count in outcomes.items() if outcome not in USABLE)
