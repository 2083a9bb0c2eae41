"""What a home hands a worker of its documents, and a worker the home: each sees afterwards what the other one saw."""

from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import pytest

from io_managers.sharing.run_records import RunRecord, RunRecords
from io_managers.store.failures import FailureRecord
from resources.errors import ConfigurationError
from resources.settings.config import load_settings
from seed_assets.core.examples.selection import Example, Selection
from seed_assets.session.code_digest import code_digest
from seed_assets.session.run_handover import (
    push_results,
    result_of,
    shared_remote,
    spread_stages,
    state_of,
    take_in,
)
from seed_assets.session.session import Session
from seed_assets.stages.examples.example_inputs import SelectedExamples
from tests.support.pipelines import World

Opening = Callable[[Path], Session]


@pytest.fixture
def opened(plain_world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Opening]:
    """Opens homes over one corpus that share a folder."""
    monkeypatch.setenv("SEEDBANK_STORE__REMOTE", str(tmp_path / "remote"))
    monkeypatch.setenv("SEEDBANK_STORE__UNSIGNED", "accept")
    monkeypatch.setenv("SEEDBANK_DEPLOYMENT__BROKER_URL", "amqp://127.0.0.1//")
    (tmp_path / "remote").mkdir(mode=0o700)
    sessions: list[Session] = []

    def open_session(home: Path) -> Session:
        session = Session(load_settings({"home": home, "corpus": plain_world.corpus}))
        sessions.append(session)
        return session

    yield open_session
    for session in sessions:
        session.close()


def computing(session: Session) -> dict[str, int]:
    """Stage -> how many results would be computed, in the stages that are done elsewhere."""
    stages = session.plan().stages
    return {one.name: len(stages[one.name].todo) for one in spread_stages(session.pipeline) if stages[one.name].todo}


def test_a_worker_sees_what_the_home_sees(plain_world: World, opened: Opening, tmp_path: Path) -> None:
    """Otherwise it would compute, and pay for, what is published."""
    home, worker = opened(plain_world.home), opened(tmp_path / "worker")
    remote = shared_remote(home)
    push_results(home, remote)
    documents = home.plan().documents
    RunRecords(remote).give("spread", state_of(home, documents))
    worker_remote = shared_remote(worker)
    assert computing(worker) != computing(home)
    given = RunRecords(worker_remote).given("spread")
    assert given is not None
    assert take_in(worker.pipeline, worker.store, given, set(documents)) == len(given.refs) > 0
    # The home of the tests was seeded with stages that count, so some of its results are stale for others.
    assert computing(worker) == computing(home)
    assert RunRecords(worker_remote).handed_in("spread", "run") is None

    result = result_of(worker, given.refs[0].run_id, documents, since=0.0)
    assert {ref.stage for ref in result.refs} <= {stage.name for stage in spread_stages(home.pipeline)}
    RunRecords(worker_remote).hand_in("spread", "run", result)
    assert RunRecords(remote).handed_in("spread", "run") == result
    RunRecords(remote).forget("spread")
    assert RunRecords(remote).given("spread") is RunRecords(remote).handed_in("spread", "run") is None


def test_a_ref_counts_only_with_its_action_and_for_a_document_of_the_run(
    plain_world: World, opened: Opening, tmp_path: Path
) -> None:
    """A record that is wrong must not make one result that of another document, nor name what is not there."""
    home, worker = opened(plain_world.home), opened(tmp_path / "worker")
    push_results(home, shared_remote(home))
    shared_remote(worker)
    (first, *_), documents = state_of(home, ["bread/flour.md"]).refs, {"bread/flour.md"}
    wrong = [
        msgspec.structs.replace(first, content_digest="sha256:" + "0" * 64),
        msgspec.structs.replace(first, action_key="0" * 64),
        msgspec.structs.replace(first, partition="elsewhere.md"),
        msgspec.structs.replace(first, stage="lance_documents"),
        msgspec.structs.replace(first, state="table@7"),
    ]
    assert take_in(worker.pipeline, worker.store, RunRecord(wrong), documents) == 0
    assert take_in(worker.pipeline, worker.store, RunRecord([first]), documents) == 1


