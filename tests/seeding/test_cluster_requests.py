"""What clusters and judges cost through a model server: each set of members is paid for once, whatever fails or changes."""

import json
import re
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from resources.tables.lance import LanceTables
from tests.support.model_answers import Call, claims_in, fitting_answer, judgement_answer
from tests.support.model_corpus import asking, essay, plant
from tests.support.model_faults import Fault, Latency, Status
from tests.support.model_server import ModelServer
from tests.support.seed_process import COMMAND, PLAIN, ROOT, Finished, Seed, committed, seed, seedbank

pytestmark = [pytest.mark.integration, pytest.mark.long]

DOCUMENTS = 36
OF_CLUSTERS = ("cluster_summaries", "cluster_judgements")


def of_clusters(call: Call) -> bool:
    """Whether a cluster's title and summary are asked for."""
    return call.is_chat and "title" in (call.schema or {}).get("properties", {})


@dataclass(frozen=True)
class Planted:
    """A corpus and its home, and the server that was asked for it."""

    server: ModelServer
    corpus: Path
    home: Path

    def seed(self, *arguments: str, **more: str) -> Finished:
        """Seed; more: settings, by name without SEEDBANK_."""
        return seed(self.home, self.corpus, "--rebind", *arguments, environment=asking(self.server.url, **more))

    def plan(self, **more: str) -> dict[str, Any]:
        """Stage -> what a seed would do."""
        return seedbank(self.home, "plan", "--json", environment=asking(self.server.url, **more)).report["stages"]

    def clusters(self) -> dict[str, dict[str, Any]]:
        """The rows of the table of clusters, by id."""
        rows = LanceTables(self.home / "lancedb").read("clusters").to_pylist()
        return {row["cluster_id"]: row for row in rows}

    def member_sets(self) -> set[tuple[str, tuple[str, ...]]]:
        """(cluster type, members) of all clusters."""
        return {(row["cluster_type"], tuple(row["members"])) for row in self.clusters().values()}


@pytest.fixture(scope="module")
def seeded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Planted]:
    folder = tmp_path_factory.mktemp("clusters")
    with ModelServer(dimensions=64) as server:
        planted = Planted(server, plant(folder / "corpus", DOCUMENTS), folder / "home")
        done = planted.seed()
        assert done.status == 0, done.printed()
        yield planted


@pytest.fixture
def planted(seeded: Planted, tmp_path: Path) -> Iterator[Planted]:
    """A copy that a test may change; the same server, well behaved at first."""
    shutil.copytree(seeded.corpus, tmp_path / "corpus")
    shutil.copytree(seeded.home, tmp_path / "home")
    yield replace(seeded, corpus=tmp_path / "corpus", home=tmp_path / "home")
    seeded.server.script = lambda call, earlier: None


def requests(done: Finished) -> dict[str, int]:
    """Stage -> requests, those that are not 0."""
    return {name: stage["requests"] for name, stage in done.report["stages"].items() if stage["requests"]}


def test_a_second_run_asks_nothing(planted: Planted) -> None:
    calls = len(planted.server.calls)
    done = planted.seed()
    assert done.status == 0, done.printed()
    assert (len(planted.server.calls), done.computed) == (calls, {})


@pytest.mark.parametrize("change", ["added", "removed"])
def test_a_document_that_comes_or_goes_costs_itself_and_the_clusters_whose_members_changed(
    change: str, planted: Planted
) -> None:
    """Others write the summaries of all communities again for one document more."""
    calls, before = len(planted.server.calls), planted.member_sets()
    largest = max(planted.clusters().values(), key=lambda row: (row["cluster_type"] == "topic", row["size"]))
    touched = planted.corpus / largest["members"][0]
    if change == "added":
        text = touched.read_text("utf-8").replace("Title: ", "Title: Once more: ")
        (planted.corpus / "pep-9999.rst").write_text(text, "utf-8")
    else:
        touched.unlink()
    done = planted.seed()
    assert done.status == 0, done.printed()
    new = planted.member_sets() - before
    paid = requests(done)
    assert 0 < len(new) < len(before) / 2
    assert [paid.get(name, 0) for name in OF_CLUSTERS] == [len(new), len(new)]
    of_documents = {"embeddings", "summaries", "concepts", "judgements", "categories"}
    assert paid.keys() - {*OF_CLUSTERS} <= (of_documents if change == "added" else {"categories"})
    assert all(paid.get(name, 1) == 1 for name in of_documents), "one document, in one piece"
    assert len(planted.server.calls) - calls == sum(paid.values())
    assert planted.seed().computed == {}
    assert len(planted.server.calls) - calls == sum(paid.values())


def test_the_number_of_a_cluster_stays_when_a_document_joins_it(planted: Planted) -> None:
    before = planted.clusters()
    source = planted.corpus / before["topic/1"]["members"][0]
    (planted.corpus / f"a-copy-of-{source.name}").write_bytes(source.read_bytes() + b"\n")
    assert planted.seed().status == 0
    after = planted.clusters()
    assert set(after["topic/1"]["members"]) == {*before["topic/1"]["members"], f"a-copy-of-{source.name}"}
    assert {name: row["members"] for name, row in after.items() if name not in ("topic/1", "concept/1")}.items() >= {
        name: row["members"] for name, row in before.items() if name.startswith("topic/") and name != "topic/1"
    }.items()


