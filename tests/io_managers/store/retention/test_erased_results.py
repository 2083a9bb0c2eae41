"""What a store has of documents: what is found, what stays because others have it, and that nothing of the rest is left in its
files.
"""

import asyncio
import json
import os
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import msgspec
import pytest

from io_managers.store.action_cache import Provenance
from io_managers.store.batches.batch_records import KeptReply, new_batch
from io_managers.store.errors import StoreUnavailableError
from io_managers.store.failures import FailureRecord
from io_managers.store.fingerprint import Action, KeyTemplate
from io_managers.store.refs import Ref
from io_managers.store.request_ledger import Attempt
from io_managers.store.retention import erasing
from io_managers.store.retention.collection import collect
from io_managers.store.retention.erasing import PublishedRefs, StoredResults
from io_managers.store.retention.mentions import Mentions
from io_managers.store.retention.rules import Rules
from io_managers.store.retention.traces import Traces, find_traces, known_documents
from io_managers.store.store import Store
from tests.support.canaries import canaries

CANARY = "zqvx"
NAME = f"notes/{CANARY} of bees.md"
OTHER = "b.md"
ALONE = ("texts", "summaries")
PAID = Provenance(2.0, 1, 100, 10, 0.25, model="large")


class Filled:
    """A store with a document, another one, and what was made of both."""

    def __init__(self, folder: Path) -> None:
        self.store = Store(folder / "store")
        self.text = self.add("texts", NAME, f"the {CANARY} text " * 400, unit=NAME)
        self.add("texts", OTHER, "another text", unit=OTHER)
        self.summary = self.add("summaries", NAME, f"a {CANARY} summary", unit=NAME)
        self.reply = self.add("model_request", f"of {NAME}", f"a {CANARY} reply", owner=self.summary.key)
        self.shared = self.add("vectors", "a sentence of both", "0.1 0.2", owner=self.summary.key)
        other = self.add("summaries", OTHER, "another summary", unit=OTHER)
        self.store.note_origins([(other.key, self.shared.key)])
        self.groups = self.add("groups", "", {"members": [NAME, OTHER]}, unit="topic", parts={"snapshot": "0" * 64})
        digest = self.digest(self.groups)
        self.basis = self.add("basis", "", f"words: {CANARY}", owner=self.groups.key, parts={"groups": digest})
        self.about = self.add(
            "about", "topic/1", f"they speak of {CANARY}", unit="topic/1", parts={"members": [NAME, OTHER]}
        )
        self.asked = self.add("model_request", "of topic/1", f"a title with {CANARY}", owner=self.about.key)

    def add(
        self, stage: str, name: str, value: object, *, unit: str = "", owner: str = "", parts: dict | None = None
    ) -> Action:
        """Finish an action, and publish it if it is of a unit."""
        done = KeyTemplate(stage, {"version": "1"}).action(parts if parts is not None else {"name": _hidden(name)})
        made = msgspec.structs.replace(PAID, preview=f"a {CANARY} preview" if CANARY in repr(value) else "")
        self.store.commit([(done, value, made)], origins=[(owner or unit, done.key)]).result()
        if unit:
            self.store.refs.publish([Ref(stage, unit, done.key, self.digest(done))])
        return done

    def digest(self, done: Action) -> str:
        return self.store.actions.existing([done.key])[done.key]

    def find(self, *documents: str) -> Traces:
        return find_traces(self.store, documents or [NAME], alone=ALONE)

    def erase(self, traces: Traces | None = None) -> dict[str, int]:
        traces = traces or self.find()
        PublishedRefs(self.store).erase(traces, dry_run=False)
        return dict(StoredResults(self.store).erase(traces, dry_run=False).erased)

    def left(self) -> set[str]:
        return canaries(self.store.directory, CANARY)


def _hidden(name: str) -> str:
    """A part of a key that decides as the name does, and does not show it, as digests of texts do."""
    return name.replace(CANARY, "canary")[::-1]


@pytest.fixture
def filled(tmp_path: Path) -> Iterator[Filled]:
    made = Filled(tmp_path)
    with closing(made.store):
        yield made


