"""Seeds through a model server that misbehaves, as processes of their own: what is paid for is never paid for again."""

import shutil
import signal
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from event_log.home import open_instance
from io_managers.store.store import Store
from tests.support.model_corpus import CANARY, asking, plant
from tests.support.model_faults import (
    BadBody,
    ContentFilter,
    DropBeforeReply,
    DropMidReply,
    EmptyChoices,
    FencedJson,
    Held,
    HtmlInstead,
    InvalidJson,
    Latency,
    MissingUsage,
    NanEmbedding,
    PlainContentType,
    Refusal,
    Script,
    ShuffledEmbeddings,
    Status,
    TooMany,
    Truncated,
    WrongSchema,
    always,
    sometimes,
)
from tests.support.model_server import ModelServer
from tests.support.seed_process import HASTY, Finished, Seed, seed, seedbank

pytestmark = [pytest.mark.integration, pytest.mark.long]

FAULTS = (
    TooMany("0.2"),
    TooMany(None),
    Status(500),
    Status(503),
    Status(408),
    Status(409),
    DropMidReply(),
    DropBeforeReply(),
    Latency(0.5),
    InvalidJson(),
    FencedJson(),
    WrongSchema(),
    Truncated(),
    Refusal(),
    ContentFilter(),
    EmptyChoices(),
    MissingUsage(),
    HtmlInstead(),
    PlainContentType(),
    BadBody(),
    ShuffledEmbeddings(),
    NanEmbedding(),
)
OF_DOCUMENTS = ("embeddings", "summaries", "concepts", "judgements")
OF_CLUSTERS = ("cluster_summaries", "cluster_judgements")


@pytest.fixture
def serve() -> Iterator[Callable[..., ModelServer]]:
    """Servers that end with the test."""
    started: list[ModelServer] = []

    def start(script: Script | None = None, **options: object) -> ModelServer:
        server = ModelServer(*([script] if script else []), dimensions=64, **options)
        server.__enter__()
        started.append(server)
        return server

    yield start
    for server in started:
        server.__exit__(None, None, None)


def priced(folder: Path) -> Path:
    """A file of prices for the models of `asking`."""
    path = folder / "prices.toml"
    models = '"writer-1" = { input = 100.0, output = 300.0 }\n"vectors-1" = { input = 0.0 }\n'
    path.write_text(f"as_of = 2026-01-01\n[models]\n{models}")
    return path


def sent_again(server: ModelServer) -> list[str]:
    """What the server was asked after it had answered it validly."""
    answered: set[str] = set()
    again: list[str] = []
    for call in sorted(server.calls, key=lambda call: call.number):
        if call.digest in answered:
            again.append(f"{call.number} {call.path}")
        if call.valid:
            answered.add(call.digest)
    return again


def requests_of(done: Finished, stages: tuple[str, ...]) -> int:
    """How many requests a seed has sent for these stages."""
    return sum(done.report["stages"][name]["requests"] for name in stages if name in done.report["stages"])


