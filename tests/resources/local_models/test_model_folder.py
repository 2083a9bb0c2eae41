"""What a model's folder says of itself, and that nothing in it that decides a vector is guessed."""

import os
import time
from pathlib import Path
from typing import Any

import pytest

from resources.errors import ConfigurationError
from resources.local_models.file_digests import FileDigests
from resources.local_models.model_folder import read_folder
from tests.support.tiny_models import BERT, write_json, write_model

TRANSFORMER = {"path": "", "type": "sentence_transformers.models.Transformer"}
POOLING = {"path": "1_Pooling", "type": "sentence_transformers.models.Pooling"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_model(tmp_path / "model")


def refused(folder: Path, weights: str = "") -> str:
    with pytest.raises(ConfigurationError) as raised:
        read_folder(folder, weights)
    assert str(folder) in str(raised.value)
    assert "`embeddings." in str(raised.value)
    return str(raised.value)


def test_a_transformer_may_have_a_folder_of_its_own(folder: Path, tmp_path: Path) -> None:
    """Older releases of sentence-transformers save it so."""
    apart = tmp_path / "apart"
    (apart / "0_Transformer").mkdir(parents=True)
    for path in folder.iterdir():
        place = apart if path.name in ("modules.json", "1_Pooling", "config_sentence_transformers.json") else None
        path.rename((place or apart / "0_Transformer") / path.name)
    write_json(apart / "modules.json", [TRANSFORMER | {"path": "0_Transformer"}, POOLING])
    found = read_folder(apart)
    assert found.weights == apart / "0_Transformer" / "model.safetensors"
    assert found.tokenizer == apart / "0_Transformer" / "tokenizer.json"
    assert found.max_tokens == 32


def test_a_quantized_graph_is_preferred_to_a_whole_one_and_that_to_safetensors(folder: Path) -> None:
    names = ["model.onnx", "onnx/model.onnx", "onnx/model_qint8_avx512.onnx", "onnx/model_quantized.onnx"]
    (folder / "onnx").mkdir()
    (folder / "onnx" / "model_O3.onnx").touch()
    for name in names:
        (folder / name).touch()
        assert read_folder(folder).weights == folder / name
    assert read_folder(folder, "model.safetensors").weights == folder / "model.safetensors"
    assert read_folder(folder, "onnx/model_O3.onnx").weights == folder / "onnx" / "model_O3.onnx"


@pytest.mark.parametrize("named", ["onnx/model.onnx", "config.json", ".."])
def test_weights_that_are_named_wrongly_are_an_error(folder: Path, named: str) -> None:
    assert f"`embeddings.weights` is {named}" in refused(folder, named)


def test_a_folder_that_is_none_is_named(tmp_path: Path) -> None:
    assert "which does not exist" in refused(tmp_path / "nowhere")
    (tmp_path / "file").touch()
    assert "which is a file" in refused(tmp_path / "file")


@pytest.mark.parametrize(
    ("removed", "expected"),
    [
        ("modules.json", "modules.json is missing"),
        ("tokenizer.json", "tokenizer.json is missing"),
        ("1_Pooling/config.json", "1_Pooling/config.json says pooling by none"),
        ("model.safetensors", "model.safetensors is missing, and so is model.onnx"),
    ],
)
def test_a_missing_file_is_named(folder: Path, removed: str, expected: str) -> None:
    (folder / removed).unlink()
    assert expected in refused(folder)


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("modules.json", [TRANSFORMER], "lists no module Pooling"),
        (
            "modules.json",
            [TRANSFORMER, POOLING, {"path": "2", "type": "x.Dense"}],
            "module x.Dense, which is not supported",
        ),
        ("modules.json", [TRANSFORMER, TRANSFORMER, POOLING], "one each of"),
        ("modules.json", [TRANSFORMER, POOLING | {"path": "../1_Pooling"}], "not inside of the model's"),
        ("modules.json", {"0": TRANSFORMER}, "lists no modules"),
        ("modules.json", [{"type": 3}], "lists no modules"),
        (
            "1_Pooling/config.json",
            {"word_embedding_dimension": 8, "pooling_mode": "weightedmean"},
            "pooling by weightedmean",
        ),
        (
            "1_Pooling/config.json",
            {"word_embedding_dimension": 8, "pooling_mode_cls_token": True, "pooling_mode_max_tokens": True},
            "pooling by cls_token, max_tokens",
        ),
        ("1_Pooling/config.json", {"pooling_mode": "mean"}, "gives no word_embedding_dimension"),
        ("config_sentence_transformers.json", {"prompts": {"query": 3}}, "`prompts` that are not texts"),
        ("config_sentence_transformers.json", [], "holds no JSON object"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_is_not_supported_is_refused(folder: Path, name: str, content: Any, expected: str) -> None:
    write_json(folder / name, content)
    assert expected in refused(folder)


def test_a_prompt_that_is_left_out_of_the_mean_is_refused(folder: Path) -> None:
    write_json(
        folder / "1_Pooling" / "config.json",
        {"word_embedding_dimension": 8, "pooling_mode": "mean", "include_prompt": False},
    )
    assert read_folder(folder).pooling == "mean"
    write_json(folder / "config_sentence_transformers.json", {"prompts": {"query": "query: "}})
    assert "include_prompt" in refused(folder)


def test_a_file_that_is_no_json_is_named(folder: Path) -> None:
    (folder / "modules.json").write_bytes(b"\xff{")
    assert "modules.json cannot be read as JSON" in refused(folder)


@pytest.mark.parametrize(
    ("prompts", "default", "expected"),
    [
        ({}, None, ("", "")),
        ({"query": "q: ", "document": "d: ", "passage": "p: "}, None, ("q: ", "d: ")),
        ({"query": "q: ", "passage": "p: "}, None, ("q: ", "p: ")),
        ({"query": "q: ", "passage": ""}, "query", ("q: ", "")),
        ({"sts": "s: "}, "sts", ("s: ", "s: ")),
        ({"sts": "s: "}, None, ("", "")),
    ],
    ids=str,
)
def test_prompts_are_found_as_sentence_transformers_finds_them(
    folder: Path, prompts: dict[str, str], default: str | None, expected: tuple[str, str]
) -> None:
    write_json(folder / "config_sentence_transformers.json", {"prompts": prompts, "default_prompt_name": default})
    found = read_folder(folder)
    assert (found.query_prompt, found.passage_prompt) == expected


def test_the_smallest_maximum_counts(folder: Path) -> None:
    own, tokenizer = folder / "sentence_bert_config.json", folder / "tokenizer_config.json"
    assert read_folder(folder).max_tokens == 32
    own.unlink()
    assert read_folder(folder).max_tokens == BERT["max_position_embeddings"]
    write_json(tokenizer, {"model_max_length": 20})
    assert read_folder(folder).max_tokens == 20
    write_json(tokenizer, {"model_max_length": 1e30})
    write_json(folder / "config.json", {})
    assert "gives no max_seq_length" in refused(folder)


def test_a_text_is_put_into_lower_case_if_the_model_says_so(folder: Path) -> None:
    assert not read_folder(folder).lower
    write_json(folder / "sentence_bert_config.json", {"max_seq_length": 32, "do_lower_case": True})
    assert read_folder(folder).lower


@pytest.mark.slow
def test_a_digest_is_remembered_while_the_file_stays_as_it_is(tmp_path: Path) -> None:
    """A memory that missed a change would store vectors of new weights under the key of the old ones."""
    path, memory = tmp_path / "weights", tmp_path / "home" / "model.digests"
    path.write_bytes(b"one")
    _age(path)
    digests = FileDigests(memory)
    first = digests.of(path)
    assert first == FileDigests(None).of(path)
    kept = memory.read_bytes()
    assert digests.of(path) == first
    assert memory.read_bytes() == kept

    before = path.stat()
    path.write_bytes(b"two")
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert digests.of(path) != first
    memory.write_bytes(b"garbage")
    assert digests.of(path) == FileDigests(None).of(path)


def test_a_file_that_was_just_written_is_not_remembered(tmp_path: Path) -> None:
    """It may be written again without another time stamp."""
    path, memory = tmp_path / "weights", tmp_path / "model.digests"
    path.write_bytes(b"one")
    assert FileDigests(memory).of(path)
    assert not memory.exists()


def _age(path: Path) -> None:
    """Wait until the time of the last change of status is long enough ago: it cannot be set."""
    os.utime(path, (1, 1))
    while time.time_ns() - path.stat().st_ctime_ns < 2_100_000_000:
        time.sleep(0.2)
