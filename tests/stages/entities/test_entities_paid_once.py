"""Entities by a model in a seeded home whose server fails often: nothing is paid twice, and nothing invented is kept."""

import json
import random
import re
from pathlib import Path

import pytest

from seed_assets.core.entities.resolution.canonical import CanonicalEntities
from tests.support.model_answers import Call, fitting_answer
from tests.support.model_faults import Fault, Status
from tests.support.model_server import ModelServer
from tests.support.pipelines import World

pytestmark = [pytest.mark.integration, pytest.mark.slow, pytest.mark.usefixtures("own_environment")]

_FAILING = 0.3
_ENTITIES, _PAIR = "List the entities", "Are these one and the same"


def _answer(call: Call) -> str:
    said = call.texts()[-1]
    if _PAIR in said:
        return json.dumps({"verdict": "same"})
    if _ENTITIES in said:
        names = list(dict.fromkeys(re.findall(r"[A-Z][a-z]+ [A-Z][a-z]+", said.partition("<document>")[2])))
        named = [{"name": name, "type": "person", "aliases": []} for name in [*names, "Invented Name"]]
        return json.dumps({"entities": named})
    return fitting_answer(call)


def _asked(calls: list[Call], about: str) -> int:
    return sum(call.valid and about in call.texts()[-1] for call in calls)


def _text(number: int) -> str:
    """The names have some context in common, and not enough to be sure that they are of one person."""
    return (
        f"Yesterday John Smith met Anna Weber and Carl Ott{'o' * number} in the town. Later John Smith spoke of topic{number} at "
        "length, and nobody heard Anna Weber."
    )


def test_nothing_is_paid_twice_and_a_removed_document_asks_nothing(tmp_path: Path) -> None:
    chance = random.Random(3)

    def script(call: Call, earlier: int) -> Fault | None:
        return Status(500) if earlier == 0 and chance.random() < _FAILING else None

    with ModelServer(script, answer=_answer) as server:
        world = World(tmp_path, plain=True)
        llm = {"provider": "openai", "base_url": f"{server.url}/v1", "model": "scripted", "api_key": "k", "rpm": 0}
        world.settings = {"entities": {"enabled": True}, "llm": llm}
        for number in range(6):
            world.write(f"{number}.txt", _text(number))
        assert world.seed().failed() == set()
        assert (_asked(server.calls, _ENTITIES), _asked(server.calls, _PAIR) > 0) == (6, True)

        before = len(server.calls)
        (world.corpus / "3.txt").unlink()
        assert world.seed().failed() == set()
        assert [_asked(server.calls[before:], about) for about in (_ENTITIES, _PAIR)] == [0, 0]
        assert max(server.valid_answers.values()) == 1

        with world.session() as session:
            ref = session.store.refs.get("canonical_entities")[""]
            found = session.store.load(ref.content_digest, CanonicalEntities)
    names = {name for one in found.entities for name in (one.name, *one.aliases)}
    assert "Invented Name" not in names
    assert "Anna Weber" in names
