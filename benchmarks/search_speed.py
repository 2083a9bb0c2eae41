"""Measures how long a search takes and how much memory it needs, by the number of chunks.

What belongs here: time and memory. What does not: how good the results are (quality_search).

The chunks are made from the sentences of the test corpora: each is as long as a real chunk, and its sentences are drawn from all
texts. So words are as frequent as in real texts. The searches are XQuAD's questions, each once, in a process of its own.
`processor_ms` is what the whole process used for one search, which depends less on other work of the machine than `p95_ms`.

Run: python -m benchmarks.search_speed CHUNKS [--corpora DIR] [--keep DIR]
"""

import argparse
import json
import os
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks.corpora import find_corpora
from benchmarks.quality_search import as_chunks, read_corpus

_TEXTS = ("peps/docs/*.rst", "qa_xquad/docs_en/*", "judge_squality/docs/*", "clustering_arxiv/docs/*")
_CHUNKS_A_DOCUMENT = 20
_ROWS_A_WRITE = 10_000
_SEARCHES = 300
_LIMIT = 10


def build(directory: Path, corpora: Path, chunks: int) -> None:
    """Write the table with so many chunks, and its indexes."""
    import numpy as np
    import pyarrow as pa

    from resources.models.embedder import WordLlamaEmbedder
    from resources.tables.lance import LanceTables
    from resources.tables.lance_indexes import ensure_indexes
    from resources.tables.lance_schema import TABLES
    from retrieval.passage_features import features_of
    from retrieval.stored_features import COLUMNS

    embedder, tables = WordLlamaEmbedder(), LanceTables(directory)
    made = _texts(corpora)
    for first in range(0, chunks, _ROWS_A_WRITE):
        numbers = range(first, min(chunks, first + _ROWS_A_WRITE))
        texts = [next(made) for _ in numbers]
        documents = [f"made/{number // _CHUNKS_A_DOCUMENT:06}.md" for number in numbers]
        vectors = embedder.embed_sync(texts)
        features = [features_of(text, embedder).columns for text in texts]
        columns = {
            "chunk_id": [f"made#{number}" for number in numbers],
            "document_id": documents,
            "index": [number % _CHUNKS_A_DOCUMENT for number in numbers],
            "title": [" ".join(text.split()[:6]) for text in texts],
            "text": texts,
            "start": [0] * len(texts),
            "end": [len(text) for text in texts],
            "vector": list(np.asarray(vectors)),
            **{name: [one[name] for one in features] for name in COLUMNS},
            "content_digest": ["measured"] * len(texts),
        }
        rows = pa.table(columns, schema=TABLES["chunks"].schema(vectors.shape[1]))
        tables.write("chunks", rows, sorted(set(documents)))
    ensure_indexes(tables)


def _texts(corpora: Path) -> Iterator[str]:
    """Texts as long as the chunks of the corpora, without end."""
    from seed_assets.core.text.sentences import split_sentences

    chance = random.Random(0)
    pool: list[str] = []
    lengths: list[int] = []
    for pattern in _TEXTS:
        for path in sorted(corpora.glob(pattern)):
            text = path.read_text(errors="replace")
            pool += [text[start:end] for start, end in split_sentences(text)]
            lengths += [end - start for start, end in as_chunks(text)]
    while True:
        wanted, chosen = chance.choice(lengths), [chance.choice(pool)]
        while sum(map(len, chosen)) < wanted:
            chosen.append(chance.choice(pool))
        yield " ".join(chosen)[: 2 * wanted]


def measure(directory: Path, corpora: Path) -> dict[str, Any]:
    """Search in this process, and return the figures."""
    from resources.models.embedder import WordLlamaEmbedder
    from resources.tables.lance import LanceTables
    from retrieval.search import Searcher

    _, questions = read_corpus(corpora)
    searcher = Searcher(LanceTables(directory), WordLlamaEmbedder())
    for question in questions[:20]:
        searcher.search(question.text, _LIMIT)
    seconds: list[float] = []
    spent = time.process_time()
    for question in questions[20 : 20 + _SEARCHES]:
        began = time.perf_counter()
        searcher.search(question.text, _LIMIT)
        seconds.append(time.perf_counter() - began)
    spent = time.process_time() - spent
    seconds.sort()
    return {
        "p50_ms": round(1000 * seconds[len(seconds) // 2], 1),
        "p95_ms": round(1000 * seconds[int(len(seconds) * 0.95)], 1),
        "processor_ms": round(1000 * spent / len(seconds), 1),
        "peak_memory_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10,
    }


def main() -> None:
    """Print the figures as one JSON object."""
    parser = argparse.ArgumentParser(description="Measures how long a search takes and how much memory it needs.")
    parser.add_argument("chunks", type=int)
    parser.add_argument("--corpora", type=Path)
    parser.add_argument("--keep", type=Path, metavar="DIR", help="keep the table here, and use it if it is there")
    parser.add_argument("--measure", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args()
    corpora = find_corpora(given.corpora)
    if given.measure:
        print(json.dumps({"chunks": given.chunks, **measure(given.keep, corpora)}, indent=2))
        return
    with tempfile.TemporaryDirectory() as temporary:
        directory = given.keep or Path(temporary)
        if not (directory / "chunks.lance").is_dir():
            build(directory, corpora, given.chunks)
        command = (sys.executable, "-m", "benchmarks.search_speed", str(given.chunks), "--measure")
        # Building takes memory that searching does not need.
        # Products of matrices are computed in one thread, as in the command.
        environment = os.environ | {"OPENBLAS_NUM_THREADS": "1"}
        subprocess.run([*command, "--keep", str(directory), "--corpora", str(corpora)], check=True, env=environment)


if __name__ == "__main__":
    main()
