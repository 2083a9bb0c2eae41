"""Results that somebody chooses and removes: by stage, model, document and age, with or without what they were made from."""

import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from io_managers.store.action_cache import Provenance
from io_managers.store.fingerprint import Action, KeyTemplate
from io_managers.store.refs import Ref
from io_managers.store.retention.clearing import Choice, clear, known_names
from io_managers.store.retention.collection import collect
from io_managers.store.retention.rules import Rules
from io_managers.store.store import Store


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """Two published summaries of two models, each made from a request; and a published list of concepts."""
    with closing(Store(tmp_path / "store")) as opened:
        for document, model in (("a.md", "large"), ("b.md", "small")):
            request = action("model_request", document)
            summary = action("summaries", document)
            paid = Provenance(2.0, 1, 100, 10, 0.25, model=model)
            opened.commit(
                [(request, "a reply", paid)], origins=[(document, summary.key), (summary.key, request.key)]
            ).result()
            opened.commit([(summary, f"summary of {document}", paid)], origins=[(document, summary.key)]).result()
            publish(opened, summary, document)
        concepts = action("concepts", "a.md")
        opened.commit([(concepts, "concepts of a.md", Provenance(1.0))], origins=[("a.md", concepts.key)]).result()
        publish(opened, concepts, "a.md")
        yield opened


def action(stage: str, name: str) -> Action:
    return KeyTemplate(stage, {"version": "1"}).action({"name": name})


def publish(store: Store, done: Action, document: str) -> None:
    store.refs.publish([Ref(done.stage, document, done.key, store.actions.existing([done.key])[done.key])])


def left(store: Store) -> dict[str, int]:
    return store.contents().results


ALL = {"concepts": 1, "model_request": 2, "summaries": 2}


@pytest.mark.parametrize(
    ("choice", "removed"),
    [
        (Choice(stages=("summaries",)), {"summaries": 2}),
        (Choice(stages=("summaries",), with_parts=True), {"summaries": 2, "model_request": 2}),
        (Choice(stages=("model_request",)), {"model_request": 2}),
        (Choice(models=("large",)), {"summaries": 1}),
        (Choice(models=("large",), with_parts=True), {"summaries": 1, "model_request": 1}),
        (Choice(documents=("a.md",)), {"summaries": 1, "concepts": 1}),
        (Choice(documents=("a.md",), with_parts=True), {"summaries": 1, "concepts": 1, "model_request": 1}),
        (Choice(stages=("summaries", "concepts"), documents=("b.md",)), {"summaries": 1}),
        (Choice(older_than_days=1), {}),
        (Choice(older_than_days=0), {"summaries": 2, "concepts": 1}),
    ],
    ids=repr,
)
def test_exactly_what_is_chosen_is_removed(store: Store, choice: Choice, removed: dict[str, int]) -> None:
    time.sleep(0.01)
    planned = clear(store, choice, dry_run=True)
    assert left(store) == ALL
    done = clear(store, choice, dry_run=False)
    assert planned == done
    assert {stage: one.results for stage, one in done.stages.items()} == removed
    assert left(store) == {
        stage: ALL[stage] - removed.get(stage, 0) for stage in ALL if ALL[stage] > removed.get(stage, 0)
    }
    assert store.verify() == []


def test_it_says_what_computing_again_would_cost(store: Store) -> None:
    found = clear(store, Choice(stages=("summaries",), with_parts=True), dry_run=True)
    assert (found.stages["summaries"].usd, found.stages["summaries"].requests) == (0.5, 2)
    assert found.total.seconds == 8.0
    assert found.published == 2


def test_a_published_result_stays_readable_until_it_is_computed_again(store: Store) -> None:
    clear(store, Choice(documents=("a.md",)), dry_run=False)
    collect(store, Rules(), dry_run=False)
    assert store.values("summaries")["a.md"] == "summary of a.md"
    assert store.refs.published("summaries", results=True)["a.md"].result is None


def test_the_requests_of_results_from_before_origins_were_recorded_are_found_by_their_stage(store: Store) -> None:
    from io_managers.store.request_ledger import Attempt

    request = action("model_request", "earlier")
    attempt = Attempt(request.key, "summaries", "large", "answered")
    store.commit([(request, "an earlier reply", Provenance(usd=1))], attempts=[attempt]).result()
    assert clear(store, Choice(stages=("summaries",)), dry_run=True).stages.keys() == {"summaries"}
    found = clear(store, Choice(stages=("summaries",), with_parts=True), dry_run=False)
    assert found.stages["model_request"].results == 3


def test_the_names_that_can_be_chosen_are_known(store: Store) -> None:
    assert known_names(store) == ({"summaries", "concepts", "model_request"}, {"large", "small"})
