"""Which entities are mentioned together: what decides how strongly, what is never said, and texts of every kind."""

import time

import pytest

from seed_assets.core.entities.entities import Entities, Entity, entities_in
from seed_assets.core.entities.name_types import TYPES
from seed_assets.core.entities.normal_names import normal_name
from seed_assets.core.relationships.relations import TOGETHER
from seed_assets.core.relationships.together import mentioned_together
from seed_assets.stages.relationships.relationship_checks import unfounded

TEXT = (
    "The chemist Anna Weber works at the Institute of Salts in Graz. Years later the city of Vienna honoured her.\n\n"
    "On another page of the same book, far below, the engineer Carl Ott drew a bridge over the river."
)


def found_in(text: str, title: str = "") -> tuple[Entities, dict[frozenset[str], float]]:
    """The entities of a text, and the strength of each pair that is mentioned together, by their names."""
    entities = entities_in(text, title, list(TYPES), {})
    found = mentioned_together(text, title, entities)
    assert unfounded(found, text, entities) == ""
    names = dict(found.names)
    return entities, {frozenset((names[one.source], names[one.target])): one.strength for one in found.relations}


def test_those_of_one_sentence_are_together_more_closely_and_nothing_says_how_they_are_related() -> None:
    """A pair has a strength and a place; a type would be invented."""
    entities, strengths = found_in(TEXT)
    found = mentioned_together(TEXT, "", entities)
    assert {one.type for one in found.relations} == {TOGETHER}
    near = strengths[frozenset(("Anna Weber", "Institute of Salts"))]
    assert near > strengths[frozenset(("Institute of Salts", "Carl Ott"))]
    assert all(0 < strength < 1 for strength in strengths.values())
    first = next(one for one in found.relations if one.strength == near)
    assert TEXT[first.start : first.end] == "Anna Weber works at the Institute of Salts"


def test_an_entity_of_the_title_and_one_that_is_mentioned_often_are_together_more_closely() -> None:
    pair = frozenset(("Anna Weber", "Institute of Salts"))
    plain = found_in(TEXT)[1][pair]
    assert found_in(TEXT, "Anna Weber")[1][pair] > plain
    assert found_in(f"{TEXT} Anna Weber read. Anna Weber wrote.")[1][pair] > plain


def test_the_same_document_gives_the_same_relations_and_one_entity_gives_none() -> None:
    assert found_in(TEXT)[1] == found_in(TEXT)[1]
    assert found_in("Anna Weber works.")[1] == {}
    assert found_in("")[1] == {}


@pytest.mark.parametrize(
    "text",
    [
        "Anna Weber and Anna Weber and Anna Weber met Anna Weber.",
        "\u202eAnna Weber\u202c met \x1b[31mCarl Ott\x1b[0m in Graz.",
        f"{'A' * 5_000} Weber met Carl Ott in {'Graz' * 1_500}.",
        "\u5f35\u4e09\u300c\u5c71\u6d77\u7d93\u300d\u300c\u6c34\u7d93\u6ce8\u300d\u3092\u8aad\u3080\u3002",
        "\u05d0\u05e0\u05d4 \u05d5\u05d1\u05e8 1999-01-02 \u05d1\u05d2\u05e8\u05d0\u05e5 2001-03-04.",
    ],
)
def test_strange_texts_give_relations_that_stand_in_them_or_none(text: str) -> None:
    _, strengths = found_in(text)
    assert all(len(pair) == 2 for pair in strengths)


@pytest.mark.slow
def test_fifty_thousand_entities_in_one_document_take_time_and_space_in_proportion() -> None:
    """All pairs of them would be a thousand million."""
    names = [f"Name{number} Of{number}" for number in range(50_000)]
    text, at, entities = "", 0, list[Entity]()
    sentences: list[str] = []
    for place, name in enumerate(names):
        sentences.append(f"{name}{'.' if place % 7 == 6 else ','} ")
        entities.append(Entity(name, normal_name(name), "person", ((at, at + len(name)),)))
        at += len(sentences[-1])
    text = "".join(sentences)
    started = time.process_time()
    found = mentioned_together(text, "", Entities(tuple(entities)))
    assert len(found.relations) == 2_000
    # It takes four seconds; with all pairs it would be hours.
    assert time.process_time() - started < 60
    list_of_all = Entities((entities[0], *(Entity("Bo", "bo", "person", ((at, at + 2),)) for at in range(2_000))))
    assert len(mentioned_together("Bo" * 2_000, "", list_of_all).relations) == 2_000
