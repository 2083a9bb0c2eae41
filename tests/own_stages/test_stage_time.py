"""Stages of users whose code never ends for one document: it fails by its name, and nothing else waits for it."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from resources.time_limits import OutOfTimeError, time_limit
from tests.support.own_modules import COUNTING, OwnModules, own_modules_in
from tests.support.pipelines import World

pytestmark = pytest.mark.slow
ENDLESS = "corals"


@pytest.fixture
def modules(tmp_path: Path, own_environment: None) -> Iterator[OwnModules]:
    yield from own_modules_in(tmp_path / "mine")


@pytest.fixture
def world(plain_world: World, modules: OwnModules) -> World:
    """Six documents, of which one is about corals, and stages that may take a second for each."""
    plain_world.settings = {"stages": {"modules": ["my_stages"], "document_seconds": 1}}
    return plain_world


@pytest.mark.parametrize(
    "endless",
    [
        "while True: pass",
        "time.sleep(600)",
        "re.match('(a+)+$', 'a' * 60 + 'b')",
        "while True:\n        try: time.sleep(1)\n        except Exception: pass",
        "while True: await asyncio.sleep(0)",
        "await asyncio.Future()",
        "await asyncio.to_thread(time.sleep, 600)",
        "await asyncio.gather(inner(), inner())",
    ],
)
def test_a_document_whose_stage_never_ends_fails_alone_with_the_line(
    world: World, modules: OwnModules, endless: str
) -> None:
    """Otherwise a seed would hang for ever, with results that were paid for behind it."""
    # Where it waits in a thread or a task of its own, the line is that of the function that waits for it.
    text = "import asyncio, re, time\nasync def inner():\n    while True: pass\n" + COUNTING.replace(
        "    return len(", f"    if 'coral' in extracted_text.text:\n      {endless}\n    return len("
    )
    modules.write("my_stages", text)
    done = world.seed()
    (failure,) = done.report.failures
    assert (failure.stage, failure.document) == ("word_count", "reefs/corals.txt")
    line = 1 + text[: text.index(endless)].count("\n")
    assert "took longer than 1 second, at " in failure.reason
    assert f"my_stages.py, line {line}" in failure.reason or "try: " in failure.reason or "while" in failure.reason
    assert "stages.document_seconds" in failure.remedy
    modules.write("my_stages", COUNTING)
    assert world.seed().calls == {"word_count": 1, "lance_word_counts": 1}


def test_rows_and_descriptions_that_never_end_are_ended_as_well(world: World, modules: OwnModules) -> None:
    (world.corpus / "reefs/corals.txt").write_text("Corals.")
    rows = "return document_rows("
    for before, after, stage in (
        ("preview=str", "preview=lambda value: time.sleep(600 * (value == 1)) or ''", "word_count"),
        (rows, f"while word_count == 1: pass\n    {rows}", "lance_word_counts"),
        (rows, f"if word_count == 1: return (time.sleep(600) for _ in 'a')\n    {rows}", "lance_word_counts"),
    ):
        modules.write("my_stages", "import time\n" + COUNTING.replace(before, after))
        failures = world.seed(retry_failed=True).report.failures
        assert [(failure.stage, failure.document) for failure in failures] == [(stage, "reefs/corals.txt")]
        assert "took longer than 1 second" in failures[0].reason


def test_time_in_which_a_stage_waits_for_its_turn_does_not_count(world: World, modules: OwnModules) -> None:
    """While the code of one document computes, that of the others must not run out of time."""
    slow = COUNTING.replace("    return len(", "    time.sleep(0.7)\n    await asyncio.sleep(0)\n    return len(")
    modules.write("my_stages", f"import asyncio, time\n{slow}")
    assert world.seed().report.failures == []


def test_of_nested_limits_the_innermost_counts_and_afterwards_there_is_none() -> None:
    began = time.monotonic()
    with time_limit(600):
        with pytest.raises(OutOfTimeError), time_limit(1):
            time.sleep(600)
        assert time.monotonic() - began < 300
    with time_limit(None):
        pass
    time.sleep(1.1)
