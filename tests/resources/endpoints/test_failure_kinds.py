"""Whose fault a refusal is: by what providers really say, and what then becomes of the request and of all others."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from io_managers.store.request_ledger import ANSWERED
from resources.endpoints import endpoint as endpoint_module
from resources.endpoints.endpoint_errors import read_error
from resources.endpoints.failure_page import failure_table
from resources.endpoints.failure_rules import RULES, rule_of
from resources.endpoints.llm import EndpointError, PermanentLLMError, TransientLLMError
from tests.resources.models.test_model_embedder import TEXTS, embedded
from tests.support.model_answers import Call
from tests.support.model_faults import Fault, Status, always, first, sequence
from tests.support.model_refusals import KnowsNot, Refuses, said
from tests.support.model_server import ModelServer
from tests.support.model_world import ModelWorld

pytestmark = pytest.mark.usefixtures("own_environment")

ROOT = Path(__file__).resolve().parents[3]
PAGE = "<html><head><style>p {color: red}</style></head><body><h1>Sorry, you have been blocked</h1></body></html>"


def openai(message: str, code: str | None = None, kind: str = "invalid_request_error") -> dict[str, Any]:
    """An error in OpenAI's form."""
    return {"error": {"message": message, "type": kind, "param": None, "code": code}}


# What providers say, in their own form: (status, body, the name of its row, whose fault).
SAID: list[tuple[int, Any, str, str]] = [
    (402, openai("Insufficient Balance", "invalid_request_error"), "payment required", "account"),
    (
        402,
        {"error": {"message": "This request requires more credits, or fewer max_tokens", "code": 402}},
        "",
        "account",
    ),
    (429, openai("You exceeded your current quota, please check your plan", "insufficient_quota"), "", "account"),
    (
        429,
        {"error": {"message": "You exceeded your current quota.", "type": "exceeded_current_quota_error"}},
        "",
        "account",
    ),
    (
        400,
        {
            "type": "error",
            "error": {"type": "invalid_request_error", "message": "Your credit balance is too low to access"},
        },
        "no credit",
        "account",
    ),
    (400, openai("Budget has been exceeded! Current cost: 12.3, Max budget: 10", "budget_exceeded"), "", "account"),
    (403, openai("Key limit exceeded (total limit). Manage it using the settings"), "no credit", "account"),
    (
        400,
        {"code": "Arrearage", "message": "Access denied, please make sure your account is in good standing."},
        "",
        "account",
    ),
    (
        429,
        [
            {
                "error": {
                    "code": 429,
                    "message": "You exceeded your current quota, please check your plan and billing details.",
                    "status": "RESOURCE_EXHAUSTED",
                    "details": [
                        {"violations": [{"quotaId": "GenerateRequestsPerMinutePerProjectPerModel-FreeTier"}]},
                        {"retryDelay": "34s"},
                    ],
                }
            }
        ],
        "quota of the minute",
        "passing",
    ),
    (
        429,
        {
            "error": {
                "status": "RESOURCE_EXHAUSTED",
                "message": "You exceeded your current quota",
                "details": [{"violations": [{"quotaId": "GenerateRequestsPerDayPerProjectPerModel-FreeTier"}]}],
            }
        },
        "quota of the day",
        "account",
    ),
    (401, openai("Incorrect API key provided", "invalid_api_key"), "wrong key", "endpoint"),
    (
        400,
        {
            "error": {
                "code": 400,
                "message": "API key not valid. Please pass a valid API key.",
                "status": "INVALID_ARGUMENT",
            }
        },
        "wrong key",
        "endpoint",
    ),
    (403, {"type": "error", "error": {"type": "permission_error", "message": "not allowed"}}, "not let in", "endpoint"),
    (
        403,
        openai("Country, region, or territory not supported", "unsupported_country_region_territory"),
        "",
        "endpoint",
    ),
    (400, {"error": {"message": "User location is not supported for the API use."}}, "not let in", "endpoint"),
    (
        404,
        openai("The model `gpt-9` does not exist or you do not have access to it.", "model_not_found"),
        "",
        "endpoint",
    ),
    (404, {"error": 'model "llama9" not found, try pulling it first'}, "unknown model", "endpoint"),
    (400, {"error": {"message": "acme/m is not a valid model ID", "code": 400}}, "unknown model", "endpoint"),
    (400, openai("The model `m` has been decommissioned", "model_decommissioned"), "unknown model", "endpoint"),
    (404, {"detail": "Not Found"}, "wrong address or model", "endpoint"),
    (405, {"detail": "Method Not Allowed"}, "wrong address or model", "endpoint"),
    (
        400,
        {
            "error": {
                "message": "The response was filtered due to the prompt triggering Azure OpenAI's content management policy.",
                "code": "content_filter",
                "innererror": {"code": "ResponsibleAIPolicyViolation"},
            }
        },
        "content refused",
        "document",
    ),
    (400, openai("Content Exists Risk"), "content refused", "document"),
    (
        400,
        openai("Invalid prompt: it was flagged as potentially violating our usage policy.", "invalid_prompt"),
        "",
        "document",
    ),
    (400, {"error": {"code": "data_inspection_failed", "message": "Input data may contain it."}}, "", "document"),
    (403, {"error": {"code": 403, "message": 'Your input was flagged for "violence"'}}, "forbidden", "document"),
    (403, PAGE, "forbidden", "document"),
    (400, openai("The request is wrong in a way that nobody knows."), "refused", "document"),
    (418, "I am a teapot", "refused", "document"),
    (
        400,
        openai(
            "This model's maximum context length is 8192 tokens. However, you requested 9001", "context_length_exceeded"
        ),
        "text longer than the context",
        "setting",
    ),
    (
        400,
        {
            "error": {
                "code": 400,
                "message": "the request exceeds the available context size",
                "type": "exceed_context_size_error",
            }
        },
        "text longer than the context",
        "setting",
    ),
    (
        500,
        {"error": {"message": "input (523 tokens) is too large to process. increase the physical batch size (512)"}},
        "text longer than the context",
        "setting",
    ),
    (400, {"error": "the input length exceeds the context length"}, "text longer than the context", "setting"),
    (
        400,
        {"error": {"type": "invalid_request_error", "message": "prompt is too long: 210000 tokens > 200000"}},
        "",
        "setting",
    ),
    (413, {"error": "Input validation error: `inputs` must have less than 512 tokens. Given: 600"}, "", "setting"),
    (
        413,
        openai(
            "Request too large for model `m` on tokens per minute (TPM): Limit 6000, Requested 8000",
            "rate_limit_exceeded",
        ),
        "larger than the plan allows",
        "setting",
    ),
    (
        400,
        {
            "error": {
                "message": "<400> Value error, batch size is invalid, it should not be larger than 10.: input.contents"
            }
        },
        "too many texts in a request",
        "setting",
    ),
    (413, {"error": "batch size 64 > maximum allowed batch size 32", "error_type": "Validation"}, "", "setting"),
    (
        400,
        {"error": {"message": "* requests: at most 100 requests can be in one batch"}},
        "",
        "setting",
    ),
    (400, openai("Invalid 'input': array too long. Expected at most 2048"), "too many texts in a request", "setting"),
    (400, {"error": 'time: missing unit in duration "10"'}, "how long to stay loaded", "setting"),
    (400, openai("max_tokens is too large: 8000. This model supports at most 4096 completion tokens"), "", "setting"),
    (
        400,
        openai(
            "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead."
        ),
        "name of the answer's limit",
        "setting",
    ),
    (
        400,
        openai("Unrecognized request argument supplied: max_completion_tokens"),
        "name of the answer's limit",
        "setting",
    ),
    (
        422,
        {"detail": [{"loc": ["body", "encoding_format"], "msg": "encoding_format: extra"}]},
        "form of vectors",
        "setting",
    ),
    (400, openai("Unsupported value: 'temperature' does not support 0.2 with this model."), "temperature", "setting"),
    (400, openai("Unrecognized request argument supplied: top_q"), "unknown parameter", "setting"),
    (
        404,
        {"error": {"message": "No endpoints found that can handle the requested parameters.", "code": 404}},
        "way of asking for structured answers",
        "setting",
    ),
    (400, openai("This response_format type is unavailable now"), "way of asking for structured answers", "setting"),
    (500, {"error": {"message": "failed to parse grammar"}}, "way of asking for structured answers", "setting"),
    (
        400,
        openai("Failed to generate JSON. Please adjust your prompt.", "json_validate_failed"),
        "nothing came of it",
        "passing",
    ),
    (
        503,
        {"error": {"code": 503, "message": "Loading model", "type": "unavailable_error"}},
        "still loading",
        "passing",
    ),
    (503, {"error": "Model m is currently loading", "estimated_time": 20.0}, "still loading", "passing"),
    (400, {"error": "Model reloaded."}, "the model went away", "passing"),
    (
        429,
        openai("Rate limit reached for m. Please try again in 1.2s.", "rate_limit_exceeded", "tokens"),
        "for now",
        "passing",
    ),
    (
        529,
        {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}},
        "server's fault",
        "passing",
    ),
    (500, {"error": {"message": "Internal server error"}}, "server's fault", "passing"),
    (307, "", "redirect", "endpoint"),
    # A validator sends back what it was sent: words of a document are not the server's.
    (
        422,
        {
            "detail": [
                {"loc": ["body", "input"], "msg": "wrong type", "input": "the credit balance is too low, flagged"}
            ]
        },
        "refused",
        "document",
    ),
    (403, {"code": 30001, "message": "Sorry, your account balance is insufficient", "data": None}, "", "account"),
    (403, {"error": {"code": "AllocationQuota.FreeTierOnly", "message": "Use the paid tier."}}, "no credit", "account"),
    (
        400,
        openai("You have reached your specified API usage limits. You will regain access on 2025-08-01."),
        "",
        "account",
    ),
    (403, openai("Your organization's monthly spend limit has been reached", "blocked_api_access"), "", "account"),
    (
        403,
        {"statusCode": 403, "message": "Out of call volume quota. Quota will be replenished in 01:00:00."},
        "",
        "account",
    ),
    (429, openai("Rate limit exceeded: free-models-per-day. Add 10 credits"), "quota of the day", "account"),
    (403, {"error": {"code": 403, "errors": [{"reason": "userRateLimitExceeded"}]}}, "asked too often", "passing"),
    (400, {"__type": "ThrottlingException", "message": "Too many requests, please wait"}, "asked too often", "passing"),
    (498, openai("Flex tier capacity exceeded", "capacity_exceeded"), "for now", "passing"),
    (424, openai("The provider returned an error"), "for now", "passing"),
    (400, openai("Internal server error", "internal_error"), "server's fault, under another status", "passing"),
    (
        400,
        {"detail": "The max allowed tokens per submitted batch is 120000."},
        "too many texts in a request",
        "setting",
    ),
    (503, {"error": "The server is warming up"}, "still loading", "passing"),
    (400, openai("The model generated invalid JSON", "x"), "nothing came of it", "passing"),
    (
        422,
        {"detail": [{"type": "missing", "loc": ["body", "encoding_format"], "msg": "Not permitted"}]},
        "form of vectors",
        "setting",
    ),
    (
        422,
        {
            "detail": [
                {
                    "type": "extra_forbidden",
                    "loc": ["body", "max_completion_tokens"],
                    "msg": "Extra inputs are not permitted",
                }
            ]
        },
        "name of the answer's limit",
        "setting",
    ),
    # Another server's error, passed on as text.
    (
        400,
        {
            "error": {
                "message": "Provider returned error",
                "metadata": {"raw": json.dumps(openai("The context length is 100 tokens", "context_length_exceeded"))},
            }
        },
        "text longer than the context",
        "setting",
    ),
    (400, {"error": {"message": json.dumps(openai("Filtered.", "content_filter"))}}, "content refused", "document"),
]