def test_failures_are_handed_over_so_that_nobody_repeats_them(
    plain_world: World, opened: Opening, tmp_path: Path
) -> None:
    """A refusal of a model is paid once, whichever worker met it."""
    home, worker = opened(plain_world.home), opened(tmp_path / "worker")
    failed = FailureRecord("ab" * 32, "summaries", "bread/flour.md", "it was refused.", "Change it.", False)
    worker.store.failures.record([failed])
    result = result_of(worker, "run", ["bread/flour.md"], since=0.0)
    assert take_in(home.pipeline, home.store, result, {"bread/flour.md"}) == 0
    (found,) = home.store.failures.of(["bread/flour.md"])
    assert (found.action_key, found.reason) == (failed.action_key, failed.reason)
    assert result_of(worker, "run", ["bread/flour.md"], since=found.failed_at + 60).failures == []


def test_other_settings_have_another_digest(
    plain_world: World, opened: Opening, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By it a worker knows that its results would have other keys; where things lie makes no difference."""
    home = opened(plain_world.home)
    assert code_digest(opened(tmp_path / "worker").pipeline) == code_digest(home.pipeline)
    monkeypatch.setenv("SEEDBANK_SUMMARIES__WORDS", "77")
    assert code_digest(opened(tmp_path / "other").pipeline) != code_digest(home.pipeline)


def test_examples_are_a_file_that_all_machines_have(
    plain_world: World, opened: Opening, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A worker that shows other examples would compute, and pay for, what the home does not look for."""
    for name, value in (("PROVIDER", "openai"), ("MODEL", "gpt-5-mini"), ("API_KEY", "none")):
        monkeypatch.setenv(f"SEEDBANK_LLM__{name}", value)
    monkeypatch.setenv("SEEDBANK_EXAMPLES__SHOW", '{"summaries": 2}')
    with pytest.raises(ConfigurationError, match=r"set examples\.file to a file that is the same on all machines"):
        shared_remote(opened(plain_world.home))
    file = tmp_path / "selected.json"
    monkeypatch.setenv("SEEDBANK_EXAMPLES__FILE", str(file))
    with pytest.raises(ConfigurationError, match=r"selected\.json .* Copy it from the machine"):
        shared_remote(opened(plain_world.home))

    def written(text: str) -> str:
        selection = Selection(file)
        selected = opened(plain_world.home).pipeline.stages["summaries_examples"].corpus_inputs["selection"]
        assert isinstance(selected, SelectedExamples)
        selection.freeze("summaries", selected.chooser.schema, [Example("a.md", "", text, {})])
        return code_digest(opened(tmp_path / "worker").pipeline)

    assert written("one text") == written("one text") != written("another text")
    shared_remote(opened(plain_world.home))


@pytest.mark.parametrize("access", ["read", "off"])
def test_workers_need_a_remote_that_is_written(
    access: str, opened: Opening, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without one each worker would compute for itself alone."""
    monkeypatch.setenv("SEEDBANK_STORE__REMOTE_ACCESS", access)
    with pytest.raises(ConfigurationError, match=r"store\.remote"):
        shared_remote(opened(tmp_path / "home"))
    monkeypatch.setenv("SEEDBANK_STORE__REMOTE", "")
    with pytest.raises(ConfigurationError, match=r"store\.remote"):
        shared_remote(opened(tmp_path / "other"))


def test_batches_and_workers_elsewhere_exclude_each_other(
    opened: Opening, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A batch in the home of a worker would be waited for by nobody."""
    for name, value in (("PROVIDER", "openai"), ("MODEL", "gpt-5-mini"), ("API_KEY", "none"), ("BATCH", "always")):
        monkeypatch.setenv(f"SEEDBANK_LLM__{name}", value)
    with pytest.raises(ConfigurationError, match=r"llm\.batch"):
        shared_remote(opened(tmp_path / "home"))
