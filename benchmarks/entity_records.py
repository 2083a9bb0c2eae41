"""Measures how well records are put together (see benchmarks.entities): pairs of records of one subject, without labels.

Febrl's records of people are read from their CSV files as a seed reads them. Bibliographic records are in a folder of your own,
with DBLP2.csv, ACM.csv and DBLP-ACM_perfectMapping.csv of the benchmark of the university of Leipzig; pairs of one of each
count. Families are generated: parents, twins, and children with the name of a parent.
"""

import csv
import random
import time
from collections import Counter
from collections.abc import Hashable, Iterator, Mapping, Sequence
from pathlib import Path

from seed_assets.core.entities.entities import Entities, Entity, entities_in
from seed_assets.core.entities.name_types import PERSON, TYPES, WORK
from seed_assets.core.entities.normal_names import normal_name
from seed_assets.core.entities.records.record_kinds import RecordKind
from seed_assets.core.entities.resolution.canonical import CanonicalEntities, ResolutionRules, canonical, resolve
from seed_assets.core.entities.resolution.local_entities import LocalEntity, local_entities
from seed_assets.core.reading.extraction import extract

_IGNORED = ("rec_id", "entity")
_FEBRL = {
    "with a number": RecordKind(PERSON, ("given_name", "surname"), ("date_of_birth",), ("soc_sec_id",), _IGNORED),
    "without": RecordKind(PERSON, ("given_name", "surname"), ("date_of_birth",), (), (*_IGNORED, "soc_sec_id")),
}
_FAMILY = {
    "with a number": RecordKind(PERSON, ("given", "last"), ("born",), ("number",)),
    "without": RecordKind(PERSON, ("given", "last"), ("born",), (), ("number",)),
}
_PAPERS = {
    "year stable": RecordKind(WORK, ("title",), ("year",), (), ("id",)),
    "title alone": RecordKind(WORK, ("title",), (), (), ("id",)),
}
_FAMILIES, _MANY_FAMILIES, _MANY = 300, 17_000, 100_000
_STARTS = ("al", "bel", "cor", "dan", "el", "fin", "gar", "hol", "kol", "lam", "mor", "nor")
_ENDS = ("ba", "cho", "di", "fo", "gu", "hi")
_GIVEN = (
    *("anna", "hanna", "maria", "marie", "lena", "lina", "jan", "jana", "tim", "tom", "john", "joan", "peter", "petra"),
    *("paul", "paula", "erik", "erika", "simon", "simone", "lukas", "lucas", "sofia", "sophie", "emma", "emil", "nino"),
)


def record_figures(corpora: Path, papers: Path | None) -> Mapping[str, Mapping[str, float]]:
    """Return precision, recall and F1 of pairs, by the name of the records. papers: the folder of bibliographic records."""
    folder = corpora / "entity_resolution"
    figures: dict[str, Mapping[str, float]] = {}
    for number in (1, 3):
        path = folder / f"febrl_dataset{number}.csv"
        for name, kind in _FEBRL.items():
            figures[f"febrl {number}, {name}"] = _of_table(path, kind, "entity")
    families = list(_families(_FAMILIES, random.Random(4)))
    for name, kind in _FAMILY.items():
        found = canonical(resolve(_locals(families, kind), ResolutionRules(records=(kind,))))
        figures[f"families, {name}"] = _pairs(found, [person for person, _ in families])
    if papers is not None:
        figures |= {f"DBLP and ACM, {name}": _of_papers(papers, kind) for name, kind in _PAPERS.items()}
    return figures | {"families, 100,000": _of_many()}


def _of_table(path: Path, kind: RecordKind, truth: str) -> Mapping[str, float]:
    entities = entities_in(extract(path.read_bytes(), "csv").text, "", list(TYPES), {}, (kind,))
    found = local_entities(path.name, entities, ())
    resolved = canonical(resolve(found, ResolutionRules(records=(kind,))))
    rows = list(csv.DictReader(path.open(encoding="utf-8")))
    # A record without a name and a number is no entity.
    named = [row for row in rows if any(row[field] for field in (*kind.name, *kind.unique))]
    records = [one.index for one in found if one.fields]
    of = dict(zip(records, (row[truth] for row in named), strict=True))
    groups = [[of[member.index] for member in one.members if member.index in of] for one in resolved.entities]
    return _figures(groups, [row[truth] for row in rows])