@pytest.mark.parametrize(("status", "body", "name", "kind"), SAID, ids=lambda value: str(value)[:50])
def test_a_providers_error_is_attributed_to_its_cause(status: int, body: Any, name: str, kind: str) -> None:
    read = read_error(body if isinstance(body, str) else json.dumps(body))
    rule = rule_of(status, read.codes, read.message)
    assert rule.kind == kind
    assert rule.name == name or not name
    assert rule.remedy


def test_the_page_shows_the_table_that_decides() -> None:
    """A table that people read and one that decides would soon be two."""
    page = (ROOT / "docs" / "models.md").read_text()
    shown = page.partition("<!-- failures -->\n")[2].partition("\n<!-- /failures -->")[0]
    assert shown == failure_table()
    assert all(rule.remedy.endswith(".") for rule in RULES)


ACCOUNT: list[Fault] = [
    Status(402, "Insufficient credits"),
    Status(400, "Your credit balance is too low to access the API."),
    Status(429, "You exceeded your current quota.", error_code="insufficient_quota"),
]


@pytest.mark.parametrize("fault", ACCOUNT, ids=["402", "400", "429"])
def test_an_empty_account_is_found_out_by_one_request(fault: Fault, tmp_path: Path) -> None:
    """Four attempts for each of ten thousand documents change nothing about an account."""
    with ModelServer(always(fault)) as server, ModelWorld(tmp_path, server.url) as world:
        for text in ("One.", "Two."):
            with pytest.raises(EndpointError, match="Top up") as raised:
                world.ask(text)
            assert raised.value.transient
        assert len(server.calls) == 1
        server.script = always(None)
        with ModelWorld(tmp_path, server.url) as later:
            assert later.ask("One.") == "One."


