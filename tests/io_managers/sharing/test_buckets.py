"""What every bucket must do, and what is said where one cannot be used. A new kind joins by a place in conftest."""

import socketserver
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest

from io_managers.sharing.buckets.bucket import Bucket
from io_managers.sharing.buckets.folder_bucket import FolderBucket
from io_managers.sharing.buckets.object_bucket import ObjectBucket
from io_managers.sharing.buckets.opening import check_writable, open_bucket
from io_managers.store.errors import RemoteError


def test_a_file_comes_back_as_it_was_written(opened: Callable[[], Bucket]) -> None:
    opened().put_first("values/ab/cd", b"\0bytes")
    assert opened().get("values/ab/cd", 100) == b"\0bytes"


def test_a_missing_file_is_none(opened: Callable[[], Bucket]) -> None:
    assert opened().get("values/ab/missing", 100) is None


def test_nothing_larger_than_asked_for_is_read(opened: Callable[[], Bucket]) -> None:
    """A file that somebody replaced by a huge one would fill the memory."""
    opened().put_first("values/large", b"x" * 101)
    assert opened().get("values/large", 100) is None
    assert opened().get("values/large", 101) == b"x" * 101


def test_the_first_writer_wins(opened: Callable[[], Bucket]) -> None:
    assert opened().put_first("a", b"one")
    assert not opened().put_first("a", b"two")
    assert opened().get("a", 10) == b"one"


def test_of_writers_at_once_exactly_one_wins(opened: Callable[[], Bucket]) -> None:
    """Two hosts that compute the same must not overwrite each other's result."""
    with ThreadPoolExecutor(8) as threads:
        won = list(threads.map(lambda n: opened().put_first(f"race/{n % 5}", b"%d" % n), range(40)))
    assert sum(won) == 5
    for number in range(5):
        winner = next(n for n in range(40) if n % 5 == number and won[n])
        assert opened().get(f"race/{number}", 10) == b"%d" % winner


def test_replacing_writes_over_a_file(opened: Callable[[], Bucket]) -> None:
    opened().put_first("a", b"one")
    opened().replace("a", b"two")
    assert opened().get("a", 10) == b"two"


def test_a_listing_has_all_files_below_a_folder_with_their_sizes(opened: Callable[[], Bucket]) -> None:
    for name in ("segments/one/a", "segments/one/b", "segments/two/c", "values/d"):
        opened().put_first(name, name.encode())
    found = {file.name: file.size_bytes for file in opened().list("segments")}
    assert found == {name: len(name) for name in ("segments/one/a", "segments/one/b", "segments/two/c")}


def test_a_listing_is_complete_while_others_write_and_delete(opened: Callable[[], Bucket]) -> None:
    """Files that come and go beside it are no error, unfinished ones are not listed, and none of the others is missing."""
    kept = {f"probes/kept {number}" for number in range(3)}
    for name in kept:
        opened().put_first(name, b"kept")

    def change(number: int) -> None:
        opened().put_first(f"probes/{number}", b"passing")
        opened().delete(f"probes/{number}")

    with ThreadPoolExecutor(3) as threads:
        changing = threads.map(change, range(60))
        listings = [{found.name for found in opened().list("probes")} for _ in range(60)]
        list(changing)
    passing = {f"probes/{number}" for number in range(60)}
    assert all(kept <= listed <= kept | passing for listed in listings)


def test_a_listing_of_nothing_is_empty(opened: Callable[[], Bucket]) -> None:
    assert list(opened().list("segments")) == []


def test_a_deleted_file_is_gone_and_may_be_deleted_again(opened: Callable[[], Bucket]) -> None:
    opened().put_first("a", b"one")
    opened().delete("a")
    opened().delete("a")
    assert opened().get("a", 10) is None


def test_a_bucket_that_keeps_the_first_file_may_be_written(opened: Callable[[], Bucket]) -> None:
    assert check_writable(opened()) == ""
    assert list(opened().list("probes")) == []


def test_a_name_that_leads_elsewhere_is_refused(tmp_path: Path) -> None:
    """A segment could name a value outside of the folder."""
    bucket = FolderBucket(tmp_path)
    for name in ("../a", "values/../../a", "/etc/passwd"):
        with pytest.raises(ValueError, match="is no name"):
            bucket.get(name, 10)


