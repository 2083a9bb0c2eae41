"""Two homes that share a remote: what one has computed and pushed, the other finds."""

import asyncio
import logging
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from io_managers.sharing.segments.signatures import SigningKey, public_text
from resources.errors import ConfigurationError
from seed_assets.session import sharing
from tests.support.pipelines import SOURCES, Seeded, World

pytestmark = pytest.mark.slow

KEY, OTHER = SigningKey.parse("secret:" + "07" * 32), SigningKey.parse("secret:" + "08" * 32)


@pytest.fixture
def remote(tmp_path: Path) -> Path:
    """A folder that others can write, so that only what is signed counts."""
    folder = tmp_path / "remote"
    folder.mkdir()
    folder.chmod(0o777)
    return folder


@pytest.fixture
def host(tmp_path: Path, empty_plain_world: World, remote: Path) -> Callable[..., World]:
    """Makes worlds with the same corpus, each with a home of its own."""

    def make(name: str, **rules: Any) -> World:
        world = World(tmp_path / name, plain=True)
        shutil.copytree(empty_plain_world.corpus, world.corpus)
        world.settings = {"store": {"remote": str(remote), "signing_key": KEY.text} | rules}
        world.summarizer.usd, world.summarizer.numbered = 0.01, True
        return world

    return make


def computed(seeded: Seeded) -> set[str]:
    """The stages of documents that a seed has computed anything of."""
    return set(seeded.calls) & set(SOURCES)


def test_a_second_home_computes_nothing_that_the_first_has_pushed(host: Callable[..., World]) -> None:
    one, two = host("one"), host("two")
    first = one.seed()
    assert first.report.shared.pushed > 0
    second = two.seed()
    assert computed(second) == set()
    assert two.summarizer.texts == []
    assert second.report.shared.adopted > 0
    assert second.report.exit_code == 0
    assert two.rows("documents") == one.rows("documents")
    assert two.seed().report.runs == []


def test_only_what_is_new_is_computed_and_pushed(host: Callable[..., World]) -> None:
    one, two, three = host("one"), host("two"), host("three")
    one.seed()
    two.write("new.md", "# New\n\nA text that no other home has, about lighthouses and their keepers.\n")
    assert two.seed().calls["summaries"] == 1
    three.write("new.md", "# New\n\nA text that no other home has, about lighthouses and their keepers.\n")
    assert computed(three.seed()) == set()


def test_a_home_without_documents_of_its_own_to_compute_asks_nothing(host: Callable[..., World], remote: Path) -> None:
    """A seed with nothing to do must work without a network."""
    one = host("one")
    one.seed()
    shutil.rmtree(remote)
    assert one.seed().report.runs == []


def test_a_remote_that_is_gone_ends_the_seed_before_anything_is_paid(host: Callable[..., World], remote: Path) -> None:
    """Taken for an empty one, everything would be paid again."""
    two = host("two")
    shutil.rmtree(remote)
    with pytest.raises(ConfigurationError, match=r"does not exist.*correct store\.remote"):
        two.seed()
    assert two.summarizer.texts == []
    two.settings["store"]["remote_access"] = "off"
    assert two.seed().report.exit_code == 0


def test_a_stranger_is_not_believed(host: Callable[..., World]) -> None:
    one, two, three = (
        host("one"),
        host("two", signing_key=OTHER.text),
        host("three", signing_key=OTHER.text, trusted_keys=[public_text(KEY.public)]),
    )
    one.seed()
    second = two.seed()
    assert second.calls["summaries"] == 6
    assert second.report.shared.adopted == 0
    assert computed(three.seed()) == set()


def test_ci_reads_and_pushes_nothing(host: Callable[..., World], remote: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    host("one").seed()
    before = sorted(remote.rglob("*"))
    monkeypatch.setenv("CI", "true")
    two = host("two")
    two.write("new.md", "# New\n\nA text about lighthouses.\n")
    second = two.seed()
    assert second.calls["summaries"] == 1
    assert second.report.shared.pushed == 0
    assert sorted(remote.rglob("*")) == before


def test_with_cache_only_everything_comes_from_the_remote(host: Callable[..., World]) -> None:
    """CI without a key of a model: what is not shared fails by name."""
    host("one").seed()
    two = host("two", signing_key="", trusted_keys=[public_text(KEY.public)])
    assert two.seed(cache_only=True).report.exit_code == 0
    two.write("new.md", "# New\n\nA text about lighthouses.\n")
    assert {document for document, _ in two.seed(cache_only=True).failed()} == {"new.md"}


def test_a_value_that_the_remote_has_lost_is_computed_again_and_named(
    host: Callable[..., World], remote: Path, caplog: pytest.LogCaptureFixture
) -> None:
    one, two, three = host("one"), host("two"), host("three")
    one.seed()
    for path in (remote / "values").rglob("*"):
        if path.is_file():
            path.write_bytes(path.read_bytes()[:-1])
    with caplog.at_level(logging.WARNING):
        second = two.seed()
    assert second.report.failures == []
    assert "of the remote was not used" in caplog.text
    assert len(two.rows("documents")) == 6
    assert second.report.shared.pushed > 0
    third = three.seed()
    assert third.report.exit_code == 0
    assert three.summarizer.texts == []


def test_a_remote_that_fails_on_the_way_loses_nothing(
    host: Callable[..., World], remote: Path, caplog: pytest.LogCaptureFixture
) -> None:
    one, two = host("one"), host("two")
    away = remote.with_name("away")
    inner = one.summarizer.summarize

    async def summarize(text: str, title: str, reuse: Any) -> Any:
        if remote.exists():
            remote.rename(away)
        return await inner(text, title, reuse)

    one.summarizer.summarize = summarize
    with caplog.at_level(logging.WARNING):
        first = one.seed()
    assert first.report.exit_code == 0
    assert "is pushed by the next seed" in caplog.text
    away.rename(remote)
    one.write("new.md", "# New\n\nA text about lighthouses.\n")
    one.summarizer.summarize = inner
    one.seed()
    two.write("new.md", "# New\n\nA text about lighthouses.\n")
    assert computed(two.seed()) == set()


def test_results_are_shared_while_a_seed_goes_on(
    host: Callable[..., World], remote: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A host that is killed has lost for the others what was in flight, and nothing else."""
    monkeypatch.setattr(sharing, "_SECONDS", 0.01)
    one = host("one")
    inner = one.summarizer.summarize

    async def summarize(text: str, title: str, reuse: Any) -> Any:
        async with asyncio.timeout(60):
            while not any(path.is_file() for path in (remote / "segments").rglob("*")):
                await asyncio.sleep(0.01)
        return await inner(text, title, reuse)

    one.summarizer.summarize = summarize
    assert one.seed().report.failures == []
