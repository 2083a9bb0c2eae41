"""Measures what requests cost beside the model: the reached share of its throughput, their overhead, the time to reuse one.

    python -m benchmarks.model_client [--json]

What belongs here: a request as a stage sends it (`ask` with `Reuse` and a store on disk), compared with a plain HTTP client that
sends the same bodies to the same server. What does not: whole runs (benchmarks.seed), the store alone (benchmarks.store).

The server is a process of its own (tests.support.model_server) on the same machine. If the machine has few processors, both
compete for them, and the plain client shows what can be reached at all. All figures are from one run. For the overhead, the two
clients take turns request by request, so that a busy moment of the machine does not affect only one of them.
"""

import argparse
import asyncio
import gc
import json
import os
import platform
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, closing, contextmanager
from pathlib import Path
from typing import Any

import httpx2
import msgspec

from benchmarks.store import filesystem
from io_managers.store.fingerprint import Action
from io_managers.store.request_ledger import ANSWERED, percentiles
from io_managers.store.store import Store
from resources.endpoints.llm import Turn
from resources.limits.limits import LimitRules, Limits
from resources.models.chat_model import ChatModel
from resources.models.model_clients import ModelClients
from resources.models.openai_api import OpenAISender
from resources.settings.config import load_settings
from resources.wire.guarded_http import open_client
from seed_assets.core.prompting.answer_shapes import validated
from seed_assets.core.prompting.prompts import load_prompt
from seed_assets.core.prompting.structured_output import Answered, ask, request_action
from seed_assets.core.summaries.model_summarizing import SummaryAnswer
from seed_assets.memo.reuse import Reuse

LATENCY_SECONDS = 0.2
IN_FLIGHT = 32
# The runner has as many documents of a stage in memory.
AT_ONCE = 16 + IN_FLIGHT
# How many requests are sent first and not counted: in them packages are imported, connections are opened, and pages of the store
# are read into memory.
UNCOUNTED = 2 * IN_FLIGHT
WANTED = {"share": 0.95, "overhead_ms": 2.0, "cached_ms": 0.3}

PROMPT = load_prompt("summaries")
assert PROMPT.schema is not None
SCHEMA = PROMPT.schema


def questions(count: int, seed: int) -> list[list[Turn]]:
    """Make requests for summaries of different texts of 2 KB."""
    rng = random.Random(seed)
    words = ["".join(rng.choices("abcdefghijklmnopqrstuvwxyz", k=rng.randint(2, 10))) for _ in range(5000)]
    return [
        PROMPT.turns("whole", title=f"Document {number}", text=" ".join(rng.choices(words, k=330))[:2048], words=200)
        for number in range(count)
    ]


