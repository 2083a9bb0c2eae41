"""Entities by a model: each piece is asked about once, and no name is kept that the text does not have."""

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from resources.endpoints.llm import InvalidOutputError
from seed_assets.core.entities.entities import Entities
from seed_assets.core.entities.known_list import KnownNames
from seed_assets.core.entities.model_entities import ModelEntityExtractor
from seed_assets.core.entities.name_types import TYPES
from seed_assets.stages.entities.validity import misplaced
from tests.support.model_answers import Call
from tests.support.model_server import ModelServer
from tests.support.model_world import ModelWorld

pytestmark = pytest.mark.usefixtures("own_environment")

FIRST = "The chemist Anna Weber works at the Institute of Salts. Weber found a salt in 1999.\n\n"
SECOND = "The Institute of Salts (IOS) is in Graz. Anna Weber left it.\n"


def entity(name: str, kind: str, *aliases: str) -> dict[str, Any]:
    return {"name": name, "type": kind, "aliases": list(aliases)}


ANSWER = [
    entity("Anna Weber", "person", "Weber"),
    entity("Institute of Salts", "organisation", "IOS"),
    entity("Graz", "place"),
    entity("Salt Mafia", "organisation"),
]


def asked(
    tmp_path: Path, texts: list[str], answer: Callable[[Call], list[dict[str, Any]]]
) -> tuple[list[Entities], list[Call]]:
    """The entities of each text in turn, over one store, and all requests."""
    known = tmp_path / "known.csv"
    known.write_text("name,type\nInstitute of Salts,organisation\nInstitute of Sugars,organisation\n")
    with (
        ModelServer(answer=lambda call: json.dumps({"entities": answer(call)})) as server,
        ModelWorld(tmp_path, server.url) as world,
    ):
        extractor = ModelEntityExtractor(world.model(), 90, TYPES, KnownNames(known, TYPES))
        found = [world.run(extractor.extract(text, "Salts", world.reuse())) for text in texts]
        calls = server.calls
    for text, entities in zip(texts, found, strict=True):
        assert misplaced(entities, text) == ""
    return found, calls


def in_text(call: Call) -> list[dict[str, Any]]:
    said = call.texts()[-1].partition("<document>")[2]
    return [one for one in ANSWER if one["name"] in said or one["name"] == "Salt Mafia"]


@pytest.mark.integration
def test_names_of_all_pieces_are_put_together_and_invented_ones_are_left_out(tmp_path: Path) -> None:
    (found,), calls = asked(tmp_path, [FIRST + SECOND], in_text)
    by_name = {one.name: one for one in found.entities}
    assert by_name.keys() == {"Anna Weber", "Institute of Salts", "Graz", "1999"}
    assert (by_name["Anna Weber"].aliases, len(by_name["Anna Weber"].mentions)) == (("Weber",), 3)
    assert (by_name["Institute of Salts"].aliases, by_name["Institute of Salts"].type) == (("IOS",), "organisation")
    assert len(calls) == 2
    said = calls[0].texts()[-1]
    assert "Institute of Salts (organisation)" in said
    assert "Sugars" not in said


@pytest.mark.integration
def test_an_edit_asks_about_the_changed_pieces_only(tmp_path: Path) -> None:
    _, calls = asked(tmp_path, [FIRST + SECOND, FIRST + SECOND.replace("left", "liked"), FIRST + SECOND], in_text)
    assert len(calls) == 3


@pytest.mark.integration
def test_an_answer_of_invented_names_is_asked_for_once_more_and_then_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidOutputError, match="names are not in the document"):
        asked(tmp_path, [FIRST], lambda call: [entity("Nobody Atall", "person"), entity("No Company", "organisation")])


@pytest.mark.integration
def test_a_type_that_is_not_wanted_becomes_other(tmp_path: Path) -> None:
    (found,), _ = asked(tmp_path, [SECOND], lambda call: [entity("Graz", "galaxy")])
    assert [(one.name, one.type) for one in found.entities] == [("Graz", "other")]


@pytest.mark.integration
def test_a_text_without_names_has_no_entities(tmp_path: Path) -> None:
    (empty, none), calls = asked(tmp_path, ["", "there is nothing in here."], lambda call: [])
    assert (empty.entities, none.entities, len(calls)) == ((), (), 1)


def test_the_estimate_grows_with_the_pieces(tmp_path: Path) -> None:
    with ModelWorld(tmp_path) as world:
        extractor = ModelEntityExtractor(world.model(), 1_000)
        assert extractor.estimate(10_000).requests == 10
        assert extractor.estimate(0).requests == 1
        assert asyncio.run(extractor.extract("", "", world.reuse())).entities == ()
