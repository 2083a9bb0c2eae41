"""Measures what a Dagster page and a tick take with very many partitions, with the batched event log on PostgreSQL.

    python -m benchmarks.many_partitions [--partitions N ...] [--postgres URL] [--json]

One asset has a materialization for each partition, as a seed records them, in a database of its own that is dropped afterwards. A
tick reads the list of partitions, and compares the records of each stage if they may be out of sync: the status and the data
version of each partition. The page is that of the asset's partitions, in Chromium, from a server that was just started. The
processor seconds of the page are those of the server with its code server, without the browser.
"""

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import dagster as dg
import yaml
from dagster._core.events import StepMaterializationData
from dagster._core.instance.ref import InstanceRef
from dagster._core.storage.dagster_run import DagsterRun

from benchmarks.dagster_scale_page import measure_page
from io_managers.partition_events import CODE_VERSION_TAG, DATA_VERSION_IS_OURS_TAG, DATA_VERSION_TAG

_ASSET = dg.AssetKey("summaries")
_PARTITIONS = dg.DynamicPartitionsDefinition(name="documents")
_AT_ONCE = 1_000


def measure(url: str, partitions: int, chromium: str, *, page: bool) -> dict[str, float]:
    """Return the figures for so many partitions, in an empty database."""
    folder = Path(tempfile.mkdtemp(prefix="seedbank-benchmark-"))
    storage = {"custom": {"module": "event_log.postgres", "class": "PostgresStorage", "config": {"postgres_url": url}}}
    (folder / "dagster.yaml").write_text(yaml.safe_dump({"storage": storage, "telemetry": {"enabled": False}}))
    names = [f"{number // 1000:04}/{number:07}.md" for number in range(partitions)]
    figures: dict[str, float] = {}
    with dg.DagsterInstance.from_ref(InstanceRef.from_dir(str(folder))) as instance:
        began = time.perf_counter()
        instance.add_dynamic_partitions(_PARTITIONS.name or "", names)
        figures["add_seconds"] = time.perf_counter() - began
        run = DagsterRun("seed_documents", run_id=str(uuid4()), status=dg.DagsterRunStatus.SUCCESS)
        instance.add_run(run)
        log = instance.event_log_storage
        for start in range(0, partitions, _AT_ONCE):
            log.store_event_batch(_materialized(run.run_id, names[start : start + _AT_ONCE]))
        reads: dict[str, Callable[[], Sequence[str] | Any]] = {
            "partitions": lambda: instance.get_dynamic_partitions(_PARTITIONS.name or ""),
            "status": lambda: instance.get_status_by_partition(_ASSET, names, _PARTITIONS),
            "status_again": lambda: instance.get_status_by_partition(_ASSET, names, _PARTITIONS),
            "versions": lambda: log.get_latest_tags_by_partition(
                _ASSET, dg.DagsterEventType.ASSET_MATERIALIZATION, [DATA_VERSION_TAG]
            ),
        }
        for what, read in reads.items():
            began, used = time.perf_counter(), time.process_time()
            if len(read()) != partitions:
                raise SystemExit(f"{what} gave another number than {partitions}.")
            figures[f"{what}_seconds"] = time.perf_counter() - began
            figures[f"{what}_processor_seconds"] = time.process_time() - used
    if page:
        figures |= measure_page(folder, partitions, names[0], chromium, None, instance=folder)
    return figures


def _materialized(run_id: str, names: Sequence[str]) -> list[dg.EventLogEntry]:
    return [_entry(run_id, name) for name in names]


def _entry(run_id: str, partition: str) -> dg.EventLogEntry:
    digest = f"sha256:{partition:0>64}"
    tags = {DATA_VERSION_TAG: digest, DATA_VERSION_IS_OURS_TAG: "true", CODE_VERSION_TAG: "1"}
    metadata = {
        "content_digest": digest,
        "reused": False,
        "seconds": 0.01,
        "preview": "A summary of a line of text. " * 5,
    }
    found = dg.AssetMaterialization(_ASSET, partition=partition, tags=tags, metadata=metadata)
    kind = dg.DagsterEventType.ASSET_MATERIALIZATION.value
    event = dg.DagsterEvent(
        kind, "seed_documents", step_key="summaries", event_specific_data=StepMaterializationData(found)
    )
    return dg.EventLogEntry(
        error_info=None,
        level=20,
        user_message="",
        run_id=run_id,
        timestamp=time.time(),
        step_key="summaries",
        job_name="seed_documents",
        dagster_event=event,
    )


@contextmanager
def _database(server: str) -> Iterator[str]:
    """A database of its own on the server."""
    import psycopg2

    name = f"seedbank_benchmark_{uuid4().hex[:8]}"
    connection = psycopg2.connect(server)
    connection.autocommit = True
    with closing(connection), connection.cursor() as cursor:
        cursor.execute(f"CREATE DATABASE {name}")
        try:
            yield urlsplit(server)._replace(path=f"/{name}").geturl()
        finally:
            cursor.execute(f"DROP DATABASE {name} WITH (FORCE)")


def main() -> None:
    """Measure, and print the figures."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--partitions", type=int, nargs="+", default=[10_000], help="how many (default 10000); several")
    parser.add_argument("--postgres", default="postgresql://127.0.0.1:5432/test", help="a server and a database of it")
    parser.add_argument("--chromium", default="chromium", help="the browser (default chromium)")
    parser.add_argument("--without-page", action="store_true", help="open no page")
    parser.add_argument("--json", action="store_true", help="one JSON object instead of lines")
    options = parser.parse_args()
    figures: dict[int, dict[str, float]] = {}
    for partitions in options.partitions:
        with _database(options.postgres) as url:
            figures[partitions] = measure(url, partitions, options.chromium, page=not options.without_page)
        if not options.json:
            for name, value in figures[partitions].items():
                print(f"{partitions:>10,} {name:32}{value:9.2f}", flush=True)
    if options.json:
        json.dump(figures, sys.stdout)


if __name__ == "__main__":
    main()