def _of_papers(folder: Path, kind: RecordKind) -> Mapping[str, float]:
    rows: list[tuple[str, dict[str, str]]] = []
    for source in ("DBLP2", "ACM"):
        with (folder / f"{source}.csv").open(encoding="utf-8", errors="replace", newline="") as lines:
            rows += [(source, row) for row in csv.DictReader(lines)]
    with (folder / "DBLP-ACM_perfectMapping.csv").open(encoding="utf-8", newline="") as lines:
        true = {(row["idDBLP"], row["idACM"]) for row in csv.DictReader(lines)}
    resolved = canonical(resolve(_locals(rows, kind), ResolutionRules(records=(kind,))))
    said: set[tuple[str, str]] = set()
    for one in resolved.entities:
        members = [rows[int(member.document_id)] for member in one.members]
        ids = {source: [row["id"] for other, row in members if other == source] for source in ("DBLP2", "ACM")}
        said |= {(first, second) for first in ids["DBLP2"] for second in ids["ACM"]}
    right = len(said & true)
    return {"precision": right / len(said), "recall": right / len(true), "pair F1": 2 * right / (len(said) + len(true))}


def _of_many() -> Mapping[str, float]:
    kind = _FAMILY["with a number"]
    rows = list(_families(_MANY_FAMILIES, random.Random(9)))[: _MANY + _MANY // 100]
    found = _locals(rows, kind)
    rules = ResolutionRules(records=(kind,))
    started = time.process_time()
    first = canonical(resolve(found[:_MANY], rules))
    seconds, started = time.process_time() - started, time.process_time()
    more = canonical(resolve(found, rules, first))
    return {
        **_pairs(first, [person for person, _ in rows[:_MANY]]),
        "seconds": seconds,
        "1% more, seconds": time.process_time() - started,
        "pairs": float(first.looked_at),
        "1% more, pairs": float(more.looked_at),
    }


def _locals(rows: Sequence[tuple[object, Mapping[str, str]]], kind: RecordKind) -> list[LocalEntity]:
    """Each record as the only entity of a document, whose id is the record's number."""
    found: list[LocalEntity] = []
    for number, (_, row) in enumerate(rows):
        fields = tuple((name, value) for name, value in row.items() if value and name not in kind.ignored)
        name = " ".join(row[field] for field in kind.name if row.get(field)) or row.get("number") or str(number)
        found += local_entities(
            str(number), Entities((Entity(name, normal_name(name), kind.type, ((0, 1),), (), fields),)), ()
        )
    return found


def _pairs(found: CanonicalEntities, truth: Sequence[Hashable]) -> Mapping[str, float]:
    return _figures([[truth[int(member.document_id)] for member in one.members] for one in found.entities], truth)


def _figures(groups: Sequence[Sequence[Hashable]], truth: Sequence[Hashable]) -> Mapping[str, float]:
    """Precision, recall and F1 of pairs. groups: the true subject of each member. truth: that of each record."""
    right = sum(_two_of(count) for group in groups for count in Counter(group).values())
    said = sum(_two_of(len(group)) for group in groups)
    true = sum(_two_of(count) for count in Counter(truth).values())
    return {"precision": right / said, "recall": right / true, "pair F1": 2 * right / (said + true)}


def _two_of(count: int) -> int:
    return count * (count - 1) // 2


def _families(count: int, chance: random.Random) -> Iterator[tuple[int, dict[str, str]]]:
    """Yield (the number of a person, a record) in no order: families of two to five, half of which have twins.

    Half of the people have further records with one or two typing errors, and a third of these lack a value.
    """
    rows: list[tuple[int, dict[str, str]]] = []
    last = [
        start + end + form for start in _STARTS for end in _ENDS for form in ("ton", "man", "sky", "er", "ov", "ing")
    ]
    person = 0
    for _ in range(count):
        home = {
            "last": chance.choice(last),
            "street": f"{chance.randrange(1, 90)} {chance.choice(last)} street",
            "town": f"{chance.choice(last)}ville",
            "phone": f"0{chance.randrange(10**7, 10**8)}",
        }
        names, twins = chance.sample(_GIVEN, 4), _day(chance, 1985)
        days = (_day(chance, 1955), _day(chance, 1955), twins, twins, _day(chance, 1985))
        for given, born in list(zip((*names, names[0]), days, strict=True))[: chance.randrange(2, 6)]:
            own = {"given": given, "born": born, "number": str(chance.randrange(10**8, 10**9)), **home}
            rows.append((person, own))
            rows += [(person, _copied(chance, own)) for _ in range(chance.choice((0, 0, 1, 2)))]
            person += 1
    chance.shuffle(rows)
    yield from rows


def _day(chance: random.Random, year: int) -> str:
    return f"{chance.randrange(year, year + 25)}-{chance.randrange(1, 13):02}-{chance.randrange(1, 29):02}"


def _copied(chance: random.Random, record: Mapping[str, str]) -> dict[str, str]:
    copy = dict(record)
    for field in chance.sample(sorted(copy), chance.choice((1, 2))):
        value, at = copy[field], chance.randrange(len(copy[field]) - 1)
        swapped = value[:at] + value[at + 1] + value[at] + value[at + 2 :]
        copy[field] = chance.choice((value[:at] + value[at + 1 :], swapped, f"{value[:at]}e{value[at + 1 :]}"))
    if chance.random() < 1 / 3:
        copy[chance.choice(sorted(copy))] = ""
    return copy
