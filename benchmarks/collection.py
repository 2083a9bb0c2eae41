"""Measures a collection (`seedbank cache gc`) of a large store: time, memory, and how long writers wait meanwhile.

    python -m benchmarks.collection [--results 1000000] [--directory DIR]

What belongs here: a made store of results of two kinds, half of the first published, and its collection under a limit. What does
not: commits and look-ups (benchmarks.store).
"""

import argparse
import json
import os
import random
import resource
import tempfile
import time
from contextlib import closing
from pathlib import Path

from io_managers.store.action_cache import Provenance, action_row
from io_managers.store.content_store import put_row
from io_managers.store.fingerprint import content_digest
from io_managers.store.refs import Ref
from io_managers.store.retention.collection import collect
from io_managers.store.retention.rules import Rules
from io_managers.store.store import Store

_VALUE_BYTES = 500
_GROUP = 5000
_DAYS = 400


def fill(store: Store, results: int) -> None:
    """Write so many old results: a third paid requests, the rest of a stage, of which every other one is published."""
    rng = random.Random(1)
    now = time.time()
    insert = "INSERT INTO actions VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, NULL)"
    for start in range(0, results, _GROUP):
        actions, objects, refs = [], [], []
        for number in range(start, min(results, start + _GROUP)):
            data = b"seedbank text 1\n" + rng.randbytes(_VALUE_BYTES)
            # Keys are digests, so that neighbours in the index of keys lie apart in the table, as in a real store.
            key, digest = content_digest(str(number).encode()).removeprefix("sha256:"), content_digest(data)
            paid = number % 3 == 0
            made = Provenance(0.5, 1, 900, 100, 0.001) if paid else Provenance(0.01, preview="some words of a value")
            parts = json.dumps(
                {"version": "1", "text": content_digest(str(number).encode()), "model": {"name": "a model"}}
            )
            stage = "model_request" if paid else "chunks"
            provenance = json.dumps({"seconds": made.seconds, **({"requests": 1, "usd": made.usd} if paid else {})})
            at = now - rng.uniform(8, _DAYS) * 86_400
            actions.append(action_row(key, stage, digest, "builtins:str", parts, provenance, at))
            objects.append(put_row(digest, len(data), False, data))
            if not paid and number % 2:
                refs.append(Ref(stage, f"document {number}", key, digest))
        store.database.write((insert, actions), (objects[0][0], [row for _, row in objects])).result()
        store.refs.publish(refs)


def main() -> None:
    """Fill, collect, and print the figures."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--results", type=int, default=1_000_000)
    parser.add_argument("--directory", type=Path, default=Path(tempfile.gettempdir()), help="on the disk to measure")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=options.directory) as directory:
        with closing(Store(Path(directory) / "store")) as store:
            fill(store, options.results)
        peak_before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        with closing(Store(Path(directory) / "store")) as store:
            size_mb = sum(path.stat().st_size for path in Path(directory).rglob("*.db")) >> 20
            rules = Rules(ttl_days={"chunks": 200}, limit_bytes=(size_mb << 20) // 2)
            for dry_run in (True, False):
                began, used = time.perf_counter(), os.times()
                found = collect(store, rules, dry_run=dry_run)
                after = os.times()
                print(
                    json.dumps(
                        {
                            "dry_run": dry_run,
                            "results": options.results,
                            "size_mb": size_mb,
                            "removed": found.total.results,
                            "still_over_mb": found.still_over_bytes >> 20,
                            "seconds": round(time.perf_counter() - began, 1),
                            "processor_seconds": round(sum(after[:2]) - sum(used[:2]), 1),
                            "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10,
                            "peak_before_mb": peak_before >> 10,
                        }
                    ),
                    flush=True,
                )


if __name__ == "__main__":
    main()
