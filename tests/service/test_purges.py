"""What a purge removes, and what a model is asked again for."""

import json
from pathlib import Path

import pytest

from answering.model_answers import ModelAnswerer
from tests.support.model_answers import Call
from tests.support.model_server import ModelServer
from tests.support.model_world import ModelWorld
from tests.support.pipelines import World
from tests.support.served import served

ANSWER = {
    "found": True,
    "sentences": [
        {"text": "Points guide trains.", "sources": [{"passage": 1, "quotation": "Points guide trains."}]},
    ],
}


@pytest.mark.integration
def test_only_a_purge_of_what_was_paid_pays_again(plain_world: World, tmp_path: Path) -> None:
    """Somebody who wants to see new answers must not pay for all of them by mistake."""
    calls: list[Call] = []

    def answer(call: Call) -> str:
        calls.append(call)
        return json.dumps(ANSWER)

    with (
        ModelServer(answer=answer) as server,
        ModelWorld(tmp_path / "model", server.url) as model,
        served(plain_world.home, plain_world.corpus) as service,
    ):
        service.base.asker._answerer = ModelAnswerer(model.model())  # type: ignore[attr-defined]
        assert service.ask("What guide trains?")["requests"] == 1
        assert service.client.post("/cache/purge", json={}).json() == {"retrievals": 1, "answers": 1, "requests": 0}
        again = service.ask("What guide trains?")
        assert (again["cache"]["answer_hit"], again["requests"], len(calls)) == (False, 0, 1)
        purged = service.client.post("/cache/purge", json={"paid": True}).json()
        assert purged == {"retrievals": 1, "answers": 1, "requests": 1}
        assert service.ask("What guide trains?")["requests"] == 1
        assert len(calls) == 2
        (use,) = [one for one in service.client.get("/cache/stats").json()["models"] if one["stage"] == "answer"]
        assert use["outcomes"] == {"answered": 2}
