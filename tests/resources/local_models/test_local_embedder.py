"""The embedder of a model in a folder: what a vector is made of, what is in its key, and what errors say."""

import asyncio
import shutil
import sys
import threading
from pathlib import Path

import numpy as np
import onnx
import pytest
from safetensors.numpy import save_file
from threadpoolctl import threadpool_info

from resources.endpoints.llm import RequestCosts
from resources.errors import ConfigurationError, StoppedError
from resources.local_models import local_embedder
from resources.local_models.bert_encoder import BertEncoder
from resources.local_models.local_embedder import LocalModelEmbedder
from resources.local_models.model_folder import read_folder
from resources.local_models.onnx_encoder import OnnxEncoder
from resources.local_models.text_tokens import TextTokens
from tests.support.tiny_models import DIMENSIONS, POSITIONS, VOCABULARY, random_tensors, write_json, write_model

TEXTS = [
    "Bread of the note",
    "the rails, seen before noon; and the reefs",
    "",
    "fish",
    "with care written down before noon and seen with care " * 9,
    "你好 \ud800 words that nobody has",
]
BOTH = ("model.safetensors", "onnx/model.onnx")


class Costs:
    """What the embedder asks of RequestCosts. stop_after: after how many questions the run is stopped."""

    def __init__(self, stop_after: int = 10**9) -> None:
        self._left = stop_after

    def stop_reason(self) -> str:
        self._left -= 1
        return "interrupted" if self._left < 0 else ""


def costs(stop_after: int = 10**9) -> RequestCosts:
    found: object = Costs(stop_after)
    return found  # pyright: ignore[reportReturnType] - the embedder asks for nothing else


def embedded(folder: Path, texts: list[str] = TEXTS) -> np.ndarray:
    return LocalModelEmbedder(folder).embed_sync(texts)


def said(folder: Path, **options: object) -> str:
    """What the error says of a folder whose model is used."""
    with pytest.raises(ConfigurationError) as raised:
        LocalModelEmbedder(folder, **options).embed_sync(["fish"])  # type: ignore[arg-type]
    return str(raised.value)


@pytest.fixture(params=BOTH)
def folder(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    return write_model(tmp_path / "model", weights=request.param)


def test_the_encoder_in_numpy_gives_what_the_same_encoder_gives_as_a_graph(tmp_path: Path) -> None:
    """Guards against a slip in the forward pass: a wrong scale, a head at the wrong place, another GELU."""
    numpy, graph = (write_model(tmp_path / str(n), weights=name, max_tokens=40) for n, name in enumerate(BOTH))
    for text in TEXTS:
        ids = TextTokens(read_folder(numpy)).ids(text)
        found, expected = (
            encoder.encode(ids) for encoder in (BertEncoder(read_folder(numpy)), OnnxEncoder(read_folder(graph)))
        )
        assert found.shape == (len(ids), DIMENSIONS)
        np.testing.assert_allclose(found, expected, atol=2e-5)
    np.testing.assert_allclose(embedded(numpy), embedded(graph), atol=2e-5)


def test_many_tokens_attend_in_blocks_as_they_do_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = write_model(tmp_path / "model", max_tokens=40)
    at_once = embedded(folder)
    monkeypatch.setattr("resources.local_models.bert_encoder._ROWS_AT_ONCE", 3)
    np.testing.assert_allclose(embedded(folder), at_once, atol=1e-6)


def test_a_vector_has_the_same_bits_alone_and_beside_any_other_texts(folder: Path) -> None:
    """Vectors are stored by the text's content: a batch that leaked into them would make the store lie."""
    embedder = LocalModelEmbedder(folder)
    alone = [embedder.embed_sync([text])[0].tobytes() for text in TEXTS]
    assert [vector.tobytes() for vector in embedder.embed_sync(TEXTS)] == alone
    assert [vector.tobytes() for vector in embedder.embed_sync(TEXTS[::-1] * 3)][: len(TEXTS)] == alone[::-1]
    found = asyncio.run(embedder.embed(TEXTS, costs()))
    assert [vector.tobytes() for vector in found] == alone


def test_rows_have_length_one(folder: Path) -> None:
    found = embedded(folder)
    assert found.shape == (len(TEXTS), DIMENSIONS)
    assert found.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(found, axis=1), 1.0, rtol=1e-6)
    assert LocalModelEmbedder(folder).embed_sync([]).shape == (0, DIMENSIONS)


@pytest.mark.parametrize("pooling", ["mean", "cls", "max"])
def test_the_vectors_of_tokens_become_one_as_the_model_says(pooling: str, tmp_path: Path) -> None:
    read = read_folder(write_model(tmp_path / "model", pooling=pooling))
    for text in TEXTS:
        tokens = BertEncoder(read).encode(TextTokens(read).ids(text)).astype(np.float64)
        expected = {"mean": tokens.mean(axis=0), "cls": tokens[0], "max": tokens.max(axis=0)}[pooling]
        [found] = embedded(read.folder, [text])
        np.testing.assert_allclose(found, expected / np.linalg.norm(expected), atol=1e-6)


