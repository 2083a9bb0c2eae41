"""Relationships and profiles when requests fail, a process is killed, or the money is spent: nothing is paid for twice."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.support.extracting import Extracting
from tests.support.graph_answers import INVENTED, asked_about, graph_answer
from tests.support.model_answers import Call
from tests.support.model_faults import DropMidReply, Latency, Status, TooMany, always, sometimes
from tests.support.model_server import ModelServer
from tests.support.seed_process import COMMAND, HASTY, Seed

pytestmark = [pytest.mark.integration, pytest.mark.long]

SETTINGS = "[entities]\nenabled = true\nrelationships = true\nprofiles = true\nprofile_mentions = 2\n"
ONLY = ("--stages", "lance_relationships,lance_entity_profiles")
IN_FLIGHT = 4
OWN = ("entities", "relations", "profiles")


FIRST = ("Hugo", "Emma", "Otto", "Clara", "Karl", "Lina")
LAST = ("Adler", "Brandt", "Falke", "Grimm", "Jahn", "Vogel")
KNOWN = ("Anna Weber", "Berta Klein", "Dora Lang")


def text(number: int) -> str:
    """A text in which two people know each other, one of them in every third document, with a third one of its own."""
    own = f"{FIRST[number % 6]} {LAST[number // 6]}"
    return (
        f"The chemist {KNOWN[number % 3]} knows {own} from the laboratory of salts. "
        f"Then the same {own} wrote a long letter about trains. Nobody ever read the letter of {own} to the end."
    )


def planted(folder: Path, server: ModelServer, count: int) -> Extracting:
    world = Extracting(folder, server, SETTINGS)
    for number in range(count):
        world.write(f"{number:03}.txt", text(number))
    return world


def asked(calls: Sequence[Call]) -> Counter[str]:
    """The valid answers by what they were about."""
    return Counter(asked_about(call) for call in calls if call.valid)


def paid_twice(server: ModelServer) -> int:
    return sum(count - 1 for count in server.valid_answers.values())


def test_although_every_third_request_fails_each_answer_is_paid_once_and_documents_come_and_go_for_themselves(
    tmp_path: Path,
) -> None:
    faults = (TooMany("0.1"), Status(500), Status(503), DropMidReply())
    with ModelServer(sometimes(0.3, faults, seed=3), answer=graph_answer) as server:
        world = planted(tmp_path, server, 30)
        done = world.seed(*ONLY, "--retry-failed", program=HASTY)
        for _ in range(3):
            done = world.seed(*ONLY, "--retry-failed", program=HASTY)
        assert done.report["failures"] == []
        assert paid_twice(server) == 0
        whole = asked(server.calls)
        assert (whole["entities"], whole["relations"]) == (30, 30)
        # Thirty people of one document each, and three of ten.
        assert whole["profiles"] == 33
        assert whole["judge"] > 0
        server.script = always(None)

        before = len(server.calls)
        world.write("new.txt", text(30))
        assert world.seed(*ONLY).status == 0
        added = asked(server.calls[before:])
        assert (added["entities"], added["relations"]) == (1, 1)
        # Its own person, and the one that it says something new of.
        assert added["profiles"] <= 2

        before = len(server.calls)
        (world.corpus / "new.txt").rename(world.corpus / "renamed.txt")
        assert world.seed(*ONLY).status == 0
        assert len(server.calls) == before

        for number in range(0, 30, 3):
            (world.corpus / f"{number:03}.txt").unlink()
        assert world.seed(*ONLY, "--allow-removals").status == 0
        removed = asked(server.calls[before:])
        assert (removed["entities"], removed["relations"]) == (0, 0)
        # Of the person of these ten documents one is left.
        assert removed["profiles"] <= 1
        assert paid_twice(server) == 0
        shown = world.run("entities", "graph", "--format", "graphml").output
        assert INVENTED not in shown
        assert "knows" in shown
        assert world.run("check").status == 0


def test_after_a_kill_at_most_the_requests_in_flight_are_sent_again(tmp_path: Path) -> None:
    """What was answered and committed is found by the next run, also where the profiles of all entities are one result."""
    with ModelServer(always(Latency(0.05)), answer=graph_answer) as server:
        world = planted(tmp_path, server, 18)
        environment = world.environment(LLM__IN_FLIGHT=str(IN_FLIGHT))
        arguments = ("seed", "--corpus", str(world.corpus), "--json", *ONLY)
        for about, count in (("relations", 6), ("profiles", 8)):
            with Seed(world.home, *arguments, environment=environment, program=COMMAND) as running:
                assert running.wait_until(lambda about=about, count=count: asked(server.calls)[about] >= count)
                assert running.kill().status == -9
        lost = sum(not call.valid for call in server.calls)
        done = world.seed(*ONLY, environment=environment, program=COMMAND)
        assert done.status == 0, done.printed()
        assert lost + paid_twice(server) <= 2 * IN_FLIGHT
        assert {name: asked(server.calls)[name] - paid_twice(server) <= 21 for name in OWN} == dict.fromkeys(OWN, True)
        assert world.seed(*ONLY, environment=environment, program=COMMAND).computed == {}


def test_a_budget_ends_the_run_and_the_next_one_pays_for_the_rest_alone(tmp_path: Path) -> None:
    with ModelServer(answer=graph_answer) as server:
        world = planted(tmp_path, server, 12)
        (tmp_path / "prices.toml").write_text(
            'as_of = 2026-01-01\n[models]\n"writer-1" = { input = 100.0, output = 300.0 }\n'
        )
        environment = world.environment(
            PRICES=str(tmp_path / "prices.toml"), LLM__IN_FLIGHT="1", LLM__MAX_OUTPUT_TOKENS="300"
        )
        stages = ("entity_relations", "entity_profiles", "entity_profile_judgements")
        plan = world.run("plan", "--json", environment=environment | {"SEEDBANK_CORPUS": str(world.corpus)})
        assert all(plan.report["stages"][name]["usd"] > 0 for name in stages)
        runs = 0
        while (done := world.seed(*ONLY, "--max-cost", "0.6", environment=environment)).status == 3 and runs < 9:
            assert 0 < sum(stage["usd"] for stage in done.report["stages"].values()) <= 0.6
            assert done.report["failures"] == []
            runs += 1
        assert done.status == 0, done.printed()
        assert runs > 1
        assert paid_twice(server) == 0
        assert asked(server.calls)["relations"] == 12
        assert world.seed(*ONLY, environment=environment).computed == {}