def test_a_folder_that_is_missing_is_an_error_and_not_empty(tmp_path: Path) -> None:
    """A disk that is not mounted would look like a remote with nothing in it, and everything would be paid again."""
    bucket = FolderBucket(tmp_path / "missing")
    for use in (
        lambda: list(bucket.list("segments")),
        lambda: bucket.get("a", 10),
        lambda: bucket.put_first("a", b""),
        lambda: bucket.replace("a", b""),
    ):
        with pytest.raises(RemoteError, match="does not exist"):
            use()
    assert not (tmp_path / "missing").exists()


def test_others_who_can_read_a_folder_can_read_what_is_written(tmp_path: Path) -> None:
    """Files of a home are private; those of a remote are for colleagues."""
    tmp_path.chmod(0o755)
    FolderBucket(tmp_path).put_first("values/ab/cd", b"one")
    assert (tmp_path / "values" / "ab" / "cd").stat().st_mode & 0o777 == 0o644
    assert (tmp_path / "values").stat().st_mode & 0o777 == 0o755


def test_a_folder_that_others_can_write_is_not_ones_own(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    assert FolderBucket(tmp_path).is_own()
    tmp_path.chmod(0o775)
    assert not FolderBucket(tmp_path).is_own()


def test_a_missing_bucket_is_an_error_in_every_use(s3_address: str) -> None:
    """obstore raises the same error for a missing bucket and a missing file."""
    bucket = open_bucket("s3://there-is-no-such-bucket/prefix", 10)
    for use in (
        lambda: list(bucket.list("segments")),
        lambda: bucket.get("a", 10),
        lambda: bucket.put_first("a", b""),
    ):
        with pytest.raises(RemoteError, match=r"the bucket does not exist.*correct store\.remote"):
            use()


REPLIES = {
    "it refuses the credentials": (403, "<Error><Code>InvalidAccessKeyId</Code></Error>"),
    "it denies access": (403, "<Error><Code>AccessDenied</Code></Error>"),
    "its clock is wrong": (403, "<Error><Code>RequestTimeTooSkewed</Code></Error>"),
}


@pytest.mark.parametrize("words", REPLIES)
def test_a_refusal_is_put_into_words(words: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with _answering(*REPLIES[words]) as port:
        _use(monkeypatch, port)
        with pytest.raises(RemoteError, match=words):
            list(open_bucket("s3://bucket/prefix", 10).list("segments"))


def test_a_server_that_is_down_is_said_so_soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """The library tries for three minutes by itself."""
    _use(monkeypatch, 9)
    with pytest.raises(RemoteError, match="cannot be reached"):
        list(open_bucket("s3://bucket/prefix", 10).list("segments"))


def test_a_server_that_overwrites_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Some servers ignore If-None-Match; two hosts would lose each other's work."""
    with _answering(200, "") as port:
        _use(monkeypatch, port)
        with pytest.raises(RemoteError, match="If-None-Match"):
            check_writable(open_bucket("s3://bucket/prefix", 10))


def test_a_clock_that_differs_is_a_warning(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("io_managers.sharing.buckets.opening._SKEW_SECONDS", -1)
    assert "clock of this machine differs" in check_writable(FolderBucket(tmp_path))


def test_a_missing_package_is_named_with_its_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "obstore.store", None)
    with pytest.raises(RemoteError, match=r"obstore.*seedbank\[remote\]"):
        ObjectBucket("s3://bucket", 10)


def _use(monkeypatch: pytest.MonkeyPatch, port: int) -> None:
    for name, value in {
        "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}",
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_REGION": "us-east-1",
    }.items():
        monkeypatch.setenv(name, value)


@contextmanager
def _answering(status: int, body: str) -> Iterator[int]:
    """A server that gives every request the same reply; its port."""

    class Handler(BaseHTTPRequestHandler):
        def answer(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length") or 0))
            self.send_response(status)
            self.send_header("ETag", '"1"')
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body.encode())

        do_GET = do_PUT = do_DELETE = answer  # noqa: N815 - these are the names that it looks for

        def log_message(self, format: str, *arguments: object) -> None:
            """Say nothing."""

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        try:
            yield server.server_address[1]
        finally:
            server.shutdown()
