"""The passages of a document that say most about an entity."""

import pytest

from seed_assets.core.entities.entities import entities_in
from seed_assets.core.entities.name_types import TYPES
from seed_assets.core.profiles.passages import by_entity, entity_passages_in
from seed_assets.stages.profiles.profile_checks import misplaced_passage

TEXT = (
    "In the evening they met Anna Weber at the lake of the town, as so many others did before. "
    "Anna Weber (born in 1960) is a chemist of the Institute of Salts. "
    "She went home, and later they said that Weber liked trains, and bridges, and long walks as well."
)


def best_of(text: str, name: str, title: str = "") -> list[str]:
    """The passages of an entity, the best first."""
    entities = entities_in(text, title, list(TYPES), {})
    found = entity_passages_in(text, title, entities)
    assert misplaced_passage(found, text) == ""
    place = next(at for at, one in enumerate(entities.entities) if one.name == name)
    return [found.passages[one.passage].text for one in by_entity(found).get(place, ())]


def test_a_sentence_that_says_what_an_entity_is_comes_first() -> None:
    assert best_of(TEXT, "Anna Weber")[0].startswith("Anna Weber (born in 1960) is a chemist")
    assert len(best_of(TEXT, "Anna Weber")) == 3


def test_a_list_of_names_and_a_heading_say_little() -> None:
    listed = (
        "Anna Weber, Bob Smith, Carl Ott, Dora Lang, Emil Roth, Fred Boe, Gina Wild and Hugo Ball.\n\nAnna Weber\n\n"
    )
    found = best_of(listed + "Yesterday somebody who had met Anna Weber told us about the old bridge.", "Anna Weber")
    assert found[0].startswith("Yesterday")


def test_dates_and_amounts_have_no_passages() -> None:
    text = "Anna Weber found it on 3 March 1999, and paid 300 euros for the whole of it."
    assert best_of(text, "3 March 1999") == []
    assert len(best_of(text, "Anna Weber")) == 1


def test_a_sentence_without_end_is_cut_around_the_name() -> None:
    long = "and so on and on " * 200
    (passage,) = best_of(f"{long} then Anna Weber came {long}", "Anna Weber")
    assert "Anna Weber" in passage
    assert len(passage.split()) <= 60


@pytest.mark.parametrize("text", ["", "Anna Weber", "\u202eAnna Weber\u202c is here.", "A" * 5_000 + " Weber is here."])
def test_strange_texts_have_passages_that_stand_in_them_or_none(text: str) -> None:
    entities = entities_in(text, "", list(TYPES), {})
    assert misplaced_passage(entity_passages_in(text, "", entities), text) == ""
