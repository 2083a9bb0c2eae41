"""The engine knows no feature by name: it asks of each stage what the stage declares.

What belongs here: reading the source of what runs, plans, checks and shows stages. Covered are graph, memo, engine,
planning, session, checking, seeding and orchestration; wiring and stages name themselves and what they are made of, and the
commands and the search name tables and stages to people.
"""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from resources.settings.config import load_settings
from resources.tables.lance_schema import TABLES
from seed_assets.wiring import build_pipeline

ROOT = Path(__file__).resolve().parents[2] / "seed_assets"
COVERED = ("graph", "memo", "engine", "planning", "session", "checking", "seeding", "orchestration")


def names() -> set[str]:
    """Return the names of all stages, of their corpus inputs, and of all tables."""
    pipeline = build_pipeline(load_settings({"clusters": {"types": ["topic", "concept", "field:subject"]}}))
    looked_at = {name for stage in pipeline.stages.values() for name in stage.corpus_inputs}
    assert {"fields", "clusters"} <= pipeline.stages.keys()
    assert {"material", "placement"} <= looked_at
    return {*pipeline.stages, *looked_at, *TABLES}


def strings(path: Path) -> Iterator[tuple[int, str]]:
    """(line, text) of every string in a module."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.lineno, node.value


@pytest.mark.parametrize("package", COVERED)
def test_no_string_is_the_name_of_a_stage_a_corpus_input_or_a_table(package: str) -> None:
    """A name in the engine is a feature that the next one has to be written beside."""
    modules = sorted((ROOT / package).rglob("*.py"))
    assert modules
    wanted = names()
    named = [
        f"{path.relative_to(ROOT)}:{line}: {text!r}"
        for path in modules
        for line, text in strings(path)
        if text in wanted
    ]
    assert not named, "\n".join(named)
