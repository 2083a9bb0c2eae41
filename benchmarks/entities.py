"""Measures how good entities are without a model.

What belongs here: the measurements. What does not: thresholds (tests).

On Re-DocRED (redocred): exact spans of names against the annotated ones, the same with their types (person, organisation, place,
and everything else), and B-cubed F1 of the mentions of a document that were found. The rules were chosen with the documents of
even number; those of odd number are reported as well. Titles are left out on both sides, since they are not annotated.

With --resolution: each document is cut into two, and twelve names are given to two people of different documents each.
B-cubed F1 of all names of two and more words (equal names are one entity, except for the namesakes), of those that are in
several documents, and of the namesakes. Weights were chosen with the documents of even number. Then generated documents:
100,000 mentions are resolved from scratch, with one percent more, with one more document, and with 85 fewer.

With --relations: of the annotated relations, how many have both ends among the 20 strongest pairs of a document; weights were
learnt on the documents of even number. With --records: pairs of records that are one (see entity_records).

Run: python -m benchmarks.entities [--json] [--corpora DIR] [--resolution] [--relations] [--records [--papers DIR]]
"""

import argparse
import json
import time
from collections.abc import Hashable, Iterator, Mapping, Sequence
from pathlib import Path

from benchmarks.corpora import find_corpora
from benchmarks.entity_records import record_figures
from benchmarks.entity_relations import relation_figures
from benchmarks.entity_resolution import Annotated, b_cubed, resolution_figures
from seed_assets.core.entities.entities import Entities, entities_in
from seed_assets.core.entities.name_types import AMOUNT, DATE, ORGANISATION, PERSON, PLACE, TYPES
from seed_assets.core.text.words import Span

_NAMES = ("PER", "ORG", "LOC", "MISC")
_LABELS = {PERSON: "PER", ORGANISATION: "ORG", PLACE: "LOC"}


def main() -> None:
    """Measure, and print the figures."""
    parser = argparse.ArgumentParser(description="Measures entities without a model.")
    parser.add_argument("--corpora", type=Path)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--resolution", action="store_true", help="also measure entities over documents")
    parser.add_argument("--relations", action="store_true", help="also measure relations")
    parser.add_argument("--records", action="store_true", help="also measure records")
    parser.add_argument("--papers", type=Path, help="the folder of bibliographic records")
    arguments = parser.parse_args()
    corpora = find_corpora(arguments.corpora)
    documents = list(redocred(corpora))
    started = time.process_time()
    found = [entities_in(one.text, one.title, list(TYPES), {}) for one in documents]
    seconds = time.process_time() - started
    halves = {"chosen with": slice(0, None, 2), "kept aside": slice(1, None, 2), "all": slice(None)}
    figures = {name: _figures(documents[half], found[half]) for name, half in halves.items()}
    over_documents = dict(resolution_figures(documents)) if arguments.resolution else {}
    if arguments.relations:
        over_documents |= relation_figures(corpora, documents, found)
    if arguments.records:
        over_documents |= record_figures(corpora, arguments.papers)
    if arguments.json:
        print(json.dumps({"redocred": figures, "seconds": round(seconds, 2), "resolution": over_documents}))
        return
    for name, values in figures.items():
        print(f"{name:12}" + "  ".join(f"{figure} {value:.3f}" for figure, value in values.items()))
    for name, values in over_documents.items():
        print(f"{name:24}" + "  ".join(f"{figure} {value:,.3f}" for figure, value in values.items()))
    print(f"{sum(len(one.text) for one in documents):,} characters in {seconds:.1f} s of processor time")


def redocred(corpora: Path) -> Iterator[Annotated]:
    """Yield the documents of Re-DocRED, whose annotated tokens are found again in the texts."""
    folder = corpora / "redocred"
    for line in (folder / "annotated.jsonl").read_text("utf-8").splitlines():
        row = json.loads(line)
        text = (folder / "docs" / row["file"]).read_text("utf-8")
        at = len(row["title"]) if text.startswith(row["title"]) else 0
        places: list[list[Span]] = []
        for sentence in row["sents"]:
            places.append([])
            for token in sentence:
                start, at = _token_place(text, token, at)
                places[-1].append((start, at))
        yield Annotated(
            row["title"],
            text,
            [
                [
                    ((places[m["sent_id"]][m["pos"][0]][0], places[m["sent_id"]][m["pos"][1] - 1][1]), m["type"])
                    for m in entity
                ]
                for entity in row["vertexSet"]
            ],
        )


def _token_place(text: str, token: str, at: int) -> Span:
    """The place of a token's characters from `at` on, whatever white space is between them."""
    start = -1
    for sign in "".join(token.split()):
        while at < len(text) and text[at].isspace():
            at += 1
        if text[at : at + 1] != sign:
            raise ValueError(f"The token {token!r} is not in the text at {at}.")
        start = at if start < 0 else start
        at += 1
    return (start if start >= 0 else at), at


def _figures(documents: Sequence[Annotated], found: Sequence[Entities]) -> Mapping[str, float]:
    right = typed = found_count = annotated = 0
    gold_keys: list[Hashable] = []
    found_keys: list[Hashable] = []
    for number, (document, entities) in enumerate(zip(documents, found, strict=True)):
        begin = len(document.title) if document.text.startswith(document.title) else 0
        gold = {
            span: (index, label)
            for index, entity in enumerate(document.entities)
            for span, label in entity
            if label in _NAMES
        }
        own = {
            span: (index, _LABELS.get(entity.type, "MISC"))
            for index, entity in enumerate(entities.entities)
            for span in entity.mentions
            if entity.type not in (DATE, AMOUNT) and span[0] >= begin
        }
        both = gold.keys() & own.keys()
        right += len(both)
        typed += sum(gold[span][1] == own[span][1] for span in both)
        found_count, annotated = found_count + len(own), annotated + len(gold)
        gold_keys += [(number, gold[span][0]) for span in both]
        found_keys += [(number, own[span][0]) for span in both]
    return {
        "precision": right / found_count,
        "recall": right / annotated,
        "spans F1": 2 * right / (found_count + annotated),
        "typed F1": 2 * typed / (found_count + annotated),
        "aliases B-cubed": b_cubed(gold_keys, found_keys),
    }


if __name__ == "__main__":
    main()
