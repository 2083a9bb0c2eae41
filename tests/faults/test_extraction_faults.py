"""Extractions when requests fail, a process is killed, or the money is spent: nothing is paid for twice, and nothing is lost."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.support.extracting import Extracting, header_answer, properties, proposal
from tests.support.model_answers import Call
from tests.support.model_faults import (
    BadBody,
    DropBeforeReply,
    DropMidReply,
    FencedJson,
    InvalidJson,
    Latency,
    Status,
    TooMany,
    Truncated,
    WrongSchema,
    always,
    sometimes,
)
from tests.support.model_server import ModelServer
from tests.support.seed_process import COMMAND, HASTY, Seed

pytestmark = [pytest.mark.integration, pytest.mark.long]

FAULTS = (
    TooMany("0.1"),
    Status(500),
    Status(503),
    DropMidReply(),
    DropBeforeReply(),
    InvalidJson(),
    FencedJson(),
    WrongSchema(),
    Truncated(),
    BadBody(),
)
ONLY = ("--stages", "lance_proposals")
IN_FLIGHT = 4


def planted(folder: Path, server: ModelServer, count: int) -> Extracting:
    """So many proposals, each with another author."""
    world = Extracting(folder, server)
    for number in range(count):
        world.write(f"p{number:03}.txt", proposal(number, author=f"Author {number}", status="Final"))
    return world


def answered_twice(calls: Sequence[Call]) -> list[int]:
    """The numbers of requests that came after the same request had been answered."""
    answered: set[str] = set()
    again: list[int] = []
    for call in sorted(calls, key=lambda call: call.number):
        if call.digest in answered:
            again.append(call.number)
        if call.valid:
            answered.add(call.digest)
    return again


def test_no_answer_is_paid_twice_although_every_third_request_fails(tmp_path: Path) -> None:
    """A fault costs its own request and no other; what a model answers wrongly twice is named, with its document."""
    with ModelServer(sometimes(0.3, FAULTS, seed=5), answer=header_answer) as server:
        world = planted(tmp_path, server, 40)
        first = world.seed(*ONLY, program=HASTY)
        failed = {failure["document"] for failure in first.report["failures"] if failure["stage"] == "proposals"}
        assert first.report["stages"]["proposals"]["computed"] == 40 - len(failed)
        assert len(failed) < 15
        again = world.seed(*ONLY, "--retry-failed", program=HASTY)
        assert again.report["stages"]["proposals"]["computed"] <= len(failed)
        server.script = always(None)
        assert world.seed(*ONLY, "--retry-failed", program=HASTY).status == 0
        assert answered_twice(server.calls) == []
        assert world.seed(*ONLY, program=HASTY).computed == {}


def test_after_a_kill_at_most_the_requests_in_flight_are_sent_again(tmp_path: Path) -> None:
    """What was answered and committed is found by the next run, whenever the process died."""
    with ModelServer(always(Latency(0.05)), answer=header_answer) as server:
        world = planted(tmp_path, server, 24)
        environment = world.environment(LLM__IN_FLIGHT=str(IN_FLIGHT))
        arguments = ("seed", "--corpus", str(world.corpus), "--json", *ONLY)
        with Seed(world.home, *arguments, environment=environment, program=COMMAND) as running:
            assert running.wait_until(lambda: sum(bool(properties(call)) for call in server.calls) >= 12)
            assert running.kill().status == -9
        before = len(server.calls)
        lost = sum(not call.valid for call in server.calls)
        done = world.seed(*ONLY, environment=environment, program=COMMAND)
        assert done.status == 0, done.printed()
        assert lost + len(answered_twice(server.calls)) <= IN_FLIGHT
        assert len(server.calls) - before < 24
        assert world.seed(*ONLY, environment=environment, program=COMMAND).computed == {}


def test_a_budget_ends_the_run_and_the_next_one_pays_for_the_rest_alone(tmp_path: Path) -> None:
    """A limit on dollars is never exceeded, and what was paid for before it is kept."""
    with ModelServer(answer=header_answer) as server:
        world = planted(tmp_path, server, 12)
        (tmp_path / "prices.toml").write_text(
            'as_of = 2026-01-01\n[models]\n"writer-1" = { input = 100.0, output = 300.0 }\n'
        )
        environment = world.environment(
            PRICES=str(tmp_path / "prices.toml"), LLM__IN_FLIGHT="1", LLM__MAX_OUTPUT_TOKENS="300"
        )
        whole = world.run("plan", "--json", environment=environment | {"SEEDBANK_CORPUS": str(world.corpus)})
        assert whole.report["stages"]["proposals"]["usd"] > 0
        stopped = world.seed(*ONLY, "--max-cost", "0.3", environment=environment)
        assert stopped.status != 0
        paid = stopped.report["stages"]["proposals"]
        assert 0 < paid["computed"] < 12
        assert paid["usd"] <= 0.3
        before = len(server.calls)
        assert world.seed(*ONLY, environment=environment).status == 0
        assert len(server.calls) - before == 12 - paid["computed"]
        assert answered_twice(server.calls) == []