@pytest.mark.parametrize(
    "body",
    [
        {"error": {"code": 402, "message": "Insufficient credits"}},
        {"error": {"code": "402", "message": "Insufficient credits"}},
        {"error": {"type": "insufficient_quota", "message": "You exceeded your current quota."}},
        {"message": "More is needed.", "error": "insufficient balance"},
        {"object": "error", "code": 402, "message": "Pay first."},
    ],
    ids=["number", "digits", "type", "words", "object"],
)
def test_a_refusal_in_a_reply_that_says_200_is_one(body: dict[str, Any], tmp_path: Path) -> None:
    """A router has sent its headers before it knows, and puts the error in the answer's place."""
    hidden = Refuses(200, body)
    with ModelServer(always(hidden)) as server, ModelWorld(tmp_path, server.url) as world:
        with pytest.raises(EndpointError, match="Top up"):
            world.ask("One.")
        assert len(server.calls) == 1


def test_a_router_that_has_no_server_at_all_ends_the_asking(tmp_path: Path) -> None:
    """Every way of asking is refused to everybody: three requests for each of ten thousand documents say nothing more."""

    async def many(world: ModelWorld) -> list[Any]:
        return [(await asyncio.gather(world.asked(f"{n}."), return_exceptions=True))[0] for n in range(9)]

    fault = Status(404, "No endpoints found that can handle the requested parameters.")
    with ModelServer(always(fault)) as server, ModelWorld(tmp_path, server.url) as world:
        found = world.run(many(world))
        assert [type(one) for one in found] == [PermanentLLMError] * 4 + [EndpointError] * 5


