"""An account as a table of comma-separated values, for spreadsheets. What belongs here: columns and their order."""

import csv
import io
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from io_managers.store.account import Account, Key


def csv_of(accounts: "Sequence[Account]", by: "Sequence[Key]") -> str:
    """The accounts as CSV with a header. by: the keys that they are broken down by, which come first."""
    rows = [{**{key: getattr(account, key) for key in by}, **_figures(account)} for account in accounts]
    output = io.StringIO()
    names = [*by, *_figures(None)]
    writer = csv.DictWriter(output, names, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return output.getvalue().rstrip("\n")


def _figures(account: "Account | None") -> dict[str, Any]:
    """Column -> figure. Dollars leave out requests without a known price, which have columns of their own."""
    from io_managers.store.account import Account

    found = account or Account("", "", "")
    saved, rate = found.saved, found.hit_rate
    p50, p95, p99 = found.latencies
    return {
        "requests": found.requests,
        "input_tokens": found.input_tokens,
        "output_tokens": found.output_tokens,
        "usd": round(found.usd, 9),
        "unpriced_requests": found.unpriced,
        "wasted_requests": found.wasted.requests,
        "wasted_tokens": found.wasted.tokens,
        "wasted_usd": round(found.wasted.usd, 9),
        "saved_requests": saved.requests if saved else 0,
        "saved_tokens": saved.input_tokens + saved.output_tokens if saved else 0,
        "saved_usd": round(saved.usd, 9) if saved else 0.0,
        "saved_unpriced_requests": saved.unpriced if saved else 0,
        "hits": found.hits,
        "misses": found.misses,
        "hit_rate": "" if rate is None else round(rate, 4),
        "p50_seconds": p50,
        "p95_seconds": p95,
        "p99_seconds": p99,
    }
