"""Measures how good the offline summaries, concepts and search are, on corpora with known answers.

What belongs here: the measurements of summaries and concepts, and the table of all figures. What does not: search
(quality_search.py), the measure of summaries (rouge.py), thresholds (tests).

Summaries of 200 words are compared with the plots of the stories in judge_squality (question 1, four references). Each measure
uses the reference with the best result, and the figure is the mean over stories. They are compared with the first sentences of
the story and with random ones, of 8 to 60 words each, up to the same 200 words. Summaries of 100 words are made of PEPs without
their abstract, and compared with the abstract.

Concepts: the figure is the share of the words of a held-out title that are in the 15 phrases, as the mean over documents; exactly
and by stem. The words of a title are its runs of ASCII letters and digits without function words. Held out means that the
extractor gets an empty title, and a text without the header block (PEPs) or without the first two paragraphs, title and authors
(arXiv). Repetitions of the title in the text itself stay. The comparison is with the 15 most frequent words.

Run: python -m benchmarks.quality [--json] [--corpora DIR]
"""

import argparse
import csv
import json
import random
import re
import statistics
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from itertools import zip_longest
from pathlib import Path
from typing import Any

from benchmarks.corpora import find_corpora
from benchmarks.rouge import best_rouge, stem
from resources.models.embedder import WordLlamaEmbedder
from seed_assets.core.concepts.concepts import StatisticalConceptExtractor
from seed_assets.core.summaries.summarizing import ExtractiveSummarizer
from seed_assets.core.text.sentences import split_sentences
from seed_assets.core.text.words import WORD, count_words

