"""Collections, clearings, vacuums and commits that are killed at random moments: the store stays whole, and commits stay."""

import os
import random
import signal
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import pytest

from io_managers.store.store import Store

ROOT = Path(__file__).parents[4]
MOMENTS = 12

# Each worker prints a line when a commit is acknowledged, and goes on until it is killed.
WORKER = """
import random, sys, time
from pathlib import Path
from io_managers.store import content_store
from io_managers.store.action_cache import Provenance
from io_managers.store.fingerprint import KeyTemplate
from io_managers.store.refs import Ref
from io_managers.store.retention.clearing import Choice, clear
from io_managers.store.retention.collection import collect
from io_managers.store.retention.rules import Rules
from io_managers.store.retention.space import vacuum
from io_managers.store.store import Store

content_store.LARGE_BYTES = 2000  # so that some values are files
store, kind, number = Store(Path(sys.argv[1])), sys.argv[2], int(sys.argv[3])
chance = random.Random(number)
kept, gone = KeyTemplate("kept", {"version": "1"}), KeyTemplate("gone", {"version": "1"})
print("ready", flush=True)
count = 0
while True:
    if kind == "commit":
        count += 1
        value = chance.randbytes(chance.choice((100, 3000)))
        old, new = gone.action({"n": number, "i": count}), kept.action({"n": number, "i": count})
        # The same value under a key that is about to be removed, and under one that must stay.
        (digest, _) = store.commit([(new, value, Provenance()), (old, value, Provenance())]).result()
        store.database.write(("UPDATE actions SET created_at = 0 WHERE action_key = ?", [(old.key,)])).result()
        store.refs.publish([Ref("kept", f"{number}/{count}", new.key, digest)])
        print(new.key, digest, flush=True)
    elif kind == "collect":
        collect(store, Rules(ttl_days={"gone": 1}, grace_days=1, limit_bytes=1), dry_run=False)
    elif kind == "clear":
        clear(store, Choice(stages=("gone",)), dry_run=False)
    elif kind == "verify":
        assert not (wrong := store.verify()), wrong
    else:
        vacuum(store, always=True)
        time.sleep(0.05)
"""


@pytest.mark.integration
@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="there is no SIGKILL")
def test_whatever_is_killed_the_store_is_whole_and_nothing_acknowledged_is_lost(tmp_path: Path) -> None:
    """A kill between the removal of a row and of its file, or in the middle of a vacuum, must cost nothing that is in use."""
    directory, chance = tmp_path / "store", random.Random(1)
    Store(directory).close()
    acknowledged: dict[str, str] = {}
    number = 0
    for _ in range(MOMENTS):
        kinds = [
            "commit",
            "commit",
            chance.choice(("collect", "clear", "vacuum")),
            chance.choice(("collect", "verify")),
        ]
        workers: list[subprocess.Popen[str]] = []
        for kind in kinds:
            number += 1
            command = [sys.executable, "-c", WORKER, str(directory), kind, str(number)]
            workers.append(
                subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
            )
        for worker in workers:
            assert worker.stdout is not None
            assert worker.stdout.readline() == "ready\n"
        time.sleep(chance.uniform(0.05, 1.0))
        for worker in workers:
            ended = worker.poll()
            worker.send_signal(signal.SIGKILL)
            output, errors = worker.communicate()
            assert ended is None, errors
            for line in output.splitlines():
                if len(parts := line.split()) == 2 and len(parts[1]) == 71:
                    acknowledged[parts[0]] = parts[1]
        with closing(Store(directory)) as store:
            assert store.verify() == []
            found = store.actions.existing(acknowledged)
            assert found == acknowledged
            for digest in acknowledged.values():
                store.load(digest)
    assert len(acknowledged) > MOMENTS
