"""Compares the bundled embedder with models in folders (`embeddings.provider = "local"`), by what search and clusters need.

What belongs here: three measures, each for the bundled embedder and for each model:

- `--claims DIR`: nDCG@10 of documents for claims, in a folder of the layout of BEIR (Thakur et al. 2021): `corpus.jsonl`,
  `queries.jsonl`, `qrels/test.tsv`. A document is title and text, cut as the project cuts them, and is ranked by its best chunk.
- `--languages DIR`: in files `xquad.<code>.json` (Artetxe et al. 2020), how often the nearest paragraph in another language is of
  the same article. Two paragraphs of each article; `centred`: with the mean of each language subtracted, as for topics.
- always: how long texts take, in seconds of one processor.

What does not: XQuAD's English questions (quality_search).

Run: python -m benchmarks.quality_models [--model FOLDER ...] [--claims DIR] [--languages DIR]
"""

import argparse
import csv
import json
import math
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.quality_search import Model, as_chunks, write_chunks
from resources.local_models.local_embedder import LocalModelEmbedder
from resources.models.embedder import WordLlamaEmbedder
from resources.tables.lance import LanceTables
from retrieval import candidates

_DEPTH = 10
# A document has three chunks on average, so this many chunks are of ten documents and more.
_CHUNKS = 60
_LANGUAGES = ("en", "de", "es", "ru", "zh")
_OF_AN_ARTICLE = 2


@dataclass(frozen=True, slots=True)
class Claims:
    """Documents and titles by id, claims by id, and the ids of the documents that bear on each claim."""

    documents: dict[str, str]
    titles: dict[str, str]
    claims: dict[str, str]
    relevant: dict[str, frozenset[str]]


def read_claims(folder: Path) -> Claims:
    """Read a folder of the layout of BEIR; only claims with relevant documents are kept."""
    with (folder / "qrels" / "test.tsv").open(newline="") as opened:
        judged = [row for row in csv.reader(opened, delimiter="\t") if row[2].isdigit() and int(row[2]) > 0]
    relevant = {claim: frozenset(row[1] for row in judged if row[0] == claim) for claim in {row[0] for row in judged}}
    documents = {one["_id"]: one for one in _lines(folder / "corpus.jsonl")}
    claims = {one["_id"]: one["text"] for one in _lines(folder / "queries.jsonl")}
    return Claims(
        {name: f"{one['title']}\n\n{one['text']}\n" for name, one in documents.items()},
        {name: one["title"] for name, one in documents.items()},
        {name: claims[name] for name in sorted(relevant, key=int)},
        relevant,
    )


def _lines(path: Path) -> Iterator[dict[str, str]]:
    # As bytes, since a text may hold what Python counts as the end of a line.
    return map(json.loads, path.read_bytes().splitlines())


def ndcg(ranked: Sequence[str], relevant: frozenset[str], depth: int = _DEPTH) -> float:
    """The normalised discounted cumulative gain of the first documents, for relevance 0 or 1 (Järvelin and Kekäläinen 2002)."""
    gain = sum(1 / math.log2(place + 2) for place, name in enumerate(ranked[:depth]) if name in relevant)
    return gain / sum(1 / math.log2(place + 2) for place in range(min(depth, len(relevant))))


def measure_claims(data: Claims, model: Model | None) -> dict[str, float]:
    """nDCG@10 of the combined method, of full text alone and of vectors alone."""
    with tempfile.TemporaryDirectory() as directory:
        tables = LanceTables(Path(directory))
        rows, searcher = write_chunks(tables, data.documents, data.titles, as_chunks, model)
        table = tables.open("chunks")
        bundled = WordLlamaEmbedder()

        def by_vector(claim: str) -> list[str]:
            vector = model.embed_query(claim) if model else bundled.embed_sync([claim])[0]
            return candidates.by_vector(table, vector, _CHUNKS, ["document_id"])["document_id"].to_pylist()

        methods: Mapping[str, Callable[[str], list[str]]] = {
            "fused": lambda claim: [hit.document for hit in searcher.search(claim, _CHUNKS)],
            "text": lambda claim: candidates.by_text(table, claim, _CHUNKS, ["document_id"])["document_id"].to_pylist(),
            "vectors": by_vector,
        }
        return {
            "chunks": rows,
            **{
                name: round(
                    statistics.fmean(
                        ndcg(list(dict.fromkeys(method(text))), data.relevant[claim])
                        for claim, text in data.claims.items()
                    ),
                    4,
                )
                for name, method in methods.items()
            },
        }


def measure_languages(folder: Path, embed: Callable[[Sequence[str]], NDArray[np.float32]]) -> dict[str, float]:
    """How often the nearest paragraph in another language is of the same article."""
    texts, articles, languages = [], [], []
    for code in _LANGUAGES:
        for number, article in enumerate(json.loads((folder / f"xquad.{code}.json").read_text())["data"]):
            for paragraph in article["paragraphs"][:_OF_AN_ARTICLE]:
                texts.append(paragraph["context"])
                articles.append(number)
                languages.append(code)
    vectors = np.stack([embed([text[start:end] for start, end in as_chunks(text)]).mean(axis=0) for text in texts])
    article, language = np.array(articles), np.array(languages)
    means = {code: vectors[language == code].mean(axis=0) for code in _LANGUAGES}
    centred = vectors - np.stack([means[code] for code in languages])
    return {
        "paragraphs": len(texts),
        "as they are": _same_article(vectors, article, language),
        "centred": _same_article(centred, article, language),
    }


def _same_article(vectors: NDArray[np.float32], article: NDArray[Any], language: NDArray[Any]) -> float:
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    products = unit @ unit.T
    products[language[:, None] == language[None, :]] = -np.inf
    return round(float((article[products.argmax(axis=1)] == article).mean()), 3)


def measure_speed(embed: Callable[[Sequence[str]], NDArray[np.float32]], texts: Sequence[str]) -> dict[str, float]:
    """Milliseconds of processor time for each text, all threads added up; the first text only loads the model."""
    embed(texts[:1])
    started = time.process_time()
    embed(texts)
    return {"texts": len(texts), "processor_ms": round((time.process_time() - started) / len(texts) * 1000, 1)}


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument(
        "--model", type=Path, action="append", default=[], help="the folder of a model; may be repeated"
    )
    parser.add_argument("--claims", type=Path, help="a folder of the layout of BEIR")
    parser.add_argument("--languages", type=Path, help="a folder with XQuAD")
    given = parser.parse_args()
    figures: dict[str, Any] = {}
    for folder in (None, *given.model):
        model = LocalModelEmbedder(folder) if folder else None
        embed = model.embed_sync if model else WordLlamaEmbedder().embed_sync
        found = figures[folder.name if folder else "bundled"] = {}
        if given.languages:
            found["languages"] = measure_languages(given.languages, embed)
        if given.claims:
            data = read_claims(given.claims)
            found["claims"] = measure_claims(data, model)
            texts = [text[:1000] for text in list(data.documents.values())[:100]]
            found["speed"] = measure_speed(embed, texts)
    print(json.dumps(figures, indent=2))


if __name__ == "__main__":
    main()
