"""Seeds whose server refuses, is empty of credit, or is ill: whose fault it is shows in what is done and what is remembered."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.support.model_answers import Call
from tests.support.model_corpus import asking, essay
from tests.support.model_corpus import plant as plant_many
from tests.support.model_faults import Fault, Script, Status, always
from tests.support.model_refusals import Counts, Refuses, Says, said
from tests.support.model_server import ModelServer
from tests.support.seed_process import COMMAND, HASTY, PLAIN, seed, seedbank

pytestmark = [pytest.mark.integration, pytest.mark.long]

# One type of clusters that are there at once, of documents that share concepts.
QUICK = {"CLUSTERS__SMALLEST": "50", "CATEGORIES__SMALLEST": "50"}


@pytest.fixture
def serve() -> Iterator[Callable[..., ModelServer]]:
    """Servers that end with the test."""
    started: list[ModelServer] = []

    def start(script: Script | None = None) -> ModelServer:
        server = ModelServer(*([script] if script else []), dimensions=64)
        server.__enter__()
        started.append(server)
        return server

    yield start
    for server in started:
        server.__exit__(None, None, None)


def plant(folder: Path, names: list[str], sentences: int = 12) -> Path:
    """Documents of these names, in each of which its own name stands."""
    folder.mkdir()
    for number, name in enumerate(names):
        (folder / f"{name}.txt").write_text(f"This is the note called {name}. {essay(number, sentences)}")
    return folder


def of_chat(call: Call) -> bool:
    return call.is_chat


# One of several cases is seeded as users do; what is sent and remembered in the others does not depend on Dagster.
@pytest.mark.parametrize(
    ("fault", "program"),
    [
        (Status(402, "Insufficient credits."), COMMAND),
        (Status(400, "Your credit balance is too low to access the API."), PLAIN),
        (Status(429, "You exceeded your current quota.", error_code="insufficient_quota"), PLAIN),
    ],
    ids=["402", "400", "429"],
)
def test_after_topping_up_a_plain_seed_completes(
    fault: Fault, program: tuple[str, ...], serve: Callable[..., ModelServer], tmp_path: Path
) -> None:
    """An account that was empty for an hour must not leave a thousand documents behind as failed."""
    corpus, home = plant(tmp_path / "corpus", [f"n{n:02}" for n in range(12)]), tmp_path / "home"
    server = serve(lambda call, earlier: fault if call.is_chat else None)
    environment = asking(server.url, LLM__IN_FLIGHT="2", **QUICK)
    empty = seed(home, corpus, environment=environment, program=program)
    assert empty.status == 1
    assert sum(map(of_chat, server.calls)) <= 2 * 2, "no retries, and no other document"
    assert {failure["document"] for failure in empty.report["failures"]} == {None}
    assert "Top up" in empty.output
    server.script = always(None)
    full = seed(home, corpus, environment=environment, program=program)
    assert full.status == 0, full.printed()


CHANGES: list[tuple[str, str, Fault, dict[str, str], dict[str, str]]] = [
    (
        "embeddings.batch",
        "openai",
        Refuses(
            400,
            {
                "error": {
                    "message": "Value error, batch size is invalid, it should not be larger than 10.",
                    "code": None,
                }
            },
            lambda call: not call.is_chat and len(call.texts()) > 10,
        ),
        {},
        {"EMBEDDINGS__BATCH": "10"},
    ),
    (
        "keep_alive",
        "ollama",
        Refuses(
            400,
            {"error": "keep_alive is longer than this server allows"},
            lambda call: call.is_chat and call.body["keep_alive"] == "24h",
        ),
        {"LLM__KEEP_ALIVE": "24h"},
        {"LLM__KEEP_ALIVE": "10m"},
    ),
    (
        "num_thread",
        "ollama",
        Refuses(
            400,
            {"error": "num_thread must be at most 4"},
            lambda call: call.is_chat and call.body["options"].get("num_thread", 0) > 4,
        ),
        {"LLM__NUM_THREAD": "8"},
        {"LLM__NUM_THREAD": "4"},
    ),
    (
        "llm.parameters",
        "openai",
        Refuses(
            400,
            {"error": {"message": "Unrecognized request argument supplied: top_q", "code": None}},
            lambda call: "top_q" in call.body,
        ),
        {"LLM__PARAMETERS": '{"top_q": 1}'},
        {"LLM__PARAMETERS": "{}"},
    ),
    (
        "llm.max_output_tokens",
        "openai",
        Refuses(
            400,
            {"error": {"message": "max_tokens is too large: 2000. This model supports at most 1000.", "code": None}},
            lambda call: call.body.get("max_tokens", 0) > 1000,
        ),
        {},
        {"LLM__MAX_OUTPUT_TOKENS": "1000"},
    ),
    (
        "llm.api_key",
        "openai",
        Refuses(
            400,
            {"error": {"message": "This text triggered the content filter of your plan.", "code": "content_filter"}},
            lambda call: call.is_chat and "other-key" not in call.headers["authorization"] and "n01" in said(call),
        ),
        {},
        {"LLM__API_KEY": "other-key"},
    ),
    (
        "llm.context_tokens",
        "ollama",
        Counts(100),
        {},
        {"LLM__CONTEXT_TOKENS": "4000"},
    ),
]


@pytest.mark.parametrize(
    ("name", "provider", "fault", "before", "after"), CHANGES, ids=[change[0] for change in CHANGES]
)
def test_what_failed_by_a_setting_is_asked_again_when_it_changes(
    name: str,
    provider: str,
    fault: Fault,
    before: dict[str, str],
    after: dict[str, str],
    serve: Callable[..., ModelServer],
    tmp_path: Path,
) -> None:
    """A message that says what to change must be right: changing it is enough."""
    # More than ten chunks each, where the number of texts is to blame.
    sentences = 130 if name == "embeddings.batch" else 90
    corpus, home = plant(tmp_path / "corpus", ["n00", "n01", "n02"], sentences), tmp_path / "home"
    if isinstance(fault, Counts):
        # A server that holds too little for whole documents, and enough for parts.
        counts = fault
        server = serve(lambda call, earlier: counts if call.is_chat and len(said(call)) > 9_000 else None)
    else:
        server = serve(always(fault))
    environment = asking(server.url, LLM__PROVIDER=provider, LLM__IN_FLIGHT="2", **QUICK)
    if provider == "ollama":
        environment["SEEDBANK_LLM__BASE_URL"] = server.url
        environment |= {"SEEDBANK_LLM__CONTEXT_TOKENS": "16000"}
    program = COMMAND if name == CHANGES[0][0] else PLAIN
    changed = {f"SEEDBANK_{name}": value for name, value in after.items()}
    environment |= {f"SEEDBANK_{name}": value for name, value in before.items()}
    failed = seed(home, corpus, environment=environment, program=program)
    assert failed.status == 1, failed.printed()
    if name not in ("llm.api_key", "num_thread"):
        assert name in failed.output, failed.printed()
    documents = {failure["document"] for failure in failed.report["failures"]}

    calls = len(server.calls)
    again = seed(home, corpus, environment=environment, program=program)
    assert again.status == 1
    # Where everybody was refused, the stage ended, and some documents were not begun.
    assert len(server.calls) - calls <= (4 if None in documents else 0), "nothing has changed"

    plan = seedbank(home, "plan", "--corpus", str(corpus), "--json", environment=environment | changed).report
    assert sum(stage["compute"] for stage in plan["stages"].values()) > 0, "the plan knows that it is asked again"
    done = seed(home, corpus, environment=environment | changed, program=program)
    assert done.status == 0, done.printed()


def test_a_403_for_one_document_fails_that_one_by_name(serve: Callable[..., ModelServer], tmp_path: Path) -> None:
    """A firewall in front of a gateway refuses the text of an attack in a manual of security, and lets the others in."""
    corpus, home = plant(tmp_path / "corpus", [f"n{n:02}" for n in range(20)]), tmp_path / "home"
    page = "<html><body><h1>Sorry, you have been blocked</h1></body></html>"
    server = serve(always(Refuses(403, page, lambda call: call.is_chat and "called n00." in said(call), "text/html")))
    environment = asking(server.url, **QUICK)
    done = seed(home, corpus, environment=environment)
    assert done.status == 1
    assert {failure["document"] for failure in done.report["failures"]} == {"n00.txt"}, done.printed()
    assert all("HTTP 403" in failure["reason"] for failure in done.report["failures"])
    assert done.report["stages"]["summaries"]["computed"] == done.report["stages"]["concepts"]["computed"] == 19
    calls = len(server.calls)
    assert seed(home, corpus, environment=environment).status == 1
    assert len(server.calls) == calls, "it is remembered"
    server.script = always(None)
    assert seed(home, corpus, "--retry-failed", environment=environment).status == 0


@pytest.mark.parametrize(
    ("message", "program"),
    [
        ("The prompt triggered the content filter.", COMMAND),
        ("This model's maximum context length is 100 tokens.", PLAIN),
    ],
    ids=["content filter", "context length"],
)
def test_six_refused_documents_that_come_first_hold_up_no_other(
    message: str, program: tuple[str, ...], serve: Callable[..., ModelServer], tmp_path: Path
) -> None:
    """Five refusals in a row were taken for a dead server, and the healthy documents waited for another seed."""
    names = [f"a-bad-{n}" for n in range(6)] + [f"good-{n}" for n in range(6)]
    corpus, home = plant(tmp_path / "corpus", names), tmp_path / "home"
    refuses = Refuses(
        400, {"error": {"message": message, "code": None}}, lambda call: call.is_chat and "a-bad-" in said(call)
    )
    server = serve(always(refuses))
    done = seed(home, corpus, environment=asking(server.url, LLM__IN_FLIGHT="1", **QUICK), program=program)
    assert done.status == 1
    failed = {(failure["document"], failure["stage"]) for failure in done.report["failures"]}
    assert failed == {(f"a-bad-{n}.txt", stage) for n in range(6) for stage in ("summaries", "concepts")}, (
        done.printed()
    )
    assert done.report["stages"]["judgements"]["computed"] == 6


def test_no_cluster_stays_failed_after_an_illness_of_the_server(
    serve: Callable[..., ModelServer], tmp_path: Path
) -> None:
    """Garbage from a server that is out of its mind for a minute says nothing of the clusters that it was asked about."""
    corpus, home = plant_many(tmp_path / "corpus", 36), tmp_path / "home"

    def script(call: Call, earlier: int) -> Fault | None:
        if not call.is_chat or "title" not in (call.schema or {}).get("properties", {}):
            return None
        return Status(500) if call.number % 5 == 0 else Says(lambda content: "I am not well.")

    server = serve(script)
    first = seed(home, corpus, environment=asking(server.url), program=HASTY)
    failed = [failure for failure in first.report["failures"] if failure["stage"] == "cluster_summaries"]
    assert any("no usable answer" in failure["reason"] for failure in failed), first.printed()
    server.script = always(None)
    second = seed(home, corpus, environment=asking(server.url), program=HASTY)
    assert second.status == 0, second.printed()