def _forbids(*words: str) -> Fault:
    return Refuses(403, PAGE, lambda call: any(word in said(call) for word in words), "text/html")


def test_a_403_for_one_text_is_that_texts_also_when_it_comes_first(tmp_path: Path) -> None:
    """A firewall before a gateway refuses a text with an odd word in it, not the key."""
    with ModelServer(always(_forbids("drop table"))) as server, ModelWorld(tmp_path, server.url) as world:
        with pytest.raises(PermanentLLMError, match="HTTP 403"):
            world.ask("drop table students")
        # One harmless request has shown that others are let in.
        assert len(server.calls) == 2
        assert world.ask("A text.") == "A text."
        with pytest.raises(PermanentLLMError):
            world.ask("drop table teachers")
        (_, key), *_ = [(a.outcome, a.action_key) for a in world.attempts() if a.outcome == "HTTP 403"]
        assert not world.store.failures.lookup([key])[key].transient


@pytest.mark.slow
def test_a_403_among_answers_needs_no_harmless_request(tmp_path: Path) -> None:
    async def together(world: ModelWorld) -> list[Any]:
        return await asyncio.gather(*map(world.asked, ["drop table", "One.", "Two."]), return_exceptions=True)

    def script(call: Call, earlier: int) -> Fault | None:
        return _Later(0.3) if "drop" in said(call) else None

    class _Later(Refuses):
        def __init__(self, seconds: float) -> None:
            super().__init__(403, PAGE)

        async def deliver(self, reply: Any, wire: Any) -> None:
            await wire.stays(0.3)
            await wire.whole(reply)

    with ModelServer(script) as server, ModelWorld(tmp_path, server.url) as world:
        refused, *answers = world.run(together(world))
        assert isinstance(refused, PermanentLLMError)
        assert answers == ["One.", "Two."]
        assert len(server.calls) == 3


def test_a_403_for_everybody_ends_the_asking_and_remembers_nothing(tmp_path: Path) -> None:
    with ModelServer(always(Status(403))) as server, ModelWorld(tmp_path, server.url) as world:
        for text in ("One.", "Two."):
            with pytest.raises(EndpointError, match=r"403.*All requests are refused") as raised:
                world.ask(text)
            assert raised.value.transient
        assert len(server.calls) == 2
        failures = world.store.failures.lookup(attempt.action_key for attempt in world.attempts())
        assert all(failure.transient for failure in failures.values())


