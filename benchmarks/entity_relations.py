"""Measures relations without a model on Re-DocRED, and entities over documents on records of Febrl (see benchmarks.entities)."""

import csv
import json
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

from benchmarks.entity_resolution import Annotated
from seed_assets.core.entities.entities import Entities, Entity
from seed_assets.core.entities.name_types import PERSON
from seed_assets.core.entities.normal_names import normal_name
from seed_assets.core.entities.resolution.canonical import ResolutionRules, canonical, resolve
from seed_assets.core.entities.resolution.local_entities import local_entities
from seed_assets.core.relationships.together import mentioned_together

_MOST = 20
_WORDS = re.compile(r"\w+")


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


def record_figures(corpora: Path) -> Mapping[str, Mapping[str, float]]:
    """Return precision, recall and F1 of pairs of Febrl's records, without labels.

    Each record is a document that mentions one person, whose other fields are its concepts. Nothing else is known of the fields.
    """
    rows = list(csv.DictReader((corpora / "entity_resolution" / "febrl_dataset3.csv").open(encoding="utf-8")))
    found = []
    for row in rows:
        name = f"{row['given_name']} {row['surname']}".strip() or row["rec_id"]
        entity = Entity(name, normal_name(name) or name, PERSON, ((0, len(name)),))
        others = [row[field] for field in row if field not in ("rec_id", "given_name", "surname", "entity")]
        words = [word for value in others for word in _WORDS.findall(value)]
        found += local_entities(row["rec_id"], Entities((entity,)), words)
    resolved = canonical(resolve(found, ResolutionRules()))
    truth = Counter(row["entity"] for row in rows)
    of = {row["rec_id"]: row["entity"] for row in rows}
    right = said = 0
    for one in resolved.entities:
        members = Counter(of[member.document_id] for member in one.members)
        right += sum(count * (count - 1) // 2 for count in members.values())
        said += members.total() * (members.total() - 1) // 2
    true = sum(count * (count - 1) // 2 for count in truth.values())
    return {
        "febrl 3, records": {"precision": right / said, "recall": right / true, "pair F1": 2 * right / (said + true)}
    }
