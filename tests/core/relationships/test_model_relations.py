"""Relations by a model: each piece is asked about once, and nothing is kept whose ends or evidence the text does not have."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from resources.endpoints.llm import InvalidOutputError
from seed_assets.core.entities.entities import entities_in
from seed_assets.core.entities.name_types import TYPES
from seed_assets.core.relationships.model_relations import ModelRelationExtractor
from seed_assets.core.relationships.relations import Relation, Relations
from seed_assets.stages.relationships.relationship_checks import unfounded
from tests.support.model_answers import Call
from tests.support.model_server import ModelServer
from tests.support.model_world import ModelWorld

pytestmark = [pytest.mark.integration, pytest.mark.usefixtures("own_environment")]

FIRST = "The chemist Anna Weber works for the Institute of Salts. Weber lives with pleasure in Graz.\n\n"
SECOND = "The engineer Carl Ott left the Institute of Salts in anger, and nobody saw him again.\n"
ALONE = "And here nobody of any name is named, but for one: Anna Weber, as it happens to be.\n"


def said(source: str, relation: str, target: str, evidence: str) -> dict[str, str]:
    return {"source": source, "relation": relation, "target": target, "evidence": evidence}


WORKS = said("Anna Weber", "Works  for", "Institute of Salts", "works for the Institute of Salts")
LIVES = said("Weber", "lives_in", "Graz", "Weber lives with pleasure in Graz")
LEFT = said("Carl Ott", "left", "Institute of Salts", "Carl Ott left the Institute of Salts")
INVENTED = said("Anna Weber", "married", "Otto Nobody", "Anna Weber")
ELSEWHERE = said("Anna Weber", "knows", "Carl Ott", "Anna Weber has known Carl Ott for years")
UNPROVEN = said("Anna Weber", "owns", "Graz", "with pleasure")
LISTED = "Anna Weber (person; also Weber); Institute of Salts (organisation); Graz"
ITSELF = said("Anna Weber", "is", "Weber", "Weber lives")


def asked(
    tmp_path: Path, texts: list[str], answer: Callable[[str], list[dict[str, Any]]], types: tuple[str, ...] = ()
) -> tuple[list[Relations], list[Call]]:
    """The relations of each text in turn, over one store, and all requests."""

    def reply(call: Call) -> str:
        piece = call.texts()[-1].partition("<document>")[2]
        return json.dumps({"relations": answer(piece)})

    with ModelServer(answer=reply) as server, ModelWorld(tmp_path, server.url) as world:
        extractor = ModelRelationExtractor(world.model(), 100, types)
        found: list[Relations] = []
        for text in texts:
            entities = entities_in(text, "", list(TYPES), {})
            found.append(world.run(extractor.extract(text, "", entities, world.reuse())))
            assert unfounded(found[-1], text, entities) == ""
        calls = server.calls
    return found, calls


def named(found: Relations) -> set[tuple[str, str, str]]:
    names = dict(found.names)
    return {(names[one.source], one.type, names[one.target]) for one in found.relations}


def in_piece(piece: str) -> list[dict[str, Any]]:
    found = [one for one in (WORKS, LIVES, LEFT) if one["evidence"] in piece]
    return [*found, INVENTED, ITSELF] if len(found) > 1 else [*found, ELSEWHERE]


def test_relations_of_all_pieces_are_put_together_and_invented_ones_are_left_out(tmp_path: Path) -> None:
    (found,), calls = asked(tmp_path, [FIRST + SECOND + ALONE], in_piece)
    assert named(found) == {
        ("Anna Weber", "works for", "Institute of Salts"),
        ("Anna Weber", "lives in", "Graz"),
        ("Carl Ott", "left", "Institute of Salts"),
    }
    left = next(one for one in found.relations if one.type == "left")
    assert (left.evidence, left.strength) == (LEFT["evidence"], 1.0)
    # Nothing is asked about a piece that names one entity.
    assert len(calls) == 2
    assert any(LISTED in call.texts()[-1] for call in calls)


def test_an_edit_asks_about_the_changed_pieces_only(tmp_path: Path) -> None:
    texts = [FIRST + SECOND, FIRST + SECOND.replace("anger", "good humour"), FIRST + SECOND]
    _, calls = asked(tmp_path, texts, in_piece)
    assert len(calls) == 3


def test_only_the_wanted_types_are_kept(tmp_path: Path) -> None:
    (found,), calls = asked(tmp_path, [FIRST], lambda _: [WORKS, LIVES], ("works for",))
    assert named(found) == {("Anna Weber", "works for", "Institute of Salts")}
    assert "The relations are: works for." in calls[0].texts()[-1]


@pytest.mark.parametrize("wrong", [INVENTED, ELSEWHERE, UNPROVEN, ITSELF, {**WORKS, "relation": "x" * 90}])
def test_an_answer_that_mostly_cannot_be_used_is_asked_for_once_more_and_then_refused(
    tmp_path: Path, wrong: dict[str, Any]
) -> None:
    with pytest.raises(InvalidOutputError, match="1 of 1 relations cannot be used"):
        asked(tmp_path, [FIRST], lambda _: [wrong])


def test_an_answer_without_relations_is_one(tmp_path: Path) -> None:
    (found,), _ = asked(tmp_path, [FIRST], lambda _: [])
    assert found.relations == ()


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (Relation(0, 0, "is", 0, 5, 1.0, "x"), "between the entities 0 and 0"),
        (Relation(0, 9, "is", 0, 5, 1.0, "x"), "between the entities 0 and 9"),
        (Relation(0, 1, "is", 0, 9_999, 1.0, "x"), "the text has"),
        (Relation(0, 1, "is", 0, 9, 1.0, "something"), "'something' is said to stand"),
        (Relation(0, 1, "is", 0, 3, 1.0, FIRST[:3]), "does not name its ends"),
        (Relation(0, 1, "mentioned together", 0, 22, 0.5), "does not name its ends"),
    ],
)
def test_what_is_wrong_with_a_relation_is_said(wrong: Relation, said: str) -> None:
    """A result with a relation that the text does not have is never kept, whether rules or a model made it."""
    entities = entities_in(FIRST, "", list(TYPES), {})
    assert said in unfounded(Relations((wrong,), (), ""), FIRST, entities)
