"""A plan that is read back, since all that decides it is as it was, says exactly what one says that is made from the start.

What belongs here: equality of the two after every kind of change, and that no key is formed if nothing has changed. What does
not: plans of which a part has changed (test_plan_memory).
"""

import os
import time
from dataclasses import replace
from typing import Any

import pytest

from io_managers.store.fingerprint import Action
from resources.settings.config import load_settings
from seed_assets.graph.pipeline import Pipeline
from seed_assets.graph.published import PublishedCorpus
from seed_assets.planning import whole_plan
from seed_assets.planning.estimate import estimate
from seed_assets.planning.plan import Plan
from seed_assets.planning.planner import make_plan
from tests.planning.test_plan_memory import (
    CHANGES,
    break_document,
    drop_ref,
    edit,
    record_failure_of_what_is_current,
    remember_failure,
    said,
)
from tests.support.pipelines import World


@pytest.fixture(autouse=True)
def for_few(monkeypatch: pytest.MonkeyPatch) -> None:
    """Six documents are enough."""
    monkeypatch.setattr(whole_plan, "FEWEST_DOCUMENTS", 1)


def both(world: World) -> Plan:
    """The plan with all memories, which is the plan without."""
    with world.session() as session:
        tables = {
            stage.table: session.tables.state(stage.table) for stage in session.pipeline.stages.values() if stage.table
        }
        without = make_plan(session.pipeline, session.store, session.corpus.scan(), tables)
        found = session.plan()
        names = list(session.pipeline.stages)
        estimates = [estimate(session.pipeline, session.store, p, names, p.documents) for p in (without, found)]
        for stage in found.stages.values():
            stage.finished = dict(stage.finished.items())  # they are read when they are needed
    assert said(found) == said(without)
    assert estimates[0] == estimates[1]
    assert {name: stage.kept for name, stage in found.stages.items()} == {
        name: stage.kept for name, stage in without.stages.items()
    }
    return found


def is_read_back(world: World, monkeypatch: pytest.MonkeyPatch) -> bool:
    """Whether a plan forms no key and opens no value."""
    made: list[str] = []
    planner = "seed_assets.planning.planner._Planner"
    with monkeypatch.context() as patch, world.session() as session:
        patch.setattr(f"{planner}.__init__", lambda self, *_: made.append("a plan"))
        patch.setattr(f"{planner}.plan", lambda self: None)
        patch.setattr(PublishedCorpus, "value", lambda *_: pytest.fail("a value was opened"))
        session.plan()
    return not made