def test_only_failed_clusters_are_asked_again_and_the_others_are_done(tmp_path: Path) -> None:
    """Some 30 % of clusters meet a server that fails, at every try."""
    doomed: set[str] = set()

    def script(call: Call, earlier: int) -> Fault | None:
        if not of_clusters(call):
            return None
        if call.digest not in doomed and int(call.digest[:8], 16) % 10 >= 3:
            return None
        doomed.add(call.digest)
        return Status(503, headers={"retry-after": "0"})

    with ModelServer(script, dimensions=64) as server:
        corpus, home = plant(tmp_path / "corpus", DOCUMENTS), tmp_path / "home"
        world = Planted(server, corpus, home)
        first = world.seed()
        failures = first.report["failures"]
        assert first.status == 1
        assert doomed
        assert len(failures) == len(doomed)
        assert {failure["stage"] for failure in failures} == {"cluster_summaries"}
        named = {failure["document"] for failure in failures}
        assert all(re.fullmatch(r"(topic|concept)/\d+", name) for name in named)
        assert all("503" in failure["reason"] for failure in failures)
        # All results of the others are published.
        assert world.clusters().keys().isdisjoint(named)
        answered = {call.digest for call in server.calls if of_clusters(call) and call.valid}
        assert len(world.clusters()) == len(answered)
        calls = len(server.calls)
        server.script = lambda call, earlier: None
        second = world.seed()
        assert second.status == 0, second.printed()
        assert requests(second) == dict.fromkeys(OF_CLUSTERS, len(doomed))
        assert {call.digest for call in server.calls[calls:] if of_clusters(call)} == doomed
        assert named <= world.clusters().keys()


@pytest.mark.parametrize("changed", ["model", "prompt"])
def test_another_model_or_prompt_writes_every_document_again_and_no_cluster(
    changed: str, planted: Planted, tmp_path: Path
) -> None:
    """A cluster's summary is keyed by its members alone, as its owner decided; a plan says so before anything is paid."""
    more, program = {"LLM__MODEL": "writer-2"}, COMMAND
    # Concepts stay: by other concepts there would be other groups.
    if changed == "prompt":
        code = tmp_path / "code"
        for package in ("cli", "event_log", "io_managers", "resources", "retrieval", "seed_assets"):
            shutil.copytree(ROOT / package, code / package, ignore=shutil.ignore_patterns("__pycache__"))
        for name in ("summaries", "cluster_summaries"):
            path = code / "seed_assets" / "prompts" / f"{name}.toml"
            path.write_text(path.read_text("utf-8").replace('version = "1"', 'version = "2"'), "utf-8")
        more = {}
        program = ("-c", f"import sys; sys.path.insert(0, {str(code)!r}); from cli.main import main; main()")
    else:
        more |= {"CONCEPTS__MODEL": "writer-1"}
    environment = asking(planted.server.url, **more)
    before = planted.member_sets()
    # Bound to where it is now, and all of it current.
    assert planted.seed().computed == {}

    stages = seedbank(planted.home, "plan", "--json", environment=environment, program=program).report["stages"]
    assert [stages[name]["compute"] for name in ("summaries", "concepts", "cluster_summaries")] == [DOCUMENTS, 0, 0]
    assert any(changed in reason for reason in stages["summaries"]["reasons"])
    calls = len(planted.server.calls)
    done = seed(planted.home, planted.corpus, environment=environment, program=program)
    assert done.status == 0, done.printed()
    assert planted.member_sets() == before
    assert not [call for call in planted.server.calls[calls:] if of_clusters(call)]
    assert done.report["stages"]["summaries"]["computed"] == DOCUMENTS
    assert {row["writer"] for row in planted.clusters().values()} == {"writer-1"}, "who wrote it is recorded"


def test_what_is_killed_in_the_middle_of_clusters_is_not_asked_again(planted: Planted, tmp_path: Path) -> None:
    server, before = planted.server, len(planted.server.calls)

    def script(call: Call, earlier: int) -> Fault | None:
        return Latency(0.4) if of_clusters(call) else None

    server.script = script
    # A model with another identity, which was not asked yet.
    environment = asking(server.url, LLM__IDENTITY="another", LLM__IN_FLIGHT="2", EMBEDDINGS__IDENTITY="another")
    home = tmp_path / "other-home"

    def some_answered() -> bool:
        return committed(home)["cluster_summaries"] >= 2

    with Seed(home, "seed", "--corpus", str(planted.corpus), environment=environment) as running:
        assert running.wait_until(some_answered), "it ended before"
        running.kill()
    server.script = lambda call, earlier: None
    done = seed(home, planted.corpus, environment=environment)
    assert done.status == 0, done.printed()
    asked = [call.digest for call in server.calls[before:] if call.is_chat]
    assert len(asked) - len(set(asked)) <= 2, "at most what was in flight"


