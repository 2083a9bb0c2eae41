"""Runs processes and measures their wall-clock time and peak memory.

What belongs here: running a command to its end, and work that calls the project's own code, which runs in such a process, too
(`python -m benchmarks.dagster_scale_processes NAME ...` prints JSON). What does not: what is compared (dagster_scale).
"""

import hashlib
import json
import os
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class Finished:
    """One finished command. seconds: wall clock of the whole process; peak_mb: largest resident set of any process of it."""

    seconds: float
    peak_mb: float
    output: str


def run(
    command: Sequence[str | Path], environment: Mapping[str, str] | None = None, folder: Path | None = None
) -> Finished:
    """Run a command to its end, in a folder. If it fails, exits with what the command printed.

    environment: variables that are added to those of this process; an empty value removes a variable.
    """
    merged = {name: value for name, value in (os.environ | dict(environment or {})).items() if value}
    with tempfile.TemporaryFile() as output, tempfile.TemporaryFile() as errors:
        began = time.perf_counter()
        process = subprocess.Popen(command, env=merged, cwd=folder, stdout=output, stderr=errors)
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - began
        process.returncode = os.waitstatus_to_exitcode(status)
        output.seek(0)
        errors.seek(0)
        if process.returncode != 0:
            said = errors.read().decode(errors="replace")[-2000:]
            raise SystemExit(f"{' '.join(map(str, command))} ended with {process.returncode}:\n{said}")
        return Finished(seconds, usage.ru_maxrss / 1024, output.read().decode())


def run_own(name: str, *arguments: Any) -> tuple[Finished, Any]:
    """Run one of this module's functions in a process of its own. Returns the process, and the function's result."""
    command = [sys.executable, "-m", __name__, name, *(json.dumps(argument) for argument in arguments)]
    finished = run(command, {"OPENBLAS_NUM_THREADS": "1"})
    return finished, json.loads(finished.output)


def rematerialize(home: str, corpus: str, documents: int, storage: str, url: str) -> dict[str, Any]:
    """Materialize the first so many documents, whose results are all in the store. Returns the seconds of the runs."""
    from dagster import DagsterInstance
    from dagster._core.instance.ref import InstanceRef

    from resources.settings.config import PROJECT_ROOT, load_settings
    from seed_assets.orchestration import dagster_runs
    from seed_assets.session.session import Session

    storages = {
        "stock SQLite": {"sqlite": {"base_dir": f"{home}/dagster"}},
        # Without the driver's name, SQLAlchemy looks for another driver than the one that dagster-postgres installs.
        "stock PostgreSQL": {"postgres": {"postgres_url": url.replace("postgresql:", "postgresql+psycopg2:", 1)}},
        "batched PostgreSQL": {
            "custom": {"module": "event_log.postgres", "class": "PostgresStorage", "config": {"postgres_url": url}}
        },
    }
    os.environ["SEEDBANK_HOME"] = home
    if storage in storages:
        logs = {
            "module": "dagster._core.storage.noop_compute_log_manager",
            "class": "NoOpComputeLogManager",
            "config": {},
        }
        overrides = {"storage": storages[storage], "compute_logs": logs}
        instance = DagsterInstance.from_ref(InstanceRef.from_dir(str(PROJECT_ROOT), overrides=overrides))
    else:
        instance = dagster_runs.open_instance()
    dagster_runs.open_instance = lambda: instance
    settings = load_settings({"home": Path(home), "corpus": Path(corpus)})
    session = Session(settings)
    runner = session.runner()
    runs = dagster_runs.DagsterRuns(settings, runner)
    runs.partitions.add(sorted(session.corpus.scan().documents))
    order = runs.partitions.order()[:documents]
    stages = [stage.name for stage in session.pipeline.document_stages]
    began = time.perf_counter()
    for start in range(0, documents, settings.documents_per_run):
        group = order[start : start + settings.documents_per_run]
        finished = runs.run(stages, (group[0], group[-1]))
        if not finished.success:
            raise SystemExit(f"The run failed: {finished}")
    seconds = time.perf_counter() - began
    computed = {name: len(tally.computed) for name, tally in runner.tallies.items() if tally.computed}
    visited = {len(tally.visited) for tally in runner.tallies.values()}
    if computed or visited != {documents}:
        raise SystemExit(f"Of {documents} documents {visited} were visited, and {computed} computed.")
    return {
        "seconds": seconds,
        "documents": documents,
        "stages": len(stages),
        "event_log": type(instance.event_log_storage).__name__,
    }


def floor(home: str, corpus: str, stages: list[str]) -> dict[str, int]:
    """Read and hash every file, and query the store once per stage: only the work that no plan can avoid."""
    digests = {}
    for folder, _, names in os.walk(corpus):
        for name in names:
            with open(os.path.join(folder, name), "rb") as file:
                digests[name] = hashlib.sha256(file.read()).hexdigest()
    with closing(sqlite3.connect(f"file:{home}/store/store.db?mode=ro", uri=True)) as store:
        found = [
            dict(store.execute("SELECT partition, action_key FROM refs WHERE stage = ?", (stage,))) for stage in stages
        ]
    return {"files": len(digests), "results": sum(map(len, found))}


if __name__ == "__main__":
    _OWN = {"rematerialize": rematerialize, "floor": floor}
    print(json.dumps(_OWN[sys.argv[1]](*map(json.loads, sys.argv[2:]))))