def test_a_plan_with_nothing_to_do_is_read_back(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    assert not is_read_back(world, monkeypatch)
    both(world)
    assert is_read_back(world, monkeypatch)
    found = both(world)
    assert not found.todo()
    assert (
        found.stages["summaries"].finished["bread/flour.md"]
        == both(world).stages["summaries"].finished["bread/flour.md"]
    )


def test_a_small_corpus_has_no_such_memory(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(whole_plan, "FEWEST_DOCUMENTS", 7)
    world.plan()
    assert not (world.home / "plan.whole").exists()


@pytest.mark.slow
def test_every_change_is_seen_as_it_is_without(world: World, tmp_path_factory: pytest.TempPathFactory) -> None:
    for change in CHANGES:
        copy = world.copy_to(tmp_path_factory.mktemp(change.__name__))
        assert not both(copy).todo(), change.__name__
        assert (copy.home / "plan.whole").exists()
        before = said(both(copy))
        change(copy)
        found = said(both(copy))
        assert (found != before) == (change is not record_failure_of_what_is_current), change.__name__
        assert said(both(copy)) == found, change.__name__


@pytest.mark.slow
@pytest.mark.parametrize("stage", ["clusters", "cluster_summaries", "categories", "search_index", "document_clusters"])
def test_what_is_lost_of_the_corpus_as_a_whole_is_seen(
    world: World, stage: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    both(world)
    store = world.store()
    store.refs.drop_stage(stage)
    store.close()
    assert not is_read_back(world, monkeypatch)
    found = both(world)
    assert found.todo() or found.clustering() or found.of_corpus() or found.maintenance


def test_a_lost_clustering_is_seen(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    both(world)
    store = world.store()
    digest = store.refs.get("clusters")["topic"].content_digest
    store.database.write(("DELETE FROM objects WHERE content_digest = ?", [(digest,)])).result()
    store.close()
    assert not is_read_back(world, monkeypatch)


@pytest.mark.slow
def test_what_failed_for_good_is_read_back_until_its_result_is_there(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    remember_failure(world)
    break_document(world)
    world.write("reefs/polyps.txt", (world.corpus / "bread/flour.md").read_text() + " polyps")
    world.seed()
    found = both(world)
    assert is_read_back(world, monkeypatch)
    failed = found.stages["summaries"].failures
    assert "reefs/polyps.txt" in failed
    assert both(world).failures()
    store = world.store()
    (failure,) = store.failures.of(["reefs/polyps.txt"])
    other = store.refs.get("summaries")["bread/flour.md"].content_digest
    action = Action("summaries", failure.action_key, {"version": "1"})
    from io_managers.store.action_cache import Provenance

    store.commit([(action, store.load(other), Provenance())]).result()
    store.close()
    assert both(world).stages["summaries"].todo


def test_work_that_is_left_is_not_remembered(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    edit(world)
    both(world)
    assert not (world.home / "plan.whole").exists()
    assert not is_read_back(world, monkeypatch)


def test_a_damaged_memory_counts_for_nothing(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.plan()
    file = world.home / "plan.whole"
    whole = file.read_bytes()
    for damaged in (b"", whole[:-1], bytes([whole[0] ^ 1]) + whole[1:], whole[:-1] + bytes([whole[-1] ^ 1])):
        file.write_bytes(damaged)
        assert not is_read_back(world, monkeypatch)
    file.unlink()
    file.mkdir()
    assert not is_read_back(world, monkeypatch)
    assert not both(world).todo()


def test_a_memory_beside_an_older_store_counts_for_nothing(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.plan()
    assert is_read_back(world, monkeypatch)
    drop_ref(world)
    assert both(world).todo()
    assert not is_read_back(world, monkeypatch)


def test_other_settings_and_files_are_other_conditions(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    prices = world.home.parent / "prices.toml"
    prices.write_text("")
    long_ago = time.time() - 60

    def conditions(**settings: Any) -> str:
        given = {"home": world.home, "corpus": world.corpus, "prices": prices, **settings}
        from seed_assets.session.session import Session

        session = Session(load_settings(given))
        session._opened_ns = time.time_ns() + 10_000_000_000  # the file has rested, as seen from here
        try:
            return session._conditions()
        finally:
            session.close()

    first = conditions()
    assert conditions() == first
    assert conditions(documents_per_run=17) != first
    os.utime(prices, (long_ago, long_ago))
    assert conditions() != first


def test_another_key_of_a_server_is_another_condition(world: World) -> None:
    """A refusal is recorded for good only under the key with which it was refused."""
    with world.session() as session:
        before = session._conditions()
        session.pipeline = replace(session.pipeline, asked_with=frozenset({"the digest of another key"}))
        assert session._conditions() != before


@pytest.mark.slow
def test_another_way_to_read_a_format_is_seen(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    both(world)
    assert is_read_back(world, monkeypatch)
    part = Pipeline.source_part
    monkeypatch.setattr(Pipeline, "source_part", lambda self, digest, format: [part(self, digest, format), "engine 2"])
    assert not is_read_back(world, monkeypatch)
    assert both(world).todo()


def test_a_file_that_changed_just_now_makes_conditions_that_hold_once(world: World) -> None:
    prices = world.home.parent / "prices.toml"
    prices.write_text("")
    from seed_assets.session.session import Session

    session = Session(load_settings({"home": world.home, "corpus": world.corpus, "prices": prices}))
    assert session._conditions() != session._conditions()
    session.close()
