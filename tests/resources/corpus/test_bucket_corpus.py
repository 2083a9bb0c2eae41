"""A corpus in a bucket: it is seen as the same files in a folder are, and no fault looks like removed documents."""

import unicodedata
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from resources.corpus import corpus_index
from resources.corpus.corpus import Corpus, Scan
from resources.corpus.corpus_place import BucketRules, place_of
from resources.corpus.corpus_stamp import corpus_stamp
from resources.errors import ConfigurationError, DocumentError
from tests.support.archive_files import tarred
from tests.support.bucket_server import DENIED, NO_BUCKET, SLOW_DOWN, BucketServer, Reply
from tests.support.corpus_folder import MB, Folder, digest
from tests.support.zip_files import zipped

FILES = {
    "a.md": b"a",
    "A.md": b"another by case",
    "sub/b.txt": b"b",
    "sub/deep/c.html": b"<p>c</p>",
    "sub/again.md": b"a",
    "100%, really...md": b"escaped",
    "back\\slash #?+&<x>.md": b"special",
    unicodedata.normalize("NFD", "é.md"): b"e",
    "two/" + unicodedata.normalize("NFD", "é.md"): b"one of two",
    "two/" + unicodedata.normalize("NFC", "é.md"): b"the other",
    "empty.md": b"",
    "large.md": bytes(MB + 1),
    ".hidden.md": b"no",
    ".git/config.md": b"no",
    "sub/.hidden/x.md": b"no",
    "picture.gif": b"no",
    "old.doc": b"no",
    "none": b"no suffix",
    "drafts/x.md": b"ignored",
    "drafts/y.doc": b"ignored",
    "sub/drafts/z.md": b"ignored",
    "keep/note.tmp.md": b"ignored",
    ".seedbankignore": b"drafts/\n*.tmp.md\n",
    "all.zip": zipped({"in/x.md": "x", "in/y.bin": "y"}),
    "bad.tar": b"damaged",
    "good.tar": tarred({"t.md": "t"}),
}


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[BucketServer]:
    with BucketServer() as serving:
        for name, value in serving.environment.items():
            monkeypatch.setenv(name, value)
        yield serving


@pytest.fixture
def home(tmp_path: Path) -> Path:
    place = tmp_path / "home"
    place.mkdir()
    return place


def corpus(
    server: BucketServer, home: Path, *, cache_bytes: int = MB, at_once: int = 4, archives_are_folders: bool = False
) -> Corpus:
    """As a new process sees it."""
    rules = BucketRules(20, at_once, home / "corpus-cache", cache_bytes)
    return Corpus(
        place_of(server.address), home / "corpus.index", MB, bucket=rules, archives_are_folders=archives_are_folders
    )


def scan(server: BucketServer, home: Path) -> Scan:
    return corpus(server, home).scan()


def cached(home: Path) -> list[Path]:
    return sorted((home / "corpus-cache").glob("*"))


@pytest.mark.parametrize("archives_are_folders", [False, True])
@pytest.mark.parametrize("page", [1_000, 3])
def test_a_bucket_is_seen_as_a_folder_of_the_same_files(
    server: BucketServer, home: Path, tmp_path: Path, archives_are_folders: bool, page: int
) -> None:
    folder = Folder(tmp_path)
    for name, data in FILES.items():
        folder.write(name, data)
        server.put(name, data)
    server.page = page
    here = Corpus(folder.root, folder.index, MB, archives_are_folders=archives_are_folders)
    there = corpus(server, home, archives_are_folders=archives_are_folders)
    expected, found = here.scan(), there.scan()
    assert found.documents == expected.documents
    assert {name: str(error) for name, error in found.problems.items()} == {
        name: str(error) for name, error in expected.problems.items()
    }
    assert found.problems.keys() >= {"large.md", "two/é.md"}
    assert (found.unreadable, found.skipped) == ({}, expected.skipped)
    for name, source in expected.documents.items():
        assert there.read(found.documents[name]) == here.read(source)


