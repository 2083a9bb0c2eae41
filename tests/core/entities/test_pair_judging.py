"""Undecided pairs by a model: each is asked about once, within bounds, and what it does not know stays undecided."""

import json
from pathlib import Path

import pytest

from seed_assets.core.entities.resolution.canonical import ResolutionRules, canonical, resolve
from seed_assets.core.entities.resolution.pair_judging import ModelPairJudge
from tests.core.entities.test_resolution import document, groups
from tests.support.model_answers import Call
from tests.support.model_server import ModelServer
from tests.support.model_world import ModelWorld

pytestmark = [pytest.mark.integration, pytest.mark.usefixtures("own_environment")]

DOCUMENTS = [
    document("a", "Acme", "Anna Weber", kind="organisation", concepts=("salt",)),
    document("b", "Acme", kind="place", concepts=("train",)),
    document("c", "Johnson & Söhne", kind="organisation", concepts=("soap",)),
]
RULES = ResolutionRules(100)


def verdict(call: Call) -> str:
    return json.dumps({"verdict": "different" if "salt" in call.texts()[-1] else "unknown"})


def test_a_verdict_decides_a_pair_and_is_paid_for_once(tmp_path: Path) -> None:
    entities = [one for each in DOCUMENTS for one in each]
    first = resolve(entities, RULES)
    pairs = first.to_judge()
    assert [(one.name, other.name) for one, other in pairs] == [("Acme", "Acme")]
    assert groups(canonical(first), "Acme") == [{"a"}, {"b"}] or groups(canonical(first), "Acme") == [{"a", "b"}]
    with ModelServer(answer=verdict) as server, ModelWorld(tmp_path, server.url) as world:
        judge = ModelPairJudge(world.model(), 10)
        judged = world.run(judge.judge(pairs, world.reuse()))
        again = world.run(judge.judge([(other, one) for one, other in pairs], world.reuse()))
        none = world.run(ModelPairJudge(world.model(), 0).judge(pairs, world.reuse()))
        asked = len(server.calls)
    assert (list(judged.values()), again, none, asked) == ([False], judged, {}, 1)
    decided = canonical(resolve(entities, RULES, canonical(first), judged))
    assert groups(decided, "Acme") == [{"a"}, {"b"}]
    # The verdict is kept, so nothing is left to ask about.
    kept = {(one, other): same for one, other, same in decided.judged}
    assert kept == judged
    assert resolve(entities, RULES, decided, kept).to_judge() == []
