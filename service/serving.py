"""Runs the service: the HTTP server with its limits. What is answered is in `app`."""

import uvicorn

from service.access import rules
from service.app import build_service
from service.bases import Base

# Further connections are refused with the status 503, so that a flood cannot use up memory (a judgement).
_MOST_CONNECTIONS = 1_000
_KEEP_ALIVE_SECONDS = 30
# How long answers may take that are under way when the service is stopped; their work goes on to its end in any case.
_GRACE_SECONDS = 10


def run_service(bases: list[Base], host: str, port: int, *, loopback: bool) -> None:
    """Answer requests until a signal ends the process. loopback: whether only this machine can reach the address."""
    more_hosts = bases[0].settings.service.hosts
    app = build_service(bases, lambda base: rules(base.token, host, more_hosts, loopback=loopback))
    config = uvicorn.Config(
        app,
        host=host,
        port=port,
        loop="auto",  # uvloop, where it is installed
        http="httptools",
        ws="none",
        lifespan="on",
        log_level="warning",
        access_log=False,
        server_header=False,
        proxy_headers=False,
        limit_concurrency=_MOST_CONNECTIONS,
        timeout_keep_alive=_KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=_GRACE_SECONDS,
    )
    uvicorn.Server(config).run()