def test_an_unchanged_object_is_not_downloaded_again(server: BucketServer, home: Path) -> None:
    names = [f"{number:04}.md" for number in range(2_500)]
    for name in names:
        server.put(name, name.encode())
    first = scan(server, home)
    assert Counter(server.asked()) == {"LIST": 3, **{f"GET docs/{name}": 1 for name in names}}
    assert scan(server, home) == first
    assert server.asked() == ["LIST"] * 3
    assert first.stamp == corpus_stamp(server.address, home)
    assert server.asked() == ["LIST"] * 3


def test_an_object_of_the_same_content_is_the_same_document(server: BucketServer, home: Path) -> None:
    server.put("a.md", b"same", at=1_000_000)
    first = scan(server, home)
    server.put("a.md", b"same", at=2_000_000)
    server.asked()
    second = scan(server, home)
    assert server.asked() == ["LIST", "GET docs/a.md"]
    assert second.documents == first.documents
    assert second.stamp != first.stamp


@pytest.mark.parametrize("tags", [True, False])
def test_a_replaced_object_of_the_same_size_is_noticed(server: BucketServer, home: Path, tags: bool) -> None:
    """Times have whole seconds, so without an ETag a new object may have the time of the old one."""
    server.tags = tags
    server.put("a.md", b"one")
    at = server.objects["docs/a.md"][1]
    scan(server, home)
    server.put("a.md", b"two", at=at)
    assert scan(server, home).documents["a.md"].content_digest == digest(b"two")


def test_without_etags_an_old_object_is_recognised_by_its_time(server: BucketServer, home: Path) -> None:
    server.tags = False
    server.put("a.md", at=1_000_000)
    scan(server, home)
    server.asked()
    assert scan(server, home).stamp
    assert server.asked() == ["LIST"]


def test_verify_downloads_every_object(server: BucketServer, home: Path) -> None:
    server.put("a.md")
    scan(server, home)
    server.asked()
    corpus(server, home).scan(verify=True)
    assert server.asked() == ["LIST", "GET docs/a.md"]


def test_what_a_scan_downloaded_is_read_from_the_home(server: BucketServer, home: Path) -> None:
    server.put("a.md", b"once")
    one = corpus(server, home)
    found = one.scan()
    server.asked()
    assert one.read(found.documents["a.md"]) == b"once"
    assert server.asked() == []
    (path,) = cached(home)
    path.write_bytes(b"evil")
    assert one.read(found.documents["a.md"]) == b"once"
    assert server.asked() == ["GET docs/a.md"]


@pytest.mark.parametrize("cache_bytes", [0, 4_000])
def test_what_is_kept_is_bounded_and_all_is_read(server: BucketServer, home: Path, cache_bytes: int) -> None:
    """What was downloaded first is read first, so that is what is kept."""
    bodies = {f"{number}.md": str(number).encode() * 1_000 for number in range(10)}
    for name, data in bodies.items():
        server.put(name, data)
    one = corpus(server, home, cache_bytes=cache_bytes, at_once=1)
    found = one.scan()
    kept = {path.name for path in cached(home)}
    assert sum(path.stat().st_size for path in cached(home)) <= cache_bytes
    server.asked()
    assert {name: one.read(source) for name, source in found.documents.items()} == bodies
    asked = server.asked()
    assert len(asked) == len(bodies) - len(kept)
    assert sum(path.stat().st_size for path in cached(home)) <= cache_bytes
    if cache_bytes:
        assert kept == {digest(data).partition(":")[2] for data in list(bodies.values())[:4]}


def test_a_home_that_cannot_keep_anything_reads_all_the_same(server: BucketServer, home: Path) -> None:
    server.put("a.md", b"a")
    (home / "corpus-cache").write_bytes(b"a file where the folder should be")
    one = corpus(server, home)
    assert one.read(one.scan().documents["a.md"]) == b"a"