def test_whether_others_are_answered_stays_open_where_the_harmless_request_fails_too(tmp_path: Path) -> None:
    with ModelServer(sequence(Status(403), Status(500))) as server, ModelWorld(tmp_path, server.url) as world:
        with pytest.raises(TransientLLMError, match="it is not known") as raised:
            world.ask("One.")
        assert not isinstance(raised.value, EndpointError)
        assert world.ask("One.") == "One."


@pytest.mark.parametrize(
    "message",
    [
        "The prompt triggered the content filter.",
        "This model's maximum context length is 8192 tokens.",
        "An odd thing.",
    ],
)
def test_refusals_of_the_first_texts_do_not_end_the_asking(message: str, tmp_path: Path) -> None:
    """Seven refused documents that come first in order say nothing of the hundred after them."""
    refuses = Refuses(400, openai(message), lambda call: "bad" in said(call))

    async def all_of_them(world: ModelWorld) -> list[Any]:
        found: list[Any] = []
        for text in [f"bad {n}." for n in range(7)] + ["good 1.", "good 2."]:
            found += await asyncio.gather(world.asked(text), return_exceptions=True)
        return found

    with ModelServer(always(refuses)) as server, ModelWorld(tmp_path, server.url) as world:
        found = world.run(all_of_them(world))
        assert [type(one) for one in found] == [PermanentLLMError] * 7 + [str] * 2
        # After five in a row a harmless request has shown that it is not everybody.
        assert len(server.calls) == 10


def test_a_refusal_of_everybody_ends_the_asking_soon(tmp_path: Path) -> None:
    """A parameter that the server does not know would be refused ten thousand times."""

    async def many(world: ModelWorld) -> list[Any]:
        return [(await asyncio.gather(world.asked(f"{n}."), return_exceptions=True))[0] for n in range(20)]

    fault = Status(400, "Unrecognized request argument supplied: top_q")
    with ModelServer(always(fault)) as server, ModelWorld(tmp_path, server.url) as world:
        found = world.run(many(world))
        assert [type(one) for one in found] == [PermanentLLMError] * 4 + [EndpointError] * 16
        assert "llm.parameters" in str(found[-1])
        assert len(server.calls) == 6


@pytest.mark.slow
def test_what_failed_by_chance_is_asked_again(tmp_path: Path) -> None:
    """Groq checks the JSON itself, and refuses with 400 what another sample would have done right."""
    fault = Status(400, "Failed to generate JSON.", error_code="json_validate_failed")
    with ModelServer(first(2, fault)) as server, ModelWorld(tmp_path, server.url) as world:
        assert world.ask("A text.") == "A text."
        assert world.outcomes() == ["HTTP 400", "HTTP 400", ANSWERED]
    with ModelServer(always(fault)) as server, ModelWorld(tmp_path / "other", server.url) as world:
        for n in range(6):
            with pytest.raises(TransientLLMError) as raised:
                world.ask(f"{n}.")
            # It says nothing against the endpoint.
            assert not isinstance(raised.value, EndpointError)


def test_a_router_without_a_server_for_schemas_is_asked_another_way(tmp_path: Path) -> None:
    message = "No endpoints found that can handle the requested parameters. To learn more, visit the docs."
    fault = Refuses(404, {"error": {"message": message, "code": 404}}, lambda call: call.schema is not None)
    with ModelServer(always(fault)) as server, ModelWorld(tmp_path, server.url) as world:
        assert world.ask("A text.") == "A text."
        assert world.ask("Another.") == "Another."
        assert [call.format and call.format["type"] for call in server.calls] == ["json_schema", *["json_object"] * 2]


USE_THE_OTHER = (
    "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead."
)


