"""Measures how good, how steady and how fast the clusters of topics are, offline.

What belongs here: the measurements. What does not: thresholds (tests).

Agreement: the adjusted Rand index with the labels of three corpora, as the mean of five seeds. The vectors are those of the
offline embedder over chunks as the pipeline cuts them. The label of an arXiv abstract is its subject, that of an XQuAD paragraph
is its article, and that of a PEP with one topic is this topic (the header that names it is left out). An outlier counts as a
cluster of its own. The comparison is k-means with the true number of labels, on the same vectors minus their mean.

Steadiness: several times, a random hundredth of the arXiv abstracts is added to the others; the sizes of clusters are limited so
that there are about 35. The figure is the share of clusters whose members are exactly those of before, not counting the added
ones. In `kept` the added ones count, too: a cluster that they joined needs a new summary. Requests: how many summaries are
written after the addition, as a share of those of all clusters when they are found from scratch.

Kept summaries: several times, a random hundredth is added to the others, without a limit on size, so that most corpora have a
few broad clusters; the figures are the shares of the summaries that are written again, with `resummarize_share` 0 and 0.1 (the
mean and the most). Besides the corpora with labels there are made ones, of which the sizes of the groups are given.

Speed: everything that a clustering does except reading text, with vectors drawn from a mixture of Gaussians. Each size runs in a
process of its own, so that its peak memory can be measured.

Run: python -m benchmarks.clustering [--json] [--corpora DIR] [--part agreement|steadiness|kept|speed ...]
"""

import argparse
import csv
import json
import random
import re
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.corpora import find_corpora
from benchmarks.quality_search import as_paragraphs
from resources.models.embedder import WordLlamaEmbedder
from seed_assets.core.clusters.cluster_rules import ClusterRules
from seed_assets.core.clusters.clustering import TopicDocument, cluster_topics
from seed_assets.core.clusters.clusters import Clustering
from seed_assets.core.text.chunking import Chunker

_PARTS = ("agreement", "steadiness", "kept", "speed")
_SEEDS = range(5)
_DRAWS = range(10)
_ADDED = 0.01
_SMALLEST = 3
_LARGEST = 30
_SIZES = (10_000, 100_000)
_DIMENSIONS = 256
_GAUSSIANS = 200
_RESUMMARIZE = (0.0, 0.1)
_MADE = {"2 groups": (100, 100), "4 groups": (80, 60, 40, 20), "5 groups": (40,) * 5, "1 and 10": (120, *(8,) * 10)}


@dataclass(frozen=True, slots=True)
class Labelled:
    """Documents, with the label that people gave to each."""

    documents: Sequence[TopicDocument]
    labels: Sequence[str]


def main() -> None:
    """Measure, and print the figures."""
    parser = argparse.ArgumentParser(description="Measures clusters of topics without a model.")
    parser.add_argument("--corpora", type=Path)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--part", choices=[*_PARTS], action="append")
    parser.add_argument("--vectors", type=int, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.vectors:
        print(json.dumps(speed(arguments.vectors)))
        return
    parts = arguments.part or [*_PARTS]
    figures: dict[str, Any] = {}
    if "agreement" in parts:
        figures["agreement"] = {
            name: agreement(read(find_corpora(arguments.corpora))) for name, read in CORPORA.items()
        }
    if "steadiness" in parts:
        figures["steadiness"] = steadiness(arxiv(find_corpora(arguments.corpora)))
    if "kept" in parts:
        labelled = {name: read(find_corpora(arguments.corpora)) for name, read in CORPORA.items()}
        made = {name: _groups_of(sizes) for name, sizes in _MADE.items()}
        figures["kept"] = {name: kept_summaries(one) for name, one in {**labelled, **made}.items()}
    if "speed" in parts:
        figures["speed"] = {str(count): _apart(count) for count in _SIZES}
    print(json.dumps(figures, indent=2) if arguments.json else "\n".join(_lines(figures)))


def agreement(labelled: Labelled) -> dict[str, Any]:
    """Return the adjusted Rand index for each seed, of our clusters and of k-means with the true number of clusters."""
    from sklearn.metrics import adjusted_rand_score

    found = [cluster_topics(labelled.documents, ClusterRules(_SMALLEST, 0, seed), None, None)[0] for seed in _SEEDS]
    ours = [adjusted_rand_score(labelled.labels, _numbers(one, labelled)) for one in found]
    told = [adjusted_rand_score(labelled.labels, _k_means(labelled, seed)) for seed in _SEEDS]
    return {
        "documents": len(labelled.documents),
        "labels": len(set(labelled.labels)),
        "clusters": [len(one.clusters) for one in found],
        "outliers": [sum(not place.cluster_id for place in one.placements.values()) for one in found],
        "ari": round(statistics.fmean(ours), 3),
        "ari_by_seed": [round(float(one), 3) for one in ours],
        "ari_of_k_means_told_the_number": round(statistics.fmean(told), 3),
    }


def _numbers(found: Clustering, labelled: Labelled) -> list[str]:
    places = (found.placements[document.document_id].cluster_id for document in labelled.documents)
    return [place or f"outlier {number}" for number, place in enumerate(places)]


def _k_means(labelled: Labelled, seed: int) -> NDArray[np.int32]:
    from sklearn.cluster import KMeans

    vectors = np.stack([document.vector for document in labelled.documents]).astype(np.float64)
    vectors -= vectors.mean(axis=0)
    vectors /= np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-9)
    found: Any = KMeans(len(set(labelled.labels)), n_init=10, random_state=seed)  # pyright: ignore[reportArgumentType]
    return found.fit_predict(vectors)


