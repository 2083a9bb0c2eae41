"""Measures how good the categories are, offline.

What belongs here: the measurements. What does not: thresholds (tests).

Agreement: the adjusted Rand index with the sections that people made: subjects of arXiv abstracts, topics of PEPs, articles of
XQuAD's paragraphs, and (with --sections) the folders of a directory of text files. A document counts for the first of its
categories; one without a category counts as a category of its own in `agreement`, and is left out in `agreement_of_categorized`.

Named: the share of a category's documents in whose text, or concepts, its name literally occurs; the mean and the least of all
categories. Coherence: the mean normalized pointwise mutual information of the ten concepts' words that most documents of a
category have, over the documents of the corpus (-1 to 1). Old and new versions can be compared by it.

With --sample, so many categories are printed for a person to judge, drawn from all corpora in turn.

Run: python -m benchmarks.categories [--json] [--corpora DIR] [--sections DIR] [--most N] [--sample N]
"""

import argparse
import asyncio
import hashlib
import json
import random
import statistics
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from math import log
from pathlib import Path
from typing import Any

from benchmarks.clustering import Labelled, arxiv, peps, xquad
from benchmarks.corpora import find_corpora
from resources.models.embedder import WordLlamaEmbedder
from seed_assets.core.clusters.categories import ConceptDocument, make_categories
from seed_assets.core.clusters.category_terms import is_word, words_of
from seed_assets.core.clusters.cluster_rules import CategoryRules
from seed_assets.core.clusters.clusters import Categories
from seed_assets.core.clusters.topic_space import TopicDocument
from seed_assets.core.concepts.concepts import StatisticalConceptExtractor
from seed_assets.core.text.chunking import Chunker

_SMALLEST = 3
_COMPARED = 10
_SHOWN_CONCEPTS, _SHOWN_DOCUMENTS = 12, 6
_MOST_DOCUMENTS = 500


@dataclass(frozen=True, slots=True)
class Sectioned:
    """Documents with their concepts, and the section that people gave to each; "" for none."""

    documents: Sequence[ConceptDocument]
    sections: Sequence[str]


def main() -> None:
    """Measure, and print the figures."""
    parser = argparse.ArgumentParser(description="Measures categories without a model.")
    parser.add_argument("--corpora", type=Path)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--sections", type=Path, action="append", default=[], help="text files in a folder per section")
    parser.add_argument("--most", type=int, default=_MOST_DOCUMENTS, help="the most documents of such a directory")
    parser.add_argument("--sample", type=int, default=0, help="so many categories are printed to be judged")
    arguments = parser.parse_args()
    root = find_corpora(arguments.corpora)
    read: dict[str, Labelled] = {"arxiv": arxiv(root), "peps of one topic": peps(root), "xquad": xquad(root)}
    read |= {"212 peps": all_peps(root), "redocred": redocred(root)}
    read |= {path.name: sections(path, arguments.most) for path in arguments.sections}
    corpora = {name: _with_concepts(labelled) for name, labelled in read.items()}
    made: dict[str, Categories] = {}
    figures: dict[str, Any] = {}
    for name, sectioned in corpora.items():
        started = time.process_time()
        made[name] = make_categories(sectioned.documents, CategoryRules(_SMALLEST), None)
        seconds = time.process_time() - started
        figures[name] = measured(sectioned, made[name]) | {"processor_seconds": round(seconds, 2)}
    print(json.dumps(figures, indent=2) if arguments.json else "\n".join(_lines(figures)))
    if arguments.sample:
        print("\n".join(_sample(corpora, made, arguments.sample)))


def measured(sectioned: Sectioned, found: Categories) -> dict[str, Any]:
    """Return the figures of the categories of one corpus."""
    members = members_of(sectioned.documents, found)
    categorized = {at for held in members for at in held}
    named = [
        sum(_has(sectioned.documents[at], one.name) for at in held) / len(held)
        for one, held in zip(found.categories, members, strict=True)
    ]
    return {
        "documents": len(sectioned.documents),
        "sections": len(set(sectioned.sections) - {""}),
        "categories": len(found.categories),
        "categorized": round(len(categorized) / len(sectioned.documents), 3),
        **_agreement(sectioned.sections, members),
        "named": round(statistics.fmean(named), 3) if named else None,
        "named_least": round(min(named), 3) if named else None,
        "coherence": _coherence(sectioned.documents, members),
        "names": ", ".join(one.name for one in found.categories),
    }


def members_of(documents: Sequence[ConceptDocument], found: Categories) -> list[list[int]]:
    """Return the places of the documents of each category."""
    of_concept = {name: at for at, one in enumerate(found.categories) for name in one.concepts}
    members: list[list[int]] = [[] for _ in found.categories]
    for at, document in enumerate(documents):
        for category in sorted({of_concept[name] for name in document.concepts if name in of_concept}):
            members[category].append(at)
    return members


