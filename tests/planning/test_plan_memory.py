"""A plan that goes on from what an earlier one found says exactly what a plan says that forms every key.

What belongs here: equality of the two after every kind of change, and how many keys are formed. What does not: the answer
that needs no plan (tests/seeding/test_standing_answer).
"""

import shutil
from collections.abc import Callable
from typing import Any

import pytest

from io_managers.store.failures import FailureRecord
from io_managers.store.fingerprint import KeyTemplate
from resources.errors import DocumentError
from resources.tables.lance import LanceTables
from seed_assets.engine.damage import DAMAGED, note
from seed_assets.planning.plan import Plan
from seed_assets.planning.plan_memory import PlanMemory
from seed_assets.planning.planner import make_plan
from seed_assets.session.session import Session
from tests.conftest import DOCUMENTS
from tests.support.pipelines import ALONE, World, essay, refusal

NOBODY: dict[str, set[str]] = {name: set() for name in ALONE}
EVERYBODY: dict[str, set[str]] = {name: set(DOCUMENTS) for name in ALONE}


def said(plan: Plan) -> dict[str, Any]:
    """Everything that a plan says."""

    def of(error: DocumentError | None) -> tuple[str, str] | None:
        return None if error is None else (error.reason, error.remedy)

    return {
        "documents": plan.documents,
        "stages": {
            name: (
                dict(sorted(stage.states.items())),
                list(stage.todo.items()),
                {unit: of(error) for unit, error in stage.failures.items()},
                stage.computing,
                stage.finished,
                of(stage.fault),
                dict(stage.sizes),
                stage.unnamed,
            )
            for name, stage in plan.stages.items()
        },
        "gone": plan.gone,
        "renamed": plan.renamed,
        "maintenance": plan.maintenance,
        "placed": plan.placed,
        "digest": plan.digest(),
    }


def both(world: World) -> Plan:
    """The plan from memory, which is the plan without."""
    with world.session() as session:
        tables = {
            stage.table: session.tables.state(stage.table) for stage in session.pipeline.stages.values() if stage.table
        }
        without = make_plan(session.pipeline, session.store, session.corpus.scan(), tables)
        found = session.plan()
    assert said(found) == said(without)
    return found


def formed(world: World, monkeypatch: pytest.MonkeyPatch) -> dict[str, set[str]]:
    """Stage -> the units of which a plan forms keys."""
    counted: dict[str, set[str]] = {}
    keys = KeyTemplate.keys

    def counting(self: KeyTemplate, inputs: Any, partitions: Any) -> dict[str, str]:
        found = keys(self, inputs, list(partitions))
        counted.setdefault(self.stage, set()).update(found)
        return found

    with monkeypatch.context() as patch:
        patch.setattr(KeyTemplate, "keys", counting)
        world.plan()
    return {name: counted.get(name, set()) for name in ALONE}


def edit(world: World) -> None:
    world.write("reefs/corals.txt", essay("polyps"))


def add(world: World) -> None:
    world.write("reefs/new.txt", essay("anemones"))


def remove(world: World) -> None:
    (world.corpus / "reefs/corals.txt").unlink()


def rename(world: World) -> None:
    (world.corpus / "reefs/corals.txt").rename(world.corpus / "reefs/hard corals.txt")


def change_suffix(world: World) -> None:
    (world.corpus / "reefs/corals.txt").rename(world.corpus / "reefs/corals.md")


def break_document(world: World) -> None:
    world.write("reefs/corals.txt", b"")


def change_setting(world: World) -> None:
    world.settings["chunks"] = {"characters": 500}


def raise_first_version(world: World) -> None:
    world.raise_version("extracted_text")


def raise_table_version(world: World) -> None:
    world.raise_version("lance_concepts")


def drop_table(world: World) -> None:
    LanceTables(world.home / "lancedb").drop("chunks")


def delete_rows(world: World) -> None:
    LanceTables(world.home / "lancedb").open("concepts").delete("document_id = 'reefs/corals.txt'")


def drop_ref(world: World) -> None:
    store = world.store()
    store.refs.drop("concepts", ["reefs/corals.txt"])
    store.close()


def drop_every_ref_of_a_document(world: World) -> None:
    store = world.store()
    store.refs.drop_partitions(["reefs/corals.txt"])
    store.close()


def forget_result(world: World) -> None:
    store = world.store()
    key = store.refs.get("summaries")["reefs/corals.txt"].action_key
    store.database.write(("DELETE FROM actions WHERE action_key = ?", [(key,)])).result()
    store.close()


def replace_result(world: World) -> None:
    store = world.store()
    refs = store.refs.get("summaries")
    own, other = refs["reefs/corals.txt"], refs["bread/flour.md"]
    store.database.write(("DELETE FROM actions WHERE action_key = ?", [(own.action_key,)])).result()
    store.commit([(_action(world, own.action_key), store.load(other.content_digest), _provenance())]).result()
    store.close()


def _action(world: World, key: str) -> Any:
    from io_managers.store.fingerprint import Action

    return Action("summaries", key, {"version": "1"})


