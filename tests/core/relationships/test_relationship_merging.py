"""Relationships over documents: what is put together, what is left out, and bounds."""

from seed_assets.core.relationships.merging import Merger, MergeRules, RelatedEntity, Relationships
from seed_assets.core.relationships.relations import TOGETHER, Relation

ENTITIES = {one: RelatedEntity(one, one.upper(), "person", 3) for one in ("a", "b", "c")}


def merged(*documents: tuple[str, dict[int, str], list[Relation]], most: int = 100) -> Relationships:
    merger = Merger(ENTITIES)
    for document, ids, relations in documents:
        merger.add(document, relations, ids)
    return merger.merged(MergeRules(most))


def said(found: Relationships) -> set[tuple[str, str, str, float, int]]:
    return {(one.source, one.type, one.target, one.strength, one.documents) for one in found.relationships}


def together(source: int, target: int, strength: float = 0.5, start: int = 0) -> Relation:
    return Relation(source, target, TOGETHER, start, start + 9, strength)


def named(source: int, target: int, kind: str) -> Relation:
    return Relation(source, target, kind, 0, 9, 1.0, "evidence!")


def test_the_same_ends_and_type_are_one_relationship_with_the_sources_of_both_documents() -> None:
    found = merged(("1.txt", {0: "a", 1: "b"}, [together(0, 1)]), ("2.txt", {0: "b", 1: "a"}, [together(0, 1)]))
    assert said(found) == {("a", TOGETHER, "b", 0.75, 2)}
    assert [source.document_id for source in found.relationships[0].sources] == ["1.txt", "2.txt"]
    assert found.names == {"a": "A", "b": "B"}


def test_direction_and_type_tell_named_relationships_apart() -> None:
    ids = {0: "a", 1: "b"}
    found = merged(("1.txt", ids, [named(0, 1, "knows"), named(1, 0, "knows"), named(0, 1, "pays"), together(0, 1)]))
    assert {(source, kind, target) for source, kind, target, _, _ in said(found)} == {
        ("a", "knows", "b"),
        ("b", "knows", "a"),
        ("a", "pays", "b"),
        ("a", TOGETHER, "b"),
    }
    assert len({one.relationship_id for one in found.relationships}) == 4


def test_ends_that_are_one_entity_or_none_at_all_make_no_relationship() -> None:
    found = merged(("1.txt", {0: "a", 1: "a", 2: "gone"}, [together(0, 1), together(0, 2), together(0, 7)]))
    assert found == Relationships(())


def test_the_order_of_documents_decides_nothing_and_the_number_of_a_relationship_stays() -> None:
    one = ("1.txt", {0: "a", 1: "b", 2: "c"}, [together(0, 1, 0.2), together(1, 2, 0.9)])
    two = ("2.txt", {0: "b", 1: "c"}, [together(0, 1, 0.4)])
    assert merged(one, two) == merged(two, one)
    alone = {(r.source, r.target): r.relationship_id for r in merged(one).relationships}
    assert {(r.source, r.target): r.relationship_id for r in merged(one, two).relationships} == alone


def test_a_bound_keeps_named_relationships_and_then_the_strongest_and_counts_the_rest() -> None:
    relations = [together(0, 1, 0.9), together(0, 2, 0.3), named(1, 2, "knows")]
    found = merged(("1.txt", {0: "a", 1: "b", 2: "c"}, relations), most=2)
    assert {(one.source, one.target) for one in found.relationships} == {("b", "c"), ("a", "b")}
    assert found.left_out == 1


def test_the_strongest_passages_of_many_are_kept_and_all_documents_are_counted() -> None:
    many = [(f"{n:03}.txt", {0: "a", 1: "b"}, [together(0, 1, 0.1 + (n == 77) * 0.5)]) for n in range(100)]
    (one,) = merged(*many).relationships
    assert (one.documents, len(one.sources)) == (100, 20)
    assert "077.txt" in {source.document_id for source in one.sources}
    assert 0.99 < one.strength <= 1
