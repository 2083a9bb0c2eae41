"""Measures how well offline concepts agree with keyphrases that people noted.

What belongs here: the measurement. What does not: the sets (read from a folder, they are not part of the project), and the other
figures of concepts (quality.py).

A set is a folder with `docsutf8/NAME.txt` and `keys/NAME.key`, one keyphrase per line, as Inspec, SemEval 2017 and 500N-KPCrowd
are published. The figure is F1 of the first 5, 10 and 15 concepts, counted over all texts together (micro); two phrases are equal
if the Porter stems of their words are.

Run: python -m benchmarks.quality_keyphrases DIR [DIR ...] [--odd]
"""

import argparse
import re
from collections.abc import Sequence
from pathlib import Path

from benchmarks.rouge import stem
from resources.models.embedder import WordLlamaEmbedder
from seed_assets.core.concepts.concepts import StatisticalConceptExtractor

_FIRST = (5, 10, 15)


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure each set, and print a line for it."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("sets", nargs="+", type=Path, metavar="DIR")
    parser.add_argument("--odd", action="store_true", help="only every second text, on which nothing was tuned")
    options = parser.parse_args(arguments)
    for folder in options.sets:
        documents = read_set(folder)[1 if options.odd else 0 :: 2 if options.odd else 1]
        figures = "  ".join(f"F1@{first} {value:.3f}" for first, value in measure(documents).items())
        print(f"{folder.name}: {len(documents)} texts  {figures}")


def read_set(folder: Path) -> list[tuple[str, list[str]]]:
    """Return the texts with their keyphrases, by name. Raises OSError if a file is missing."""
    return [
        (
            path.read_text("utf-8", "replace"),
            (folder / "keys" / f"{path.stem}.key").read_text("utf-8", "replace").splitlines(),
        )
        for path in sorted((folder / "docsutf8").glob("*.txt"))
    ]


def measure(documents: Sequence[tuple[str, Sequence[str]]]) -> dict[int, float]:
    """Return F1 by the number of concepts that are compared."""
    extractor = StatisticalConceptExtractor(WordLlamaEmbedder(), count=max(_FIRST))
    found = [
        ([stems(concept.name) for concept in extractor.extract_sync(text, "").concepts], {*map(stems, keys)} - {""})
        for text, keys in documents
    ]
    return {first: f1([(names[:first], keys) for names, keys in found]) for first in _FIRST}


def stems(phrase: str) -> str:
    """Return the Porter stems of a phrase's words, with spaces between them."""
    return " ".join(map(stem, re.findall(r"[^\W_]+", phrase.lower())))


def f1(found: Sequence[tuple[Sequence[str], set[str]]]) -> float:
    """Return F1 of names against keys, counted over all texts together."""
    hits = sum(len(keys.intersection(names)) for names, keys in found)
    named = sum(len(set(names)) for names, _ in found)
    wanted = sum(len(keys) for _, keys in found)
    return 2 * hits / (named + wanted) if hits else 0.0


if __name__ == "__main__":
    main()
