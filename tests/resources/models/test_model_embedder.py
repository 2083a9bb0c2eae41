"""Vectors by asking an endpoint: in the right order, of the right length, checked, and none of them paid twice."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from io_managers.store.request_ledger import ANSWERED
from resources.endpoints.llm import TransientLLMError
from resources.errors import ConfigurationError, StoppedError
from seed_assets.stages.documents.embeddings import embed_texts
from tests.support.model_answers import Vector, vector
from tests.support.model_faults import (
    Fault,
    MissingEmbedding,
    MissingUsage,
    NanEmbedding,
    Script,
    ShuffledEmbeddings,
    Status,
    WrongDimension,
    always,
    sequence,
)
from tests.support.model_server import ModelServer
from tests.support.model_world import ModelWorld

pytestmark = pytest.mark.usefixtures("own_environment")

TEXTS = ["Bread.", "Rails.", "Reefs.", "你好", " \n\t"]
PROVIDERS = ("openai", "ollama")


@dataclass(frozen=True, slots=True)
class Altered(Fault):
    """Vectors that are not as they should be."""

    change: Callable[[Vector], Vector]

    def vectors(self, vectors: list[Vector]) -> list[Vector]:
        return [self.change(each) for each in vectors]


def embedded(world: ModelWorld, texts: list[str]) -> NDArray[np.float32]:
    """The texts' vectors, by a new run."""
    return world.run(embed_texts(texts, world.embedder(), world.reuse()))


def expected(texts: list[str], dimensions: int = 256) -> NDArray[np.float32]:
    """What the server makes of them."""
    return np.stack([vector(text, dimensions) for text in texts])


@pytest.mark.parametrize("provider", PROVIDERS)
@pytest.mark.parametrize(
    "fault", [None, ShuffledEmbeddings(), MissingUsage()], ids=["as-asked", "shuffled", "uncounted"]
)
def test_each_text_gets_its_own_vector(fault: Fault | None, provider: str, tmp_path: Path) -> None:
    """A vector beside the wrong text is found by no check later: search only gets worse."""
    with ModelServer(always(fault)) as server, ModelWorld(tmp_path, server.url, provider=provider) as world:
        np.testing.assert_allclose(embedded(world, TEXTS), expected(TEXTS), atol=1e-6)
        (attempt,) = world.attempts()
        assert len(server.calls) == 1
    assert attempt.outcome == ANSWERED
    assert attempt.input_tokens > 0
    assert attempt.output_tokens == 0


def test_vectors_may_come_as_base64(tmp_path: Path) -> None:
    with (
        ModelServer() as server,
        ModelWorld(tmp_path, server.url, embeddings={"parameters": {"encoding_format": "base64"}}) as world,
    ):
        np.testing.assert_allclose(embedded(world, TEXTS), expected(TEXTS), atol=1e-6)
        assert server.calls[0].body["encoding_format"] == "base64"


@pytest.mark.parametrize("provider", PROVIDERS)
@pytest.mark.parametrize("factor", [3.0, 1e-20, 1e15])
def test_vectors_have_length_one_whatever_the_server_gives(factor: float, provider: str, tmp_path: Path) -> None:
    """Distances in the knowledge base are those of unit vectors."""
    scaled = Altered(lambda each: each * np.float32(factor))
    with ModelServer(always(scaled)) as server, ModelWorld(tmp_path, server.url, provider=provider) as world:
        vectors = embedded(world, TEXTS)
    assert vectors.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(vectors.astype(float), axis=1), 1.0, rtol=1e-6)
    np.testing.assert_allclose(vectors, expected(TEXTS), atol=1e-6)


@pytest.mark.parametrize("provider", PROVIDERS)
def test_the_wrong_length_in_the_settings_is_found_by_the_first_request(provider: str, tmp_path: Path) -> None:
    """Neither retries nor ten thousand documents tell more than the first reply, and nothing of it may be kept."""
    with (
        ModelServer(dimensions=100) as server,
        ModelWorld(tmp_path, server.url, provider=provider, embeddings={"dimensions": 128}) as world,
    ):
        with pytest.raises(ConfigurationError, match=r"vectors of 100 numbers.*`embeddings\.dimensions` is 128"):
            embedded(world, TEXTS)
        assert len(server.calls) == 1
        assert world.actions() == []


BAD: list[tuple[Fault, str]] = [
    (MissingEmbedding(), "no vectors"),
    (NanEmbedding(), "no JSON"),
    (Altered(lambda each: each * 0), "no vectors"),
]


@pytest.mark.parametrize("provider", PROVIDERS)
@pytest.mark.parametrize(("fault", "outcome"), BAD, ids=["missing", "nan", "zeros"])
def test_a_reply_that_is_not_a_vector_for_each_text_is_asked_for_again(
    fault: Fault, outcome: str, provider: str, tmp_path: Path
) -> None:
    with ModelServer(sequence(fault)) as server, ModelWorld(tmp_path, server.url, provider=provider) as world:
        np.testing.assert_allclose(embedded(world, TEXTS), expected(TEXTS), atol=1e-6)
        assert world.outcomes() == [outcome, ANSWERED]


