"""What decides a request's action key, and what must not: the one costs a wrong answer, the other costs it twice."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NoReturn

import pytest

from resources.endpoints.llm import Schema, Turn
from seed_assets.core.prompting import structured_output
from seed_assets.core.prompting.prompts import FOLDER, load_prompt
from seed_assets.core.prompting.structured_output import request_action
from seed_assets.stages.documents.embeddings import embed_texts
from tests.support.model_server import ModelServer
from tests.support.model_world import NOWHERE, SCHEMA, ModelWorld, question

pytestmark = pytest.mark.usefixtures("own_environment")

USUAL: Mapping[str, Any] = {
    "base_url": "http://models.example/v1",
    "model": "writer",
    "temperature": 0.5,
    "parameters": {"seed": 1, "stop": ["a", "b"]},
}
DECIDING: list[Mapping[str, Any]] = [
    {"provider": "ollama"},
    {"base_url": "http://other.example/v1"},
    {"base_url": "https://models.example/v1"},
    {"base_url": "http://models.example:8080/v1"},
    {"base_url": "http://models.example/v2"},
    {"base_url": "http://models.example/V1"},
    {"model": "Writer"},
    {"temperature": 0.25},
    {"temperature": "server"},
    {"max_output_tokens": 1_999},
    {"identity": "writer of the house"},
    {"parameters": {"seed": 2, "stop": ["a", "b"]}},
    {"parameters": {"seed": "1", "stop": ["a", "b"]}},
    {"parameters": {"seed": 1, "stop": ["ab"]}},
    {"parameters": {"seed": 1, "stop": ["b", "a"]}},
    {"parameters": {"seed": 1}},
    {"parameters": {"seed": 1, "stop": ["a", "b"], "unheard_of": {"deep": [1, None, True]}}},
]
NOT_DECIDING: list[Mapping[str, Any]] = [
    {"api_key": "sk-another"},
    {"timeout_seconds": 5},
    {"in_flight": 3},
    {"rpm": 7},
    {"tpm": 100_000},
    {"keep_alive": "1h"},
    {"num_thread": 2},
    {"base_url": "http://models.example/v1/"},
    {"base_url": "http://Models.EXAMPLE/v1"},
    {"base_url": "http://models.example:80/v1"},
    {"base_url": "http://me:secret@models.example/v1"},
    {"parameters": {"stop": ["a", "b"], "seed": 1}},
    # How much fits is decided before a request is made; the whole request is in its key.
    {"context_tokens": 9_000},
]
EMBEDDING: Mapping[str, Any] = {"base_url": "http://models.example/v1", "model": "vectors", "dimensions": 16}


def chat_key(folder: Path, changed: Mapping[str, Any], turns: list[Turn] | None = None, schema: Schema = SCHEMA) -> str:
    """The key of one request by the usual settings, but for what is changed."""
    with ModelWorld(folder, **{**USUAL, **changed}) as world:
        return request_action(world.model(), turns or question(), schema).key


def _name(value: object) -> str:
    return str(value) if isinstance(value, str) else repr(value)[:60]


@pytest.mark.parametrize("changed", DECIDING, ids=_name)
def test_what_decides_an_answer_changes_the_key(changed: Mapping[str, Any], tmp_path: Path) -> None:
    """Else a result of another model would be served as this one's."""
    assert chat_key(tmp_path, changed) != chat_key(tmp_path, {})


def test_all_keys_of_the_table_differ_from_each_other(tmp_path: Path) -> None:
    """Two parts that are taken for one would show here."""
    keys = [chat_key(tmp_path, changed) for changed in DECIDING]
    assert len(set(keys)) == len(keys)


@pytest.mark.parametrize("changed", NOT_DECIDING, ids=_name)
@pytest.mark.parametrize("provider", ["openai", "ollama"])
def test_what_decides_no_answer_leaves_the_key(changed: Mapping[str, Any], provider: str, tmp_path: Path) -> None:
    """A new key or a faster line must not make anybody pay for everything once more."""
    common = {"provider": provider}
    if provider == "ollama" and "context_tokens" in changed:
        # It is sent as num_ctx, and what does not fit is cut off by the server.
        assert chat_key(tmp_path, common | dict(changed)) != chat_key(tmp_path, common)
    else:
        assert chat_key(tmp_path, common | dict(changed)) == chat_key(tmp_path, common)


def test_the_default_address_of_ollama_is_the_same_written_out(tmp_path: Path) -> None:
    ollama = {"provider": "ollama"}
    assert chat_key(tmp_path, {**ollama, "base_url": ""}) == chat_key(
        tmp_path, {**ollama, "base_url": "http://127.0.0.1:11434/"}
    )


def test_a_name_of_the_deployment_takes_the_place_of_its_address(tmp_path: Path) -> None:
    """A server that moves keeps its results."""
    named = {"identity": "our server"}
    here = chat_key(tmp_path, named)
    assert chat_key(tmp_path, {**named, "base_url": "http://elsewhere.example:9000"}) == here
    assert chat_key(tmp_path, {**named, "model": "reader"}) != here
    assert chat_key(tmp_path, {"identity": "their server"}) != here