def test_all_possible_work_on_212_documents_is_done_although_every_third_request_fails(
    serve: Callable[..., ModelServer], tmp_path: Path
) -> None:
    """A seeding script lost 492 paid requests to one fault; here no request that was answered is sent a second time."""
    corpus, home = plant(tmp_path / "corpus", 212, short=True), tmp_path / "home"
    server = serve(sometimes(0.3, FAULTS, seed=11))
    first = seed(home, corpus, environment=asking(server.url), program=HASTY)
    report = first.report
    failed = {(failure["document"], failure["stage"]) for failure in report["failures"]}
    # Those that a model refuses, or answers wrongly twice, are named, with what was wrong; nothing else is.
    assert all(failure["document"] for failure in report["failures"])
    assert {failure["stage"] for failure in report["failures"]} <= {*OF_DOCUMENTS, *OF_CLUSTERS}
    assert all(
        any(word in failure["reason"] for word in ("refus", "filter", "cut off", "no usable"))
        for failure in report["failures"]
    ), report["failures"]
    for stage in ("embeddings", "summaries", "concepts"):
        assert report["stages"][stage]["computed"] == 212 - sum(name == stage for _, name in failed)
    summarised = {document for document, stage in failed if stage in ("summaries", "concepts", "judgements")}
    assert report["stages"]["judgements"]["computed"] == 212 - len(summarised)
    assert first.status == (1 if failed else 0)
    assert 0 < len(failed) < 40
    faults = Counter(call.fault for call in server.calls)
    assert faults.keys() == {"", *(type(fault).__name__ for fault in FAULTS)}, "every fault was met, and none"
    assert sent_again(server) == []

    # What the server was too ill for is asked again by the next run, what it refused is not.
    refused = {
        (failure["document"], failure["stage"])
        for failure in report["failures"]
        if "refused to answer" in failure["reason"]
    }
    second = seed(home, corpus, environment=asking(server.url), program=HASTY)
    left = {(failure["document"], failure["stage"]) for failure in second.report["failures"]}
    of_documents = {(document, stage) for document, stage in failed if stage in OF_DOCUMENTS}
    assert refused & of_documents <= left
    assert requests_of(second, OF_DOCUMENTS) <= 8 * len(of_documents - refused), "only what had failed is asked again"
    assert sent_again(server) == []

    third = seed(home, corpus, "--retry-failed", environment=asking(server.url), program=HASTY)
    assert 0 < requests_of(third, OF_DOCUMENTS) < 8 * len(left), "only what had failed is asked again"
    assert len(third.report["failures"]) < len(failed)
    assert sent_again(server) == []


def test_repairing_tables_that_broke_at_the_end_costs_no_request(
    serve: Callable[..., ModelServer], tmp_path: Path
) -> None:
    """2 h 22 min of paid work were lost to one bad write at the very end."""
    corpus, home = plant(tmp_path / "corpus", 12, short=True), tmp_path / "home"
    server = serve()
    (home / "lancedb").mkdir(parents=True)
    (home / "lancedb" / "documents.lance").write_text("not a table")
    broken = seed(home, corpus, environment=asking(server.url))
    assert broken.status == 1
    assert {failure["stage"] for failure in broken.report["failures"]} >= {"lance_documents"}
    calls = len(server.calls)
    assert calls >= 3 * 12
    (home / "lancedb" / "documents.lance").unlink()
    repaired = seed(home, corpus, environment=asking(server.url))
    assert repaired.status == 0, repaired.printed()
    assert len(server.calls) == calls


def test_another_model_is_asked_again_and_going_back_costs_nothing(
    serve: Callable[..., ModelServer], tmp_path: Path
) -> None:
    """A cache whose key leaves out the model serves one model's answers as another's."""
    corpus, home = plant(tmp_path / "corpus", 6, short=True), tmp_path / "home"
    server = serve()

    def requests(**more: str) -> int:
        before = len(server.calls)
        done = seed(home, corpus, environment=asking(server.url, CLUSTERS__SMALLEST="10", **more))
        assert done.status == 0, done.printed()
        return len(server.calls) - before

    assert requests() > 18
    for more in (
        {"LLM__MODEL": "writer-2"},
        {"LLM__TEMPERATURE": "0.7"},
        {"LLM__PARAMETERS": '{"unheard_of": 1}'},
        {"LLM__MAX_OUTPUT_TOKENS": "1999"},
    ):
        assert requests(**more) == 18, more
    assert requests() == 0, "what was made before is still there"
    assert requests(LLM__MODEL="writer-2") == 0
    # That it says the same in the same words was judged before.
    assert requests(SUMMARIES__MODEL="writer-3") == 6, "one stage alone may have a model of its own"


