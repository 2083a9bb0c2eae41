"""Measures how well search finds answers: MRR@10 on the XQuAD questions (English), by method and by unit.

What belongs here: the measurement. What does not: thresholds (tests) and the corpus (read from beside the checkout).

A result counts if it is of the right document and its [start, end) contains the first character of the answer. Two
units: `chunks`, as the project cuts them by default, and `paragraphs`, the unit of figures published elsewhere. Chunks
join short paragraphs, so there are fewer of them. The corpus has only 48 articles: the figures show that the parts work
together, not how good search is in a large collection.

Run: python -m benchmarks.quality_search [CORPORA]
"""

import csv
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from benchmarks.corpora import corpora_directory
from resources.models.embedder import WordLlamaEmbedder
from resources.tables.lance import LanceTables
from resources.tables.lance_indexes import ensure_indexes
from resources.tables.lance_schema import TABLES
from retrieval import candidates
from retrieval.passage_features import features_of
from retrieval.search import Searcher, SearchHit
from retrieval.stored_features import COLUMNS
from seed_assets.core.text.chunking import Chunker

_DEPTH = 10
_CORPUS = "qa_xquad"
Span = tuple[int, int]


class Model(Protocol):
    """An embedder with a prompt for queries, as LocalModelEmbedder is."""

    def embed_sync(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """See LocalModelEmbedder."""
        ...

    def embed_query(self, query: str) -> NDArray[np.float32]:
        """See LocalModelEmbedder."""
        ...


@dataclass(frozen=True, slots=True)
class Question:
    """A question, and where its answer is."""

    text: str
    document: str
    answer_start: int


def read_corpus(corpora: Path) -> tuple[dict[str, str], list[Question]]:
    """Return the articles by file name, and the questions about them."""
    documents = {path.name: path.read_text() for path in sorted((corpora / _CORPUS / "docs_en").iterdir())}
    with (corpora / _CORPUS / "qa_en.csv").open(newline="") as opened:
        questions = [
            Question(row["question"], row["file"], int(row["answer_start_in_file"])) for row in csv.DictReader(opened)
        ]
    return documents, questions


def measure(corpora: Path) -> dict[str, Any]:
    """Return MRR@10 of chunks and of documents, for the combined method, full text alone and vectors alone, by unit."""
    documents, questions = read_corpus(corpora)
    figures: dict[str, Any] = {"documents": len(documents), "questions": len(questions)}
    for unit, cut in (("chunks", as_chunks), ("paragraphs", as_paragraphs)):
        with tempfile.TemporaryDirectory() as directory:
            figures[unit] = measure_unit(Path(directory), documents, questions, cut)
    return figures


def measure_unit(
    directory: Path,
    documents: Mapping[str, str],
    questions: Sequence[Question],
    cut: Callable[[str], list[Span]],
    methods: Sequence[str] = ("fused", "text", "vectors"),
    model: Model | None = None,
) -> dict[str, Any]:
    """Return the figures of some methods on texts cut in one way, with the tables in `directory`.

    model: makes the vectors; None for the bundled embedder.
    """
    titles = {name: Path(name).stem.split("_", 1)[1].replace("_", " ") for name in documents}
    tables = LanceTables(directory)
    rows, searcher = write_chunks(tables, documents, titles, cut, model)
    table = tables.open("chunks")
    bundled = WordLlamaEmbedder()
    embed_query = model.embed_query if model else lambda query: bundled.embed_sync([query])[0]

    def text_alone(question: str) -> list[SearchHit]:
        return _hits(candidates.by_text(table, question, _DEPTH, candidates.SHOWN), "_score", 1.0)

    def vectors_alone(question: str) -> list[SearchHit]:
        return _hits(candidates.by_vector(table, embed_query(question), _DEPTH, candidates.SHOWN), "_distance", -1.0)

    searcher.search("warm up")
    every: dict[str, Callable[[str], list[SearchHit]]] = {
        "fused": lambda question: searcher.search(question, _DEPTH),
        "text": text_alone,
        "vectors": vectors_alone,
    }
    figures: dict[str, Any] = {"rows": rows}
    for name in methods:
        seconds: list[float] = []
        found: list[list[SearchHit]] = []
        for question in questions:
            started = time.perf_counter()
            found.append(every[name](question.text))
            seconds.append(time.perf_counter() - started)
        figures[name] = {
            "mrr_at_10": round(_mean_reciprocal_rank(questions, found, _answers), 4),
            "document_mrr_at_10": round(_mean_reciprocal_rank(questions, found, _in_document), 4),
            "median_ms": round(statistics.median(seconds) * 1000, 1),
        }
    return figures


def _answers(question: Question, hit: SearchHit) -> bool:
    return hit.document == question.document and hit.start <= question.answer_start < hit.end


def _in_document(question: Question, hit: SearchHit) -> bool:
    return hit.document == question.document


def _mean_reciprocal_rank(
    questions: Sequence[Question], found: Sequence[Sequence[SearchHit]], right: Callable[[Question, SearchHit], bool]
) -> float:
    ranks = (
        next((place for place, hit in enumerate(hits, start=1) if right(question, hit)), None)
        for question, hits in zip(questions, found, strict=True)
    )
    return statistics.fmean(1 / rank if rank else 0.0 for rank in ranks)


def _hits(rows: "pa.Table", score: str, sign: float) -> list[SearchHit]:
    hits = [
        SearchHit(
            row["document_id"], row["index"], sign * row[score], row["text"], row["start"], row["end"], row["title"]
        )
        for row in rows.to_pylist()
    ]
    return sorted(hits, key=lambda hit: (-hit.score, hit.document, hit.chunk))


def write_chunks(
    tables: LanceTables,
    documents: Mapping[str, str],
    titles: Mapping[str, str],
    cut: Callable[[str], list[Span]],
    model: Model | None = None,
) -> tuple[int, Searcher]:
    """Write the chunks of documents, by name, with their indexes; return how many there are, and their searcher.

    model: makes the vectors; None for the bundled embedder.
    """
    embedder = WordLlamaEmbedder()
    places = [(name, index, span) for name, text in documents.items() for index, span in enumerate(cut(text))]
    texts = [documents[name][slice(*span)] for name, _, span in places]
    vectors = np.asarray((model or embedder).embed_sync(texts))
    compared = [features_of(text, embedder) for text in texts]
    columns = {
        "chunk_id": [f"{name}#{index}" for name, index, _ in places],
        "document_id": [name for name, _, _ in places],
        "index": [index for _, index, _ in places],
        "title": [titles[name] for name, _, _ in places],
        "text": texts,
        "start": [start for _, _, (start, _) in places],
        "end": [end for _, _, (_, end) in places],
        "vector": list(vectors),
        **{name: [features.columns[name] for features in compared] for name in COLUMNS},
        "content_digest": ["measured"] * len(places),
    }
    rows = pa.table(columns, schema=TABLES["chunks"].schema(vectors.shape[1]))
    tables.write("chunks", rows, list(documents))
    ensure_indexes(tables)
    return rows.num_rows, Searcher(tables, embedder, model.embed_query if model else None)


def as_chunks(text: str) -> list[Span]:
    """Return the spans of the chunks that the project makes by default."""
    return [(chunk.start, chunk.end) for chunk in Chunker().chunk(text, "").chunks]


def as_paragraphs(text: str) -> list[Span]:
    """Return the spans between blank lines."""
    spans: list[Span] = []
    start = 0
    for paragraph in text.split("\n\n"):
        if paragraph.strip():
            spans.append((start, start + len(paragraph)))
        start += len(paragraph) + 2
    return spans


if __name__ == "__main__":
    print(json.dumps(measure(Path(sys.argv[1]) if len(sys.argv) > 1 else corpora_directory()), indent=2))
