"""A server that read only a part of what it was sent is found out by its count, and no other is accused."""

from pathlib import Path

import pytest

from resources.endpoints.llm import InvalidOutputError
from resources.models.prompt_counts import PromptCounts, is_short, least_tokens
from resources.models.tokens import count_tokens
from tests.support.model_corpus import essay
from tests.support.model_faults import Fault, always, sequence
from tests.support.model_refusals import Counts
from tests.support.model_server import ModelServer
from tests.support.model_world import ModelWorld

pytestmark = pytest.mark.usefixtures("own_environment")

LONG = essay(1, 240)


@pytest.mark.parametrize("provider", ["openai", "ollama"])
def test_an_answer_to_a_part_of_the_text_is_not_kept_and_the_remedy_is_named(provider: str, tmp_path: Path) -> None:
    """Ollama cuts a prompt to what its model holds, and says so by its count alone."""
    with (
        ModelServer(always(Counts(2_050))) as server,
        ModelWorld(tmp_path, server.url, provider=provider) as world,
    ):
        with pytest.raises(
            InvalidOutputError, match=r"counts 2,050 tokens.*only a part.*`llm\.context_tokens`"
        ) as raised:
            world.ask(LONG)
        assert not raised.value.transient
        assert world.actions() == []
        # Asking the same again changes nothing.
        assert len(server.calls) == 1
        assert world.ask("A short text.") == "A short text."


@pytest.mark.parametrize(
    "fault",
    [
        None,
        Counts(0),
        Counts(-1),
        # After a kill, the same prompt is in an older server's cache from end to end.
        Counts(1),
        Counts(20),
        Counts(100, {"prompt_cache_hit_tokens": 9_000}),
        Counts(100, {"prompt_tokens_details": {"cached_tokens": 9_000}}),
        Counts(100, {"cache_read_input_tokens": 9_000, "cache_creation_input_tokens": 0}),
        Counts(100, {"cache_creation_input_tokens": 9_000}),
        Counts(90_000),
    ],
)
def test_a_server_that_read_everything_is_not_accused(fault: Fault | None, tmp_path: Path) -> None:
    """Some count nothing, some leave out what they had read before and count it elsewhere."""
    with ModelServer(always(fault)) as server, ModelWorld(tmp_path, server.url) as world:
        assert world.ask(LONG)
        assert len(server.calls) == 1


def test_what_a_server_has_in_its_cache_is_not_missed(tmp_path: Path) -> None:
    """Older servers of Ollama count only what follows the beginning that they know from the prompt before."""
    with (
        ModelServer(sequence(None, Counts(60))) as server,
        ModelWorld(tmp_path, server.url, provider="ollama", in_flight=1) as world,
    ):
        assert world.ask(LONG + " The first question.")
        assert world.ask(LONG + " The second question, with a few more words.")
        assert len(server.calls) == 2


def test_texts_that_begin_alike_hide_no_cut(tmp_path: Path) -> None:
    with (
        ModelServer(always(Counts(2_050))) as server,
        ModelWorld(tmp_path, server.url, provider="ollama", in_flight=1) as world,
    ):
        for question in ("The first question.", "The second question."):
            with pytest.raises(InvalidOutputError, match="only a part"):
                world.ask(f"{LONG} {question}")


def test_vectors_of_a_part_are_not_kept(tmp_path: Path) -> None:
    from tests.resources.models.test_model_embedder import embedded

    with ModelServer(always(Counts(512))) as server, ModelWorld(tmp_path, server.url) as world:
        with pytest.raises(InvalidOutputError, match=r"counts 512 tokens.*`chunks\.characters`"):
            embedded(world, [LONG])
        assert world.actions() == []
        assert len(embedded(world, ["Bread.", "Rails."])) == 2


@pytest.mark.parametrize(
    "text",
    [
        LONG,
        "面包是用面粉做的。" * 400,
        "パンは小麦粉から作られます。" * 300,
        "빵은 밀가루로 만든다. " * 300,
        "ขนมปังทำจากแป้ง " * 300,
        "def f(x):\n    return [y ** 2 for y in x if y % 3 == 0]\n" * 200,
        "a b c d e f g " * 500,
        "3 1 4 1 5 9 2 6 " * 500,
        "| --- | === | *** |\n" * 500,
        "http://example.org/a/b?c=d&e=f#g " * 300,
        " \n\t" * 3_000,
    ],
    ids=["english", "chinese", "japanese", "korean", "thai", "code", "letters", "digits", "marks", "urls", "space"],
)
def test_the_least_is_less_than_a_tokenizer_gives(text: str) -> None:
    assert least_tokens(text) <= count_tokens(text)
    # The newest vocabularies are ten times as large, and take a third less for most scripts; but no piece is less than one.
    if " a b " not in text and " 1 4 " not in text:
        assert not is_short(int(count_tokens(text) * 0.65), least_tokens(text))


def test_nothing_is_concluded_from_a_few_tokens() -> None:
    counts = PromptCounts()
    prompt = "word " * 150
    counts.note(prompt)
    assert counts.shortfall(prompt, 10) == 0