def test_an_object_that_goes_or_changes_after_the_scan_is_a_passing_failure(server: BucketServer, home: Path) -> None:
    for name in ("goes.md", "changes.md", "grows.md"):
        server.put(name, name.encode())
    one = corpus(server, home, cache_bytes=0)
    found = one.scan()
    server.remove("goes.md")
    server.put("changes.md", b"Changes.md")
    server.put("grows.md", b"grows" * 100)
    for name, words in (("goes.md", "was deleted"), ("changes.md", "was changed"), ("grows.md", "was changed")):
        with pytest.raises(DocumentError, match=words) as caught:
            one.read(found.documents[name])
        assert caught.value.transient
    after = scan(server, home)
    assert after.documents["changes.md"].content_digest == digest(b"Changes.md")
    assert after.gone({"goes.md", "changes.md"}) == {"goes.md"}


def test_an_object_that_is_replaced_or_goes_after_the_listing_is_seen_as_it_is(
    server: BucketServer, home: Path
) -> None:
    server.put("a.md", b"old")
    server.put("b.md", b"b")

    def meanwhile(request: str) -> Reply | None:
        if request == "GET docs/a.md":
            server.put("a.md", b"new and longer")
        elif request == "GET docs/b.md":
            server.objects.pop("docs/b.md", None)
        return None

    server.instead = meanwhile
    found = scan(server, home)
    assert {name: source.content_digest for name, source in found.documents.items()} == {
        "a.md": digest(b"new and longer")
    }
    assert (found.problems, found.stamp) == ({}, "")


def test_a_changed_archive_gives_no_file_of_another_content(server: BucketServer, home: Path) -> None:
    server.put("all.zip", zipped({"a.md": "old"}))
    one = corpus(server, home, cache_bytes=0, archives_are_folders=True)
    found = one.scan()
    server.put("all.zip", zipped({"a.md": "new"}))
    with pytest.raises(DocumentError, match="was changed"):
        one.read(found.documents["all.zip/a.md"])
    assert one.read(one.scan().documents["all.zip/a.md"]) == b"new"


@pytest.mark.parametrize("busy", ["GET docs/.seedbankignore", "LIST", "GET docs/a.md"])
def test_a_store_that_is_busy_is_waited_for(server: BucketServer, home: Path, busy: str) -> None:
    server.put("a.md", b"a")
    left = Counter({busy: 5})  # more than the first request is sent again before it becomes patient

    def slow_down(request: str) -> Reply | None:
        left[request] -= 1
        return SLOW_DOWN if left[request] >= 0 else None

    server.instead = slow_down
    assert scan(server, home).documents["a.md"].content_digest == digest(b"a")
    assert left[busy] < 0


@pytest.mark.parametrize(
    ("reply", "words"),
    [
        (NO_BUCKET, r"the bucket does not exist\. Correct the address"),
        (DENIED, r"it denies access\. Let these credentials list the bucket"),
        ((403, "<Error><Code>InvalidAccessKeyId</Code></Error>"), "refuses the credentials"),
        ((403, "<Error><Code>RequestTimeTooSkewed</Code></Error>"), "its clock is wrong"),
        ((200, "<html>Welcome to the hotel</html>"), r"listing of .* is not complete"),
    ],
)
@pytest.mark.parametrize("page", [1, 2])
def test_a_bucket_that_cannot_be_listed_is_an_error_and_not_empty(
    server: BucketServer, home: Path, reply: Reply, words: str, page: int
) -> None:
    """Otherwise all documents, or those of the later pages, would be taken out of the knowledge base."""
    for name in ("a.md", "b.md", "c.md"):
        server.put(name)
    server.page = 2
    before = scan(server, home)
    index = (home / "corpus.index").read_bytes()
    server.asked()
    server.instead = lambda request: reply if request == "LIST" and server.requests.count("LIST") == page else None
    with pytest.raises(ConfigurationError, match=words) as caught:
        scan(server, home)
    assert "Nothing was changed" in str(caught.value)
    assert (home / "corpus.index").read_bytes() == index
    server.instead = lambda request: None
    assert scan(server, home).documents == before.documents