@pytest.mark.parametrize(
    ("fault", "names"),
    [
        (KnowsNot("max_tokens", USE_THE_OTHER), ["max_tokens", *["max_completion_tokens"] * 2]),
        (Status(400, USE_THE_OTHER), ["max_tokens", "max_completion_tokens"]),
    ],
    ids=["other", "neither"],
)
def test_the_limit_of_answers_is_named_as_the_server_wants_it(fault: Fault, names: list[str], tmp_path: Path) -> None:
    """Azure and OpenAI's newer models refuse the name that all others want."""
    with ModelServer(always(fault)) as server, ModelWorld(tmp_path, server.url, max_output_tokens=321) as world:
        if len(names) == 3:
            assert (world.ask("One."), world.ask("Two.")) == ("One.", "Two.")
        else:
            with pytest.raises(PermanentLLMError, match=r"llm\.parameters"):
                world.ask("One.")
        sent = [{name: call.body[name] for name in call.body if name.startswith("max_")} for call in server.calls]
        assert sent == [{name: 321} for name in names]


def test_a_limit_that_a_person_has_named_is_not_renamed(tmp_path: Path) -> None:
    with (
        ModelServer(always(KnowsNot("max_tokens", USE_THE_OTHER))) as server,
        ModelWorld(tmp_path, server.url, parameters={"max_tokens": 99}) as world,
    ):
        with pytest.raises(PermanentLLMError):
            world.ask("One.")
        assert len(server.calls) == 1


def test_many_at_once_find_out_the_name_together(tmp_path: Path) -> None:
    async def many(world: ModelWorld) -> list[str]:
        return await asyncio.gather(*(world.asked(f"{number}.") for number in range(8)))

    with (
        ModelServer(always(KnowsNot("max_tokens", USE_THE_OTHER))) as server,
        ModelWorld(tmp_path, server.url) as world,
    ):
        assert world.run(many(world)) == [f"{number}." for number in range(8)]


def test_a_form_of_vectors_that_is_refused_is_left_out(tmp_path: Path) -> None:
    fault = KnowsNot("encoding_format", "Unknown parameter: 'encoding_format'.")
    with ModelServer(always(fault)) as server, ModelWorld(tmp_path, server.url, embeddings={"batch": 2}) as world:
        embedder = world.embedder()
        from seed_assets.stages.documents.embeddings import embed_texts

        assert world.run(embed_texts(TEXTS, embedder, world.reuse())).shape == (5, 256)
        assert world.run(embed_texts(["Six."], embedder, world.reuse())).shape == (1, 256)
        assert "encoding_format" not in server.calls[-1].body
        assert sum("encoding_format" in call.body for call in server.calls) <= 3


@pytest.mark.parametrize(
    ("fault", "remedy"),
    [
        (
            Status(400, "This model's maximum context length is 512 tokens", error_code="context_length_exceeded"),
            "chunks",
        ),
        (Status(500, "input (523 tokens) is too large to process. increase the physical batch size"), "chunks"),
        (Status(400, "Value error, batch size is invalid, it should not be larger than 10."), "batch"),
    ],
    ids=["context", "llama.cpp", "batch"],
)
def test_a_refusal_of_vectors_names_the_setting_of_vectors(fault: Fault, remedy: str, tmp_path: Path) -> None:
    with ModelServer(always(fault)) as server, ModelWorld(tmp_path, server.url) as world:
        names = {"chunks": "`chunks.characters`", "batch": "`embeddings.batch`"}
        with pytest.raises(PermanentLLMError, match=names[remedy]) as raised:
            embedded(world, TEXTS)
        assert "context_tokens" not in raised.value.remedy
        assert len(server.calls) == 1


@pytest.mark.slow
def test_a_model_that_is_loading_is_waited_for_and_that_is_said(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Four attempts in four seconds give up on a model that takes a minute to load."""
    fault = Refuses(503, {"error": {"code": 503, "message": "Loading model", "type": "unavailable_error"}})
    with ModelServer(first(12, fault)) as server, ModelWorld(tmp_path, server.url) as world:
        assert world.ask("A text.") == "A text."
        assert len(server.calls) == 13
    shown = [record for record in caplog.records if record.levelname == "WARNING"]
    assert ["Loading model" in record.getMessage() for record in shown] == [True]


def test_a_model_that_never_finishes_loading_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The time is over at the sixth request, however long six requests take."""

    def loading(call: Call, earlier: int) -> Fault:
        if call.number == 5:
            monkeypatch.setattr(endpoint_module, "_LOADING_SECONDS", 0.0)
        return Status(503, "Loading model")

    with ModelServer(loading) as server, ModelWorld(tmp_path, server.url) as world:
        with pytest.raises(TransientLLMError, match=r"still loading.*Loading model"):
            world.ask("A text.")
        assert len(server.calls) == 6
