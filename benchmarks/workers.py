"""Measures how much faster a seed is with several processes, over a model that takes its time.

    python -m benchmarks.workers [--documents 400] [--latency 4] [--workers 1 4]

It starts a model server in a process of its own, and one seed after the other, each into an empty home. A process has 16
documents in flight in each stage, so what can be gained is the time of the model. `waiting` is the time of the stages that ask
it, from their first request to their last. The processor times are those of a seed with all its processes.
"""

import argparse
import json
import os
import resource
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.support.model_corpus import asking, plant
from tests.support.seed_process import ROOT

_ASKING = ("summaries", "concepts", "judgements")
_IN_FLIGHT = 16


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--documents", type=int, default=400)
    parser.add_argument("--latency", type=float, default=4.0, help="seconds that the model takes for each request")
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 4])
    options = parser.parse_args()
    first: tuple[float, float] | None = None
    with tempfile.TemporaryDirectory() as folder, _model(options.latency) as url:
        corpus = plant(Path(folder) / "corpus", options.documents, short=True)
        print("| processes | seconds | waiting | processor | faster | waiting |\n|---|---|---|---|---|---|")
        for workers in options.workers:
            seconds, waiting, processor = _seed(Path(folder) / f"home-{workers}", corpus, url, workers)
            first = first or (seconds, waiting)
            ratios = f"{first[0] / seconds:.2f} | {first[1] / waiting:.2f}"
            print(f"| {workers} | {seconds:.1f} | {waiting:.1f} | {processor:.1f} | {ratios} |", flush=True)


def _seed(home: Path, corpus: Path, url: str, workers: int) -> tuple[float, float, float]:
    environment = {
        name: value
        for name, value in asking(url, LLM__IN_FLIGHT=str(_IN_FLIGHT * workers)).items()
        if not name.startswith("SEEDBANK_EMBEDDINGS")
    }
    command = [sys.executable, "-m", "cli.main", "seed", "--corpus", str(corpus), "--json", "--workers", str(workers)]
    before, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    done = subprocess.run(
        command,
        cwd=ROOT,
        env={**os.environ, "SEEDBANK_HOME": str(home), **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        check=True,
    )
    seconds, after = time.perf_counter() - started, resource.getrusage(resource.RUSAGE_CHILDREN)
    stages = json.loads(done.stdout)["stages"]
    processor = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return seconds, sum(stages[name]["seconds"] for name in _ASKING), processor


@contextmanager
def _model(latency: float) -> Iterator[str]:
    """A model server that takes so many seconds for each request."""
    command = [sys.executable, "-m", "tests.support.model_server", "--latency", str(latency)]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        yield process.stdout.readline().strip()
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait()


if __name__ == "__main__":
    main()