@pytest.mark.parametrize("provider", PROVIDERS)
@pytest.mark.parametrize("fault", [fault for fault, _ in BAD], ids=["missing", "nan", "zeros"])
@pytest.mark.slow
def test_and_nothing_of_it_is_kept_where_that_does_not_help(fault: Fault, provider: str, tmp_path: Path) -> None:
    """A NaN in the table would make every search that meets it wrong."""
    with ModelServer(always(fault)) as server, ModelWorld(tmp_path, server.url, provider=provider) as world:
        with pytest.raises(TransientLLMError):
            embedded(world, TEXTS)
        assert len(server.calls) == 4
        assert world.actions() == []


def test_one_reply_of_another_length_among_right_ones_is_the_servers_fault(tmp_path: Path) -> None:
    with (
        ModelServer(sequence(None, WrongDimension())) as server,
        ModelWorld(tmp_path, server.url, in_flight=1, embeddings={"batch": 2, "in_flight": 1}) as world,
    ):
        np.testing.assert_allclose(embedded(world, TEXTS), expected(TEXTS), atol=1e-6)
        assert len(server.calls) == 4


def test_equal_texts_are_embedded_once(tmp_path: Path) -> None:
    with ModelServer() as server, ModelWorld(tmp_path, server.url) as world:
        vectors = embedded(world, ["One.", "Two.", "One."])
        np.testing.assert_array_equal(vectors[0], vectors[2])
        assert [call.texts() for call in server.calls] == [["One.", "Two."]]
        again = embedded(world, ["Three.", "Two.", "One."])
        assert [call.texts() for call in server.calls[1:]] == [["Three."]]
        np.testing.assert_array_equal(again[1:], vectors[[1, 0]])


def _failing(word: str, fails: list[bool]) -> Script:
    return lambda call, earlier: Status(500) if fails[0] and any(word in text for text in call.texts()) else None


def test_a_batch_that_fails_loses_no_other(tmp_path: Path) -> None:
    """The second run pays for what failed, and for nothing else."""
    texts = [f"Text {number}." for number in range(7)]
    fails = [True]
    with (
        ModelServer(_failing("Text 2.", fails)) as server,
        ModelWorld(tmp_path, server.url, embeddings={"batch": 2}) as world,
    ):
        with pytest.raises(TransientLLMError):
            embedded(world, texts)
        assert sorted(len(call.texts()) for call in server.calls if call.valid) == [1, 2, 2]
        assert len(world.actions()) == 5
        fails[0] = False
        before = len(server.calls)
        np.testing.assert_allclose(embedded(world, texts), expected(texts), atol=1e-6)
        assert sorted(text for call in server.calls[before:] for text in call.texts()) == ["Text 2.", "Text 3."]


def test_what_is_there_takes_no_place_in_a_request(tmp_path: Path) -> None:
    """A long document with an edited sentence here and there asks for those alone, together."""
    texts = [f"Text {number}." for number in range(8)]
    with ModelServer() as server, ModelWorld(tmp_path, server.url, embeddings={"batch": 4}) as world:
        embedded(world, texts)
        edited = [f"{text} Edited." if number % 2 else text for number, text in enumerate(texts)]
        np.testing.assert_allclose(embedded(world, edited), expected(edited), atol=1e-6)
        assert [call.texts() for call in server.calls[2:]] == [edited[1::2]]


def test_ollama_is_asked_by_its_own_words(tmp_path: Path) -> None:
    """Cut off in silence, the end of a chunk would be in no vector."""
    with (
        ModelServer() as server,
        ModelWorld(
            tmp_path,
            server.url,
            provider="ollama",
            embeddings={"keep_alive": "3m", "num_thread": 2, "parameters": {"num_ctx": 512}},
        ) as world,
    ):
        embedded(world, ["One."])
        (call,) = server.calls
    assert call.path == "/api/embed"
    assert call.body == {
        "model": "scripted",
        "input": ["One."],
        "truncate": False,
        "keep_alive": "3m",
        "options": {"num_ctx": 512, "num_thread": 2},
    }


def test_shortened_vectors_are_asked_for_by_a_parameter(tmp_path: Path) -> None:
    with (
        ModelServer() as server,
        ModelWorld(tmp_path, server.url, embeddings={"dimensions": 32, "parameters": {"dimensions": 32}}) as world,
    ):
        assert embedded(world, TEXTS).shape == (len(TEXTS), 32)


def test_without_texts_no_request_is_sent(tmp_path: Path) -> None:
    with ModelServer() as server, ModelWorld(tmp_path, server.url) as world:
        assert embedded(world, []).shape == (0, 256)
        assert server.calls == []


def test_nothing_is_embedded_after_a_reason_to_stop(tmp_path: Path) -> None:
    with ModelServer() as server, ModelWorld(tmp_path, server.url) as world:
        reuse = world.reuse(stop_reason=lambda stage: "interrupted")
        with pytest.raises(StoppedError):
            world.run(embed_texts(TEXTS, world.embedder(), reuse))
        assert server.calls == []


def test_an_estimate_counts_requests_by_the_batch(tmp_path: Path) -> None:
    with ModelWorld(tmp_path, embeddings={"batch": 10}) as world:
        estimate = world.embedder().estimate(80_000)
    assert estimate.requests == 10
    assert 15_000 < estimate.input_tokens < 25_000
    # Nobody has said what it costs, which is not the same as nothing.
    assert estimate.unpriced == 10