# What is wrong with a summary by construction, and what its document says.
TRUE = "The mill on the Lomond river was built in 1844 by Thomas Harrow and ground oats for the whole valley."
WRONG = {
    "a changed number": TRUE.replace("1844", "1854"),
    "a negated claim": TRUE.replace("was built", "was not built"),
    "an invented name": TRUE.replace("Thomas Harrow", "Walter Brandt"),
}
# One of them is seeded as users do; what is asked of the others does not depend on Dagster.
PROGRAMS = list(zip(WRONG, (COMMAND, PLAIN, PLAIN), strict=True))


def scripted(wrong: str, revised: str, judged: Callable[[Call], str] | None = None) -> Callable[[Call], str]:
    """Answers with one wrong summary, a judgement that finds the error, and its revision."""

    def answer(call: Call) -> str:
        if claims_in(call):
            return judged(call) if judged else judgement_answer(call, {wrong: "contradicted"})
        properties = (call.schema or {}).get("properties", {})
        if "text" in properties:
            return json.dumps({"text": revised})
        said = " ".join(call.texts())
        if "summary" in properties and "title" not in properties and TRUE in said:
            return json.dumps({"summary": f"{wrong} The wheel is still there."})
        return fitting_answer(call)

    return answer


def watermill(folder: Path) -> Path:
    folder.mkdir()
    (folder / "mill.txt").write_text(f"{TRUE} The wheel is still there, and turns on Sundays.")
    (folder / "other.txt").write_text(essay(1, 8))
    return folder


def published(home: Path, document: str) -> dict[str, Any] | None:
    rows = LanceTables(home / "lancedb").read("documents").to_pylist()
    return next((row for row in rows if row["document_id"] == document), None)


@pytest.mark.parametrize(("kind", "program"), PROGRAMS, ids=WRONG)
def test_a_wrong_summary_is_written_once_more_and_accepted(kind: str, program: tuple[str, ...], tmp_path: Path) -> None:
    corpus, home = watermill(tmp_path / "corpus"), tmp_path / "home"
    with ModelServer(answer=scripted(WRONG[kind], f"{TRUE} The wheel is still there."), dimensions=64) as server:
        done = seed(home, corpus, environment=asking(server.url), program=program)
        assert done.status == 0, done.printed()
        revisions = [call for call in server.calls if "text" in (call.schema or {}).get("properties", {})]
        assert len(revisions) == 1
        assert WRONG[kind] in " ".join(revisions[0].texts()), "the writer is shown what was wrong"
        assert requests(done)["judgements"] == 1 + 3, "judged, written, judged again; the other document once"
        row = published(home, "mill.txt")
        assert row is not None
        assert (row["summary"], row["verdict"], row["needs_review"]) == (
            f"{TRUE} The wheel is still there.",
            "accept",
            False,
        )
        assert seed(home, corpus, environment=asking(server.url), program=program).computed == {}


@pytest.mark.parametrize(("kind", "program"), PROGRAMS, ids=WRONG)
def test_a_summary_that_stays_wrong_is_published_as_needing_review(
    kind: str, program: tuple[str, ...], tmp_path: Path
) -> None:
    corpus, home = watermill(tmp_path / "corpus"), tmp_path / "home"
    with ModelServer(answer=scripted(WRONG[kind], f"{WRONG[kind]} Once more."), dimensions=64) as server:
        done = seed(home, corpus, environment=asking(server.url), program=program)
        assert done.status == 0, done.printed()
        row = published(home, "mill.txt")
        assert row is not None
        assert WRONG[kind] in row["summary"]
        assert (row["verdict"] != "accept", row["needs_review"]) == (True, True)
        assert requests(done)["judgements"] == 1 + 3, "one revision, and no more"
        calls = len(server.calls)
        assert seed(home, corpus, environment=asking(server.url), program=program).computed == {}
        assert len(server.calls) == calls


def test_a_judge_who_answers_nonsense_is_remembered_and_nothing_is_published_unjudged(tmp_path: Path) -> None:
    corpus, home = watermill(tmp_path / "corpus"), tmp_path / "home"

    def nonsense(call: Call) -> str:
        mill = any("wheel" in claim for claim in claims_in(call).values())
        return json.dumps({"claims": [{"number": 99, "status": "perhaps"}]}) if mill else judgement_answer(call)

    with ModelServer(answer=scripted(TRUE, TRUE, nonsense), dimensions=64) as server:
        done = seed(home, corpus, environment=asking(server.url))
        assert done.status == 1
        assert {(one["document"], one["stage"]) for one in done.report["failures"]} == {("mill.txt", "judgements")}
        assert published(home, "mill.txt") is None
        assert published(home, "other.txt") is not None
        calls = len(server.calls)
        again = seed(home, corpus, environment=asking(server.url))
        assert (again.status, len(server.calls)) == (1, calls), "a judge's nonsense is paid for once"
        assert [one["document"] for one in again.report["failures"]] == ["mill.txt"]
