"""Structured output: the output modes, and which answers are repaired, requested once more, or given up; never twice."""

import asyncio
import subprocess
import sys
from pathlib import Path

import pytest

from io_managers.store.request_ledger import ANSWERED
from resources.endpoints.llm import InvalidOutputError, PermanentLLMError, UnusableReplyError
from resources.errors import DocumentError
from seed_assets.core.prompting.json_answers import read_json
from tests.support.model_answers import Call
from tests.support.model_faults import (
    ContentFilter,
    EmptyChoices,
    Fault,
    FencedJson,
    InvalidJson,
    Latency,
    MissingUsage,
    PlainContentType,
    Refusal,
    RejectsJsonSchema,
    RejectsResponseFormat,
    Status,
    Truncated,
    WrongSchema,
    always,
    sequence,
)
from tests.support.model_server import ModelServer
from tests.support.model_world import SCHEMA, ModelWorld, question

pytestmark = pytest.mark.usefixtures("own_environment")

PROVIDERS = ("openai", "ollama")
TEXT = "A text about bread."
ROOT = Path(__file__).resolve().parents[3]
ASKING = """
import sys
from pathlib import Path
from tests.support.model_world import ModelWorld
with ModelWorld(Path(sys.argv[1]), sys.argv[2]) as world:
    print("ready", flush=True)
    sys.stdin.readline()
    print(world.ask("A text about bread."))
"""


def _asked_for(call: Call) -> str:
    """The output mode of a call."""
    if call.schema is not None:
        return "json_schema"
    return "json_object" if call.format is not None else "prompt"


@pytest.mark.parametrize("provider", PROVIDERS)
@pytest.mark.parametrize(
    ("fault", "modes"),
    [
        (None, ["json_schema"]),
        (RejectsJsonSchema(), ["json_schema", "json_object"]),
        (RejectsResponseFormat(), ["json_schema", "json_object", "prompt"]),
    ],
    ids=["all", "no-schema", "no-format"],
)
def test_a_server_is_asked_the_best_way_that_it_takes_which_is_found_out_once(
    fault: Fault | None, modes: list[str], provider: str, tmp_path: Path
) -> None:
    """A refusal a document would double the requests of everybody whose server knows no schemas."""
    with (
        ModelServer(always(fault)) as server,
        ModelWorld(tmp_path, server.url, provider=provider) as world,
    ):
        assert world.ask(TEXT) == TEXT
        assert [_asked_for(call) for call in server.calls] == modes
        assert world.ask("Another text.") == "Another text."
        assert [_asked_for(call) for call in server.calls] == [*modes, modes[-1]]
        shown = '"additionalProperties"' in server.calls[-1].texts()[1]
        # Where the server does not hold the model to the schema, its prompt does.
        assert shown == (modes[-1] != "json_schema")
        assert world.outcomes() == ["HTTP 400"] * (len(modes) - 1) + [ANSWERED] * 2


def test_finding_out_the_way_by_many_at_once_is_no_failure_of_the_endpoint(tmp_path: Path) -> None:
    """Each of the first requests is refused; five refusals in a row must not end the asking."""

    async def many(world: ModelWorld) -> list[str]:
        return await asyncio.gather(*(world.asked(f"Text {number}.") for number in range(8)))

    with ModelServer(always(RejectsResponseFormat())) as server, ModelWorld(tmp_path, server.url) as world:
        assert world.run(many(world)) == [f"Text {number}." for number in range(8)]
        assert world.model().output_mode == "prompt"


def test_a_refusal_that_is_not_of_the_format_is_not_asked_in_another(tmp_path: Path) -> None:
    too_long = Status(400, "This model's maximum context length is 8192 tokens, with the schema of response_format.")
    with ModelServer(always(too_long)) as server, ModelWorld(tmp_path, server.url) as world:
        with pytest.raises(PermanentLLMError, match="maximum context length"):
            world.ask()
        assert len(server.calls) == 1
        assert world.model().output_mode == "json_schema"


@pytest.mark.parametrize("provider", PROVIDERS)
@pytest.mark.parametrize(
    "fault", [FencedJson(), PlainContentType(), MissingUsage()], ids=lambda fault: type(fault).__name__
)
def test_what_is_odd_but_valid_is_used_as_it_is(fault: Fault, provider: str, tmp_path: Path) -> None:
    with (
        ModelServer(always(fault)) as server,
        ModelWorld(tmp_path, server.url, provider=provider) as world,
    ):
        assert world.ask(TEXT) == TEXT
        assert world.outcomes() == [ANSWERED]


