"""How long 10,000 requests take to be put into batches, and their results to be taken in, in processor time.

    python -m benchmarks.batches [--requests 10000]

What belongs here: the figures. What does not: the runs (tests.support.batched_texts) and the server, which is another process.
"""

import argparse
import multiprocessing
import tempfile
import time
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path

from tests.support.batch_server import BatchServer
from tests.support.batched_texts import Texts, texts_of


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.batches")
    parser.add_argument("--requests", type=int, default=10_000)
    count = parser.parse_args().requests
    spawning = multiprocessing.get_context("spawn")
    ours, theirs = spawning.Pipe()
    server = spawning.Process(target=_serve, args=(theirs,))
    server.start()
    try:
        with tempfile.TemporaryDirectory() as folder:
            texts = Texts(Path(folder), ours.recv())
            asked = texts_of(count)
            with texts.world:
                texts.run(asked[0])  # imports, and the request that is sent alone
                _timed(f"{count:,} requests claimed, written and sent", lambda: texts.run(*asked))
                print(f"of which sending them: {texts.sending_seconds:.1f} s of a processor", flush=True)
                _timed("their results taken in", texts.open.look)
                _timed("their answers checked and committed", lambda: texts.run(*asked))
    finally:
        ours.send(None)
        server.join()


def _timed(what: str, work: Callable[[], object]) -> None:
    began, spent = time.perf_counter(), time.process_time()
    work()
    print(
        f"{what}: {time.process_time() - spent:.1f} s of a processor, {time.perf_counter() - began:.1f} s", flush=True
    )


def _serve(to: Connection) -> None:
    with BatchServer() as server:
        to.send(server.url)
        to.recv()


if __name__ == "__main__":
    main()
