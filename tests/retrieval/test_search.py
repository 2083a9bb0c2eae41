"""Search over a small knowledge base in real tables, with the offline embedder."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from benchmarks.corpora import corpora_directory
from benchmarks.quality_search import as_chunks, measure_unit, read_corpus
from resources.errors import ConfigurationError
from resources.models.embedder import WordLlamaEmbedder
from resources.tables.lance import LanceTables
from resources.tables.lance_indexes import ensure_indexes
from resources.tables.lance_schema import TABLES
from retrieval.candidates import by_text, by_vector, find_candidates, read_rows
from retrieval.hits import SearchHit
from retrieval.passage_features import Passages, features_of
from retrieval.ranking import best_sentence_scores, stretched, token_scores
from retrieval.search import LONGEST_QUERY_CHARACTERS, Searcher, distinct_tokens

TEXTS = {
    "bread.md": ["A sourdough starter is flour and water in which wild yeast lives.", "Bake the loaf in a hot oven."],
    "rails.md": [
        "A signal box sets the points, so that trains change tracks.",
        "Steam engines carried coal and water.",
    ],
    "reefs.md": ["Corals are animals that build reefs of limestone.", "Warm seas bleach corals."],
}


@pytest.fixture(scope="module")
def embedder() -> WordLlamaEmbedder:
    return WordLlamaEmbedder()


def plant(
    tables: LanceTables, embedder: WordLlamaEmbedder, texts: dict[str, list[str]], titles: Sequence[str] = ()
) -> None:
    """Write a chunk a text; titles in the order of the documents, or none."""
    named = dict(zip(texts, titles, strict=True)) if titles else dict.fromkeys(texts, "")
    rows = [
        {
            "chunk_id": f"{document}#{index}",
            "document_id": document,
            "index": index,
            "title": named[document],
            "text": text,
            "start": 100 * index,
            "end": 100 * index + len(text),
            "vector": embedder.embed_sync([text])[0],
            **features_of(text, embedder).columns,
            "content_digest": "first",
        }
        for document, chunks in texts.items()
        for index, text in enumerate(chunks)
    ]
    tables.write("chunks", pa.Table.from_pylist(rows, TABLES["chunks"].schema(embedder.dimensions)), list(texts))


@pytest.fixture
def tables(tmp_path: Path, embedder: WordLlamaEmbedder) -> LanceTables:
    tables = LanceTables(tmp_path / "lancedb")
    plant(tables, embedder, TEXTS)
    ensure_indexes(tables)
    return tables


@pytest.fixture
def searcher(tables: LanceTables, embedder: WordLlamaEmbedder) -> Searcher:
    return Searcher(tables, embedder)


def test_a_hit_says_where_it_stands(searcher: Searcher) -> None:
    best = searcher.search("how do trains change from one track to another", limit=1)
    assert best == [
        SearchHit("rails.md", 0, best[0].score, TEXTS["rails.md"][0], 0, len(TEXTS["rails.md"][0]), ""),
    ]
    assert 0 < best[0].score <= 1


@pytest.mark.slow
def test_a_hit_inside_a_table_is_found_by_its_header_and_cites_its_rows_alone(
    tables: LanceTables, embedder: WordLlamaEmbedder
) -> None:
    """Rows of numbers were found by none of the words that say what they are; with these inside, a citation would be wrong."""
    header, rows = "| Lighthouse | Candelas |\n| --- | --- |", "| Fastnet | 7 |\n| Eddystone | 9 |"
    row = {
        "chunk_id": "lights.md#3",
        "document_id": "lights.md",
        "index": 3,
        "title": "",
        "text": f"{header}\n{rows}",
        "start": 500,
        "end": 500 + len(rows),
        "vector": embedder.embed_sync([f"{header}\n{rows}"])[0],
        **features_of(f"{header}\n{rows}", embedder).columns,
        "content_digest": "first",
    }
    tables.write("chunks", pa.Table.from_pylist([row], TABLES["chunks"].schema(embedder.dimensions)), ["lights.md"])
    ensure_indexes(tables)
    hit = Searcher(tables, embedder).search("candelas of each lighthouse", limit=1)[0]
    assert (hit.document, hit.text, hit.header) == ("lights.md", rows, header)
    assert hit.end - hit.start == len(hit.text)
    others = [other for other in Searcher(tables, embedder).search("water") if other.document != "lights.md"]
    assert {other.header for other in others} == {""}


def test_words_are_found_in_another_form_and_meaning_without_the_word(searcher: Searcher) -> None:
    """Guards both halves of the method: stemmed words, and vectors where no word is shared."""
    assert searcher.search("engine", 1)[0].chunk == 1
    assert searcher.search("engine", 1)[0].document == "rails.md"
    assert searcher.search("ocean", 1)[0].document == "reefs.md"


def test_results_come_best_first_and_no_more_than_asked_for(searcher: Searcher) -> None:
    hits = searcher.search("water", limit=4)
    assert [hit.score for hit in hits] == sorted((hit.score for hit in hits), reverse=True)
    assert len(hits) == 4
    assert len(searcher.search("water", limit=1_000)) == 6
    assert searcher.search("water", limit=4) == hits


def test_equal_texts_are_both_found_in_the_order_of_their_names(
    tables: LanceTables, searcher: Searcher, embedder: WordLlamaEmbedder
) -> None:
    """Guards against entries that are shared because their content is, and against an order that changes."""
    plant(tables, embedder, {"z.md": TEXTS["bread.md"], "a.md": TEXTS["bread.md"]})
    ensure_indexes(tables)  # until then, the frequency of words is that of the rows before
    hits = searcher.search("sourdough starter", limit=3)
    assert [hit.document for hit in hits] == ["a.md", "bread.md", "z.md"]
    assert len({hit.score for hit in hits}) == 1


def test_a_title_counts_where_the_text_does_not_tell(tmp_path: Path, embedder: WordLlamaEmbedder) -> None:
    tables = LanceTables(tmp_path / "titled")
    plant(tables, embedder, {"a.md": ["It opened in May."], "b.md": ["It opened in May."]}, ["Museum", "Harbour"])
    ensure_indexes(tables)
    assert [hit.document for hit in Searcher(tables, embedder).search("harbour opened")] == ["b.md", "a.md"]


@pytest.mark.slow
def test_what_was_written_or_removed_since_is_seen_at_once(
    tables: LanceTables, searcher: Searcher, embedder: WordLlamaEmbedder
) -> None:
    """Guards a service that searches while `seed` writes, and rows that no index covers yet."""
    assert searcher.search("glaciers", 1)[0].text != "Glaciers carve valleys."
    plant(tables, embedder, {"ice.md": ["Glaciers carve valleys."]})
    assert searcher.search("glaciers", 1)[0].document == "ice.md"
    tables.delete_rows("chunks", ["ice.md"])
    assert "ice.md" not in {hit.document for hit in searcher.search("glaciers")}
    tables.drop("chunks")
    plant(tables, embedder, {"ice.md": ["Glaciers carve valleys."]})
    ensure_indexes(tables)
    assert [hit.document for hit in searcher.search("glaciers")] == ["ice.md"]


def test_a_vector_index_finds_what_a_scan_finds(tables: LanceTables, embedder: WordLlamaEmbedder) -> None:
    plant(tables, embedder, {f"n{number:03}.md": [f"Entry {number} of the register."] for number in range(300)})
    scanned = Searcher(tables, embedder).search("ocean animals", 2)
    done = {indexed.table: indexed.indexed for indexed in ensure_indexes(tables, vector_index_rows=256)}
    assert "vector" in done["chunks"]
    assert [hit.text for hit in Searcher(tables, embedder).search("ocean animals", 2)] == [hit.text for hit in scanned]


@pytest.mark.parametrize(
    "query",
    [
        '"unbalanced AND (OR NOT',
        "+must -not ~fuzzy* ^2 field:value [a TO b]",
        "'; DROP TABLE chunks; --",
        "the of and",
        "?!…",
        "🎉",
        "日本語の文",
        "e\u0301\u200b\x00\x07",
        "\ud800",
        "word " * 2_000,
        "x" * 10_000,
    ],
)
def test_any_text_is_a_query(searcher: Searcher, query: str) -> None:
    """Guards against a parser behind the search that takes characters of a query for operators."""
    hits = searcher.search(query)
    assert len(hits) == 6
    assert all(0 <= hit.score <= 1 for hit in hits)


def test_only_the_beginning_of_a_long_query_counts(searcher: Searcher) -> None:
    start = ("corals " * LONGEST_QUERY_CHARACTERS)[:LONGEST_QUERY_CHARACTERS]
    assert searcher.search(start + " trains" * 500) == searcher.search(start)


@pytest.mark.parametrize(("query", "limit", "said"), [("", 1, "empty"), (" \n", 1, "empty"), ("reef", 0, "at least 1")])
def test_nothing_to_search_for_is_said(searcher: Searcher, query: str, limit: int, said: str) -> None:
    with pytest.raises(ConfigurationError, match=said):
        searcher.search(query, limit)


def test_an_empty_table_has_no_hits(tmp_path: Path, embedder: WordLlamaEmbedder) -> None:
    tables = LanceTables(tmp_path / "lancedb")
    plant(tables, embedder, {})
    ensure_indexes(tables)
    assert Searcher(tables, embedder).search("reef") == []


def test_without_tables_or_indexes_it_says_what_to_run(tmp_path: Path, embedder: WordLlamaEmbedder) -> None:
    tables = LanceTables(tmp_path / "lancedb")
    searcher = Searcher(tables, embedder)
    with pytest.raises(ConfigurationError, match=r"there is none in .* yet.*seedbank seed"):
        searcher.search("reef")
    assert not tables.directory.exists()
    plant(tables, embedder, TEXTS)
    with pytest.raises(ConfigurationError, match=r"no full-text index on text, title yet.*seedbank seed"):
        searcher.search("reef")


@pytest.mark.slow
def test_a_table_of_other_vectors_is_named(tables: LanceTables) -> None:
    class ShorterVectors(WordLlamaEmbedder):
        def embed_sync(self, texts: Sequence[str]) -> np.ndarray:
            return super().embed_sync(texts)[:, :64]

    with pytest.raises(
        ConfigurationError, match="vectors of length 256, but the configured embedder produces length 64"
    ):
        Searcher(tables, ShorterVectors()).search("reef")


def test_two_queries_at_once_give_what_each_gives_alone(tables: LanceTables, embedder: WordLlamaEmbedder) -> None:
    table, query = tables.open("chunks"), "water for the trains"
    vector = embedder.embed_sync([query])[0]
    found = find_candidates(table, query, vector, 2)
    text, near = by_text(table, query, 2, ["_rowid"]), by_vector(table, vector, 4, ["_rowid"])
    of_text = dict(zip(text["_rowid"].to_pylist(), text["_score"].to_pylist(), strict=True))
    of_vector = {
        row: 1 - far for row, far in zip(near["_rowid"].to_pylist(), near["_distance"].to_pylist(), strict=True)
    }
    assert found.rows.tolist() == sorted(of_text.keys() | of_vector.keys())
    assert found.text_scores.tolist() == [of_text.get(row, 0.0) for row in found.rows.tolist()]
    lowest = min(of_vector.values())
    assert found.vector_scores.tolist() == [of_vector.get(row, lowest) for row in found.rows.tolist()]
    assert (len(of_text), len(of_vector)) == (2, 4)

    some = find_candidates(table, query, vector, 2, "document_id = 'reefs.md'")
    assert {*read_rows(table, some.rows)["document_id"].to_pylist()} == {"reefs.md"}
    nothing = find_candidates(table, "zzz", np.zeros_like(vector), 2)
    assert not len(nothing.rows)


@pytest.mark.parametrize("backwards", [False, True])
def test_rows_are_read_in_ascending_order(tables: LanceTables, *, backwards: bool) -> None:
    table = tables.open("chunks")
    rows = table.search().with_row_id(True).select(["text"]).to_arrow()["_rowid"].to_numpy().astype(np.int64)
    asked = np.sort(rows)[:: -1 if backwards else 1]
    assert read_rows(table, asked)["_rowid"].to_pylist() == sorted(rows.tolist())


@pytest.mark.parametrize("token_ids", [[], [0], [7, 0, 7, 31_999, 3, 0]])
def test_distinct_tokens_are_those_of_a_sort(token_ids: list[int]) -> None:
    ids = np.array(token_ids, dtype=np.int64)
    distinct, places = distinct_tokens(ids)
    expected, expected_places = np.unique(ids, return_inverse=True)
    assert (distinct.tolist(), places.tolist()) == (expected.tolist(), expected_places.tolist())


def test_scores_are_stretched_over_the_candidates_of_a_query() -> None:
    assert stretched(np.array([1.0, 3.0, 2.0])).tolist() == [0.0, 1.0, 0.5]
    assert stretched(np.array([2.0, 2.0])).tolist() == [1.0, 1.0]
    assert stretched(np.zeros(2)).tolist() == [0.0, 0.0]
    assert stretched(np.zeros(0)).tolist() == []


def _passages(*token_ids: list[int], sentences: Sequence[int] = ()) -> Passages:
    """Passages of these tokens. sentences: how many each has, of which all but the last are of one token."""
    counts = np.array([len(ids) for ids in token_ids])
    numbers = np.array(sentences if len(sentences) else [min(count, 1) for count in counts])
    ends = [
        before + (place + 1 if place + 1 < number else count)
        for before, count, number in zip(np.cumsum(counts) - counts, counts, numbers, strict=True)
        for place in range(number)
    ]
    lengths = np.ones(len(ends), dtype=np.float32)
    return Passages(
        np.concatenate([np.array(ids, dtype=np.int64) for ids in token_ids]),
        counts,
        np.array(ends, dtype=np.int64),
        lengths,
        numbers,
    )


def test_a_rare_token_counts_more_than_one_that_all_passages_have() -> None:
    """Guards the weights of the tokens: two passages that each have one token of the query, of which one is common."""
    passages = _passages([0, 1], [0, 2], [2, 3], [0, 3], [])
    cosines = np.eye(4, dtype=np.float32)[passages.token_ids][:, [0, 1]]
    scores = token_scores(passages, np.array([0, 1]), cosines)
    assert scores[0] == pytest.approx(1.0)
    assert scores[1] == scores[3] < 0.5
    assert scores[2] == scores[4] == 0.0


def test_a_passage_is_scored_by_its_best_sentence() -> None:
    products = np.array([0.5, 0.25, 0.25, 0.75, 0.125], dtype=np.float32)
    passages = _passages([0, 1, 2], [], [3, 4], sentences=(2, 0, 2))
    assert best_sentence_scores(passages, products).tolist() == [0.5, 0.0, 0.75]


def test_stored_features_give_the_cosine_of_each_sentence(embedder: WordLlamaEmbedder) -> None:
    """The vector of a sentence is not stored: it is the sum of its tokens' vectors, divided by its length."""
    sentences = ["Corals are animals.", "They build reefs of limestone!", "Bake the loaf."]
    texts = [" ".join(sentences), sentences[2], " \n"]
    rows = pa.Table.from_pylist([features_of(text, embedder).columns for text in texts])
    passages = Passages.of_rows(rows)
    query = embedder.embed_sync(["reefs and limestone"])[0]
    products = embedder.token_rows(passages.token_ids) @ query
    expected = embedder.embed_sync(sentences) @ query
    np.testing.assert_allclose(
        best_sentence_scores(passages, products), [max(expected), expected[2], 0.0], rtol=1e-4, atol=1e-6
    )


@pytest.mark.slow
def test_search_finds_the_answers_of_xquad(tmp_path: Path) -> None:
    """Guards the quality of the fused method on chunks as the project cuts them: every fifth question, by MRR@10."""
    corpora = corpora_directory()
    if not (corpora / "qa_xquad").is_dir():
        pytest.skip(f"the corpus qa_xquad is not in {corpora} (set SEEDBANK_CORPORA)")
    documents, questions = read_corpus(corpora)
    figures = measure_unit(tmp_path, documents, questions[::5], as_chunks, methods=("fused", "text"))
    assert figures["fused"]["mrr_at_10"] >= 0.95
    assert figures["fused"]["mrr_at_10"] > figures["text"]["mrr_at_10"]