@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_server_that_does_not_count_is_taken_to_have_used_the_most(provider: str, tmp_path: Path) -> None:
    """An answer that seems free would let a budget be overspent."""
    with (
        ModelServer(always(MissingUsage())) as server,
        ModelWorld(tmp_path, server.url, provider=provider, max_output_tokens=321) as world,
    ):
        reuse = world.reuse()
        world.ask(TEXT, reuse)
        (attempt,) = world.attempts()
        most = world.model().most_tokens(question(TEXT), SCHEMA)
    assert (attempt.input_tokens, attempt.output_tokens) == (most.input, 321)
    assert reuse.accounts.usage.tokens == most.input + 321


CORRECTED: list[tuple[Fault, str, str]] = [
    (InvalidJson(), "cut off", "JSON"),
    (WrongSchema(), "wrong shape", "summary: Field required"),
    (Truncated(), "cut off", "cut off"),
]


@pytest.mark.parametrize("provider", PROVIDERS)
@pytest.mark.parametrize(("fault", "outcome", "problem"), CORRECTED, ids=["InvalidJson", "WrongSchema", "Truncated"])
def test_an_answer_that_cannot_be_used_is_shown_to_the_model_once(
    fault: Fault, outcome: str, problem: str, provider: str, tmp_path: Path
) -> None:
    """Most such answers are right once the model is shown the problem; without it, the model can only guess."""
    with (
        ModelServer(sequence(fault)) as server,
        ModelWorld(tmp_path, server.url, provider=provider) as world,
    ):
        assert world.ask(TEXT) == TEXT
        asked, again = (call.body["messages"] for call in server.calls)
        first_attempt, answered = world.attempts()
    assert [message["role"] for message in asked] == ["system", "user"]
    assert again[:2] == asked
    assert again[-1]["role"] == "user"
    assert problem in again[-1]["content"]
    if isinstance(fault, WrongSchema):
        assert again[2] == {"role": "assistant", "content": fault.content("")}
    assert first_attempt.outcome == outcome
    assert answered.outcome == ANSWERED
    # It was answered, so it is paid for.
    assert first_attempt.input_tokens > 0


@pytest.mark.parametrize("provider", PROVIDERS)
@pytest.mark.parametrize("fault", [fault for fault, _, _ in CORRECTED], ids=["InvalidJson", "WrongSchema", "Truncated"])
def test_an_answer_that_cannot_be_used_twice_is_given_up_and_remembered(
    fault: Fault, provider: str, tmp_path: Path
) -> None:
    """A model that cannot do it would be paid for not doing it in every run."""
    failing = [True]
    with (
        ModelServer(lambda call, earlier: fault if failing[0] else None) as server,
        ModelWorld(tmp_path, server.url, provider=provider) as world,
    ):
        with pytest.raises(InvalidOutputError, match="no usable answer"):
            world.ask(TEXT)
        assert len(server.calls) == 2
        (key,) = {attempt.action_key for attempt in world.attempts()}
        assert not world.store.failures.lookup([key])[key].transient
        with pytest.raises(DocumentError, match="no usable answer"):
            world.ask(TEXT)
        assert len(server.calls) == 2
        failing[0] = False
        assert world.ask(TEXT, world.reuse(retry_failed=True)) == TEXT
        assert len(server.calls) == 3
        assert world.store.failures.lookup([key]) == {}
        assert world.actions() == [key]


@pytest.mark.parametrize(
    ("fault", "outcome"),
    [(Refusal(), "refusal"), (ContentFilter(), "content filter")],
    ids=["Refusal", "ContentFilter"],
)
def test_a_refusal_is_not_argued_with(fault: Fault, outcome: str, tmp_path: Path) -> None:
    """It is the server's decision: asking again is paid for and changes nothing."""
    with ModelServer(always(fault)) as server, ModelWorld(tmp_path, server.url) as world:
        with pytest.raises(InvalidOutputError, match=f"refused to answer: {outcome}"):
            world.ask(TEXT)
        with pytest.raises(DocumentError, match="refused to answer"):
            world.ask(TEXT)
        assert len(server.calls) == 1
        (attempt,) = world.attempts()
        assert attempt.outcome == outcome
        assert attempt.action_key in world.store.failures.lookup([attempt.action_key])
        # Others are answered.
        assert world.actions() == []


@pytest.mark.parametrize("provider", PROVIDERS)
def test_an_empty_reply_is_the_servers_fault_and_asked_again(provider: str, tmp_path: Path) -> None:
    """OpenAI's without choices is sent again as it was; Ollama's empty message may as well be the model's."""
    with (
        ModelServer(sequence(EmptyChoices())) as server,
        ModelWorld(tmp_path, server.url, provider=provider) as world,
    ):
        assert world.ask(TEXT) == TEXT
        same = server.calls[0].digest == server.calls[1].digest
        assert same == (provider == "openai")
        assert world.outcomes() == ["no choices" if provider == "openai" else "empty answer", ANSWERED]