def _provenance() -> Any:
    from io_managers.store.action_cache import Provenance

    return Provenance()


def damage_ref(world: World) -> None:
    store = world.store()
    change = "UPDATE refs SET content_digest = 'sha256:0' WHERE stage = 'chunks' AND partition = ?"
    store.database.write((change, [("reefs/corals.txt",)])).result()
    store.close()


def note_damage(world: World) -> None:
    store = world.store()
    note(store, [store.refs.get("lance_chunks")["reefs/corals.txt"]], DAMAGED)
    store.close()


def remember_failure(world: World) -> None:
    """Record a failure of the request that a changed document needs."""
    edit(world)
    world.summarizer.failing = {"polyps": refusal()}
    world.seed()


def record_failure_of_what_is_current(world: World) -> None:
    store = world.store()
    key = store.refs.get("summaries")["reefs/corals.txt"].action_key
    store.failures.record([FailureRecord(key, "summaries", "reefs/corals.txt", "It failed.", "Ask.", transient=False)])
    store.close()


CHANGES: tuple[Callable[[World], None], ...] = (
    edit,
    add,
    remove,
    rename,
    change_suffix,
    break_document,
    change_setting,
    raise_first_version,
    raise_table_version,
    drop_table,
    delete_rows,
    drop_ref,
    drop_every_ref_of_a_document,
    forget_result,
    replace_result,
    damage_ref,
    note_damage,
    remember_failure,
    record_failure_of_what_is_current,
)


@pytest.mark.slow
def test_every_change_is_seen_from_memory_as_it_is_without(
    world: World, tmp_path_factory: pytest.TempPathFactory
) -> None:
    for change in CHANGES:
        copy = world.copy_to(tmp_path_factory.mktemp(change.__name__))
        assert not both(copy).todo(), change.__name__
        before = said(copy.plan())
        change(copy)
        found = said(both(copy))
        assert (found != before) == (change is not record_failure_of_what_is_current), change.__name__
        # What was left by that plan leads no later one astray.
        assert said(both(copy)) == found, change.__name__


def test_an_unchanged_corpus_is_planned_without_forming_a_document_key(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    (world.home / "plan.memory").unlink()
    assert formed(world, monkeypatch) == EVERYBODY
    assert formed(world, monkeypatch) == NOBODY


def test_one_changed_document_keys_one_document(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.plan()
    edit(world)

    counted = formed(world, monkeypatch)

    assert counted["extracted_text"] == {"reefs/corals.txt"}
    assert set().union(*counted.values()) == {"reefs/corals.txt"}


@pytest.mark.slow
def test_a_change_and_its_seed_are_planned_from_memory_to_the_end(world: World) -> None:
    world.plan()
    edit(world)
    seeded = world.seed()

    assert set(seeded.calls.values()) == {1}
    assert not both(world).todo()


def test_a_dropped_table_is_seen_without_forming_keys_of_the_others(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.plan()
    drop_table(world)

    counted = formed(world, monkeypatch)

    assert counted == {name: set(DOCUMENTS) if name == "lance_chunks" else set() for name in ALONE}


def test_verify_and_whatever_is_to_be_done_once_more_form_every_key(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.plan()
    every: tuple[Callable[[Session], Plan], ...] = (
        lambda session: session.plan(verify=True),
        lambda session: session.plan(retry_failed=True),
        lambda session: session.plan(recluster=True),
        lambda session: session.plan(recomputed={"summaries": set[str]()}),
    )
    for plan in every:
        with monkeypatch.context() as patch, world.session() as session:
            patch.setattr(PlanMemory, "unchanged", lambda self, scan, published: pytest.fail("it was asked"))
            plan(session)


@pytest.mark.slow
def test_a_memory_that_is_damaged_or_of_another_pipeline_counts_for_nothing(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.plan()
    file = world.home / "plan.memory"
    whole = file.read_bytes()
    for damaged in (
        b"",
        whole[:-1],
        whole[:40],
        bytes([whole[0] ^ 1]) + whole[1:],
        whole[:-1] + bytes([whole[-1] ^ 1]),
    ):
        file.write_bytes(damaged)
        assert formed(world, monkeypatch) == EVERYBODY
        assert file.read_bytes() == whole
    file.unlink()
    file.mkdir()
    assert formed(world, monkeypatch) == EVERYBODY
    file.rmdir()
    file.write_bytes(whole)
    assert formed(world, monkeypatch) == NOBODY


@pytest.mark.slow
def test_an_older_memory_beside_a_newer_store_reports_no_wrong_document(world: World) -> None:
    world.plan()
    older = world.home.parent / "older"
    shutil.copy2(world.home / "plan.memory", older)
    edit(world)
    world.seed()
    shutil.copy2(older, world.home / "plan.memory")

    assert not both(world).todo()

    world.write("reefs/corals.txt", essay("corals"))
    shutil.copy2(older, world.home / "plan.memory")

    assert set(both(world).states()["reefs/corals.txt"].values()) != {"current"}