def test_prompts_stand_before_passages_and_queries(tmp_path: Path) -> None:
    plain = LocalModelEmbedder(write_model(tmp_path / "plain"))
    prompts = {"query": "query: ", "passage": "passage: "}
    prompted = LocalModelEmbedder(write_model(tmp_path / "prompted", prompts=prompts))
    passage, query, bare = plain.embed_sync(["passage: fish", "query: fish", "fish"])
    assert prompted.embed_sync(["fish"])[0].tobytes() == passage.tobytes()
    assert prompted.embed_query("fish").tobytes() == query.tobytes()
    assert plain.embed_query("fish").tobytes() == bare.tobytes()
    assert query.tobytes() != passage.tobytes()


@pytest.mark.parametrize("weights", BOTH)
def test_a_text_is_cut_at_the_models_maximum_and_not_where_the_tokenizers_file_says(
    weights: str, tmp_path: Path
) -> None:
    """The file of the tokenizer says 8, as after a training."""
    folder = write_model(tmp_path / "model", weights=weights, max_tokens=12)
    words = "the note was seen before noon and written down with care and bread"
    cut, whole, longer = embedded(folder, [" ".join(words.split()[:9]), " ".join(words.split()[:10]), words])
    assert cut.tobytes() != whole.tobytes()
    assert whole.tobytes() == longer.tobytes()
    assert len(TextTokens(read_folder(folder)).ids(words)) == 12


def test_a_roberta_counts_positions_from_the_one_after_its_padding(tmp_path: Path) -> None:
    bert = write_model(tmp_path / "bert")
    roberta = write_model(tmp_path / "roberta", config={"model_type": "xlm-roberta", "pad_token_id": 1})
    read = read_folder(roberta)
    moved = random_tensors(0)
    moved["embeddings.position_embeddings.weight"] = np.roll(moved["embeddings.position_embeddings.weight"], -2, axis=0)
    assert embedded(bert, ["fish"]).tobytes() != embedded(roberta, ["fish"]).tobytes()
    save_file(moved, bert / "model.safetensors")
    assert embedded(bert, ["fish"]).tobytes() == embedded(roberta, ["fish"]).tobytes()
    assert read.max_tokens == 32
    assert read_folder(write_model(tmp_path / "long", max_tokens=99, config=read.config)).max_tokens == POSITIONS - 2


def test_a_copy_of_the_model_has_the_same_identity(folder: Path, tmp_path: Path) -> None:
    """The key does not hold the path, nor what decides no vector."""
    copy = shutil.copytree(folder, tmp_path / "elsewhere" / "copy")
    (copy / "README.md").write_text("A model.")
    write_json(copy / "config_sentence_transformers.json", {"__version__": {"pytorch": "9"}, "prompts": {}})
    assert LocalModelEmbedder(copy).identity == LocalModelEmbedder(folder).identity


