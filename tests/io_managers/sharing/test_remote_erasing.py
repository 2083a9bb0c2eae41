"""Documents are erased from a remote by what this home has of them, and by what others have pushed that names them."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from io_managers.sharing.buckets.folder_bucket import FolderBucket
from io_managers.sharing.erasing import RemoteResults
from io_managers.sharing.segments.signatures import SigningKey, Trust
from io_managers.store.action_cache import Provenance
from io_managers.store.fingerprint import KeyTemplate
from io_managers.store.retention.mentions import Mentions
from io_managers.store.retention.traces import Traces
from tests.support.canaries import canaries
from tests.support.sharing import KEY, OTHER, Host

NAME = "notes/zqvx.md"
BOTH = Trust([KEY.public, OTHER.public])


@pytest.fixture
def host(tmp_path: Path) -> Iterator[Callable[..., Host]]:
    """Makes hosts over one remote in a folder."""
    (tmp_path / "remote").mkdir()
    made: list[Host] = []

    def make(name: str, key: SigningKey = KEY, *, writable: bool = True) -> Host:
        made.append(
            Host(tmp_path / name, lambda: FolderBucket(tmp_path / "remote"), key=key, trust=BOTH, writable=writable)
        )
        return made[-1]

    yield make
    for one in made:
        one.close()


def traces_of(host: Host, *keys: str) -> Traces:
    """What a store would find of the document."""
    traces = Traces(Mentions([NAME]), keys=list(keys))
    traces.digests = set(host.store.actions.existing(keys).values())
    return traces


def test_results_go_with_their_values_and_those_of_others_that_name_the_document(
    host: Callable[..., Host], tmp_path: Path
) -> None:
    one, two, three = host("one"), host("two", OTHER), host("three")
    gone, kept = one.commit(1, "a zqvx value"), one.commit(2, "another value")
    cluster = KeyTemplate("about", {"version": "1"}).action({"members": [NAME, "b.md"]})
    two.store.commit([(cluster, "they speak of zqvx", Provenance(preview="zqvx"))]).result()
    one.push()
    two.push()
    three.remote.pull()
    assert three.value(gone) == "a zqvx value"
    looked = RemoteResults(one.remote).erase(traces_of(one, gone.key), dry_run=True)
    one.remote.pull()
    done = RemoteResults(one.remote).erase(traces_of(one, gone.key), dry_run=False)
    assert dict(looked.erased) == {"results in the remote": 1}, "what others have pushed is not pulled yet"
    assert dict(done.erased) == {"results in the remote": 2}
    assert len(done.left) == 1
    assert "other signers" in done.left[0]
    # The index of this home holds nothing of it, though the segment of the other signer does.
    index = {place for place in canaries(tmp_path / "one" / "store", "zqvx") if place.startswith("remote.db")}
    assert index == set()
    assert canaries(tmp_path / "remote" / "values", "zqvx") == set()
    fresh = host("fresh")
    fresh.remote.pull()
    assert fresh.value(gone) is None
    assert fresh.value(cluster) is None
    assert fresh.value(kept) == "another value"


def test_a_value_that_another_action_has_stays(host: Callable[..., Host]) -> None:
    one = host("one")
    gone, other = one.commit(1, "the same value"), one.commit(2, "the same value")
    one.push()
    traces = traces_of(one, gone.key)
    RemoteResults(one.remote).erase(traces, dry_run=False)
    two = host("two")
    two.remote.pull()
    assert two.value(gone) is None
    assert two.value(other) == "the same value"


def test_a_remote_that_is_only_read_keeps_its_results_and_that_is_said(host: Callable[..., Host]) -> None:
    one = host("one")
    gone = one.commit(1)
    one.push()
    reader = host("reader", writable=False)
    reader.remote.pull()
    done = RemoteResults(reader.remote).erase(traces_of(reader, gone.key), dry_run=False)
    assert dict(done.erased) == {}
    assert "only read from here" in done.left[0]
    assert reader.remote.index.digests([gone.key]) == {}
