"""Entities put together over documents: pairs, groups, and what is looked at again."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from seed_assets.core.entities.entities import Entities, Entity
from seed_assets.core.entities.normal_names import normal_name
from seed_assets.core.entities.resolution.canonical import CanonicalEntities, ResolutionRules, canonical, resolve
from seed_assets.core.entities.resolution.decisions_file import EntityDecision, EntityDecisions
from seed_assets.core.entities.resolution.likeness import names_forbid
from seed_assets.core.entities.resolution.local_entities import LocalEntity, local_entities


def document(name: str, *names: str, concepts: Sequence[str] = (), kind: str = "person") -> list[LocalEntity]:
    """The entities of a document of these names; an alias stands behind a slash."""
    found: list[Entity] = []
    for at, given in enumerate(names):
        full, *aliases = given.split("/")
        spans = tuple((at * 100 + place, at * 100 + place + 5) for place in range(0, 10 * (1 + len(aliases)), 10))
        found.append(Entity(full, normal_name(full), kind, spans, tuple(aliases)))
    return local_entities(name, Entities(tuple(found)), concepts)


def resolved(
    *documents: list[LocalEntity],
    previous: CanonicalEntities | None = None,
    said: EntityDecisions | None = None,
    largest: int = 100,
) -> CanonicalEntities:
    entities = [one for document in documents for one in document]
    return canonical(resolve(entities, ResolutionRules(largest), previous, None, said))


def groups(found: CanonicalEntities, *names: str) -> list[set[str]]:
    """The documents of each entity with one of these names, the largest first."""
    return sorted(
        (
            {member.document_id for member in one.members}
            for one in found.entities
            if {one.name, *one.aliases} & set(names)
        ),
        key=lambda one: (-len(one), sorted(one)),
    )


SALTS, TRAINS = ("salt", "crystal", "laboratory"), ("railway", "bridge", "engine")


def test_two_of_one_name_from_different_fields_stay_two() -> None:
    found = resolved(
        document("a", "Li Wei", concepts=SALTS),
        document("b", "Li Wei", concepts=SALTS),
        document("c", "Li Wei", concepts=TRAINS),
        document("d", "Li Wei", concepts=TRAINS),
    )
    assert groups(found, "Li Wei") == [{"a", "b"}, {"c", "d"}]


def test_a_company_is_one_by_its_name_its_legal_form_and_its_acronym() -> None:
    found = resolved(
        document("a", "International Business Machines Corp./IBM", kind="organisation"),
        document("b", "IBM", kind="organisation"),
        document("c", "International Business Machines", kind="organisation"),
    )
    assert groups(found, "IBM") == [{"a", "b", "c"}]


@pytest.mark.parametrize(
    ("one", "other", "forbidden"),
    [
        ("Donald J. Trump", "Donald Trump", False),
        ("Donald J. Trump", "Donald K. Trump", True),
        ("George Walker Bush", "George W. Bush", False),
        ("John Smith Jr.", "John Smith Sr.", True),
        ("Apollo 11", "Apollo 13", True),
        ("Act of 1911", "Act of 1949", True),
        ("Paris", "Paris", False),
    ],
)
def test_numbers_suffixes_and_middle_names_forbid_a_pair(one: str, other: str, forbidden: bool) -> None:
    assert names_forbid(normal_name(one), normal_name(other), True) is forbidden


def test_one_likeness_does_not_join_what_is_forbidden() -> None:
    """A is like B and B like C; A and C have other middle names, and must not become one through B."""
    found = resolved(
        document("a", "Anna B. Weber", concepts=SALTS),
        document("b", "Anna Weber", concepts=SALTS),
        document("c", "Anna C. Weber", concepts=SALTS),
        document("d", "other", concepts=TRAINS),
    )
    of = {member.document_id: one.entity_id for one in found.entities for member in one.members}
    assert of["a"] != of["c"]


def test_a_group_does_not_grow_beyond_its_bound() -> None:
    documents = [document(str(at), "Acme Works", kind="organisation", concepts=[f"word{at}"]) for at in range(12)]
    found = resolved(*documents, largest=5)
    assert max(len(one.members) for one in found.entities) == 5


def test_what_was_put_together_is_not_looked_at_again_whatever_comes_and_goes() -> None:
    documents = [document(f"{at}", "Li Wei", "Acme Works", concepts=(SALTS, TRAINS)[at % 2]) for at in range(20)]
    first = resolved(*documents)
    again = resolved(*documents, previous=first)
    assert (again.looked_at, again.entities) == (0, first.entities)
    fewer = resolved(*documents[3:], previous=first)
    assert fewer.looked_at == 0
    assert {one.entity_id for one in fewer.entities} == {one.entity_id for one in first.entities}
    more = resolved(*documents, document("new", "Li Wei", concepts=TRAINS), previous=first)
    assert 0 < more.looked_at <= 10
    assert groups(more, "Li Wei")[0] == {"new", *(str(at) for at in range(1, 20, 2))}
    # The documents are others, and say the same.
    renamed = [document(f"{at}-renamed", "Li Wei", "Acme Works", concepts=(SALTS, TRAINS)[at % 2]) for at in range(20)]
    moved = resolved(*renamed, previous=first)
    assert moved.looked_at == 0
    assert [one.entity_id for one in moved.entities] == [one.entity_id for one in first.entities]


def test_people_decide_first_and_the_last_decision_holds(tmp_path: Path) -> None:
    path = tmp_path / "decisions.csv"
    documents = [
        document("a", "Li Wei", concepts=SALTS),
        document("b", "Li Wei", concepts=TRAINS),
        document("c", "Lee Way"),
    ]
    first = resolved(*documents)
    assert len(groups(first, "Li Wei", "Lee Way")) == 3
    EntityDecisions(path).add(
        [EntityDecision("same", "Li Wei", "", "Lee Way", ""), EntityDecision("same", "Li Wei", "", "Li Wei", "")]
    )
    merged = resolved(*documents, previous=first, said=EntityDecisions(path))
    assert groups(merged, "Li Wei", "Lee Way") == [{"a", "b", "c"}]
    EntityDecisions(path).add([EntityDecision("different", "Li Wei", "b", "Li Wei", "a")])
    parted = resolved(*documents, previous=merged, said=EntityDecisions(path))
    assert {"a", "b"} not in groups(parted, "Li Wei")
    taken_back = resolved(*documents, previous=merged)
    assert len(groups(taken_back, "Li Wei", "Lee Way")) == 3


def test_equal_dates_are_one_and_others_are_not() -> None:
    found = resolved(
        document("a", "2020-03-12", "2021", kind="date"),
        document("b", "2020-03-12", kind="date"),
        document("c", "2022", kind="date"),
    )
    assert groups(found, "2020-03-12") == [{"a", "b"}]
    assert len(found.entities) == 3


def test_nothing_and_equal_names_alone_are_resolved() -> None:
    assert resolved().entities == ()
    found = resolved(*[document(str(at), "Paris", kind="place") for at in range(300)], largest=1_000)
    assert [len(one.members) for one in found.entities] == [300]
