"""An account in Prometheus's text format, for the service and for the textfile collector.

What belongs here: the names, types and labels of the metrics. What does not: adding up (account), and where the text goes.
Source: https://prometheus.io/docs/instrumenting/exposition_formats/
"""

from collections.abc import Callable, Iterator, Sequence

from io_managers.store.account import Account

Figure = tuple[dict[str, str], float]

_QUANTILES = ("0.5", "0.95", "0.99")


def metrics_of(accounts: Sequence[Account]) -> str:
    """The metrics of all stages and models as text."""
    lines: list[str] = []
    for name, kind, help_text, figures in _METRICS:
        lines += [f"# HELP {name} {help_text}", f"# TYPE {name} {kind}"]
        for account in accounts:
            for labels, value in figures(account):
                every = {"stage": account.stage, "model": account.model, **labels}
                shown = ",".join(f'{label}="{_escaped(text)}"' for label, text in every.items())
                lines.append(f"{name}{{{shown}}} {value:.12g}")
    return "\n".join(lines) + "\n"


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def _one(read: Callable[[Account], float]) -> Callable[[Account], Iterator[Figure]]:
    def figures(account: Account) -> Iterator[Figure]:
        yield {}, read(account)

    return figures


def _requests(account: Account) -> Iterator[Figure]:
    for outcome, count in account.outcomes.items():
        yield {"outcome": outcome}, count


def _tokens(account: Account) -> Iterator[Figure]:
    yield {"kind": "input"}, account.input_tokens
    yield {"kind": "output"}, account.output_tokens


def _seconds(account: Account) -> Iterator[Figure]:
    if any(account.latencies):
        for quantile, seconds in zip(_QUANTILES, account.latencies, strict=True):
            yield {"quantile": quantile}, seconds


# Name, type, help, and the labels and values of one account.
_METRICS: tuple[tuple[str, str, str, Callable[[Account], Iterator[Figure]]], ...] = (
    ("seedbank_model_requests_total", "counter", "Requests that were sent to models, by outcome.", _requests),
    ("seedbank_model_tokens_total", "counter", "Tokens of prompts (input) and answers (output).", _tokens),
    ("seedbank_model_usd_total", "counter", "Dollars, without requests whose price is unknown.", _one(lambda a: a.usd)),
    (
        "seedbank_model_unpriced_requests_total",
        "counter",
        "Requests whose price is unknown.",
        _one(lambda a: a.unpriced),
    ),
    (
        "seedbank_wasted_usd_total",
        "counter",
        "Dollars for requests without a usable answer.",
        _one(lambda a: a.wasted.usd),
    ),
    (
        "seedbank_saved_usd_total",
        "counter",
        "Dollars that reuse has saved.",
        _one(lambda a: a.saved.usd if a.saved else 0),
    ),
    (
        "seedbank_saved_requests_total",
        "counter",
        "Requests that reuse has saved.",
        _one(lambda a: a.saved.requests if a.saved else 0),
    ),
    (
        "seedbank_reused_results_total",
        "counter",
        "Results that were found and had cost something.",
        _one(lambda a: a.hits),
    ),
    (
        "seedbank_computed_results_total",
        "counter",
        "Results that were computed with requests.",
        _one(lambda a: a.misses),
    ),
    ("seedbank_model_seconds", "gauge", "Percentiles of the time that answers took.", _seconds),
)
