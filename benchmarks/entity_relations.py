"""Measures relations without a model on Re-DocRED (see benchmarks.entities)."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

from benchmarks.entity_resolution import Annotated
from seed_assets.core.entities.entities import Entities
from seed_assets.core.relationships.together import mentioned_together

_MOST = 20


def relation_figures(
    corpora: Path, documents: Sequence[Annotated], found: Sequence[Entities]
) -> Mapping[str, Mapping[str, float]]:
    """Return the recall of annotated relations among the 20 strongest pairs of each document.

    A relation is found if its two ends are a pair, in either direction: without a model nothing says how they are related. Pairs
    are counted once each; facts once for each type that is annotated of a pair.
    """
    lines = (corpora / "redocred" / "annotated.jsonl").read_text("utf-8").splitlines()
    facts = [[(fact["h"], fact["t"]) for fact in json.loads(line)["labels"]] for line in lines]
    figures: dict[str, Mapping[str, float]] = {}
    for name, half in (("chosen with", slice(0, None, 2)), ("kept aside", slice(1, None, 2))):
        hits = pairs = fact_hits = fact_count = 0
        for document, entities, annotated in zip(documents[half], found[half], facts[half], strict=True):
            pairs_here = {frozenset(fact) for fact in annotated if fact[0] != fact[1]}
            own = _strongest(document, entities)
            hits, pairs = hits + len(own & pairs_here), pairs + len(pairs_here)
            fact_hits += sum(frozenset(fact) in own for fact in annotated)
            fact_count += len(annotated)
        figures[f"relations, {name}"] = {"pairs@20": hits / pairs, "facts@20": fact_hits / fact_count}
    return figures


def _strongest(document: Annotated, entities: Entities) -> set[frozenset[int]]:
    """The strongest pairs of a document, by the numbers of the annotated entities that their mentions are of."""
    gold = {span: number for number, entity in enumerate(document.entities) for span, _ in entity}
    numbers: dict[int, int] = {}
    for at, entity in enumerate(entities.entities):
        counts = Counter(
            number
            for start, end in entity.mentions
            for (first, last), number in gold.items()
            if first < end and start < last
        )
        if counts:
            numbers[at] = counts.most_common(1)[0][0]
    relations = mentioned_together(document.text, document.title, entities).relations
    best = sorted(relations, key=lambda one: (-one.strength, one.source, one.target))[:_MOST]
    return {
        frozenset((numbers[r.source], numbers[r.target])) for r in best if r.source in numbers and r.target in numbers
    }
