"""Several machines on this one: Dagster's daemon over one home, and workers with homes of their own, over real services.

What belongs here: starting and ending them, as deploy/ says, and what Dagster recorded. What does not: assertions.
"""

import os
import shutil
import signal
import subprocess
import sys
import time
import urllib.parse
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import psycopg2
from kombu.connection import Connection

from resources.ingestions.ingestion_requests import OPEN, Ingestion, IngestionRequests
from tests.support.event_logs import new_database
from tests.support.postgres_proxy import Proxy
from tests.support.seed_process import ROOT

BROKER = "amqp://guest:guest@127.0.0.1:5672//"
KEY = "secret:" + "07" * 32
_PATIENCE_SECONDS = 600


class Machines:
    """The home, and what works for it. environment: of every process."""

    def __init__(self, folder: Path, corpus: Path, environment: dict[str, str], database: str, workers: int) -> None:
        self.folder = folder
        self.home = folder / "home"
        self.queue = f"seedbank-{uuid.uuid4().hex[:8]}"
        self.database = database.replace("+psycopg2", "")
        dagster_home = folder / "dagster-home"
        dagster_home.mkdir(parents=True)
        shutil.copy(ROOT / "deploy" / "dagster.yaml", dagster_home / "dagster.yaml")
        clean = {n: v for n, v in os.environ.items() if not n.startswith(("SEEDBANK_", "DAGSTER_"))}
        self.environment = {
            **clean,
            "PYTHONPATH": str(ROOT),
            "DAGSTER_HOME": str(dagster_home),
            "DAGSTER_DATABASE_URL": self.database,
            "SEEDBANK_CORPUS": str(corpus),
            "SEEDBANK_STORE__SIGNING_KEY": KEY,
            "SEEDBANK_DEPLOYMENT__WORKERS": str(workers),
            "SEEDBANK_DEPLOYMENT__QUEUE": self.queue,
            **environment,
        }
        self.broker = Proxy(("127.0.0.1", 5672))
        self.environment["SEEDBANK_DEPLOYMENT__BROKER_URL"] = f"amqp://guest:guest@127.0.0.1:{self.broker.port}//"
        self.processes: dict[str, subprocess.Popen[bytes]] = {}

    def begin_daemon(self) -> None:
        """Start Dagster's daemon, which asks for runs."""
        self._start("daemon", self.home, "-m", "dagster._daemon", "run", "--workspace", str(ROOT / "workspace.yaml"))

    def begin_worker(self, name: str, **environment: str) -> None:
        """Start a worker with a home of this name."""
        self._start(name, self.folder / name, "-m", "cli.main", "worker", **environment)

    def _start(self, name: str, home: Path, *arguments: str, **environment: str) -> None:
        with (self.folder / f"{name}.log").open("ab") as log:
            self.processes[name] = subprocess.Popen(
                [sys.executable, *arguments],
                cwd=ROOT,
                env={**self.environment, "SEEDBANK_HOME": str(home), **environment},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def kill(self, name: str) -> None:
        """`kill -9` of a machine: all of its processes at once."""
        process = self.processes.pop(name)
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()

    def log(self, name: str) -> str:
        """What a machine has printed."""
        return (self.folder / f"{name}.log").read_text(errors="replace")

    def ask(self) -> Callable[[], Ingestion]:
        """Ask the daemon to bring the home up to date; what became of that."""
        self.home.mkdir(exist_ok=True)
        requests = IngestionRequests(self.home / "ingestions.db")
        made = requests.request()
        assert made is not None
        return lambda: requests.get(made.ingestion_id) or made

    def finish(self, asked: Callable[[], Ingestion]) -> Ingestion:
        """Wait until what was asked for has ended."""
        self.until(lambda: asked().state not in OPEN, lambda: str(asked()))
        return asked()

    def until(self, reached: Callable[[], bool], seen: Callable[[], str]) -> None:
        """Wait for something to be seen."""
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while not reached():
            logs = "\n".join(f"--- {name}\n{self.log(name)[-3000:]}" for name in self.processes)
            assert time.monotonic() < deadline, f"{seen()}\n{logs}"
            time.sleep(0.2)

    def query(self, sql: str) -> list[tuple[Any, ...]]:
        """What is in Dagster's database."""
        with psycopg2.connect(self.database) as connection, connection.cursor() as cursor:
            cursor.execute(sql)
            return cursor.fetchall() if cursor.description else []

    def restart_database(self) -> None:
        """End all connections to Dagster's database, as a server that is started again does."""
        name = urllib.parse.urlsplit(self.database).path.lstrip("/")
        self.query(
            f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}' AND pid <> pg_backend_pid()"
        )

    def end(self) -> None:
        """End everything, and remove the queue."""
        for name in list(self.processes):
            self.kill(name)
        self.broker.close()
        with Connection(BROKER) as connection, suppress(Exception):
            connection.default_channel.queue_delete(self.queue)


@contextmanager
def machines(folder: Path, corpus: Path, environment: dict[str, str], workers: int = 2) -> Iterator[Machines]:
    """Machines over a database of their own, which end with the body."""
    with new_database() as database:
        made = Machines(folder, corpus, environment, database, workers)
        try:
            yield made
        finally:
            made.end()
