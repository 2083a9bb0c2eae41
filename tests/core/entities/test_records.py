"""Records in texts, and records put together by their fields."""

import random
from collections import Counter
from collections.abc import Mapping, Sequence

import pytest

from seed_assets.core.entities.entities import Entities, Entity, entities_in
from seed_assets.core.entities.name_types import TYPES
from seed_assets.core.entities.normal_names import normal_name
from seed_assets.core.entities.records.record_kinds import RecordKind
from seed_assets.core.entities.records.record_texts import records_of
from seed_assets.core.entities.resolution.canonical import CanonicalEntities, ResolutionRules, canonical, resolve
from seed_assets.core.entities.resolution.local_entities import LocalEntity, local_entities
from seed_assets.stages.entities.validity import misplaced

PERSON = RecordKind("person", ("given", "surname"), ("born",), ("number",), ("row",))
PAPER = RecordKind("work", ("title",), ("year",))

# Some of these are alike, as names in families are.
GIVEN = (
    *("anna", "hanna", "maria", "marie", "lena", "lina", "jan", "jana", "tim", "tom", "john", "joan", "peter", "petra"),
    *("paul", "paula", "lukas", "lucas", "emma", "emil", "clara", "nino"),
)
STREETS = [
    first + second for first in ("ash", "birch", "cedar", "elm", "lime") for second in ("ford", "ham", "ton", "wick")
]
LAST = [
    first + second for first in ("bel", "cor", "dan", "fen", "gar", "hol") for second in ("bach", "mann", "sky", "ton")
]


def record(document: str, values: Mapping[str, str], kind: RecordKind = PERSON) -> list[LocalEntity]:
    name = " ".join(values[field] for field in kind.name if field in values) or values["number"]
    entity = Entity(name, normal_name(name), kind.type, ((0, 1),), (), tuple(values.items()))
    return local_entities(document, Entities((entity,)), ())


def resolved(
    rows: Sequence[Mapping[str, str]], kind: RecordKind = PERSON, previous: CanonicalEntities | None = None
) -> CanonicalEntities:
    found = [one for number, values in enumerate(rows) for one in record(str(number), values, kind)]
    return canonical(resolve(found, ResolutionRules(records=(kind,)), previous))


def groups(found: CanonicalEntities) -> set[frozenset[int]]:
    return {frozenset(int(member.document_id) for member in one.members) for one in found.entities}


def typing_error(chance: random.Random, value: str) -> str:
    at = chance.randrange(max(1, len(value) - 1))
    swapped = value[:at] + value[at : at + 2][::-1] + value[at + 2 :]
    return chance.choice((value[:at] + value[at + 1 :], swapped, value[:at] + "q" + value[at:])) or value


