"""Whether a published result is current, stale or missing, without Dagster, a run or a plan."""

from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from io_managers.store.action_cache import Provenance
from io_managers.store.fingerprint import Action
from io_managers.store.refs import Ref
from io_managers.store.store import Store
from seed_assets.engine.currency import (
    kept_actions,
    published_currency,
    row_currency,
    unit_currency,
    value_currency,
)
from seed_assets.graph.pipeline import Pipeline
from seed_assets.graph.stage import Source, value_stage
from tests.support.pipelines import CountingSummarizer


@value_stage(version="1", preview=str)
async def texts(source: Source, *, summarizer: CountingSummarizer) -> str:
    """One text per document."""
    return source.data.decode()


TABLE = "0123abcd@"
REF = Ref("texts", "a.md", "key", "sha256:value", state=f"{TABLE}3")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = Store(tmp_path)
    yield opened
    opened.close()


def pipeline(words: int, *, keeps: bool) -> Pipeline:
    keeping = {"texts": frozenset({"summarizer"})} if keeps else {}
    return Pipeline({"texts": texts}, {"summarizer": CountingSummarizer(words)}, keeping)


def action(found: Pipeline, text: str = "Text.") -> Action:
    return found.action(texts, {"source": text})


def published(store: Store, found: Pipeline) -> Action:
    made = action(found)
    store.commit([(made, "Text.", Provenance())]).result()
    digest = store.actions.lookup([made.key])[made.key].content_digest
    store.refs.publish([Ref("texts", "a.md", made.key, digest)])
    return made


def test_what_was_never_published_is_missing_whatever_the_store_has() -> None:
    """Its readers would find nothing, although the result is in the store."""
    assert published_currency(None, "key") == "missing"
    assert value_currency(None, "key", "sha256:value") == "missing"
    assert row_currency(None, "key", f"{TABLE}3") == "missing"


def test_a_value_is_current_under_its_key_as_long_as_the_store_has_it() -> None:
    """A value that the store lost would be called current, and never be made again."""
    assert value_currency(REF, "key", "sha256:value") == "current"
    assert value_currency(REF, "another", "sha256:value") == "stale"
    assert value_currency(REF, "key", "sha256:other") == "stale"
    assert value_currency(REF, "key", None) == "stale"


def test_rows_are_current_only_in_the_table_that_they_were_written_to() -> None:
    """A table that was dropped or replaced would stay without its rows."""
    assert row_currency(REF, "key", f"{TABLE}3") == "current"
    assert row_currency(REF, "another", f"{TABLE}3") == "stale"
    assert row_currency(REF, "key", None) == "stale"
    assert row_currency(REF, "key", "fedc9876@3") == "stale"
    assert row_currency(msgspec.structs.replace(REF, state="damaged"), "key", f"{TABLE}3") == "stale"


def test_what_waits_for_an_input_is_stale_where_something_is_published() -> None:
    """Its key is not known yet, so nothing can say that it is current."""
    assert published_currency(REF, None) == "stale"
    assert published_currency(None, None) == "missing"


def test_a_kept_result_is_current_although_its_key_is_another(store: Store) -> None:
    """Another model would be paid for everything, against the settings."""
    made = published(store, pipeline(10, keeps=True))
    later = pipeline(20, keeps=True)
    assert unit_currency(later, store, texts, "a.md", action(later)) == "current"
    assert kept_actions(later, store, texts, {"a.md": action(later)})["a.md"].key == made.key
    assert kept_actions(later, store, texts, {"a.md": action(later)}, from_scratch=True) == {}
    assert unit_currency(later, store, texts, "a.md", action(later, "Another text.")) == "stale"


def test_without_such_a_setting_a_result_of_another_model_is_stale(store: Store) -> None:
    """The user changed the model and would go on reading what the old one wrote."""
    published(store, pipeline(10, keeps=False))
    later = pipeline(20, keeps=False)
    assert unit_currency(later, store, texts, "a.md", action(later)) == "stale"
    assert unit_currency(later, store, texts, "b.md", action(later)) == "missing"
