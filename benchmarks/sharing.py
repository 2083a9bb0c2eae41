"""Measures what a remote costs: looking up 60,000 keys in its index, and the store of a cold clone from an object store.

    python -m benchmarks.sharing [--keys 60000] [--documents 1000] [--folder] [--redis URL]

It starts an object store with S3's API on loopback (moto), in a process of its own; with --folder a folder is used instead.
Processor times are those of this process, so that they say something on a machine with other work as well.
"""

import argparse
import os
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from io_managers.sharing.buckets.bucket import Bucket
from io_managers.sharing.buckets.folder_bucket import FolderBucket
from io_managers.sharing.buckets.object_bucket import ObjectBucket
from io_managers.sharing.redis_tier import RedisTier
from io_managers.store.action_cache import Provenance
from io_managers.store.fingerprint import Action, KeyTemplate
from tests.support.object_store import ObjectStore
from tests.support.sharing import Host

# The values of a document that the rows of the tables are made of, with sizes in bytes.
_NEEDED = {"extracted_text": 8_000, "chunks": 9_000, "embeddings": 12_000, "judgements": 2_000, "concepts": 2_000}
# Those that a clone with nothing to compute never opens.
_OTHERS = {"summaries": 1_500, "model_request": 1_500}
T = TypeVar("T")
_PROVENANCE = Provenance(
    seconds=1.0, requests=1, input_tokens=900, output_tokens=120, usd=0.001, preview="a line of text"
)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--keys", type=int, default=60_000)
    parser.add_argument("--documents", type=int, default=1_000)
    parser.add_argument(
        "--redis", default="", metavar="URL", help="a Redis server in front of the remote, also one that is down"
    )
    parser.add_argument("--folder", action="store_true", help="a folder instead of an object store")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, _place(Path(folder), in_folder=options.folder) as opened:
        directory = Path(folder)
        one = Host(directory / "one", opened)
        needed, others = _fill(one, options.documents)
        _timed(f"push of {options.documents:,} documents", one.push)
        clone = Host(directory / "clone", opened)
        if options.redis:
            tier = RedisTier(options.redis, 600, 256 << 10)
            clone.remote.__dict__["access"] = clone.remote.access._replace(tier=tier)
        pulled = _timed("pull of the index", clone.remote.pull)
        keys = [action.key for action in (*needed, *others)]
        _timed(f"plan: {len(keys):,} keys looked up", lambda: clone.store.actions.existing(keys))
        records = _timed("run: all results taken over", lambda: clone.store.actions.lookup(keys))
        digests = [records[action.key].content_digest for action in needed]
        _timed(f"{len(digests):,} values fetched", lambda: clone.store.content.fetch(digests))
        print(f"{pulled.results:,} results known; {clone.remote.fetched / len(digests):.2f} GET a needed value")
        _timed("all opened", lambda: [clone.store.content.get(digest) for digest in digests])
        more = [_action("filler", number) for number in range(max(0, options.keys - len(keys)))]
        one.store.commit([(action, "x", _PROVENANCE) for action in more]).result()
        one.push()
        _timed("pull of the rest of the index", clone.remote.pull)
        keys += [action.key for action in more]
        _timed(f"look-up of {len(keys):,} keys", lambda: clone.store.actions.existing(keys))
        size = (directory / "clone" / "store" / "remote.db").stat().st_size
        print(f"the index takes {size / len(keys):,.0f} bytes a result")
        for host in (one, clone):
            host.close()


def _action(stage: str, number: int) -> Action:
    return KeyTemplate(stage, {"version": "1", "model": {"name": "writer", "digest": "a" * 64}}).action({"of": number})


def _fill(host: Host, documents: int) -> tuple[list[Action], list[Action]]:
    """Commit results like those of so many documents. Returns the needed ones and the others."""
    made: dict[str, list[Action]] = {}
    for stage, size_bytes in (_NEEDED | _OTHERS).items():
        made[stage] = [_action(stage, number) for number in range(documents)]
        host.store.commit([(action, _text(action.key, size_bytes), _PROVENANCE) for action in made[stage]]).result()
    return (
        [action for stage in _NEEDED for action in made[stage]],
        [action for stage in _OTHERS for action in made[stage]],
    )


def _text(key: str, size_bytes: int) -> str:
    """A text that compresses by half, as texts do."""
    return "".join(f"{key[n % 32 :]} of this text " for n in range(size_bytes // 60))


def _timed(what: str, work: Callable[[], T]) -> T:
    """Do it, and print how long it took."""
    started, processor = time.perf_counter(), time.process_time()
    result = work()
    seconds, used = time.perf_counter() - started, time.process_time() - processor
    print(f"{what}: {seconds:.2f} s, {used:.2f} s of processor time", flush=True)
    return result


@contextmanager
def _place(folder: Path, *, in_folder: bool) -> Iterator[Callable[[], Bucket]]:
    """Opens the remote."""
    if in_folder:
        (folder / "remote").mkdir()
        yield lambda: FolderBucket(folder / "remote")
        return
    with ObjectStore() as store:
        os.environ.update(store.environment)
        address = f"{store.create('benchmark')}/remote"
        yield lambda: ObjectBucket(address, 60)


if __name__ == "__main__":
    main()