def _agreement(sections: Sequence[str], members: Sequence[Sequence[int]]) -> dict[str, float]:
    from sklearn.metrics import adjusted_rand_score

    if len(set(sections)) < 2 or "" in sections:
        return {}
    first: dict[int, str] = {}
    for category, held in enumerate(members):
        for at in held:
            first.setdefault(at, str(category))
    own = [first.get(at, f"alone {at}") for at in range(len(sections))]
    some = sorted(first)
    return {
        "agreement": round(float(adjusted_rand_score(sections, own)), 3),
        "agreement_of_categorized": round(
            float(adjusted_rand_score([sections[at] for at in some], [first[at] for at in some])), 3
        ),
    }


def _has(document: ConceptDocument, name: str) -> bool:
    """Whether a name occurs, in whatever way its words are broken into lines."""
    return name in " ".join(words_of(document.text)) or any(name in concept.casefold() for concept in document.concepts)


def _coherence(documents: Sequence[ConceptDocument], members: Sequence[Sequence[int]]) -> float | None:
    """Return the mean NPMI of all pairs of words that most documents of a category have in their concepts."""
    spoken = [{word for name in d.concepts for word in words_of(name) if is_word(word)} for d in documents]
    occurring = [set(words_of(document.text)) | own for document, own in zip(documents, spoken, strict=True)]
    found: list[float] = []
    for held in members:
        counts = Counter(word for at in held for word in spoken[at])
        words = sorted(counts, key=lambda word: (-counts[word], word))[:_COMPARED]
        holders = {word: {at for at, has in enumerate(occurring) if word in has} for word in words}
        found += [_npmi(holders[one], holders[other], len(documents)) for one, other in combinations(words, 2)]
    return round(statistics.fmean(found), 3) if found else None


def _npmi(one: set[int], other: set[int], total: int) -> float:
    both = len(one & other)
    if both in (0, total):
        return -1.0 if not both else 0.0
    return log(both * total / (len(one) * len(other))) / -log(both / total)


def all_peps(corpora: Path) -> Labelled:
    """Read 212 PEPs as they are, with their headers. They have no sections."""
    root = corpora / "peps"
    names = [Path(line).name for line in (root / "subset_212.txt").read_text("utf-8").split()]
    return _unlabelled({name: (root / "docs" / name).read_text("utf-8") for name in names})


def redocred(corpora: Path) -> Labelled:
    """Read 212 encyclopedia articles, mostly about people and places. They have no sections."""
    return _unlabelled({path.stem: path.read_text("utf-8") for path in (corpora / "redocred" / "docs").glob("*.txt")})


def sections(root: Path, most: int) -> Labelled:
    """Read at most so many text files of a directory, chosen by the digests of their names; a folder is a section."""
    paths = [path for path in root.glob("*/*.*") if path.suffix in {".txt", ".md", ".rst"}]
    paths = sorted(paths, key=lambda path: hashlib.sha256(str(path.relative_to(root)).encode()).digest())[:most]
    texts = {str(path.relative_to(root)): path.read_text("utf-8", errors="replace") for path in paths}
    documents = _unlabelled(texts).documents
    return Labelled(documents, [Path(document.document_id).parts[0] for document in documents])


def _unlabelled(texts: Mapping[str, str]) -> Labelled:
    embedder, chunker = WordLlamaEmbedder(), Chunker()
    documents: list[TopicDocument] = []
    for document_id, text in sorted(texts.items()):
        vectors = embedder.embed_sync([chunk.in_context for chunk in chunker.chunk(text, "").chunks])
        documents.append(TopicDocument(document_id, text, vectors.mean(axis=0)))
    return Labelled(documents, [""] * len(documents))


def _with_concepts(labelled: Labelled) -> Sectioned:
    """Find the concepts of the documents, as the pipeline finds them."""
    extractor = StatisticalConceptExtractor(WordLlamaEmbedder())

    async def found(document: TopicDocument) -> ConceptDocument:
        concepts = await extractor.extract(document.text, "")
        return ConceptDocument(document.document_id, document.text, concepts.names, document.vector)

    return Sectioned([asyncio.run(found(document)) for document in labelled.documents], labelled.labels)


def _sample(corpora: Mapping[str, Sectioned], made: Mapping[str, Categories], count: int) -> list[str]:
    """Return the lines that show categories drawn at random, from each corpus in turn."""
    drawn: dict[str, list[int]] = {
        name: random.Random(name).sample(range(len(found.categories)), len(found.categories))
        for name, found in made.items()
    }
    turns = [(name, at) for turn in range(count) for name, order in drawn.items() for at in order[turn : turn + 1]]
    lines: list[str] = []
    for number, (name, at) in enumerate(turns[:count], 1):
        documents, one = corpora[name].documents, made[name].categories[at]
        held = members_of(documents, made[name])[at]
        some = random.Random(one.name).sample(held, min(_SHOWN_DOCUMENTS, len(held)))
        lines += [
            f"{number}. {one.name} ({name}; {len(held)} documents, {len(one.concepts)} concepts)",
            f"   concepts: {'; '.join(one.concepts[:_SHOWN_CONCEPTS])}",
            *(f"   document: {' '.join(documents[at].text.split())[:160]}" for at in some),
        ]
    return lines


def _lines(figures: Mapping[str, Mapping[str, Any]]) -> list[str]:
    return [line for name, one in figures.items() for line in (name, *(f"  {key:26} {one[key]}" for key in one))]


if __name__ == "__main__":
    main()
