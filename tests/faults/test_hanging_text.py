"""Seeds in which the work on one document's text hangs, grows or crashes: that document fails by name, the others are done."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from seed_assets.core.workers import parser_pool
from seed_assets.core.workers.parser_pool import ParserPool
from tests.support.pipelines import World, essay

pytestmark = pytest.mark.integration

TIMEOUT_SECONDS = 15
WORK = '''
"""The parser of a pool; in its workers chunks are cut as a text says."""
import functools, os
from dataclasses import replace
from seed_assets.core.workers import text_tasks
from seed_assets.core.reading.extraction import extract

task = text_tasks.TASKS["chunks"]

@functools.wraps(task.function)
def obedient(characters, overlap, text, title):
    while "It hangs." in text: pass
    if "It grows." in text: held = [bytearray(64 << 20) for _ in range(1000)]
    if "It aborts." in text: os.abort()
    return task.function(characters, overlap, text, title)

text_tasks.TASKS = {**text_tasks.TASKS, "chunks": replace(task, function=obedient)}
'''


@pytest.fixture
def obedient_pool(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ParserPool]:
    """The pool that pipelines are built with, whose workers do what texts say."""
    (tmp_path / "obedient_work.py").write_text(WORK)
    monkeypatch.syspath_prepend(tmp_path)
    with ParserPool(2, TIMEOUT_SECONDS, 1024**3, parse="obedient_work:extract") as pool:
        monkeypatch.setattr(parser_pool, "shared_pool", lambda: pool)
        yield pool


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux enforces a limit on the address space")
def test_a_text_that_hangs_grows_or_crashes_fails_alone_and_by_name(
    obedient_pool: ParserPool, tmp_path: Path, own_environment: None
) -> None:
    world = World(tmp_path)
    good = {f"{number}.md" for number in range(6)}
    for name in good:
        world.write(name, essay(name))
    # They come first in order.
    for word in ("hangs", "grows", "aborts"):
        world.write(f"!{word}.md", f"{essay(word)}\n\nIt {word}.\n")

    first = world.seed()

    assert first.report.exit_code == 1
    failures = {failure.document: failure for failure in first.report.failures}
    assert {name: (failure.stage, failure.reason) for name, failure in failures.items()} == {
        "!hangs.md": ("chunks", f"cutting it into chunks did not end within {TIMEOUT_SECONDS} seconds."),
        "!grows.md": ("chunks", "cutting it into chunks takes more than the 1,024 MB of memory allowed."),
        "!aborts.md": ("chunks", "cutting it into chunks crashed (SIGABRT)."),
    }
    assert all("Split it into smaller documents" in failure.remedy for failure in failures.values())
    assert "--retry-failed" in failures["!hangs.md"].remedy
    for table in ("documents", "concepts", "judgements"):
        assert world.documents_in(table) == {*good, *failures}
    assert world.documents_in("chunks") == good

    again = world.seed()
    assert {failure.document for failure in again.report.failures} == failures.keys()
    assert "chunks" not in again.calls, "what hung is not tried by every seed"