def steadiness(labelled: Labelled) -> dict[str, Any]:
    """Return which share of clusters stays when a few documents are added, with our method and when clustered from scratch."""
    rules = ClusterRules(_SMALLEST, _LARGEST)
    shares: dict[str, list[float]] = {"kept": [], "kept_but_for_added": [], "kept_from_scratch": [], "requests": []}
    counts: list[int] = []
    few = max(1, round(len(labelled.documents) * _ADDED))
    for draw in _DRAWS:
        shuffled = random.Random(draw).sample(labelled.documents, len(labelled.documents))
        added = {document.document_id for document in shuffled[:few]}
        before, basis = cluster_topics(shuffled[few:], rules, None, None)
        after, _ = cluster_topics(shuffled, rules, before, basis)
        again, _ = cluster_topics(shuffled, rules, before, basis, from_scratch=True)
        sets = {one.members for one in before.clusters}
        counts.append(len(sets))
        without = {tuple(d for d in one.members if d not in added) for one in after.clusters}
        shares["kept"].append(len(sets & {one.members for one in after.clusters}) / len(sets))
        shares["kept_but_for_added"].append(len(sets & without) / len(sets))
        written = sum(one.members not in sets for one in after.clusters)
        shares["requests"].append(written / len(again.clusters))
        shares["kept_from_scratch"].append(len(sets & {one.members for one in again.clusters}) / len(sets))
    return {
        "documents": len(labelled.documents),
        "added": few,
        "clusters": counts,
        **{name: round(statistics.fmean(some), 3) for name, some in shares.items()},
        "kept_least": round(min(shares["kept"]), 3),
        "requests_most": round(max(shares["requests"]), 3),
    }


def kept_summaries(labelled: Labelled) -> dict[str, Any]:
    """Return which share of the summaries is written again when a few documents are added, for each `resummarize_share`."""
    few = max(1, round(len(labelled.documents) * _ADDED))
    shares: dict[float, list[float]] = {share: [] for share in _RESUMMARIZE}
    counts: set[int] = set()
    for draw in _DRAWS:
        shuffled = random.Random(draw).sample(labelled.documents, len(labelled.documents))
        for share, written in shares.items():
            rules = ClusterRules(_SMALLEST, 0, resummarize_share=share)
            before, basis = cluster_topics(shuffled[few:], rules, None, None)
            after, _ = cluster_topics(shuffled, rules, before, basis)
            there = {one.summary_members for one in before.clusters}
            written.append(sum(one.summary_members not in there for one in after.clusters) / len(after.clusters))
            counts.add(len(there))
    figures = {
        f"share {share:g}": f"{statistics.fmean(written):.3f}, at most {max(written):.3f}"
        for share, written in shares.items()
    }
    return {"documents": len(labelled.documents), "added": few, "clusters": sorted(counts), **figures}