def test_a_store_that_is_down_is_said_so_soon(
    server: BucketServer, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    with pytest.raises(ConfigurationError, match=r"it cannot be reached\. Check the network"):
        scan(server, home)


def test_a_listing_that_lacks_objects_which_exist_is_an_error(server: BucketServer, home: Path) -> None:
    """A server that ends a listing too early would have the rest of the documents taken out."""
    for name in ("a.md", "b.md", "c.md", "d.md"):
        server.put(name)
    scan(server, home)
    server.remove("b.md")
    server.page, server.cut = 2, True
    with pytest.raises(ConfigurationError, match=r"not complete.*such as d\.md"):
        scan(server, home)
    server.cut = False
    assert scan(server, home).gone({"a.md", "b.md", "d.md"}) == {"b.md"}


def test_an_emptied_prefix_has_no_documents(server: BucketServer, home: Path) -> None:
    """What follows from that is decided as for a folder: such a share of the documents is not removed unless that is allowed."""
    server.put("a.md")
    scan(server, home)
    server.objects.clear()
    found = scan(server, home)
    assert (found.documents, found.problems, found.gone({"a.md"})) == ({}, {}, {"a.md"})


def test_an_object_that_is_refused_fails_alone(server: BucketServer, home: Path) -> None:
    for name in ("a.md", "archived.md", "broken.md", "denied.md"):
        server.put(name)
    archived = (403, "<Error><Code>InvalidObjectState</Code></Error>")
    replies = {"GET docs/denied.md": DENIED, "GET docs/archived.md": archived, "GET docs/broken.md": (400, "no")}
    server.instead = replies.get
    found = scan(server, home)
    assert list(found.documents) == ["a.md"]
    assert "it denies access" in found.problems["denied.md"].reason
    assert "archive tier" in found.problems["archived.md"].reason
    assert found.problems.keys() == {"archived.md", "broken.md", "denied.md"}
    assert found.gone({"denied.md"}) == set()
    server.instead = lambda request: None
    assert len(scan(server, home).documents) == 4


def test_a_bucket_that_fails_while_objects_are_downloaded_loses_no_download(server: BucketServer, home: Path) -> None:
    names = [f"{number:03}.md" for number in range(100)]
    for name in names:
        server.put(name, name.encode())
    server.instead = lambda request: NO_BUCKET if request >= "GET docs/050" and request.startswith("GET") else None
    with pytest.raises(ConfigurationError, match="the bucket does not exist"):
        scan(server, home)
    known = corpus_index.load(home / "corpus.index")
    assert known.keys() == {name.encode() for name in names[:50]}
    server.instead = lambda request: None
    server.asked()
    assert list(scan(server, home).documents) == names
    assert server.asked() == ["LIST", *(f"GET docs/{name}" for name in names[50:])] or len(known) == 50


@pytest.mark.parametrize("name", ["sub/a//b.md", "sub/a/../b.md", "sub/a/./b.md", "sub/a/b\tc.md", "sub/a//"])
def test_a_folder_with_a_name_that_is_no_path_is_named_and_nothing_of_it_is_gone(
    server: BucketServer, home: Path, name: str
) -> None:
    for good in ("a.md", "sub/b.md", "sub/a/was.md", "sub/a/deep/too.md", "z/z.md"):
        server.put(good)
    everything = set(scan(server, home).documents)
    server.put(name)
    found = scan(server, home)
    assert list(found.documents) == ["a.md", "sub/b.md", "z/z.md"]
    assert list(found.unreadable) == ["sub/a/"]
    assert "Rename or remove the object" in found.unreadable["sub/a/"].remedy
    assert (found.gone(everything), found.stamp) == (set(), "")
    server.put(".seedbankignore", b"sub/a/\n")
    assert scan(server, home).unreadable == {}


def test_documents_of_a_folder_with_such_a_name_are_not_downloaded_again(server: BucketServer, home: Path) -> None:
    server.put("sub/a.md")
    server.put("b.md")
    first = scan(server, home)
    server.put("sub//x.md")
    assert list(scan(server, home).documents) == ["b.md"]
    server.remove("sub//x.md")
    server.asked()
    assert scan(server, home) == first
    assert server.asked() == ["LIST"]


def test_a_name_that_is_no_path_at_the_top_is_an_error(server: BucketServer, home: Path) -> None:
    server.put("a.md")
    server.put("/b.md")
    with pytest.raises(ConfigurationError, match=r"cannot be listed.*empty path segment.*Rename or remove"):
        scan(server, home)


def test_what_programs_make_for_folders_is_no_document(server: BucketServer, home: Path) -> None:
    for name in ("", "sub/", "sub/deep/", "reports.md/"):
        server.put(name, b"")
    server.put("sub/a.md")
    server.put("reports.md/a.md")
    found = scan(server, home)
    assert list(found.documents) == ["reports.md/a.md", "sub/a.md"]
    assert (found.problems, found.skipped.total) == ({}, 0)


def test_an_object_beside_a_folder_of_its_name_is_a_document(server: BucketServer, home: Path) -> None:
    for name, data in (("a.md", b"the object"), ("a.md/", b""), ("a.md/b.md", b"b"), ("a.md-c.md", b"c")):
        server.put(name, data)
    for _ in range(2):
        found = scan(server, home)
        assert list(found.documents) == ["a.md", "a.md-c.md", "a.md/b.md"]
        assert found.documents["a.md"].content_digest == digest(b"the object")


@pytest.mark.parametrize("patterns", [b"\xff", b"\x00" * (2 * MB)])
def test_patterns_that_cannot_be_read_are_an_error(server: BucketServer, home: Path, patterns: bytes) -> None:
    server.put("a.md")
    server.put(".seedbankignore", patterns)
    with pytest.raises(ConfigurationError, match=r"docs/\.seedbankignore"):
        scan(server, home)


def test_the_index_of_a_folder_serves_no_bucket_but_its_digests_are_the_same(
    server: BucketServer, home: Path, tmp_path: Path
) -> None:
    folder = Folder(tmp_path)
    for name in ("a.md", "sub/b.md"):
        folder.write(name, name.encode())
        server.put(name, name.encode())
    before = Corpus(folder.root, home / "corpus.index", MB).scan()
    after = scan(server, home)
    assert after.documents == before.documents
    assert len([request for request in server.asked() if request.startswith("GET")]) == 2


def test_a_document_was_modified_when_its_object_was(server: BucketServer, home: Path) -> None:
    server.put("a.md", at=1_000_000)
    scan(server, home)
    assert corpus(server, home).modified_at() == {"a.md": 1_000_000}


def test_a_missing_package_is_named_with_its_remedy(
    server: BucketServer, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(__import__("sys").modules, "obstore.store", None)
    with pytest.raises(ConfigurationError, match=r"obstore.*seedbank\[remote\]"):
        scan(server, home)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("s3://", "has the form"),
        ("s3://key:secret@bucket/docs", "credentials come from the environment"),
        ("s3://bucket/docs?versionId=1", "has the form"),
        ("s3://bucket/a//b", "empty"),
        ("s3://bucket/../b", "a dot or two"),
        ("ftp://host/docs", "is none of s3://"),
    ],
)
def test_an_address_that_is_none_is_refused(text: str, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        place_of(text)


def test_an_address_is_written_as_it_was_given() -> None:
    assert str(place_of("s3://bucket/a/b/")) == "s3://bucket/a/b"
    assert place_of("s3://bucket/a/b/") == place_of("s3://bucket/a/b")
    assert place_of("folder") == Path("folder")