@contextmanager
def served(latency_seconds: float) -> Iterator[str]:
    """Start a server in a process of its own, and give its address."""
    command = [sys.executable, "-m", "tests.support.model_server", "--latency", str(latency_seconds)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield f"{process.stdout.readline().strip()}/v1"
        finally:
            process.terminate()


@asynccontextmanager
async def opened(url: str, home: Path) -> AsyncIterator[ChatModel]:
    """Make the model at that address, from settings."""
    asked = {"provider": "openai", "base_url": url, "model": "m", "rpm": 0, "in_flight": IN_FLIGHT}
    model = ModelClients(load_settings({"home": home, "corpus": home, "llm": asked})).chat()
    try:
        yield model
    finally:
        await model.endpoint.aclose()
        model.endpoint.close()


class Bare:
    """Sends the same bodies, encoded beforehand, with a client that does nothing else."""

    def __init__(self, client: httpx2.AsyncClient, url: str, model: ChatModel) -> None:
        self._client = client
        self._url = url + model.api.path
        self._model = model

    def encoded(self, turns: Sequence[Turn]) -> bytes:
        return msgspec.json.encode(
            self._model.api.body(turns, SCHEMA, self._model.output_mode, self._model.max_output_tokens)
        )

    async def post(self, body: bytes) -> None:
        reply = await self._client.post(self._url, content=body, headers={"content-type": "application/json"})
        assert reply.status_code == 200


def bare_client() -> httpx2.AsyncClient:
    return httpx2.AsyncClient(trust_env=False, timeout=60)


async def asked(model: ChatModel, turns: Sequence[Turn], reuse: Reuse) -> None:
    """Sends a request as a stage does: key, look-up, lease, limits, request, check, commit, and the value from the store."""
    assert await ask(model, turns, SCHEMA, lambda found: validated(SummaryAnswer, found).summary, reuse)


async def seconds_at_once(tasks: int, items: Sequence[Any], each: Callable[[Any], Awaitable[None]]) -> float:
    """Return how long all items take with so many tasks."""
    waiting = iter(items)

    async def work() -> None:
        for item in waiting:
            await each(item)

    began = time.perf_counter()
    async with asyncio.TaskGroup() as group:
        for _ in range(tasks):
            group.create_task(work())
    return time.perf_counter() - began


async def timed(awaitable: Awaitable[Any]) -> float:
    """Return how many seconds it takes."""
    began = time.perf_counter()
    await awaitable
    return time.perf_counter() - began


async def throughput_and_cached(count: int, place: Path) -> tuple[dict[str, Any], dict[str, float]]:
    """Return the shares of the ideal throughput, with latencies from the ledger, and the milliseconds to reuse each answer."""
    work, before = questions(count, seed=1), questions(UNCOUNTED, seed=2)
    ideal = count * LATENCY_SECONDS / IN_FLIGHT
    with served(LATENCY_SECONDS) as url, tempfile.TemporaryDirectory(dir=place) as directory:
        home = Path(directory)
        async with opened(url, home) as model, bare_client() as client:
            with closing(Store(home / "store")) as store:
                first = Reuse(store)
                await seconds_at_once(AT_ONCE, before, lambda turns: asked(model, turns, first))
                since, reuse = time.time(), Reuse(store)
                seconds = await seconds_at_once(AT_ONCE, work, lambda turns: asked(model, turns, reuse))
                (account,) = store.account.accounts(since)
                query = "SELECT AVG(seconds) FROM requests WHERE outcome = ? AND at >= ?"
                ((mean,),) = store.database.read(query, (ANSWERED, since))
                assert account.outcomes == {ANSWERED: count}

                again = Reuse(store)
                found = [await timed(asked(model, turns, again)) for turns in work]
                assert again.accounts.usage.requests == 0
            bare = Bare(client, url, model)
            await seconds_at_once(IN_FLIGHT, [bare.encoded(turns) for turns in before], bare.post)
            bare_seconds = await seconds_at_once(IN_FLIGHT, [bare.encoded(turns) for turns in work], bare.post)
    figures = {
        "requests": count,
        "seconds": seconds,
        "share": ideal / seconds,
        "bare_seconds": bare_seconds,
        "bare_share": ideal / bare_seconds,
        "ledger_latency": {"mean": mean, **dict(zip(("p50", "p95", "p99"), account.latencies, strict=True))},
        # The share of the slots' time in which a request was in flight; the rest was spent between two requests.
        "slots_used": count * mean / IN_FLIGHT / seconds,
    }
    return figures, milliseconds(found)


async def overhead(count: int, place: Path) -> dict[str, Any]:
    """Return how many milliseconds a request takes longer than with the plain client, one after another; then its parts."""
    work, others = questions(count + UNCOUNTED, seed=3), questions(count + UNCOUNTED, seed=4)
    times: dict[str, list[float]] = {
        name: [] for name in ("ours", "bare", "package", "package_bare", "store", "limits")
    }
    with served(0) as url, tempfile.TemporaryDirectory(dir=place) as directory:
        home = Path(directory)
        async with (
            opened(url, home) as model,
            bare_client() as client,
            open_client(url, timeout_seconds=60, connections=IN_FLIGHT) as guarded,
        ):
            with (
                closing(Store(home / "store")) as store,
                closing(Limits("benchmark", LimitRules(in_flight=IN_FLIGHT), home / "limits")) as limits,
            ):
                bare, reuse = Bare(client, url, model), Reuse(store)
                for turns in work:
                    body = bare.encoded(turns)
                    times["ours"].append(await timed(asked(model, turns, reuse)))
                    times["bare"].append(await timed(bare.post(body)))
                sender = OpenAISender(guarded, url, "")
                for turns in others:
                    body = model.api.body(turns, SCHEMA, model.output_mode, model.max_output_tokens)
                    encoded, action = bare.encoded(turns), request_action(model, turns, SCHEMA)
                    times["package"].append(await timed(sender.post(model.api.path, body)))
                    times["package_bare"].append(await timed(bare.post(encoded)))
                    times["store"].append(await timed(reuse.values([action], answered_at_once, Answered)))
                    times["limits"].append(await timed(permitted(limits)))
    times = {name: each[UNCOUNTED:] for name, each in times.items()}
    parts = {
        "openai package and guards": milliseconds(beside(times["package"], times["package_bare"])),
        "store": milliseconds(times["store"]),
        "limits": milliseconds(times["limits"]),
    }
    whole = milliseconds(beside(times["ours"], times["bare"]))
    return {
        "requests": count,
        "ours_ms": milliseconds(times["ours"]),
        "bare_ms": milliseconds(times["bare"]),
        "overhead_ms": whole,
        "parts_ms": parts,
        "rest_ms": whole["median"] - sum(part["median"] for part in parts.values()),
    }


async def answered_at_once(actions: Sequence[Action], own: Reuse) -> list[tuple[Any, str]]:
    """Return a result as a request gives it, without sending one."""
    return [
        (Answered(json.dumps({"summary": f"{action.key} in some words " * 4}), "json_schema"), "") for action in actions
    ]


async def permitted(limits: Limits) -> None:
    async with limits.permit(2_000, str):
        pass


def beside(ours: Sequence[float], bare: Sequence[float]) -> list[float]:
    """Return for each request how many seconds longer it took than the plain one that followed it."""
    return [one - other for one, other in zip(ours, bare, strict=True)]


def milliseconds(seconds: Sequence[float]) -> dict[str, float]:
    median, p95, _ = percentiles(seconds)
    return {"median": median * 1000, "p95": p95 * 1000}


def report(figures: dict[str, Any]) -> Iterator[str]:
    """Yield the lines of the printed figures."""
    machine, flow, alone = figures["machine"], figures["throughput"], figures["overhead"]
    yield f"{machine['cpus']} CPUs, {machine['system']}, Python {machine['python']}, {machine['filesystem']}"
    yield (
        f"\n{flow['requests']:,} requests of {LATENCY_SECONDS:g} s, {IN_FLIGHT} in flight: share of the ideal "
        f"(to reach: {WANTED['share']:.0%})"
    )
    yield f"  {'seedbank':28} {flow['seconds']:8.2f} s   {flow['share']:6.1%}"
    yield f"  {'bare client':28} {flow['bare_seconds']:8.2f} s   {flow['bare_share']:6.1%}"
    latencies = ", ".join(f"{name} {seconds:.3f} s" for name, seconds in flow["ledger_latency"].items())
    yield f"  latency in the request ledger: {latencies}; slots in use {flow['slots_used']:.1%} of the time"
    yield f"\n{alone['requests']:,} requests, one after another: ms, median and p95"
    rows = {"seedbank": alone["ours_ms"], "bare client": alone["bare_ms"], "overhead": alone["overhead_ms"]}
    for name, each in {**rows, **{f"  {name}": part for name, part in alone["parts_ms"].items()}}.items():
        wanted = f"   (to reach: {WANTED['overhead_ms']:g})" if name == "overhead" else ""
        yield f"  {name:28} {each['median']:8.2f} {each['p95']:8.2f}{wanted}"
    yield f"  {'  the rest':28} {alone['rest_ms']:8.2f}"
    yield f"\nA request that was asked before: ms, median and p95 (to reach: {WANTED['cached_ms']:g})"
    yield f"  {'seedbank':28} {figures['cached_ms']['median']:8.3f} {figures['cached_ms']['p95']:8.3f}"


def main() -> None:
    """Measure, and print the figures."""
    gc.set_threshold(100_000, 20, 50)  # The `seedbank` command sets the same.
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--json", action="store_true", help="one JSON object instead of the table")
    parser.add_argument("--requests", type=int, default=2_000, help="for throughput and reuse (default 2,000)")
    parser.add_argument("--alone", type=int, default=1_000, help="one after another, for the overhead (default 1,000)")
    parser.add_argument("--directory", type=Path, default=Path(tempfile.gettempdir()), help="on the disk to measure")
    options = parser.parse_args()
    flow, cached = asyncio.run(throughput_and_cached(options.requests, options.directory))
    figures = {
        "machine": {
            "cpus": os.cpu_count(),
            "system": f"{platform.system()} {platform.machine()}",
            "python": platform.python_version(),
            "filesystem": filesystem(options.directory),
        },
        "throughput": flow,
        "overhead": asyncio.run(overhead(options.alone, options.directory)),
        "cached_ms": cached,
    }
    print(json.dumps(figures, indent=2) if options.json else "\n".join(report(figures)))


if __name__ == "__main__":
    main()
