"""A stage is looked at while it computes: by what shows finished results, and for people who read its progress."""

import asyncio
from collections import Counter
from dataclasses import dataclass, field

import pytest

from seed_assets.core.summaries.summarizing import Summary
from seed_assets.engine import stage_watch
from seed_assets.engine.observer import Silent
from seed_assets.engine.progress import Progress
from seed_assets.engine.stage_run import StageRun
from seed_assets.engine.stage_work import run_stage
from seed_assets.memo.reuse import Reuse
from tests.support.pipelines import CountingSummarizer, World, refusal


@dataclass
class SlowSummarizer(CountingSummarizer):
    """One that takes so many seconds for each text, one after the other."""

    seconds: float = 0.02
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def summarize(self, text: str, title: str, reuse: Reuse) -> Summary:
        """See CountingSummarizer."""
        async with self.lock:
            await asyncio.sleep(self.seconds)
        return await super().summarize(text, title, reuse)


class Looks:
    """Keeps what each look saw: the results, and which of them the store has."""

    def __init__(self) -> None:
        self.seen: list[set[str]] = []

    def look(self, run: StageRun) -> None:
        """See ResultsObserver."""
        self.seen.append(set(run.results))


class Lines(Silent):
    """Keeps the progress that was reported."""

    def __init__(self) -> None:
        self.found: list[Progress] = []

    def reached(self, progress: Progress) -> None:
        """See Observer."""
        self.found.append(progress)


def summaries(world: World, summarizer: CountingSummarizer) -> tuple[Looks, Lines, StageRun]:
    """Run the stage with another summarizer, which computes all summaries again."""
    looks, lines = Looks(), Lines()
    world.summarizer = summarizer
    with world.session(Counter()) as session:
        runner = session.runner(observer=lines)
        found = run_stage(runner, session.pipeline.stages["summaries"], sorted(session.plan().documents), None, looks)
    return looks, lines, found


def test_a_slow_stage_is_looked_at_again_and_again_and_each_time_it_has_more(
    plain_world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two hours in which no partition turns green."""
    monkeypatch.setattr(stage_watch, "LOOK_SECONDS", 0.01)
    monkeypatch.setattr(stage_watch, "LINE_SECONDS", 0.0)
    failing: dict[str, Exception] = {"signals": refusal()}

    looks, lines, found = summaries(plain_world, SlowSummarizer(words=9, failing=failing))

    assert any(0 < len(seen) < len(found.results) for seen in looks.seen)
    assert all(before <= after for before, after in zip(looks.seen, looks.seen[1:], strict=False))
    assert len(found.results) == 5
    done = [progress.done for progress in lines.found]
    assert done == sorted(set(done)), "a line for each time that something was finished"
    assert all(0 < progress.done <= progress.total == 6 for progress in lines.found)
    assert all(progress.name in {*found.results, *found.failures} for progress in lines.found)


def test_a_stage_that_takes_no_time_is_not_looked_at(plain_world: World) -> None:
    """Ten thousand documents that are split in seconds get one batch of events, as if nobody watched."""
    looks, lines, found = summaries(plain_world, CountingSummarizer(words=9))

    assert len(found.results) == 6
    assert looks.seen == []
    assert lines.found == []