def _groups_of(sizes: Sequence[int]) -> Labelled:
    """Make documents without words, in groups of these sizes."""
    chance = np.random.default_rng(0)
    documents: list[TopicDocument] = []
    for group, size in enumerate(sizes):
        centre = chance.normal(size=_DIMENSIONS)
        vectors = (centre + 0.7 * chance.normal(size=(size, _DIMENSIONS))).astype(np.float32)
        documents += [TopicDocument(f"{group}-{number:04}", "", vector) for number, vector in enumerate(vectors)]
    return Labelled(documents, [document.document_id.split("-")[0] for document in documents])


def speed(count: int) -> dict[str, Any]:
    """Return the seconds and this process's peak memory for a clustering of so many vectors."""
    chance = np.random.default_rng(0)
    centres = chance.normal(size=(_GAUSSIANS, _DIMENSIONS)).astype(np.float32)
    noise = chance.normal(size=(count, _DIMENSIONS)).astype(np.float32)
    vectors = centres[chance.integers(_GAUSSIANS, size=count)] + 1.5 * noise
    del noise
    documents = [TopicDocument(f"{number:06}", "", vector) for number, vector in enumerate(vectors)]
    started = time.perf_counter()
    found, _ = cluster_topics(documents, ClusterRules(_SMALLEST, 0), None, None)
    return {
        "clusters": len(found.clusters),
        "seconds": round(time.perf_counter() - started, 1),
        "peak_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
    }


def _apart(count: int) -> dict[str, Any]:
    command = [sys.executable, "-m", "benchmarks.clustering", "--vectors", str(count)]
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def arxiv(corpora: Path) -> Labelled:
    """Read arXiv abstracts with title and authors. The label is the subject."""
    root = corpora / "clustering_arxiv"
    rows = _rows(root / "labels.csv")
    return _labelled({row["file"]: ((root / "docs" / row["file"]).read_text("utf-8"), row["label"]) for row in rows})


def xquad(corpora: Path) -> Labelled:
    """Read XQuAD paragraphs. The label is the article."""
    texts = {path.stem: path.read_text("utf-8") for path in (corpora / "qa_xquad" / "docs_en").glob("*.txt")}
    return _labelled(
        {
            f"{name}#{start}": (text[start:end], name)
            for name, text in texts.items()
            for start, end in as_paragraphs(text)
        }
    )


def peps(corpora: Path) -> Labelled:
    """Read PEPs without their header. The label is the topic."""
    root = corpora / "peps"
    rows = [
        row
        for row in _rows(root / "ground_truth.csv")
        if row["in_corpus"] == "1" and row["topic"] and ";" not in row["topic"]
    ]
    texts = {row["number"]: (root / "docs" / f"pep-{int(row['number']):04}.rst").read_text("utf-8") for row in rows}
    return _labelled(
        {row["number"]: (re.split(r"\n\s*\n", texts[row["number"]], maxsplit=1)[1], row["topic"]) for row in rows}
    )


CORPORA: Mapping[str, Callable[[Path], Labelled]] = {"arxiv": arxiv, "xquad": xquad, "peps": peps}


def _labelled(texts: Mapping[str, tuple[str, str]]) -> Labelled:
    """Make documents from texts with labels, as the pipeline makes them."""
    embedder, chunker = WordLlamaEmbedder(), Chunker()
    documents: list[TopicDocument] = []
    for document_id, (text, _) in sorted(texts.items()):
        vectors = embedder.embed_sync([chunk.in_context for chunk in chunker.chunk(text, "").chunks])
        documents.append(TopicDocument(document_id, text, vectors.mean(axis=0)))
    return Labelled(documents, [label for _, (_, label) in sorted(texts.items())])


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as opened:
        return list(csv.DictReader(opened))


def _lines(figures: Mapping[str, Any], indent: str = "") -> list[str]:
    lines: list[str] = []
    for name, value in figures.items():
        if isinstance(value, Mapping):
            lines += [f"{indent}{name}", *_lines(value, indent + "  ")]
        else:
            lines.append(f"{indent}{name:32} {value}")
    return lines


if __name__ == "__main__":
    main()