def test_everything_that_a_document_leads_to_is_found_and_what_others_have_stays(filled: Filled) -> None:
    traces = filled.find()
    wanted = (filled.text, filled.summary, filled.reply, filled.groups, filled.basis, filled.about, filled.asked)
    assert set(traces.keys) == {one.key for one in wanted}
    assert traces.shared == {OTHER: 1}
    assert traces.units == {("texts", NAME), ("summaries", NAME), ("groups", "topic"), ("about", "topic/1")}
    assert set(traces.own) == {"texts", "summaries", "model_request"}
    assert set(traces.others) == {"groups", "basis", "about", "model_request"}
    assert traces.others["model_request"].usd == pytest.approx(0.25)


def test_nothing_is_left_in_the_files_of_the_store(filled: Filled) -> None:
    assert filled.left()
    erased = filled.erase()
    assert erased["results"] == 7
    assert filled.left() == set()
    assert filled.store.contents().results == {"summaries": 1, "texts": 1, "vectors": 1}
    assert filled.store.verify() == []
    assert filled.find().keys == []
    assert known_documents(filled.store, ALONE) == {OTHER}


def test_failures_replies_and_what_was_set_aside_go_too(filled: Filled) -> None:
    """A reply that could not be used, and a value that was damaged, are of no result."""
    store = filled.store
    request, outer = (KeyTemplate("model_request", {}).action({"name": name}) for name in ("failed", "outer"))
    attempt = Attempt(request.key, "summaries", "large", "wrong shape", f"found {CANARY}", usd=0.5)
    store.keep_failed(attempt, f"no JSON but {CANARY}".encode(), [(NAME, outer.key), (outer.key, request.key)])
    store.failures.record([FailureRecord(outer.key, "summaries", NAME, f"{CANARY} is wrong", "Try again.", False)])
    store.failures.record([FailureRecord("0" * 64, "groups", "topic", f"{NAME} has no text", "Look.", True)])
    damaged = filled.digest(filled.text)
    with store.database.maintained() as connection:
        connection.execute(
            "UPDATE objects SET compressed = 0, data = ? WHERE content_digest = ?",
            (f"damaged {CANARY}".encode(), damaged),
        )
    with pytest.raises(Exception, match=r"damaged|corrupt|does not match"):
        store.load(damaged)
    spent = store.requests.spent_usd(0)
    assert filled.left()
    filled.erase()
    assert filled.left() == set()
    assert store.failures.lookup([outer.key, "0" * 64]) == {}
    assert store.requests.spent_usd(0) == spent


def test_a_large_value_and_the_reserve_go_at_once(filled: Filled) -> None:
    """Files of values are kept for an hour by collections, and the reserve keeps what it has committed."""
    filled.add("summaries", f"{NAME} long", os.urandom(2 << 20) + CANARY.encode(), unit=NAME)
    filled.store.reserve.prepare()
    filled.store.reserve.put(f"an answer of {CANARY}".encode())
    filled.store.reserve.take_in(lambda payload: None)
    assert any("objects" in place for place in filled.left())
    assert any(place == "reserve" for place in filled.left())
    filled.erase()
    assert filled.left() == set()


def test_requests_in_batches_go_unless_another_document_waits_for_them(filled: Filled) -> None:
    batches = filled.store.batches
    batch = new_batch("b1", "openai", "large", "/v1", "summaries")
    batches.keep(batch)
    asyncio.run(batches.claim(batch, "1" * 64, "a" * 64, NAME, 0.1, 1))
    asyncio.run(batches.claim(batch, "2" * 64, "b" * 64, OTHER, 0.1, 1))
    asyncio.run(batches.claim(batch, "3" * 64, "a" * 64, NAME, 0.1, 1))
    batches.wait("b" * 64, OTHER, "3" * 64)
    batches.take_in(batch, [KeptReply(key * 64, 200, f"{CANARY} {key}".encode()) for key in ("1", "3")])
    batches.note_documents([NAME, OTHER])
    assert set(batches.requests_for([NAME])) == {"1" * 64}
    filled.erase()
    assert batches.requests_of("b1") == {"2" * 64, "3" * 64}
    assert batches.documents() == [OTHER]
    assert {place for place in filled.left() if f"{CANARY} 1" in place} == set()
    assert batches.erase([OTHER], []) == 2
    assert filled.left() == set()


