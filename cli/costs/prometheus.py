"""An account in Prometheus's text format, as its textfile collector reads it.

What belongs here: the names, types and labels of the metrics, and writing the file. What does not: adding up (the store).
Source: https://prometheus.io/docs/instrumenting/exposition_formats/
"""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from io_managers.store.account import Account
    from seed_assets.session.session import Session

    Figure = tuple[dict[str, str], float]

_QUANTILES = ("0.5", "0.95", "0.99")


def write_metrics(path: Path, accounts: "Sequence[Account]") -> None:
    """Write the metrics to a file, as a whole or not at all. Raises ConfigurationError if it cannot be written."""
    from io_managers.store.whole_files import write_whole
    from resources.errors import ConfigurationError

    try:
        # The collector of Prometheus runs as another user, and nothing in the file is of a document.
        write_whole(path, metrics_of(accounts).encode(), mode=0o644)
    except OSError as error:
        raise ConfigurationError(
            f"The metrics {path} cannot be written: {error.strerror or error}. Name a file in a folder that exists and can be "
            "written."
        ) from error


def write_after_seed(session: "Session") -> None:
    """Write the metrics where the settings say. What keeps them from being written is only reported: the seed is done."""
    from cli.streams import print_error
    from io_managers.store.errors import StoreError
    from resources.errors import ConfigurationError

    path = session.settings.metrics.prometheus_path
    assert path is not None
    try:
        session.store.database.write().result()  # what is queued has to be read, too
        write_metrics(path, session.store.account.accounts())
    except (ConfigurationError, StoreError) as error:
        print_error(str(error))


def metrics_of(accounts: "Sequence[Account]") -> str:
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


def _one(read: "Callable[[Account], float]") -> "Callable[[Account], Iterator[Figure]]":
    def figures(account: "Account") -> "Iterator[Figure]":
        yield {}, read(account)

    return figures


def _requests(account: "Account") -> "Iterator[Figure]":
    for outcome, count in account.outcomes.items():
        yield {"outcome": outcome}, count


def _tokens(account: "Account") -> "Iterator[Figure]":
    yield {"direction": "input"}, account.input_tokens
    yield {"direction": "output"}, account.output_tokens


def _seconds(account: "Account") -> "Iterator[Figure]":
    if any(account.latencies):
        for quantile, seconds in zip(_QUANTILES, account.latencies, strict=True):
            yield {"quantile": quantile}, seconds


# Name, type, help, and the labels and values of one account.
_METRICS: "tuple[tuple[str, str, str, Callable[[Account], Iterator[Figure]]], ...]" = (
    ("seedbank_requests_total", "counter", "Requests that were sent to models, by outcome.", _requests),
    ("seedbank_tokens_total", "counter", "Tokens of prompts (input) and answers (output).", _tokens),
    ("seedbank_spent_usd_total", "counter", "Dollars, without requests whose price is unknown.", _one(lambda a: a.usd)),
    ("seedbank_unpriced_requests_total", "counter", "Requests whose price is unknown.", _one(lambda a: a.unpriced)),
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
    ("seedbank_hits_total", "counter", "Results that were found and had cost something.", _one(lambda a: a.hits)),
    ("seedbank_misses_total", "counter", "Results that were computed with requests.", _one(lambda a: a.misses)),
    ("seedbank_request_seconds", "gauge", "Percentiles of the time that answers took.", _seconds),
)