def families(count: int, seed: int) -> list[tuple[int, dict[str, str]]]:
    """(The number of a person, a record) of families with parents, twins, and a child with the name of a parent.

    Half of the people have further records with typing errors, and some of these lack a value.
    """
    chance = random.Random(seed)
    rows: list[tuple[int, dict[str, str]]] = []

    def born(year: int) -> str:
        return f"{chance.randrange(year, year + 25)}-{chance.randrange(1, 13):02}-{chance.randrange(1, 29):02}"

    for family in range(count):
        home = {
            "street": f"{chance.randrange(1, 90)} {chance.choice(STREETS)} street",
            "phone": f"{chance.randrange(10**7, 10**8)}",
        }
        last, names, twins = chance.choice(LAST), chance.sample(GIVEN, 4), born(1985)
        days = (born(1955), born(1955), twins, twins, born(1985))
        for at, (given, day) in enumerate(zip((*names, names[0]), days, strict=True)):
            own = {"given": given, "surname": last, "born": day, "number": str(chance.randrange(10**8, 10**9)), **home}
            for copy in range(chance.choice((1, 1, 2, 3))):
                values = dict(own)
                for field in chance.sample(sorted(values), copy and chance.choice((1, 2))):
                    values[field] = typing_error(chance, values[field])
                if copy and chance.random() < 0.3:
                    del values[chance.choice(sorted(values.keys() - {"number"}))]
                rows.append((5 * family + at, values))
    chance.shuffle(rows)
    return rows


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_two_of_one_family_stay_two_and_records_of_one_are_put_together(seed: int) -> None:
    """Relatives agree in most fields, so weights that are added up would join them."""
    rows = families(40, seed)
    found = groups(resolved([values for _, values in rows]))
    assert [one for one in found if len({rows[at][0] for at in one}) > 1] == []
    pairs = sum(count * (count - 1) // 2 for count in Counter(person for person, _ in rows).values())
    assert sum(len(one) * (len(one) - 1) // 2 for one in found) > 0.85 * pairs


ADA = {
    "given": "Ada",
    "surname": "Lovelace",
    "born": "1815-12-10",
    "street": "12 St James's Square",
    "phone": "5550123",
}


@pytest.mark.parametrize(
    ("other", "are_one"),
    [
        ({}, True),
        ({"given": "Adaa", "phone": ""}, True),
        ({"given": "Lovelace", "surname": "Ada"}, True),
        ({"given": "A"}, True),
        ({"surname": "King", "street": "5 Dorset Street"}, True),
        ({"given": "Grace"}, False),
        ({"born": "1841-03-02"}, False),
        ({"given": "Grace", "born": "1841-03-02"}, False),
        ({"given": "", "born": "1841-03-02"}, False),
    ],
    ids=str,
)
def test_what_is_personal_decides_between_two_who_share_the_rest(other: dict[str, str], are_one: bool) -> None:
    rows = [ADA, {name: value for name, value in {**ADA, **other}.items() if value}]
    assert len(groups(resolved(rows))) == (1 if are_one else 2)


def test_a_number_of_ones_own_outweighs_another_given_name() -> None:
    numbered = {**ADA, "number": "7164009"}
    assert len(groups(resolved([numbered, {**numbered, "given": "Augusta"}]))) == 1
    assert len(groups(resolved([numbered, {**numbered, "given": "Augusta", "number": "3050812"}]))) == 2


def test_papers_of_the_same_authors_are_told_apart_by_their_titles() -> None:
    authors = {"authors": "Binto George, Jayant Haritsa", "venue": "SIGMOD"}
    rows = [
        {"title": "Secure transaction processing in firm real-time databases", "year": "1997", **authors},
        {
            "title": "Secure Transaction Procesing in Firm Real-Time Databases",
            "year": "1997",
            **authors,
            "venue": "Management of Data",
        },
        {"title": "Secure buffering in firm real-time database systems", "year": "2000", **authors},
    ]
    assert groups(resolved(rows, PAPER)) == {frozenset({0, 1}), frozenset({2})}


def test_records_that_come_later_join_what_is_there_and_nothing_else_is_compared() -> None:
    rows = [values for _, values in families(20, 5)]
    before = resolved(rows)
    after = resolved([*rows, {**rows[7], "phone": "1"}], previous=before)
    ids = {member.document_id: one.entity_id for one in before.entities for member in one.members}
    later = {member.document_id: one.entity_id for one in after.entities for member in one.members}
    assert later == {**ids, str(len(rows)): ids["7"]}
    assert after.looked_at < 30 < before.looked_at


def test_the_order_of_records_and_the_names_of_documents_decide_nothing() -> None:
    rows = [values for _, values in families(15, 6)]
    turned = {frozenset(len(rows) - 1 - at for at in one) for one in groups(resolved(rows[::-1]))}
    assert groups(resolved(rows)) == turned


@pytest.mark.parametrize(
    "rows",
    [
        [ADA] * 200,
        [{"given": "\u202e" * 3 + "x", "surname": "y"}] * 2,
        [{"given": "a" * 5_000, "surname": "b", "born": "c" * 5_000}, ADA],
        [{"given": "Ada", "surname": "Lovelace", f"field {number}": "x"} for number in range(100)],
        [{"given": "--", "surname": "Lovelace", "born": "?"}, ADA],
        [ADA],
    ],
    ids=["all equal", "invisible", "long", "other fields", "signs", "one"],
)
def test_strange_records_are_resolved_and_none_is_lost(rows: list[dict[str, str]]) -> None:
    found = groups(resolved(rows))
    assert sorted(at for one in found for at in one) == list(range(len(rows)))


def test_records_with_nothing_in_common_but_a_name_stay_apart() -> None:
    rows = [
        {**ADA, "born": day, "street": street, "phone": phone}
        for day, street, phone in (("1815-12-10", "a", "1"), ("1950-01-02", "b", "2"))
    ]
    assert len(groups(resolved(rows))) == 2


TABLE = """row; given; surname; born

row: 1; given: ada; surname: lovelace; born: 1815

row: 2; given: grace; born: 1906; note: a; b"""


def test_rows_of_a_table_are_entities_that_are_mentioned_at_their_names() -> None:
    found = entities_in(TABLE, "", list(TYPES), {}, (PERSON,))
    people = [one for one in found.entities if one.fields]
    assert [(one.name, TABLE[slice(*one.mentions[0])]) for one in people] == [
        ("ada lovelace", "ada"),
        ("grace", "grace"),
    ]
    assert people[0].fields == (("given", "ada"), ("surname", "lovelace"), ("born", "1815"))
    assert dict(people[1].fields)["note"] == "a; b"
    assert misplaced(found, TABLE) == ""


def test_what_was_found_inside_of_the_name_of_a_record_is_no_mention() -> None:
    text = "Given: Ada\nSurname: Lovelace\nborn: 1815\nTown: Paris\n\nLater they met Ada Lovelace in Paris again."
    found = entities_in(text, "", list(TYPES), {}, (PERSON,))
    at_record = [one.name for one in found.entities if one.mentions[0][0] < text.index("born")]
    assert at_record == ["Ada Lovelace"]
    assert "Paris" in {one.name for one in found.entities}
    assert misplaced(found, text) == ""


@pytest.mark.parametrize(
    "text",
    [
        "",
        "given: ada",
        "surname: lovelace; given: ada",
        "row: 1; given: ada",
        "he said: given: ada",
        "born: 1815; town: Paris",
        "given:ada; born:1815",
    ],
)
def test_a_paragraph_without_a_name_and_something_else_is_no_record(text: str) -> None:
    assert records_of(text, (PERSON,)) == []


def test_a_record_without_a_name_is_called_by_what_is_unique() -> None:
    found = entities_in("number: 7164009; born: 1815", "", ["person"], {}, (PERSON,))
    assert [one.name for one in found.entities] == ["7164009"]


def test_texts_without_records_have_the_entities_that_they_had() -> None:
    text = "The chemist Anna Weber works for Acme Inc. in Paris.\n\nNote: she left on 3 May 2001; later she came back."
    assert entities_in(text, "", list(TYPES), {}, (PERSON,)) == entities_in(text, "", list(TYPES), {})
