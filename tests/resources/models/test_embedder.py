"""The offline embedder: what a vector depends on, and what it must not."""

import logging
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from importlib import metadata, util
from pathlib import Path

import numpy as np
import pytest

from resources.errors import ConfigurationError
from resources.models.embedder import WordLlamaEmbedder

TEXTS = ["A short text.", "Grüße aus Zürich", "你好，世界", "مرحبا بالعالم", "😀", " ", "word " * 20_000]


@pytest.fixture(scope="module")
def embedder() -> WordLlamaEmbedder:
    return WordLlamaEmbedder()


def test_a_vector_is_bit_for_bit_the_same_alone_and_in_any_batch(embedder: WordLlamaEmbedder) -> None:
    """Vectors are stored by the text's content: a batch that leaked into them would make the store lie."""
    alone = {text: embedder.embed_sync([text])[0] for text in TEXTS}
    for batch in (TEXTS, TEXTS[::-1], TEXTS[2:] + TEXTS[:2] * 40):
        for text, vector in zip(batch, embedder.embed_sync(batch), strict=True):
            assert vector.tobytes() == alone[text].tobytes(), text[:20]


@pytest.mark.slow
def test_rows_have_length_one_and_the_empty_text_is_zero(embedder: WordLlamaEmbedder) -> None:
    vectors = embedder.embed_sync([*TEXTS, ""])
    assert vectors.shape == (len(TEXTS) + 1, embedder.dimensions)
    assert vectors.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(vectors[:-1], axis=1), 1.0, rtol=1e-6)
    assert not vectors[-1].any()


def test_no_texts_give_no_rows(embedder: WordLlamaEmbedder) -> None:
    assert embedder.embed_sync([]).shape == (0, embedder.dimensions)


async def _embedded(embedder: WordLlamaEmbedder) -> bytes:
    return (await embedder.embed(TEXTS)).tobytes()


def test_asking_asynchronously_gives_the_same(embedder: WordLlamaEmbedder) -> None:
    import asyncio

    assert asyncio.run(_embedded(embedder)) == embedder.embed_sync(TEXTS).tobytes()


def test_texts_on_one_subject_are_nearer_than_others(embedder: WordLlamaEmbedder) -> None:
    bread, dough, trains = embedder.embed_sync(
        ["Bake the bread in a hot oven.", "Knead the dough and let it rise.", "The train was late at the station."]
    )
    assert bread @ dough > bread @ trains


def test_a_lone_surrogate_counts_as_the_replacement_character(embedder: WordLlamaEmbedder) -> None:
    """File names and broken decoders produce them; the tokenizer alone would raise."""
    broken, replaced = embedder.embed_sync(["a\ud800b", "a\ufffdb"])
    assert broken.tobytes() == replaced.tobytes()


@pytest.mark.slow
def test_many_threads_share_one_embedder_that_none_has_loaded() -> None:
    embedder = WordLlamaEmbedder()
    expected = WordLlamaEmbedder().embed_sync(TEXTS).tobytes()
    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(lambda _: embedder.embed_sync(TEXTS).tobytes(), range(32)))
    assert set(answers) == {expected}


def test_the_vectors_of_tokens_add_up_to_the_direction_of_the_text(embedder: WordLlamaEmbedder) -> None:
    token_ids = embedder.token_ids("late interaction")
    total = embedder.token_rows(token_ids).sum(axis=0)
    assert total.shape == (embedder.dimensions,)
    np.testing.assert_allclose(
        total / np.linalg.norm(total), embedder.embed_sync(["late interaction"])[0], rtol=1e-5, atol=1e-6
    )
    assert len(embedder.token_ids("")) == 0


@pytest.mark.slow
def test_vectors_agree_with_the_package_that_the_weights_come_from(embedder: WordLlamaEmbedder) -> None:
    """The two files are read without the package; if a release changes what they mean, this fails."""
    handlers = list(logging.getLogger().handlers)
    level = logging.getLogger().level
    try:
        import wordllama

        package = wordllama.WordLlama.load(cache_dir=Path(wordllama.__file__).parent, disable_download=True)
    finally:
        logging.getLogger().handlers[:] = handlers
        logging.getLogger().setLevel(level)
    texts = [text for text in TEXTS if len(text) < 100]
    np.testing.assert_allclose(embedder.embed_sync(texts), package.embed(texts, norm=True), atol=1e-6)


def test_the_identity_names_model_version_and_dimensions(embedder: WordLlamaEmbedder) -> None:
    identity = embedder.identity
    assert identity["model"] == "l2_supercat"
    assert identity["version"] == metadata.version("wordllama")
    assert identity["dimensions"] == 256


@pytest.mark.integration
def test_embedding_leaves_logging_and_the_network_alone() -> None:
    """Importing wordllama sets up the root logger, which would print every library's messages."""
    program = (
        "import logging, socket, sys\n"
        "def refuse(*_): raise AssertionError('a connection was opened')\n"
        "socket.socket.connect = refuse\n"
        "import resources.models.embedder\n"
        "assert 'tokenizers' not in sys.modules and 'safetensors' not in sys.modules\n"
        "resources.models.embedder.WordLlamaEmbedder().embed_sync(['text'])\n"
        "assert not logging.getLogger().handlers and 'wordllama' not in sys.modules\n"
    )
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", program],
        cwd=Path(__file__).parents[3],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_a_package_without_its_table_says_what_is_missing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    package = tmp_path / "wordllama"
    package.mkdir()
    (package / "__init__.py").touch()
    spec = util.spec_from_file_location("wordllama", package / "__init__.py", submodule_search_locations=[str(package)])
    monkeypatch.setattr("resources.models.embedder.util.find_spec", lambda _: spec)
    with pytest.raises(ConfigurationError, match=r"l2_supercat_256\.safetensors is missing"):
        WordLlamaEmbedder().embed_sync(["text"])