@pytest.mark.parametrize("moment", range(9))
def test_an_interrupted_erasure_is_continued(filled: Filled, monkeypatch: pytest.MonkeyPatch, moment: int) -> None:
    """Guards against an order in which what leads to the rest is erased first."""
    traces, calls = filled.find(), 0

    def counted(real):
        def call(*arguments, **options):
            nonlocal calls
            calls += 1
            if calls > moment:
                raise StoreUnavailableError("killed here")
            return real(*arguments, **options)

        return call

    for name in (
        "remove_values",
        "remove_actions",
        "collect",
        "wipe",
        "empty_log",
        "_forget_origins",
        "_forget_replies",
    ):
        monkeypatch.setattr(erasing, name, counted(getattr(erasing, name)))
    try:
        filled.erase(traces)
    except StoreUnavailableError:
        assert filled.store.refs.get("summaries", [NAME]) == {}
    monkeypatch.undo()
    filled.erase()
    assert filled.left() == set()
    assert filled.store.verify() == []
    assert filled.store.contents().results == {"summaries": 1, "texts": 1, "vectors": 1}


def test_what_was_made_inside_of_a_collected_result_is_still_found(filled: Filled) -> None:
    """A collection removes a summary that is not in use, and the reply that it was made from stays, as it was paid for."""
    store = filled.store
    store.refs.drop("summaries", [NAME])
    with store.database.maintained() as connection:
        connection.execute("UPDATE actions SET created_at = 0, used_on = 0")
    collect(store, Rules(ttl_days={"summaries": 1}), dry_run=False)
    assert filled.summary.key not in store.actions.existing([filled.summary.key])
    assert filled.reply.key in store.actions.existing([filled.reply.key])
    filled.erase()
    assert filled.left() == set()


def test_what_continues_from_an_erased_result_stays_without_what_was_made_inside_of_it(filled: Filled) -> None:
    store = filled.store
    later = KeyTemplate("groups", {"version": "1"}).action({"previous": filled.digest(filled.groups)})
    basis = KeyTemplate("basis", {"version": "1"}).action({"of": "later"})
    store.commit([(later, {"members": [OTHER]}, Provenance(1.0))], origins=[("topic", later.key)]).result()
    store.commit([(basis, f"words: {CANARY}", Provenance(1.0))], origins=[(later.key, basis.key)]).result()
    store.refs.publish([Ref("groups", "topic", later.key, filled.digest(later))])
    traces = find_traces(store, [NAME], alone=ALONE, continuing=["groups"])
    assert later.key not in traces.keys
    assert basis.key in traces.keys
    filled.erase(traces)
    assert filled.left() == set()
    assert store.refs.get("groups")["topic"].action_key == later.key


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("a.md", True),
        ('{"members": ["a.md", "b.md"]}', True),
        ("see a.md.", True),
        ("read: a.md, b.md", True),
        ("one\\na.md\\ntwo", True),
        ("a.md#3", True),
        ("data.md", False),
        ("notes/a.md", False),
        ("a.md.bak", False),
        ("a.mdx", False),
        ("a.md/part", False),
    ],
)
def test_only_the_path_itself_names_a_document(text: str, named: bool) -> None:
    mentions = Mentions(["a.md"])
    assert mentions.in_text(text) is named
    assert mentions.in_bytes(text.encode()) is named


@pytest.mark.parametrize(
    "name", ["a.md", "über/é b.md", 'with "quotes".md', "back\\slash.md", "long/" + "x" * 300 + ".md"]
)
def test_a_name_is_found_in_every_form(name: str) -> None:
    mentions = Mentions([name])
    for encoded in (
        msgspec.msgpack.encode({"b": 1, name: 7, "z": [1]}),
        msgspec.msgpack.encode(["data" + name, name, "z"]),
        msgspec.json.encode([name]),
    ):
        assert mentions.in_bytes(encoded)
    assert not mentions.in_bytes(msgspec.msgpack.encode(["x" + name, name + "x"]))
    for text in (name, json.dumps([name]), json.dumps(json.dumps([name])), json.dumps({"n": name}, ensure_ascii=False)):
        assert mentions.in_text(text)
        assert not Mentions([name]).in_text(mentions.without(text))
