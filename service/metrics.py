"""Figures for Prometheus: requests to the service, counted here, and requests to models, read from the store at each scrape.

What models were asked and paid is in the store's ledger, whichever process asked: so a restart of the service loses nothing, and
runs of Dagster are counted as well. Each knowledge base has a registry of its own, so that its figures are shown under its token
only. The label of a route is its template (`/documents/{document}`): labels by path would grow without bounds.
"""

import time
from collections.abc import Iterable

from prometheus_client import CollectorRegistry, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from io_managers.store.account_metrics import metrics_of
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
        self.registry.register(_Ingestions(base))
        self._base = base

    def text(self) -> bytes:
        """All figures in the text format of Prometheus. It reads the store. Raises StoreError."""
        of_service = generate_latest(self.registry)
        if not self._base.is_seeded:
            return of_service
        return of_service + metrics_of(self._base.session.store.account.accounts()).encode()


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


class _Ingestions(Collector):
    """What the home says of ingestions at the time of a scrape."""

    def __init__(self, base: Base) -> None:
        self._base = base

    def collect(self) -> Iterable[Metric]:
        """The ingestions that have not ended, by state."""
        ingestions = GaugeMetricFamily("seedbank_open_ingestions", "Ingestions that have not ended", labels=("state",))
        states = [one.state for one in self._base.requests.open()]
        for state in OPEN:
            ingestions.add_metric([state], states.count(state))
        return (ingestions,)