def test_what_there_is_can_be_kept_and_the_new_model_asked_for_new_documents_alone(
    serve: Callable[..., ModelServer], tmp_path: Path
) -> None:
    """A better model for what comes from now on should not mean paying for a hundred thousand documents again."""
    corpus, home = plant(tmp_path / "corpus", 6, short=True), tmp_path / "home"
    server = serve()
    kept = {"SUMMARIES__WHEN_MODEL_CHANGES": "keep", "LLM__MODEL": "writer-2"}
    assert seed(home, corpus, environment=asking(server.url)).status == 0
    before = len(server.calls)

    plan = seedbank(home, "plan", "--corpus", str(corpus), "--json", environment=asking(server.url, **kept)).report
    assert (plan["stages"]["summaries"]["compute"], plan["stages"]["concepts"]["compute"]) == (0, 6)
    (corpus / "added.txt").write_text("A new note on lanterns and bridges, which the old model never saw. " * 5)
    done = seed(home, corpus, environment=asking(server.url, **kept))
    assert done.status == 0, done.printed()
    asked = [call.body for call in server.calls[before:] if call.path.endswith("completions")]
    assert {body["model"] for body in asked} == {"writer-2"}
    # The judge is another one too, by which all is judged again.
    requests = {name: stage["requests"] for name, stage in done.report["stages"].items()}
    assert [requests[name] for name in ("summaries", "concepts", "judgements")] == [1, 7, 7]
    status = seedbank(home, "status", "--json", environment=asking(server.url, **kept)).report
    assert status["counts"]["summaries"]["current"] == 7

    # Without the rule, the six old ones are stale.
    plan = seedbank(home, "plan", "--json", environment=asking(server.url, LLM__MODEL="writer-2")).report
    assert plan["stages"]["summaries"]["compute"] == 6
    # An edited document is asked of the new one.
    edited = next(iter(sorted(path for path in corpus.iterdir() if path.name != "added.txt")))
    edited.write_text(edited.read_text() + "\n\nOne more sentence stands here about harbours and mills.\n")
    last = seed(home, corpus, environment=asking(server.url, **kept))
    assert last.status == 0
    assert [last.report["stages"][name]["requests"] for name in ("summaries", "concepts", "judgements")] == [1, 1, 1]


def test_an_endpoint_that_is_down_ends_its_stages_early_and_leaves_the_rest(
    serve: Callable[..., ModelServer], tmp_path: Path
) -> None:
    """Thousands of documents tried against a dead server take hours and say the same thousands of times."""
    corpus, home = plant(tmp_path / "corpus", 60, short=True), tmp_path / "home"
    server = serve(lambda call, earlier: Status(503) if call.path.endswith("completions") else None)
    done = seed(home, corpus, environment=asking(server.url, LLM__IN_FLIGHT="2"), program=HASTY)
    assert done.status == 1
    report = done.report
    assert report["stages"]["embeddings"]["computed"] == report["stages"]["chunks"]["computed"] == 60
    whole = [failure for failure in report["failures"] if failure["document"] is None]
    assert {failure["stage"] for failure in whole} - set(OF_CLUSTERS) == {"summaries", "concepts"}
    assert all("in a row" in failure["reason"] for failure in whole)
    # A few were sent of 120 requests with four attempts each.
    assert sum(call.path.endswith("completions") for call in server.calls) < 100
    server.script = always(None)
    again = seed(home, corpus, environment=asking(server.url))
    assert again.status == 0, again.printed()
    assert again.report["stages"]["embeddings"]["requests"] == 0


