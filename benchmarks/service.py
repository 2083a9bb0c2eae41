"""Measures the HTTP service: kept answers by many connections at once, and the time from its start to the first answer.

What belongs here: the load and the figures. What does not: how good answers are (quality_answers), and how fast one is made.

The service is the command `seedbank serve` in a process of its own, over a seeded home; the load comes from this process, over
plain connections, so that the generator costs little. `processor_ms` is what the service itself used for one request, which does
not depend on other work of the machine.

Two loads: `most`, each connection sends its next request as soon as it has an answer; `paced`, so many requests per second come
in all, whether the service keeps up or not, so its latencies are those that users of a service with that load see.

Run: python -m benchmarks.service HOME [REQUESTS] [CONNECTIONS] [PER_SECOND]
"""

import argparse
import asyncio
import json
import os
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import psutil

_QUESTIONS = (
    "Why do the pages face outward?",
    "What is the staff for?",
    "Which fish live in reefs?",
    "How is flour milled?",
)
_PATIENCE_SECONDS = 60.0


def main(home: Path, requests: int, connections: int, per_second: int) -> None:
    """Start the service, measure it, and print the figures as JSON."""
    port = _free_port()
    started = time.perf_counter()
    command = [sys.executable, "-m", "cli.main", "serve", "--home", str(home), "--port", str(port)]
    service = subprocess.Popen(command, env=os.environ | {"SEEDBANK_HOME": str(home)}, stderr=subprocess.DEVNULL)
    try:
        first_seconds = _first_answer(port, started)
        for question in _QUESTIONS:
            _ask(port, question)
        process = psutil.Process(service.pid)
        figures = {
            "seconds_to_first_answer": round(first_seconds, 2),
            "connections": connections,
            "most": _measured(process, port, requests, connections, 0),
            "paced": _measured(process, port, requests, connections, per_second),
            "memory_mb": process.memory_info().rss >> 20,
        }
        print(json.dumps(figures, indent=2))
    finally:
        service.terminate()
        service.wait()


def _measured(process: psutil.Process, port: int, requests: int, connections: int, per_second: int) -> dict[str, float]:
    before = process.cpu_times()
    began = time.perf_counter()
    latencies = sorted(asyncio.run(_load(port, requests, connections, per_second)))
    seconds = time.perf_counter() - began
    after = process.cpu_times()
    spent = after.user + after.system - before.user - before.system
    return {
        "requests": len(latencies),
        "per_second": round(len(latencies) / seconds),
        "p50_ms": round(1000 * latencies[len(latencies) // 2], 2),
        "p95_ms": round(1000 * latencies[int(len(latencies) * 0.95)], 2),
        "processor_ms": round(1000 * spent / len(latencies), 3),
    }


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _first_answer(port: int, started: float) -> float:
    while True:
        try:
            _ask(port, _QUESTIONS[0])
            return time.perf_counter() - started
        except OSError:
            if time.perf_counter() - started > _PATIENCE_SECONDS:
                raise
            time.sleep(0.02)


def _ask(port: int, question: str) -> None:
    body = json.dumps({"question": question}).encode()
    headers = {"Content-Type": "application/json"}
    urllib.request.urlopen(urllib.request.Request(f"http://127.0.0.1:{port}/ask", body, headers), timeout=60).read()


async def _load(port: int, requests: int, connections: int, per_second: int) -> list[float]:
    """Seconds of each request. per_second: 0 for as many as there can be."""
    share, pause = requests // connections, connections / per_second if per_second else 0.0
    found = await asyncio.gather(
        *(_connection(port, share, number, pause, pause * number / connections) for number in range(connections))
    )
    return [seconds for part in found for seconds in part]


async def _connection(port: int, requests: int, number: int, pause: float, delay: float) -> list[float]:
    """Seconds of each request of one connection. One that had to wait for the one before it is counted from when it was due."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    latencies: list[float] = []
    start = time.perf_counter() + delay
    for place in range(requests):
        body = json.dumps({"question": _QUESTIONS[(place + number) % len(_QUESTIONS)]}).encode()
        lines = (
            "POST /ask HTTP/1.1",
            f"Host: 127.0.0.1:{port}",
            "Content-Type: application/json",
            f"Content-Length: {len(body)}",
        )
        head = "\r\n".join((*lines, "", ""))
        began = time.perf_counter()
        if pause:
            due = start + place * pause
            await asyncio.sleep(max(0.0, due - began))
            began = due
        writer.write(head.encode() + body)
        answer = await reader.readuntil(b"\r\n\r\n")
        if not answer.startswith(b"HTTP/1.1 200"):
            raise RuntimeError(answer.decode())
        length = next(line for line in answer.split(b"\r\n") if line.lower().startswith(b"content-length:"))
        await reader.readexactly(int(length.split(b":")[1]))
        latencies.append(time.perf_counter() - began)
    writer.close()
    return latencies


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Measures the HTTP service over a seeded home.")
    parser.add_argument("home", type=Path, metavar="HOME")
    parser.add_argument("requests", type=int, nargs="?", default=10_000)
    parser.add_argument("connections", type=int, nargs="?", default=32)
    parser.add_argument("per_second", type=int, nargs="?", default=500)
    given = parser.parse_args()
    main(given.home, given.requests, given.connections, given.per_second)
