"""Figures for Prometheus: requests to the service, counted here, and requests to models, read from the store at each scrape.

What models were asked and paid is in the store's ledger, whichever process asked: so a restart of the service loses nothing, and
runs of Dagster are counted as well. Each knowledge base has a registry of its own, so that its figures are shown under its token
only. The label of a route is its template (`/documents/{document}`): labels by path would grow without bounds.
"""

import time
from collections.abc import Iterable

from prometheus_client import CollectorRegistry, Histogram, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from resources.ingestions.ingestion_requests import OPEN
from service.bases import Base

MEDIA_TYPE = "text/plain; version=0.0.4; charset=utf-8"
# From a kept answer (a millisecond) to a slow model (minutes).
_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120)
_METHODS = frozenset({"GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"})


class Figures:
    """The figures of one knowledge base."""

    def __init__(self, base: Base) -> None:
        self.registry = CollectorRegistry(auto_describe=False)
        self.seconds = Histogram(
            "seedbank_http_request_seconds",
            "Seconds from a request to the end of its response",
            ("method", "route", "status"),
            buckets=_BUCKETS,
            registry=self.registry,
        )
        self.registry.register(_Ledger(base))

    def text(self) -> bytes:
        """All figures in the text format of Prometheus. It reads the store. Raises StoreError."""
        return generate_latest(self.registry)


class Measured:
    """An app whose requests are counted and timed."""

    def __init__(self, app: ASGIApp, figures: Figures) -> None:
        self._app = app
        self._figures = figures

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, and measure it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        status = "500"

        async def send_noted(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = str(message["status"])
            await send(message)

        started = time.perf_counter()
        try:
            await self._app(scope, receive, send_noted)
        finally:
            route = getattr(scope.get("route"), "path", "none")
            method = scope["method"] if scope["method"] in _METHODS else "other"
            self._figures.seconds.labels(method, route, status).observe(time.perf_counter() - started)


class _Ledger(Collector):
    """What the store and the home say at the time of a scrape."""

    def __init__(self, base: Base) -> None:
        self._base = base

    def collect(self) -> Iterable[Metric]:
        """The figures, by stage and model."""
        labels = ("stage", "model")
        attempts = CounterMetricFamily(
            "seedbank_model_requests", "Requests sent to models", labels=(*labels, "outcome")
        )
        tokens = CounterMetricFamily("seedbank_model_tokens", "Tokens of requests", labels=(*labels, "kind"))
        usd = CounterMetricFamily(
            "seedbank_model_usd", "Dollars paid, without requests of unknown price", labels=labels
        )
        unpriced = CounterMetricFamily("seedbank_model_unpriced_requests", "Requests of unknown price", labels=labels)
        reused = CounterMetricFamily("seedbank_reused_results", "Stored results that were reused", labels=labels)
        saved = CounterMetricFamily("seedbank_saved_usd", "What the reused results had cost, in dollars", labels=labels)
        ingestions = GaugeMetricFamily("seedbank_open_ingestions", "Ingestions that have not ended", labels=("state",))
        if self._base.home.bound_corpus() is not None:
            for account in self._base.session.store.requests.accounts():
                name = [account.stage, account.model]
                for outcome, count in account.outcomes.items():
                    attempts.add_metric([*name, outcome], count)
                tokens.add_metric([*name, "input"], account.input_tokens or 0)
                tokens.add_metric([*name, "output"], account.output_tokens or 0)
                usd.add_metric(name, account.usd)
                unpriced.add_metric(name, account.unpriced or 0)
                if account.saved:
                    reused.add_metric(name, account.saved.results)
                    saved.add_metric(name, account.saved.usd)
        states = [one.state for one in self._base.requests.open()]
        for state in OPEN:
            ingestions.add_metric([state], states.count(state))
        return attempts, tokens, usd, unpriced, reused, saved, ingestions