@pytest.mark.parametrize(
    ("part", "changes"),
    [
        ("weights", {"seed": 1}),
        ("pooling", {"pooling": "cls"}),
        ("max_tokens", {"max_tokens": 16}),
        ("prompt", {"prompts": {"document": "passage: "}}),
        ("encoder", {"config": {"layer_norm_eps": 1e-5}}),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_decides_a_vector_is_in_the_identity(part: str, changes: dict[str, object], tmp_path: Path) -> None:
    before = LocalModelEmbedder(write_model(tmp_path / "before")).identity
    now = LocalModelEmbedder(write_model(tmp_path / "now", **changes)).identity  # type: ignore[arg-type]
    assert {name for name in before if before[name] != now[name]} == {part}


def test_the_tokenizer_is_in_the_identity_and_the_prompt_of_queries_is_not(tmp_path: Path) -> None:
    folder = write_model(tmp_path / "model")
    before = LocalModelEmbedder(folder).identity
    write_json(folder / "config_sentence_transformers.json", {"prompts": {"query": "query: "}})
    assert LocalModelEmbedder(folder).identity == before
    tokenizer = folder / "tokenizer.json"
    tokenizer.write_text(tokenizer.read_text().replace('"fish"', '"whale"'))
    now = LocalModelEmbedder(folder).identity
    assert {name for name in before if before[name] != now[name]} == {"tokenizer"}


def test_tensors_beside_a_graph_are_in_the_identity(tmp_path: Path) -> None:
    """A graph above 2 GB keeps its tensors in a file of its own."""
    folder = write_model(tmp_path / "model", weights="model.onnx")
    before = LocalModelEmbedder(folder).identity
    model = onnx.load(folder / "model.onnx")
    onnx.save(model, folder / "model.onnx", save_as_external_data=True, location="model.onnx_data", size_threshold=256)
    apart = LocalModelEmbedder(folder)
    assert apart.identity["weights"] != before["weights"]
    assert apart.embed_sync(["fish"]).shape == (1, DIMENSIONS)
    with (folder / "model.onnx_data").open("r+b") as data:
        data.write(b"\x00\x00\x80\x3f")
    assert LocalModelEmbedder(folder).identity["weights"] != apart.identity["weights"]


def test_every_file_that_decides_the_identity_is_named(folder: Path) -> None:
    """A seed with nothing to do looks at these only; a folder counts since a file of weights may be added to it."""
    named = set(LocalModelEmbedder(folder).files)
    assert {str(path) for path in folder.rglob("*") if path.is_file()} <= named
    assert {str(folder), str(folder / "onnx")} <= named


def test_a_model_is_loaded_once_and_only_the_last_one_is_kept(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    loads: list[Path] = []
    load = LocalModelEmbedder._load

    def counted(self: LocalModelEmbedder) -> object:
        loads.append(self._path)
        return load(self)

    monkeypatch.setattr(LocalModelEmbedder, "_load", counted)
    copy = shutil.copytree(folder, tmp_path / "copy")
    other = write_model(tmp_path / "other", seed=5)
    threads = [threading.Thread(target=embedded, args=(place,)) for place in (folder, copy) * 2]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(loads) == 1
    embedded(other)
    embedded(folder)
    assert len(loads) == 3
    assert len(local_embedder._LOADED) == 2


def test_the_threads_of_blas_are_as_before(folder: Path) -> None:
    def counts() -> list[int]:
        return [one["num_threads"] for one in threadpool_info() if one["user_api"] == "blas"]

    before = counts()
    embedder = LocalModelEmbedder(folder)

    async def many() -> None:
        await asyncio.gather(*(embedder.embed(TEXTS, costs()) for _ in range(5)))

    asyncio.run(many())
    assert counts() == before


@pytest.mark.slow
def test_a_stopped_run_waits_for_no_more_texts(folder: Path) -> None:
    with pytest.raises(StoppedError, match="interrupted"):
        asyncio.run(LocalModelEmbedder(folder).embed(["fish"] * 1000, costs(stop_after=2)))


def test_a_missing_extra_is_named_with_its_remedy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = write_model(tmp_path / "model", weights="onnx/model.onnx", seed=9)
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    message = said(folder)
    assert 'embeddings.provider = "local"' in message
    assert "pip install onnxruntime" in message
    # The key can be formed, and a model in .safetensors can be run, without it.
    assert LocalModelEmbedder(folder).dimensions == DIMENSIONS
    assert embedded(write_model(tmp_path / "safetensors")).shape == (len(TEXTS), DIMENSIONS)


def test_a_wrong_length_of_vectors_is_named(folder: Path) -> None:
    message = said(folder, dimensions=384)
    assert "`embeddings.dimensions` is 384" in message
    assert f"vectors of {DIMENSIONS} numbers" in message
    write_json(folder / "1_Pooling" / "config.json", {"word_embedding_dimension": 12, "pooling_mode": "mean"})
    assert "gives vectors of 8 numbers" in said(folder)


def test_another_architecture_is_refused_with_the_way_to_export_it(tmp_path: Path) -> None:
    for number, (name, value) in enumerate(
        {"model_type": "mpnet", "hidden_act": "gelu_new", "position_embedding_type": "relative_key"}.items()
    ):
        message = said(write_model(tmp_path / str(number), config={name: value}))
        assert f"{name} in config.json is '{value}'" in message
        assert 'backend="onnx"' in message


def test_weights_that_are_none_are_named(tmp_path: Path) -> None:
    for name in BOTH:
        folder = write_model(tmp_path / name.replace("/", "-"), weights=name)
        (folder / name).write_bytes(b"version https://git-lfs.github.com/spec/v1\n")
        assert Path(name).name in said(folder)
        assert "cannot be" in said(folder)


def test_a_missing_tensor_is_named(tmp_path: Path) -> None:
    folder = write_model(tmp_path / "model")
    tensors = random_tensors(0)
    del tensors["encoder.layer.1.output.dense.bias"]
    save_file(tensors, folder / "model.safetensors")
    assert "no tensor encoder.layer.1.output.dense.bias" in said(folder)


def test_a_tokenizer_of_another_model_is_the_models_fault(folder: Path) -> None:
    """The id of a token that has no row is an error of the model, not of the document."""
    tokenizer = folder / "tokenizer.json"
    tokenizer.write_text(tokenizer.read_text().replace(f'"fish": {VOCABULARY["fish"]}', '"fish": 9999'))
    assert "cannot be run on 3 tokens" in said(folder)


def test_weights_that_changed_after_the_key_was_formed_are_not_used(folder: Path, tmp_path: Path) -> None:
    """Otherwise vectors of the new weights would be stored under the key of the old ones."""
    embedder = LocalModelEmbedder(folder)
    assert embedder.identity
    for name in BOTH:
        if (folder / name).exists():
            shutil.copy(write_model(tmp_path / "other", weights=name, seed=7) / name, folder / name)
    with pytest.raises(ConfigurationError, match="was changed while it was used"):
        embedder.embed_sync(["fish"])