def test_unusable_replies_are_kept_but_never_served(tmp_path: Path) -> None:
    """The replies can be read to find out why a request failed, but they are never used as results."""
    with ModelServer(always(WrongSchema())) as server, ModelWorld(tmp_path, server.url) as world:
        with pytest.raises(InvalidOutputError):
            world.ask(TEXT)
        attempts = world.attempts()
        assert [attempt.outcome for attempt in attempts] == ["wrong shape"] * 2
        for attempt in attempts:
            assert b"unasked" in world.store.load(attempt.response)
            assert attempt.stage == "model_request"
        assert world.store.database.read("SELECT COUNT(*) FROM actions") == [(0,)]
        assert world.store.verify() == []


def test_an_answered_request_is_never_sent_again(tmp_path: Path) -> None:
    with ModelServer() as server:
        for _ in range(2):
            with ModelWorld(tmp_path, server.url) as world:
                assert world.ask(TEXT) == TEXT
        assert len(server.calls) == 1


@pytest.mark.slow
def test_equal_requests_of_one_run_are_sent_once(tmp_path: Path) -> None:
    """Two documents of one text, worked on at once."""

    async def both(world: ModelWorld) -> list[str]:
        reuse = world.reuse()
        return await asyncio.gather(*(world.asked(TEXT, reuse) for _ in range(3)))

    with ModelServer(always(Latency(0.3))) as server, ModelWorld(tmp_path, server.url) as world:
        assert world.run(both(world)) == [TEXT] * 3
        assert len(server.calls) == 1


@pytest.mark.integration
def test_equal_requests_of_two_processes_are_sent_once(tmp_path: Path) -> None:
    """Two runs at once over one home: who comes second waits for the other's answer instead of paying for its own."""
    with ModelServer(always(Latency(1))) as server:
        arguments = [sys.executable, "-c", ASKING, str(tmp_path), server.url]
        running = [
            subprocess.Popen(arguments, text=True, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
            for _ in range(2)
        ]
        try:
            for process in running:
                assert process.stdout is not None
                assert process.stdout.readline() == "ready\n"
            for process in running:
                assert process.stdin is not None
                process.stdin.write("go\n")
                process.stdin.flush()
            said = [process.communicate(timeout=60)[0] for process in running]
        finally:
            for process in running:
                process.kill()
                process.communicate()
        assert said == [f"{TEXT}\n"] * 2
        assert len(server.calls) == 1


def test_a_request_to_ollama_says_how_much_to_hold_and_for_how_long(tmp_path: Path) -> None:
    """Ollama cuts off in silence what is longer than num_ctx, of which its default is small."""
    with (
        ModelServer() as server,
        ModelWorld(
            tmp_path,
            server.url,
            provider="ollama",
            context_tokens=5_000,
            max_output_tokens=700,
            num_thread=3,
            keep_alive="7m",
            temperature=0.25,
            parameters={"top_k": 9},
        ) as world,
    ):
        world.ask(TEXT)
        (call,) = server.calls
    assert call.path == "/api/chat"
    assert call.body["stream"] is False
    assert call.body["keep_alive"] == "7m"
    assert call.body["format"] == SCHEMA.json
    assert call.body["options"] == {
        "num_ctx": 5_000,
        "num_predict": 700,
        "num_thread": 3,
        "temperature": 0.25,
        "top_k": 9,
    }


def test_a_request_to_openais_api_has_the_schema_and_the_parameters(tmp_path: Path) -> None:
    with (
        ModelServer() as server,
        ModelWorld(
            tmp_path, server.url, max_output_tokens=700, parameters={"seed": 5, "unheard_of": {"a": 1}}
        ) as world,
    ):
        world.ask(TEXT)
        (call,) = server.calls
    asked = call.body["response_format"]
    assert asked["json_schema"] == {"name": "summaries", "strict": True, "schema": SCHEMA.json}
    # Other servers than OpenAI's may ignore the new name, and then write without end.
    assert call.body["max_tokens"] == 700
    assert (call.body["seed"], call.body["unheard_of"]) == (5, {"a": 1})
    assert "temperature" not in call.body


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ('{"a": 1}', {"a": 1}),
        (' \n{"a": 1}\n', {"a": 1}),
        ('<think>Is it {"b": 2}?</think>\n{"a": 1}', {"a": 1}),
        ('Here it is:\n```json\n{"a": 1}\n```\nAnything else?', {"a": 1}),
        ('```\n{"a": 1}\n```', {"a": 1}),
        ('Sure! {"a": 1}', {"a": 1}),
        ('{"a": 1,}', {"a": 1}),
        ("{'a': 1}", {"a": 1}),
        ('{"a": "`` ```json ``"}', {"a": "`` ```json ``"}),
    ],
)
def test_json_is_found_in_what_a_model_says(text: str, found: object) -> None:
    assert read_json(text) == found


@pytest.mark.parametrize("text", ["I do not know.", "", "<think>{</think>"])
def test_words_are_not_taken_for_json(text: str) -> None:
    with pytest.raises(UnusableReplyError):
        read_json(text)
