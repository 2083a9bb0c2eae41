"""What publishing the tables of a home costs, fetching them, and a search over the mirror: processor time of the client.

The bucket has S3's API on loopback (moto's server, in a process of its own). The home is copied, and stays as it is. With a
second home, which must be the same one after a change, what that change costs is measured as well.

Run: python -m benchmarks.published_tables HOME [CHANGED_HOME]
"""

import argparse
import os
import shutil
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

from io_managers.sharing.segments.signatures import SigningKey, public_text
from resources.settings.config import load_settings
from resources.tables.lance_import import import_lancedb
from seed_assets.session.published_tables import PublishedTables
from seed_assets.session.session import Session
from tests.support.object_store import ObjectStore

_QUERIES = (
    "garbage collection of reference cycles",
    "type hints for keyword arguments",
    "asynchronous generators",
    "wheel",
)
_ROUNDS = 25


def main(home: Path, changed: Path | None) -> None:
    """Print a line for each measurement."""
    import_lancedb()
    key = SigningKey.generate()
    with tempfile.TemporaryDirectory() as temporary, ObjectStore() as store:
        os.environ.update(store.environment)
        place, folder = f"{store.create('tables')}/peps", Path(temporary)
        writer = {"tables": {"publish_to": place}, "store": {"signing_key": key.text}}
        reader = {"tables": {"read_from": place}, "store": {"trusted_keys": [public_text(key.public)]}}
        shutil.copytree(home, folder / "home")

        def publish() -> str:
            session = _session(folder / "home", writer)
            try:
                return PublishedTables(session).publish().sentence()
            finally:
                session.close()

        def pull() -> str:
            session = _session(folder / "reader", reader)
            try:
                assert session.mirrored is not None
                return session.mirrored.pull().sentence()
            finally:
                session.close()

        _measure("publish everything", publish)
        _measure("publish with nothing changed", publish)
        _measure("pull everything", pull)
        _measure("pull with nothing new", pull)
        if changed is not None:
            shutil.rmtree(folder / "home" / "lancedb")
            shutil.copytree(changed / "lancedb", folder / "home" / "lancedb")
            _measure("publish after a change", publish)
            _measure("pull after a change", pull)
        for name, place_of, rules in (("home", "home", writer), ("mirror", "reader", reader)):
            session = _session(folder / place_of, rules)
            searcher = session.searcher()
            took: list[float] = []
            for number in range(_ROUNDS * len(_QUERIES)):
                started = time.process_time()
                searcher.search(_QUERIES[number % len(_QUERIES)], 10)
                took.append(time.process_time() - started)
            print(f"search over the {name}: {median(took) * 1000:.1f} ms of processor time")
            started = time.process_time()
            for _ in range(1_000):
                _ = session.tables
            print(f"finding the tables of the {name}: {(time.process_time() - started) * 1000:.1f} us")
            session.close()


def _session(home: Path, rules: dict[str, Any]) -> Session:
    return Session(load_settings({"home": home, **rules}))


def _measure(what: str, work: Callable[[], str]) -> None:
    clock, processor = time.perf_counter(), time.process_time()
    said = work()
    print(
        f"{what}: {time.process_time() - processor:.2f} s of processor time, {time.perf_counter() - clock:.2f} s: {said}"
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("home", type=Path)
    parser.add_argument("changed", type=Path, nargs="?")
    arguments = parser.parse_args()
    main(arguments.home, arguments.changed)
