"""docs/extending.md: its files are used exactly as they stand on the page."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from seed_assets.checking.check_run import checks_of, run_check
from tests.support.model_answers import Call
from tests.support.model_server import ModelServer
from tests.support.own_modules import OwnModules, own_modules_in
from tests.support.pipelines import World

PAGE = Path(__file__).resolve().parents[2] / "docs" / "extending.md"
_FILE = re.compile(r"<!-- file: (\S+) -->\n```\w*\n(.*?)```", re.DOTALL)


@pytest.fixture
def modules(tmp_path: Path, own_environment: None) -> Iterator[OwnModules]:
    """The files of the page in a folder."""
    for found in own_modules_in(tmp_path / "mine"):
        for name, text in _FILE.findall(PAGE.read_text()):
            (found.folder / name).write_text(text)
        yield found


def test_the_stage_of_the_page_has_at_most_20_lines(modules: OwnModules) -> None:
    lines = (modules.folder / "my_stages.py").read_text().splitlines()
    assert 10 < len([line for line in lines if line.strip()]) <= 20


@pytest.mark.slow
def test_the_stage_of_the_page_fills_its_table(plain_world: World, modules: OwnModules) -> None:
    plain_world.write("bill.md", "Due on 2026-03-01, paid on 2026-02-27.")
    seeded = plain_world.seed()
    assert seeded.failed() == set()
    assert (seeded.calls["dates"], seeded.calls["lance_dates"]) == (7, 7)
    with plain_world.session() as session:
        rows = session.tables.read("dates").to_pylist()
    assert [(row["row_id"], row["date"]) for row in rows] == [("bill.md#0", "2026-03-01"), ("bill.md#1", "2026-02-27")]
    assert plain_world.seed().calls == {}


@pytest.mark.slow
def test_the_check_of_the_page_names_the_document(plain_world: World, modules: OwnModules) -> None:
    text = (modules.folder / "my_stages.py").read_text().replace(".join)", ".join, checks=(PLAUSIBLE,))")
    modules.write("my_stages", f"from my_checks import PLAUSIBLE\n{text}")
    plain_world.write("bill.md", "Due on 2206-03-01.")
    plain_world.settings = modules.settings("my_stages")
    plain_world.seed()
    with plain_world.session() as session:
        check = next(one for one in checks_of(session.pipeline) if one.name == "plausible")
        assert run_check(session.runner(), check).offenders == {"bill.md": "it has the date 2206-03-01"}


@pytest.mark.integration
def test_the_stage_of_the_page_that_asks_a_model_asks_once_for_each_document(
    plain_world: World, modules: OwnModules
) -> None:
    def answer(call: Call) -> str:
        return '{"tone": "glad"}'

    plain_world.settings = modules.settings("tones")
    assert "tones" not in plain_world.seed().calls
    with ModelServer(answer=answer) as server:

        def asked() -> int:
            return len(server.calls)

        llm = {"provider": "openai", "base_url": f"{server.url}/v1", "model": "scripted", "rpm": 0}
        kept = {name: {"when_model_changes": "keep"} for name in ("summaries", "concepts", "judge")}
        plain_world.settings |= {"llm": llm, **kept, "clusters": {"types": ["topic"], "smallest": 100}}
        seeded = plain_world.seed()
        assert (seeded.calls["tones"], seeded.failed()) == (6, set())
        assert asked() == 6
        plain_world.write("reefs/corals.txt", "A short text about corals, and how glad they are.")
        plain_world.seed()
        prompts = [call.texts()[-1] for call in server.calls if "Describe the tone" in call.texts()[-1]]
        assert len(prompts) == 7
        assert "<document>\nA short text about corals" in prompts[-1]
        (modules.folder / "tones.md").write_text("Which tone?\n{title}\n{text}\n")
        modules.forget()
        assert plain_world.seed().calls["tones"] == 6