def test_a_wrong_key_is_reported_once_for_all_documents(serve: Callable[..., ModelServer], tmp_path: Path) -> None:
    """A mistyped key is no reason to remember a thousand documents as failed."""
    corpus, home = plant(tmp_path / "corpus", 12, short=True), tmp_path / "home"
    server = serve(always(Status(401, f"wrong key {CANARY}")))
    environment = asking(server.url, EMBEDDINGS__PROVIDER="wordllama", LLM__IN_FLIGHT="2")
    done = seed(home, corpus, environment=environment)
    assert done.status == 1
    assert len(server.calls) <= 2 * 2
    assert "llm.api_key" in done.output
    assert {failure["document"] for failure in done.report["failures"]} == {None}
    assert CANARY not in done.output + done.errors
    server.script = always(None)
    repaired = seed(home, corpus, environment=environment)
    assert repaired.status == 0, repaired.printed()


@pytest.mark.parametrize("limit", ["--max-cost", "period"])
def test_a_budget_ends_a_run_before_it_is_overspent(
    limit: str, serve: Callable[..., ModelServer], tmp_path: Path
) -> None:
    """A limit of five dollars holds even if many requests are sent at the same time."""
    corpus, home = plant(tmp_path / "corpus", 40), tmp_path / "home"
    server = serve(always(Latency(0.05)))
    prices = priced(tmp_path)
    # A request costs some 30 cents here, and at most a good dollar.
    more = {"PRICES": str(prices), "LLM__MAX_OUTPUT_TOKENS": "500", "LLM__CONTEXT_TOKENS": "4000"}
    arguments: list[str] = []
    if limit == "--max-cost":
        arguments = ["--max-cost", "5"]
    else:
        more["BUDGET__PERIOD_USD"] = "5"
    done = seed(home, corpus, *arguments, environment=asking(server.url, **more))
    assert done.status == 3, done.printed()
    spent = sum(stage["usd"] for stage in done.report["stages"].values())
    assert 3 < spent <= 5
    stats = seedbank(home, "cache", "stats", "--json", environment=asking(server.url)).report
    assert sum(model["usd"] for model in stats["models"]) == pytest.approx(spent, abs=1e-4)

    # All finished work is kept. The same again gets further; where the budget is of a period, by what still fits.
    calls = Counter(call.digest for call in server.calls)
    again = seed(home, corpus, *arguments, environment=asking(server.url, **more))
    assert again.status == 3
    assert sent_again(server) == []
    more_calls = sum(Counter(call.digest for call in server.calls).values()) - sum(calls.values())
    assert more_calls > 0 or limit == "period"
    stats = seedbank(home, "cache", "stats", "--json", environment=asking(server.url)).report
    total = sum(model["usd"] for model in stats["models"])
    assert total <= 5 if limit == "period" else spent + 3 < total <= 10


def test_a_budget_needs_a_price(serve: Callable[..., ModelServer], tmp_path: Path) -> None:
    """An unknown price counted as 0 would let any budget be overspent."""
    server = serve()
    done = seed(tmp_path / "home", plant(tmp_path / "corpus", 3), "--max-cost", "5", environment=asking(server.url))
    assert done.status == 2
    assert "price of vectors-1 is unknown" in done.errors
    assert server.calls == []


def test_what_is_unknown_is_called_so_before_and_after(serve: Callable[..., ModelServer], tmp_path: Path) -> None:
    """0.00 for a model that nobody has priced is a lie that is found on the bill."""
    corpus, home = plant(tmp_path / "corpus", 4), tmp_path / "home"
    environment = asking(serve().url)
    plan = seedbank(home, "plan", "--corpus", str(corpus), environment=environment)
    assert "unknown dollars" in plan.output
    finished = seedbank(home, "seed", "--corpus", str(corpus), environment=environment)
    assert "unknown dollars" in finished.errors, "the estimate comes before the work"
    assert "unknown" in finished.output
    stats = seedbank(home, "cache", "stats", environment=environment)
    assert stats.status == 0
    assert "writer-1" in stats.output
    assert "unknown" in stats.output
    models = seedbank(home, "cache", "stats", "--json", environment=environment).report["models"]
    assert {(model["stage"], model["model"]) for model in models} == {
        ("concepts", "writer-1"),
        ("embeddings", "vectors-1"),
        ("judgements", "writer-1"),
        ("summaries", "writer-1"),
    }
    assert all(
        model["latency_seconds"]["p50"] > 0 and model["requests"] == model["unpriced_requests"] for model in models
    )