@pytest.mark.parametrize(
    "turns",
    [
        [Turn("system", "You summarise!"), *question()[1:]],
        [Turn("user", question()[0].text), *question()[1:]],
        [question()[1], question()[0]],
        question()[1:],
        [*question(), Turn("user", "")],
        [Turn("system", "You summarise.Summarise."), Turn("user", question()[1].text.removeprefix("Summarise."))],
        question("A text about bread. "),
    ],
    ids=["a-character", "a-role", "order", "one-less", "an-empty-one", "moved-between", "a-space"],
)
def test_every_character_of_every_message_is_in_the_key(turns: list[Turn], tmp_path: Path) -> None:
    assert chat_key(tmp_path, {}, turns) != chat_key(tmp_path, {})


def test_the_schema_is_in_the_key(tmp_path: Path) -> None:
    usual = chat_key(tmp_path, {})
    assert chat_key(tmp_path, {}, schema=Schema("other", SCHEMA.json)) != usual
    loose = {**SCHEMA.json, "additionalProperties": True}
    assert chat_key(tmp_path, {}, schema=Schema(SCHEMA.name, loose)) != usual


def test_the_prompt_of_corrections_is_in_the_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It decides what a second attempt says."""
    usual = chat_key(tmp_path, {})
    text = (FOLDER / "structured_output.toml").read_text("utf-8")
    (tmp_path / "structured_output.toml").write_text(text.replace("Answer once more", "Answer once again"), "utf-8")
    monkeypatch.setattr(structured_output, "load_prompt", lambda name: load_prompt(name, tmp_path))
    assert chat_key(tmp_path, {}) != usual


def test_the_way_of_asking_is_not_in_the_key(tmp_path: Path) -> None:
    """The same valid answer came by whichever way; a server that learns schemas must not void it."""
    with ModelWorld(tmp_path, **USUAL) as world:
        before = request_action(world.model(), question(), SCHEMA).key
        world.model().output_mode = "prompt"
        assert request_action(world.model(), question(), SCHEMA).key == before


def embedding_key(folder: Path, changed: Mapping[str, Any]) -> str:
    """The key of one text's vector; the server stands for whatever address the settings name."""
    seen: list[str] = []

    class Seen(Exception):  # noqa: N818 - it says that enough was seen
        pass

    with ModelWorld(folder, embeddings={**EMBEDDING, **changed}) as world:
        reuse = world.reuse()

        def finished(keys: Iterable[str]) -> NoReturn:
            seen.extend(keys)
            raise Seen

        reuse.finished = finished
        with pytest.raises(Seen):
            world.run(embed_texts(["A text."], world.embedder(), reuse))
    (key,) = seen
    return key


@pytest.mark.parametrize(
    "changed",
    [
        {"provider": "ollama"},
        {"base_url": "http://other.example/v1"},
        {"model": "vectors-2"},
        {"dimensions": 8},
        {"identity": "our vectors"},
        {"parameters": {"dimensions": 16}},
    ],
    ids=_name,
)
def test_what_decides_a_vector_changes_its_key(changed: Mapping[str, Any], tmp_path: Path) -> None:
    assert embedding_key(tmp_path, changed) != embedding_key(tmp_path, {})


@pytest.mark.parametrize(
    "changed",
    [
        {"api_key": "sk-another"},
        {"batch": 3},
        {"rpm": 9},
        {"tpm": 9_000},
        {"in_flight": 2},
        {"timeout_seconds": 1},
        {"keep_alive": "1h"},
        {"num_thread": 2},
        {"base_url": "http://MODELS.example:80/v1/"},
    ],
    ids=_name,
)
def test_what_decides_no_vector_leaves_its_key(changed: Mapping[str, Any], tmp_path: Path) -> None:
    assert embedding_key(tmp_path, changed) == embedding_key(tmp_path, {})


@pytest.mark.slow
def test_a_switch_there_and_back_costs_nothing(tmp_path: Path) -> None:
    """After another model was tried for a day, the results of the first one are still there."""
    with ModelServer() as server:
        for model in ("first", "second", "first", "second"):
            with ModelWorld(tmp_path, server.url, model=model, embeddings={"model": model}) as world:
                world.ask()
                world.run(embed_texts(["One.", "Two."], world.embedder(), world.reuse()))
        asked = [(call.path.rpartition("/")[2], call.body["model"]) for call in server.calls]
    kinds = ("completions", "embeddings")
    assert asked == [(kind, model) for model in ("first", "second") for kind in kinds]


def test_the_keys_of_releases_stay(tmp_path: Path) -> None:
    """A change here makes everybody pay for every answer once more: it belongs in the changelog, under cache-affecting."""
    assert chat_key(tmp_path, {}) == "4db1d67c9f40a4e3e679b540936102fd24a34168af4cb9d94a4dfaa229e30606"
    assert embedding_key(tmp_path, {}) == "ee76f6ae8004dbe583e70de683e78a1cac5fb1fe0a25a016912b28bee63535b4"


def test_nothing_is_asked_for_a_key(tmp_path: Path) -> None:
    """Plans make keys by the hundred thousand."""
    with ModelWorld(tmp_path, NOWHERE) as world:
        request_action(world.model(), question(), SCHEMA)
        assert world.attempts() == []