_PHRASES = 15
_HEADING = re.compile(r"^(?P<heading>\S.*)\n([=\-~`'^\"*+#])\2{2,}\s*$", re.MULTILINE)
_FUNCTION_WORDS = """
a about above after again against all also among an and any are as at be because been before being below between
both but by can could did do does down during e each either etc few first for from further g given had has have
having he hence her here his how however i if in into is it its itself just many may me might more most much must
my neither new no nor not now of off on once one only onto or other our out over own per s same second several
shall she should since so some such t than that the their them then there therefore these they this those though
through thus to too toward towards two under unless until up upon us use used uses using versus very via vs was we
were what when where whether which while who whom whose why will with within without would you your
"""
Documents = Mapping[str, tuple[str, str]]
"""File name -> the text, and the part that is held out of it."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, and print the figures as a table or as one JSON object."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--corpora", type=Path, default=None, metavar="DIR")
    options = parser.parse_args(arguments)
    figures = measure(find_corpora(options.corpora))
    print(json.dumps(figures, indent=2) if options.json else "\n".join(_lines(figures)))


def measure(corpora: Path) -> dict[str, Any]:
    """Return the figures of every part whose corpus is in `corpora`. Prints a sentence for a part whose corpus is missing."""
    parts: dict[str, tuple[str, Callable[[Path], Any]]] = {
        "summaries_of_plots": ("judge_squality", summaries_of_plots),
        "summaries_as_abstracts": ("peps", summaries_as_abstracts),
        "concepts_of_peps_212": ("peps", lambda root: concepts_of_peps(root, "subset_212.txt")),
        "concepts_of_peps_all": ("peps", lambda root: concepts_of_peps(root, "subset_all.txt")),
        "concepts_of_arxiv": ("clustering_arxiv", lambda root: _concepts(_arxiv(root))),
        "search_of_xquad": ("qa_xquad", _search),
    }
    return {
        name: part(corpora) if (corpora / corpus).is_dir() else f"{corpus} is not in {corpora}"
        for name, (corpus, part) in parts.items()
    }


def summaries_of_plots(corpora: Path) -> dict[str, Any]:
    """Return ROUGE at 200 words against the four plots of each story, also for first and for random sentences."""
    root = corpora / "judge_squality"
    references: dict[str, list[str]] = {}
    for row in _rows(root / "reference_summaries.csv"):
        if row["question_number"] == "1":
            references.setdefault(row["passage_id"], []).append(row["reference"])
    stories = [
        ((root / "docs" / row["file"]).read_text("utf-8"), references[row["passage_id"]])
        for row in _rows(root / "documents.csv")
    ]
    return _summaries(stories, words=200)


def summaries_as_abstracts(corpora: Path) -> dict[str, Any]:
    """Return ROUGE at 100 words, of PEPs with more than 800 words without the abstract, against an abstract of 40 or more."""
    cases: list[tuple[str, list[str]]] = []
    for text, _ in _peps(corpora, "subset_212.txt").values():
        headings = list(_HEADING.finditer(text))
        for heading, following in zip_longest(headings, headings[1:]):
            if heading is not None and heading["heading"].strip().lower() == "abstract":
                end = following.start() if following else len(text)
                abstract = text[heading.end() : end].strip()
                if len(abstract.split()) >= 40 and len(text.split()) > 800:
                    cases.append((text[: heading.start()] + text[end:], [abstract]))
                break
    return _summaries(cases, words=100)


def concepts_of_peps(corpora: Path, subset: str) -> dict[str, Any]:
    """Return the share of held-out title words that are in the 15 phrases of a document, and in its 15 most frequent words."""
    return _concepts(_peps(corpora, subset))


def _concepts(documents: Documents) -> dict[str, Any]:
    extractor = StatisticalConceptExtractor(WordLlamaEmbedder(), count=_PHRASES)
    extractor.extract_sync("warm up", "")
    shares: dict[str, list[tuple[float, float]]] = {"phrases": [], "frequent_words": []}
    seconds: list[float] = []
    for text, title in documents.values():
        wanted = _content_words(title)
        if not wanted:
            continue
        started = time.perf_counter()
        found = extractor.extract_sync(text, "").concepts
        seconds.append(time.perf_counter() - started)
        shares["phrases"].append(_shares(wanted, {word for one in found for word in _content_words(one.name)}))
        shares["frequent_words"].append(_shares(wanted, _frequent_words(text)))
    figures: dict[str, Any] = {"documents": len(seconds)}
    for method, of_method in shares.items():
        exact, stemmed = (round(statistics.fmean(column), 4) for column in zip(*of_method, strict=True))
        figures[method] = {"exact": exact, "stemmed": stemmed}
    figures["phrases"] |= _times(seconds)
    return figures


def _search(corpora: Path) -> dict[str, Any]:
    from benchmarks import quality_search

    return quality_search.measure(corpora)


def _summaries(cases: Sequence[tuple[str, Sequence[str]]], words: int) -> dict[str, Any]:
    summarizer = ExtractiveSummarizer(WordLlamaEmbedder(), words)
    summarizer.summarize_sync("Warm up.", "")
    chance = random.Random(0)
    methods: dict[str, Callable[[str], str]] = {
        "summarizer": lambda text: summarizer.summarize_sync(text, "").text,
        "first_sentences": lambda text: " ".join(" ".join(_usual_sentences(text)).split()[:words]),
        "random_sentences": lambda text: " ".join(" ".join(_shuffled(_usual_sentences(text), chance)).split()[:words]),
    }
    figures: dict[str, Any] = {"documents": len(cases)}
    for name, method in methods.items():
        seconds: list[float] = []
        made: list[str] = []
        for text, _ in cases:
            started = time.perf_counter()
            made.append(method(text))
            seconds.append(time.perf_counter() - started)
        scores = [best_rouge(summary, references) for summary, (_, references) in zip(made, cases, strict=True)]
        figures[name] = {
            "rouge_1": round(statistics.fmean(score.rouge_1 for score in scores), 4),
            "rouge_2": round(statistics.fmean(score.rouge_2 for score in scores), 4),
            "rouge_l": round(statistics.fmean(score.rouge_l for score in scores), 4),
            "mean_words": round(statistics.fmean(len(summary.split()) for summary in made), 1),
        }
        if name == "summarizer":
            figures[name] |= _times(seconds)
    return figures


def _usual_sentences(text: str) -> list[str]:
    sentences = (" ".join(text[slice(*span)].split()) for span in split_sentences(text))
    return [sentence for sentence in sentences if 8 <= count_words(sentence) <= 60]


def _shuffled(sentences: Sequence[str], chance: random.Random) -> list[str]:
    return chance.sample(sentences, len(sentences))


def _content_words(text: str) -> set[str]:
    return set(re.findall(r"[a-z0-9]+", text.lower())).difference(_FUNCTION_WORDS.split())


def _frequent_words(text: str) -> set[str]:
    counts = Counter(match.group().lower() for match in WORD.finditer(text))
    content = (word for word, _ in counts.most_common() if len(word) > 1 and _content_words(word))
    return {part for word, _ in zip(content, range(_PHRASES), strict=False) for part in _content_words(word)}


def _shares(wanted: set[str], found: set[str]) -> tuple[float, float]:
    stems = {stem(word) for word in wanted}
    return len(wanted & found) / len(wanted), len(stems & {stem(word) for word in found}) / len(stems)


def _peps(corpora: Path, subset: str) -> Documents:
    root = corpora / "peps"
    names = {
        line.strip().rpartition("/")[2] for line in (root / subset).read_text("utf-8").splitlines() if line.strip()
    }
    titles = {row["file"].rpartition("/")[2]: row["title"] for row in _rows(root / "ground_truth.csv")}
    return {
        name: (re.split(r"\n\s*\n", (root / "docs" / name).read_text("utf-8"), maxsplit=1)[1], titles[name])
        for name in sorted(names)
    }


def _arxiv(corpora: Path) -> Documents:
    root = corpora / "clustering_arxiv"
    return {
        row["file"]: ((root / "docs" / row["file"]).read_text("utf-8").split("\n\n", 2)[2], row["title"])
        for row in _rows(root / "labels.csv")
    }


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as opened:
        return list(csv.DictReader(opened))


def _times(seconds: Sequence[float]) -> dict[str, float]:
    return {
        "mean_ms": round(statistics.fmean(seconds) * 1000, 1),
        "median_ms": round(statistics.median(seconds) * 1000, 1),
        "max_ms": round(max(seconds) * 1000, 1),
    }


def _lines(figures: Mapping[str, Any], indent: str = "") -> list[str]:
    lines: list[str] = []
    for name, value in figures.items():
        if isinstance(value, Mapping) and any(isinstance(inner, Mapping) for inner in value.values()):
            lines += [f"{indent}{name}", *_lines(value, indent + "  ")]
        elif isinstance(value, Mapping):
            lines.append(f"{indent}{name:18} " + "  ".join(f"{inner} {figure}" for inner, figure in value.items()))
        else:
            lines.append(f"{indent}{name:18} {value}")
    return lines


if __name__ == "__main__":
    main()