def test_the_key_is_nowhere_but_in_requests(serve: Callable[..., ModelServer], tmp_path: Path) -> None:
    """A key in a log, a store or a page is a key that somebody else has."""
    corpus, home = plant(tmp_path / "corpus", 8), tmp_path / "home"

    def echo(call: object, earlier: int) -> object:
        if earlier == 0:
            return Status(500, f"who are you, {CANARY}?")
        return None

    server = serve(echo)
    finished: list[Finished] = [
        seed(home, corpus, environment=asking(server.url, LLM__PARAMETERS='{"user": "somebody"}')),
        seedbank(home, "status", environment=asking(server.url)),
        seedbank(home, "plan", environment=asking(server.url)),
        seedbank(home, "cache", "stats", "--json", environment=asking(server.url)),
        seedbank(home, "seed", "--stages", "nonsense", environment=asking(server.url)),
        # The message for a wrong setting contains its value, but never a secret.
        seedbank(home, "status", environment=asking(server.url, LLM__API_KYE=CANARY)),
        seedbank(home, "status", environment=asking(f"http://user:{CANARY}@127.0.0.1:1")),
    ]
    assert finished[0].status == 0, finished[0].printed()
    assert all(call.headers["authorization"] == f"Bearer {CANARY}" for call in server.calls)
    assert [one.output + one.errors for one in finished if CANARY in one.output + one.errors] == []
    found = [path for path in home.rglob("*") if path.is_file() and CANARY.encode() in path.read_bytes()]
    assert found == []
    # Values are compressed: each is looked at as it is.
    with closing(Store(home / "store")) as store:
        values = [store.content.get(digest) for digest in store.content.digests()]
    assert [value for value in values if CANARY.encode() in value] == []
    assert any(b"who are you" in value for value in values), "what failed is kept, without the key"


def test_interrupted_what_is_in_flight_is_finished_and_nothing_more_is_sent(
    serve: Callable[..., ModelServer], tmp_path: Path
) -> None:
    """Ctrl-C loses nothing that was paid for, and starts nothing new."""
    corpus, home = plant(tmp_path / "corpus", 40), tmp_path / "home"
    answered, in_flight, gate = 8, 4, threading.Event()
    server = serve(lambda call, earlier: Held(gate) if call.number >= answered else None)
    environment = asking(server.url, EMBEDDINGS__PROVIDER="wordllama", LLM__IN_FLIGHT=str(in_flight))
    with Seed(home, "seed", "--corpus", str(corpus), "--json", environment=environment) as running:
        assert running.wait_until(lambda: len(server.calls) == answered + in_flight)
        running.send(signal.SIGINT)
        gate.set()
        ended = running.finish()
    assert ended.status == 130, ended.printed()
    assert len(server.calls) == answered + in_flight, "nothing was sent after the signal"
    assert all(call.valid for call in server.calls)
    shutil.rmtree(home / "lancedb", ignore_errors=True)
    server.script = always(None)
    assert seed(home, corpus, environment=environment).status == 0
    assert sent_again(server) == []
    assert set(Counter(call.digest for call in server.calls).values()) == {1}


