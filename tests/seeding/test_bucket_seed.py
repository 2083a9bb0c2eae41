"""Seeds of a corpus in a bucket: the same knowledge base as from a folder, and nothing is removed when the bucket fails."""

import shutil
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pyarrow as pa
import pytest

from resources.tables.lance import LanceTables
from tests.support.bucket_server import NO_BUCKET, BucketServer
from tests.support.object_store import ObjectStore
from tests.support.seed_process import Finished, Seed, seed

pytestmark = [pytest.mark.slow, pytest.mark.integration]

DOCUMENTS = {
    "tides.md": b"# Tides\n\nThe moon pulls the sea, and twice a day the water rises in the harbour.\n",
    "sub/chains.md": b"# Chains\n\nBooks were chained to the desks of the library, so that nobody took them away.\n",
    "sub/lava.txt": b"Pumice is lava full of gas. The rock floats on water for months.\n",
    "bread.html": b"<h1>Bread</h1><p>Dough rises because yeast makes gas in it overnight.</p>",
}


@pytest.fixture
def server() -> Iterator[BucketServer]:
    with serving() as found:
        yield found


@contextmanager
def serving() -> Iterator[BucketServer]:
    """A server with the documents, always of the same time."""
    with BucketServer() as server:
        for name, data in DOCUMENTS.items():
            server.put(name, data, at=1_000_000)
        yield server


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[str]]:
    """A home that was seeded from the bucket, and the requests of that."""
    home = tmp_path_factory.mktemp("bucket") / "home"
    with serving() as server:
        done = run(server, home, "seed")
        assert done.status == 0, done.printed()
        return home, server.asked()


@pytest.fixture
def home(first: tuple[Path, list[str]], tmp_path: Path) -> Path:
    """A copy of that home."""
    shutil.copytree(first[0], tmp_path / "home")
    return tmp_path / "home"


def rows(home: Path) -> dict[str, pa.Table]:
    """Table -> its rows."""
    tables = LanceTables(home / "lancedb")
    return {name: tables.read(name).combine_chunks() for name in tables.present()}


def planted(folder: Path) -> Path:
    for name, data in DOCUMENTS.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return folder


def run(server: BucketServer, home: Path, *arguments: str, **settings: str) -> Finished:
    """A command over the bucket."""
    environment = {**server.environment, "SEEDBANK_CORPUS": server.address, **settings}
    with Seed(home, *arguments, environment=environment) as running:
        return running.finish()


def test_a_home_that_changes_from_a_folder_to_a_bucket_computes_nothing(tmp_path: Path) -> None:
    folder, home = planted(tmp_path / "corpus"), tmp_path / "home"
    assert seed(home, folder).status == 0
    before = rows(home)
    with ObjectStore() as store:
        address = f"{store.create('papers')}/2026"
        for name, data in DOCUMENTS.items():
            url = f"http://127.0.0.1:{store.port}/papers/2026/{name}"
            kind = {"Content-Type": "application/octet-stream"}
            urllib.request.urlopen(urllib.request.Request(url, data, kind, method="PUT"), timeout=60).close()
        environment = {**store.environment, "SEEDBANK_CORPUS": address}
        with Seed(home, "seed", "--json", environment=environment) as refused:
            assert refused.finish().status == 2
        with Seed(home, "seed", "--json", "--rebind", environment=environment) as moved:
            done = moved.finish()
        assert done.status == 0, done.printed()
        assert (done.computed, done.report["runs"]) == ({}, [])
        with Seed(tmp_path / "new", "seed", "--json", environment=environment) as fresh:
            assert fresh.finish().status == 0
    assert rows(home) == before
    assert rows(tmp_path / "new") == before


def test_each_object_is_downloaded_once_and_then_the_bucket_is_listed_only(
    server: BucketServer, first: tuple[Path, list[str]], home: Path
) -> None:
    assert sorted(request for request in first[1] if request != "LIST") == sorted(
        f"GET docs/{name}" for name in DOCUMENTS
    )
    assert run(server, home, "seed", "--json").report["runs"] == []
    assert set(server.asked()) == {"LIST"}


def test_an_edited_and_a_removed_object_are_followed(server: BucketServer, home: Path) -> None:
    server.put("tides.md", b"# Tides\n\nThe sun pulls the sea as well, though less than the moon.\n")
    server.remove("bread.html")
    done = run(server, home, "seed", "--json")
    assert done.status == 0, done.printed()
    assert done.computed["extracted_text"] == 1
    assert set(rows(home)["documents"]["document_id"].to_pylist()) == DOCUMENTS.keys() - {"bread.html"}


@pytest.mark.parametrize("lost", ["LIST", "everything"])
def test_a_bucket_that_fails_or_is_empty_removes_nothing(server: BucketServer, home: Path, lost: str) -> None:
    before = rows(home)
    objects = dict(server.objects)
    server.instead = lambda request: NO_BUCKET if lost in (request, "everything") else None
    for command in ("seed", "plan"):
        done = run(server, home, command)
        assert done.status == 2
        assert "the bucket does not exist" in done.errors
    server.instead = lambda request: None
    server.objects.clear()
    emptied = run(server, home, "seed")
    assert emptied.status == 2
    assert "if objects were deleted by mistake, restore them" in emptied.errors
    server.objects.update(objects)
    assert rows(home) == before
    assert run(server, home, "seed", "--json").computed == {}


def test_a_bucket_that_goes_while_documents_are_read_fails_the_stage_and_no_document_for_good(
    server: BucketServer, tmp_path: Path
) -> None:
    home = tmp_path / "home"
    seen: list[str] = []

    def instead(request: str) -> tuple[int, str] | None:
        seen.append(request)
        return (
            NO_BUCKET
            if seen.count(request) > 1 and request.startswith("GET docs/") and ".seed" not in request
            else None
        )

    server.instead = instead
    failed = run(server, home, "seed", SEEDBANK_CORPUS_BUCKET__CACHE_MB="0")
    assert failed.status in (1, 2)
    assert "the bucket does not exist" in failed.output + failed.errors
    server.instead = lambda request: None
    done = run(server, home, "seed", "--json")
    assert done.status == 0, done.printed()
    assert set(rows(home)["documents"]["document_id"].to_pylist()) == set(DOCUMENTS)


def test_commands_take_the_address_of_a_document(server: BucketServer, home: Path) -> None:
    for name in ("sub/lava.txt", f"{server.address}/sub/lava.txt"):
        shown = run(server, home, "show", name)
        assert "Pumice is lava" in shown.output, shown.printed()
    assert run(server, home, "explain", "sub/lava.txt").status == 0
    assert run(server, home, "status", "--corpus", f"{server.address}/").status == 0
    examined = run(server, home, "doctor")
    assert f"{server.address} can be listed" in examined.output, examined.printed()


def test_an_erased_document_is_not_kept_as_a_download(server: BucketServer, home: Path) -> None:
    assert any(DOCUMENTS["sub/lava.txt"] == path.read_bytes() for path in (home / "corpus-cache").iterdir())
    server.remove("sub/lava.txt")
    erased = run(server, home, "forget", "sub/lava.txt", "--yes")
    assert erased.status == 0, erased.printed()
    assert not any(path.read_bytes() == DOCUMENTS["sub/lava.txt"] for path in (home / "corpus-cache").iterdir())
