"""OpenAI's form, asked by OpenAI's own client: completions, streams, conversations and errors."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, TypeVar

import httpx2
import openai
import pytest

from answering.answers import Passage, Question
from answering.drafts import Draft
from resources.endpoints.llm import Usage
from seed_assets.memo.reuse import Reuse
from service.access import rules
from service.app import build_service
from tests.support.asking import CountingAnswerer, TextFinder
from tests.support.pipelines import World
from tests.support.served import TEXTS, base_over

TOKEN = "a-token-of-the-tests"
T = TypeVar("T")


def with_client(
    world: World, use: Callable[[openai.AsyncOpenAI], Awaitable[T]], answerer: CountingAnswerer, token: str = TOKEN
) -> T:
    """What `use` gives with a client of OpenAI that is connected to the service."""

    async def run() -> T:
        base = base_over(world.home, world.corpus, TextFinder(TEXTS), answerer, token=TOKEN)
        app = build_service([base], lambda one: rules(one.token, "127.0.0.1", (), loopback=True))
        transport = httpx2.ASGITransport(app)
        async with httpx2.AsyncClient(transport=transport) as http:
            client = openai.AsyncOpenAI(
                api_key=token, base_url="http://127.0.0.1:8000/v1", http_client=http, max_retries=0
            )
            try:
                return await use(client)
            finally:
                await base.aclose()

    return asyncio.run(run())


def message(role: str, content: Any) -> Any:
    return {"role": role, "content": content}


@pytest.mark.slow
def test_a_completion_ends_with_its_sources_and_has_the_citations(plain_world: World) -> None:
    async def use(client: openai.AsyncOpenAI) -> Any:
        return await client.chat.completions.create(
            model="seedbank",
            messages=[message("system", "Be brief."), message("user", "What guide trains?")],
            temperature=0.3,
        )

    found = with_client(plain_world, use, CountingAnswerer())
    (choice,) = found.choices
    assert choice.finish_reason == "stop"
    assert choice.message.content == "Points guide trains. [1]\n\nSources:\n[1] rails.md, characters 0 to 20"
    assert found.citations[0]["text"] == "Points guide trains."
    assert found.cache["answer_hit"] is False


def test_a_stream_has_the_same_words(plain_world: World) -> None:
    async def use(client: openai.AsyncOpenAI) -> list[Any]:
        made = await client.chat.completions.create(
            model="seedbank", messages=[message("user", [{"type": "text", "text": "What guide trains?"}])], stream=True
        )
        return [chunk async for chunk in made]

    chunks = with_client(plain_world, use, CountingAnswerer())
    assert chunks[0].choices[0].delta.role == "assistant"
    words = "".join(chunk.choices[0].delta.content or "" for chunk in chunks)
    assert words == "Points guide trains. [1]\n\nSources:\n[1] rails.md, characters 0 to 20"
    assert [chunk.choices[0].finish_reason for chunk in chunks][-2:] == [None, "stop"]
    assert chunks[-1].citations[0]["document"] == "rails.md"
    assert len({chunk.id for chunk in chunks}) == 1


@pytest.mark.parametrize("stream", [False, True])
def test_the_documents_say_nothing_in_words(plain_world: World, stream: bool) -> None:
    async def use(client: openai.AsyncOpenAI) -> str:
        made: Any = await client.chat.completions.create(
            model="any", messages=[message("user", "Unheard?")], stream=stream
        )
        if not stream:
            return made.choices[0].message.content
        return "".join([chunk.choices[0].delta.content or "" async for chunk in made])

    assert with_client(plain_world, use, CountingAnswerer()) == "The documents do not say."


def test_earlier_turns_are_the_conversation_without_their_sources(plain_world: World) -> None:
    """A list of sources in the words of an earlier answer would be searched for."""
    answerer = CountingAnswerer()
    turns: list[Any] = []
    draft = answerer.draft

    async def noted(question: Any, *given: Any) -> Any:
        turns.extend(question.turns)
        return await draft(question, *given)

    answerer.draft = noted  # type: ignore[method-assign]
    messages = [
        message("user", "What guide trains?"),
        message("assistant", "Points guide trains. [1]\n\nSources:\n[1] rails.md, characters 0 to 20"),
        message("user", "Which corals build reefs slowly?"),
    ]

    async def use(client: openai.AsyncOpenAI) -> Any:
        return await client.chat.completions.create(model="seedbank", messages=messages)

    with_client(plain_world, use, answerer)
    assert [(turn.question, turn.answer) for turn in turns] == [("What guide trains?", "Points guide trains. [1]")]


def test_the_models_are_listed(plain_world: World) -> None:
    async def use(client: openai.AsyncOpenAI) -> list[str]:
        return [model.id async for model in client.models.list()]

    assert with_client(plain_world, use, CountingAnswerer()) == ["seedbank"]


def test_clients_meet_the_errors_that_they_know(plain_world: World) -> None:
    async def ask(client: openai.AsyncOpenAI, **more: Any) -> Any:
        given = {"model": "seedbank", "messages": [message("user", "What?")]} | more
        return await client.chat.completions.create(**given)

    with pytest.raises(openai.AuthenticationError, match="Bearer TOKEN"):
        with_client(plain_world, ask, CountingAnswerer(), token="another-token-than-that")

    for messages in ([message("assistant", "x")], [message("user", "")], [message("user", "x" * 2_001)]):

        async def use(client: openai.AsyncOpenAI, messages: Any = messages) -> Any:
            return await ask(client, messages=messages)

        with pytest.raises(openai.UnprocessableEntityError, match="last message"):
            with_client(plain_world, use, CountingAnswerer())


def test_a_failure_during_a_stream_is_raised_by_the_client(plain_world: World) -> None:
    from resources.errors import DocumentError

    answerer = CountingAnswerer()
    answerer.failure = DocumentError("the model answered nothing.", "Try again.")

    async def use(client: openai.AsyncOpenAI) -> None:
        made = await client.chat.completions.create(
            model="seedbank", messages=[message("user", "What guide trains?")], stream=True
        )
        async for _ in made:
            pass

    with pytest.raises(openai.APIError, match="answered nothing"):
        with_client(plain_world, use, answerer)


class Paid(CountingAnswerer):
    """Answers for a price."""

    async def draft(self, question: Question, passages: Sequence[Passage], reuse: Reuse) -> Draft:
        reuse.costs.charge(Usage(1, 100, 20, 0.5, model="test"))
        return await super().draft(question, passages, reuse)


def test_the_tokens_that_were_paid_are_counted_and_a_kept_answer_has_none(plain_world: World) -> None:
    """A client that adds them up would otherwise show a price for what was free."""

    async def use(client: openai.AsyncOpenAI) -> list[Any]:
        given: dict[str, Any] = {"model": "seedbank", "messages": [message("user", "What guide trains?")]}
        return [await client.chat.completions.create(**given) for _ in range(2)]

    paid, kept = with_client(plain_world, use, Paid())
    counts = [(one.usage.prompt_tokens, one.usage.completion_tokens, one.usage.total_tokens) for one in (paid, kept)]
    assert counts == [(100, 20, 120), (0, 0, 0)]
    assert [one.cache["answer_hit"] for one in (paid, kept)] == [False, True]


@pytest.mark.parametrize("wanted", [True, False, None])
def test_a_stream_counts_tokens_in_a_chunk_of_its_own_if_that_is_wanted(
    plain_world: World, wanted: bool | None
) -> None:
    async def use(client: openai.AsyncOpenAI) -> list[Any]:
        options: Any = {} if wanted is None else {"stream_options": {"include_usage": wanted}}
        made = await client.chat.completions.create(
            model="seedbank", messages=[message("user", "What guide trains?")], stream=True, **options
        )
        return [chunk async for chunk in made]

    chunks = with_client(plain_world, use, Paid())
    usages = [chunk.usage for chunk in chunks]
    assert usages[:-1] == [None] * (len(chunks) - 1)
    if wanted:
        assert (chunks[-1].choices, usages[-1].total_tokens) == ([], 120)
    else:
        assert usages[-1] is None


def test_a_chat_has_filters(plain_world: World) -> None:
    async def use(client: openai.AsyncOpenAI) -> Any:
        return await client.chat.completions.create(
            model="seedbank",
            messages=[message("user", "Which grow slowly?")],
            extra_body={"filters": {"documents": ["reef.md"]}},
        )

    assert with_client(plain_world, use, CountingAnswerer()).citations[0]["document"] == "reef.md"