def test_each_partition_shows_what_it_cost_and_what_reuse_saved(
    serve: Callable[..., ModelServer], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a document costs is looked for on its page, where it was made."""
    corpus, home = plant(tmp_path / "corpus", 3), tmp_path / "home"
    environment = asking(serve().url, PRICES=str(priced(tmp_path)), CLUSTERS__SMALLEST="10")
    assert seed(home, corpus, environment=environment).status == 0
    copies = [corpus / f"copy-{path.name}" for path in list(corpus.iterdir())]
    for copy in copies:
        shutil.copy(corpus / copy.name.removeprefix("copy-"), copy)
    second = seed(home, corpus, environment=environment)
    assert sum(stage["requests"] for stage in second.report["stages"].values()) == 0

    monkeypatch.setenv("SEEDBANK_HOME", str(home))
    with open_instance() as instance:
        records = instance.fetch_materializations(dg.AssetKey("summaries"), limit=100).records
    shown: dict[Any, Any] = {record.partition_key: record.asset_materialization.metadata for record in records}  # type: ignore[union-attr]
    paid = {name: metadata for name, metadata in shown.items() if not str(name).startswith("copy-")}
    saved = {name: metadata for name, metadata in shown.items() if str(name).startswith("copy-")}
    assert len(paid) == len(saved) == 3
    for metadata in paid.values():
        assert metadata["model"].value == "writer-1"
        assert metadata["requests"].value == 1
        assert 0 < float(metadata["usd"].value) < 1
        assert 0 < float(metadata["latency_p50_seconds"].value) <= float(metadata["latency_p99_seconds"].value)
    for metadata in saved.values():
        assert metadata["requests_saved"].value == 1
        assert float(metadata["usd_saved"].value) > 0
        assert "requests" not in metadata
    models = seedbank(home, "cache", "stats", "--json", environment=environment).report["models"]
    summaries = next(model for model in models if model["stage"] == "summaries")
    # Without the store, the second seed would have paid for the first three documents and for their copies.
    assert summaries["saved"]["results"] == summaries["hits"] == 6
    assert summaries["misses"] == 3
    assert summaries["saved"]["usd"] == pytest.approx(2 * summaries["usd"], rel=1e-6)


def test_ollama_is_asked_by_its_own_api(serve: Callable[..., ModelServer], tmp_path: Path) -> None:
    """Its OpenAI-compatible address ignores how much context to hold, and cuts long documents off in silence."""
    corpus, home = plant(tmp_path / "corpus", 4), tmp_path / "home"
    server = serve()
    environment = {
        name: value.replace("/v1", "") if name.endswith("BASE_URL") else value
        for name, value in asking(
            server.url,
            LLM__PROVIDER="ollama",
            EMBEDDINGS__PROVIDER="ollama",
            LLM__CONTEXT_TOKENS="9000",
            LLM__NUM_THREAD="3",
            LLM__KEEP_ALIVE="7m",
        ).items()
    }
    done = seed(home, corpus, environment=environment)
    assert done.status == 0, done.printed()
    assert {call.path for call in server.calls} == {"/api/chat", "/api/embed"}
    chats = [call.body for call in server.calls if call.path == "/api/chat"]
    assert all(
        (body["options"]["num_ctx"], body["options"]["num_thread"], body["keep_alive"]) == (9000, 3, "7m")
        for body in chats
    )
    assert sum(stage["usd"] + stage["unpriced_requests"] for stage in done.report["stages"].values()) == 0
    calls = len(server.calls)
    # How fast it answers decides no answer.
    environment |= {"SEEDBANK_LLM__NUM_THREAD": "1", "SEEDBANK_LLM__KEEP_ALIVE": "0", "SEEDBANK_LLM__IN_FLIGHT": "2"}
    assert seed(home, corpus, environment=environment).status == 0
    assert len(server.calls) == calls

    found = seedbank(home, "search", "generator functions", "--json", environment=environment)
    assert found.status == 0, found.printed()
    assert len(server.calls) == calls + 1, "a query is embedded by who embedded the chunks"
    assert seedbank(home, "search", "generator functions", "--json", environment=environment).output == found.output
    assert len(server.calls) == calls + 1, "once"
    # Vectors of another model may have the same length, and say nothing of these.
    other = seedbank(home, "search", "generator", environment=environment | {"SEEDBANK_EMBEDDINGS__MODEL": "vectors-2"})
    assert other.status == 2
    assert "vectors-1 -> vectors-2" in other.errors
