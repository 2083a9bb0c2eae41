"""Whether chunks, vectors and concepts can be what they are said to be: what is let through, and what is named in words."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from resources.models.embedder import WordLlamaEmbedder
from seed_assets.core.concepts.concepts import Concept, Concepts, StatisticalConceptExtractor
from seed_assets.core.text.chunking import Chunk, Chunker, Chunks
from seed_assets.stages.documents.validity import uncovered, ungrounded, unlike
from tests.support.pipelines import essay

TEXT = "Basalt flows far.\n\nRhyolite piles up.\n"
LAVA = "The Lava\n  Flow cooled in the STRASSE."


def cut(*spans: tuple[int, int]) -> Chunks:
    """Chunks of TEXT that are what they say."""
    return Chunks("", tuple(Chunk(TEXT[start:end], start, end) for start, end in spans))


def said(*chunks: tuple[str, int, int]) -> Chunks:
    """Chunks that say what a test says."""
    return Chunks("", tuple(Chunk(text, start, end) for text, start, end in chunks))


def concept(name: str, start: int, end: int, kind: str = "") -> Concepts:
    """One concept, after one that is where it should be."""
    return Concepts((Concept("lava flow", 1.0, 1, 4, 15), Concept(name, 0.5, 1, start, end, kind)))


def rows(*found: list[float]) -> NDArray[np.float32]:
    return np.array(found, np.float32)


@pytest.mark.parametrize(
    ("chunks", "text"),
    [
        pytest.param(cut((0, len(TEXT))), TEXT, id="one chunk"),
        pytest.param(cut((0, 17), (19, 37)), TEXT, id="white space between and after is nothing"),
        pytest.param(cut((0, 17), (7, 37)), TEXT, id="neighbours may share text"),
        pytest.param(cut((0, 37), (7, 17)), TEXT, id="one chunk may lie in another"),
        pytest.param(cut((0, 17), (17, 17), (19, 37)), TEXT, id="a chunk of nothing"),
        pytest.param(said(), "", id="no text, no chunk"),
        pytest.param(said(), " \n\t\n", id="white space alone needs no chunk"),
        pytest.param(said(("e\u0301🎉", 0, 3)), "e\u0301🎉", id="offsets are of characters, not of bytes"),
    ],
)
def test_chunks_that_are_the_text_are_right(chunks: Chunks, text: str) -> None:
    assert uncovered(chunks, text) == ""


@pytest.mark.parametrize(
    ("chunks", "text", "problem"),
    [
        pytest.param(said(), TEXT, "the text from 0 on is in no chunk", id="no chunk at all"),
        pytest.param(cut((7, 37)), TEXT, "the text from 0 to 7 is in no chunk", id="the beginning left out"),
        pytest.param(cut((0, 6), (13, 37)), TEXT, "the text from 6 to 13 is in no chunk", id="a gap"),
        pytest.param(cut((0, 17)), TEXT, "the text from 17 on is in no chunk", id="the end left out"),
        pytest.param(cut((0, 36)), TEXT, "from 36 on", id="one character less"),
        pytest.param(said(("Granite", 0, 6)), TEXT, "chunk 0 is not what stands", id="another text"),
        pytest.param(said(("asalt ", 0, 6)), TEXT, "chunk 0 is not what stands", id="the text of another place"),
        pytest.param(said((TEXT, 0, 38), ("x", 38, 39)), TEXT, "chunk 1 is not what stands", id="past the end"),
        pytest.param(said((TEXT, 0, 99)), TEXT, "chunk 0 is not what stands", id="an end that Python would forgive"),
        pytest.param(said((".\n", -2, 38)), TEXT, "chunk 0 is not what stands", id="counted from the end"),
        pytest.param(said(("", 6, 0)), TEXT, "chunk 0 is not what stands", id="an end before its start"),
        pytest.param(said(("x", 0, 1)), "", "chunk 0 is not what stands", id="a chunk of no text"),
    ],
)
def test_chunks_that_are_not_the_text_are_named(chunks: Chunks, text: str, problem: str) -> None:
    assert problem in uncovered(chunks, text)


@given(
    text=st.text(st.sampled_from("ab. \n\t\u00a0\u2028\u0085\u3000\u200b\x1f🎉é-"), max_size=120),
    characters=st.integers(1, 40),
    share=st.integers(0, 100),
)
@pytest.mark.slow
def test_whatever_the_chunker_cuts_is_the_text(text: str, characters: int, share: int) -> None:
    """White space is not the same in every library; a text for which they differ would fail for ever."""
    chunks = Chunker(characters, characters * share // 101).chunk(text, "")
    assert uncovered(chunks, text) == ""


@given(sizes=st.lists(st.integers(1, 9), min_size=1, max_size=9))
def test_a_chunk_that_is_left_out_is_always_found(sizes: list[int]) -> None:
    ends = np.cumsum(sizes).tolist()
    text = "x" * ends[-1]
    chunks = [Chunk(text[end - size : end], end - size, end) for size, end in zip(sizes, ends, strict=True)]
    assert uncovered(Chunks("", tuple(chunks)), text) == ""
    for left_out in range(len(chunks)):
        assert uncovered(Chunks("", (*chunks[:left_out], *chunks[left_out + 1 :])), text)


@pytest.mark.parametrize(
    ("vectors", "dimensions"),
    [
        pytest.param(rows([1, 0], [0.6, 0.8]), 0, id="of length 1"),
        pytest.param(rows([1, 0], [0.6, 0.8]), 2, id="and of so many numbers"),
        pytest.param(rows([-0.6, -0.8]), 0, id="in any direction"),
        pytest.param(rows([0, 0], [1, 0]), 0, id="zeros, for a text without a word"),
        pytest.param(np.zeros((0, 256), np.float32), 256, id="none, for a text without a chunk"),
        pytest.param(rows([1.0005, 0], [0.9995, 0]), 0, id="but for rounding"),
        pytest.param(rows([1, 0]).astype(np.float16), 0, id="in half precision"),
        pytest.param(np.full((1, 4096), 1 / 64, np.float32), 4096, id="of many small numbers"),
    ],
)
def test_vectors_that_search_can_compare_are_right(vectors: NDArray[np.float32], dimensions: int) -> None:
    assert unlike(vectors, dimensions) == ""


@pytest.mark.parametrize(
    ("vectors", "dimensions", "problem"),
    [
        pytest.param(rows([1, 0], [np.nan, 1]), 0, "vector 1 has numbers that are not finite", id="NaN"),
        pytest.param(rows([np.inf, 0]), 0, "vector 0 has numbers that are not finite", id="infinite"),
        pytest.param(rows([0, -np.inf], [2, 0]), 0, "vector 0 has numbers", id="the first of two problems"),
        pytest.param(rows([1, 0], [0, 1], [3, 4]), 0, "vector 2 is of length 5.000, not 1", id="too long"),
        pytest.param(rows([0.5, 0]), 0, "vector 0 is of length 0.500, not 1", id="too short"),
        pytest.param(rows([1.002, 0]), 0, "vector 0 is of length 1.002, not 1", id="a little too long"),
        pytest.param(rows([1e-30, 0]), 0, "vector 0 is of length 0.000, not 1", id="nearly zeros"),
        pytest.param(rows([3e38, 3e38]), 0, "vector 0 is of length", id="so long that its square is no float32"),
        pytest.param(rows([1, 0]), 3, "of shape (1, 2), not (chunks, 3)", id="of another dimension"),
        pytest.param(
            np.zeros((0, 2), np.float32), 3, "of shape (0, 2), not (chunks, 3)", id="none, of another dimension"
        ),
        pytest.param(np.zeros(2, np.float32), 0, "of shape (2,), not (chunks, numbers)", id="one vector alone"),
        pytest.param(np.zeros((1, 1, 2), np.float32), 0, "of shape (1, 1, 2)", id="nested"),
        pytest.param(np.float32(1) * np.ones((), np.float32), 0, "of shape ()", id="a number"),
    ],
)
def test_vectors_that_no_search_can_compare_are_named(
    vectors: NDArray[np.float32], dimensions: int, problem: str
) -> None:
    assert problem in unlike(vectors, dimensions)


@pytest.mark.parametrize(
    "concepts",
    [
        pytest.param(Concepts(()), id="none"),
        pytest.param(concept("cooled", 16, 22), id="as it is written"),
        pytest.param(concept("lava flow", 4, 15), id="in small letters and over the end of a line"),
        pytest.param(concept("strasse", 30, 37), id="in capitals"),
        pytest.param(concept("cooling rock", 16, 22, "term"), id="a model's, shown by a passage in the author's words"),
        pytest.param(concept("the whole", 0, len(LAVA), "other"), id="shown by all of the text"),
    ],
)
def test_concepts_that_stand_in_the_text_are_right(concepts: Concepts) -> None:
    assert ungrounded(concepts, LAVA) == ""


def test_a_letter_that_is_longer_in_small_letters_is_no_problem() -> None:
    assert ungrounded(Concepts((Concept("strasse", 1.0, 1, 4, 10),)), "Die Straße.") == ""


@pytest.mark.parametrize(
    ("concepts", "problem"),
    [
        pytest.param(
            concept("cooled", 17, 23), "where 'cooled' is said to stand, the text has 'ooled'", id="beside it"
        ),
        pytest.param(concept("cooled", 16, 21), "the text has 'coole'", id="a letter short"),
        pytest.param(concept("Cooled", 16, 22), "the text has 'cooled'", id="a name that is not in small letters"),
        pytest.param(concept("lava\n  flow", 4, 15), "the text has 'lava flow'", id="a name that is not in one line"),
        pytest.param(concept("granite", 16, 22), "'granite' is said to stand, the text has 'cooled'", id="not there"),
        pytest.param(concept("cooled", 15, 99), "from 15 to 99; the text has 38", id="past the end"),
        pytest.param(concept("cooled", -22, -16), "from -22 to -16", id="counted from the end"),
        pytest.param(concept("cooled", 22, 16), "from 22 to 16", id="backwards"),
        pytest.param(concept("", 15, 15), "from 15 to 15", id="nothing"),
        pytest.param(concept("rock", 15, 99, "term"), "from 15 to 99", id="a passage past the end"),
        pytest.param(concept("rock", 15, 15, "term"), "from 15 to 15", id="a passage of nothing"),
        pytest.param(
            concept("rock", 8, 11, "term"), "where 'rock' is said to stand, the text has ''", id="a blank passage"
        ),
    ],
)
def test_concepts_that_do_not_stand_there_are_named(concepts: Concepts, problem: str) -> None:
    assert problem in ungrounded(concepts, LAVA)


def test_a_concept_of_an_empty_text_is_named() -> None:
    assert ungrounded(Concepts((Concept("lava", 1.0, 1, 0, 4),)), "") == (
        "'lava' is said to stand from 0 to 4; the text has 0"
    )


def test_only_the_beginning_of_a_long_passage_is_quoted() -> None:
    problem = ungrounded(Concepts((Concept("lava", 1.0, 1, 0, 5_000),)), "ash " * 2_000)
    assert "'ash ash" in problem
    assert len(problem) < 200


@pytest.mark.parametrize("text", [LAVA, TEXT, essay("lamps"), "", "...", "机器学习 и Straße, ŁÓDŹ İstanbul ﬁre"])
def test_what_the_offline_extractor_finds_stands_in_the_text(text: str) -> None:
    assert ungrounded(StatisticalConceptExtractor(WordLlamaEmbedder()).extract_sync(text, ""), text) == ""
