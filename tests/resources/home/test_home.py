"""The bond between a home and its corpus, and the marks of runs that were killed."""

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace

import psutil
import pytest

from io_managers.store import processes
from resources.errors import ConfigurationError
from resources.home import running
from resources.home.home import Home
from resources.home.running import this_process

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    """A folder of documents."""
    folder = tmp_path / "corpus"
    folder.mkdir()
    return folder


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """A home that does not exist yet."""
    return Home(tmp_path / "home")


def test_a_home_is_bound_to_one_corpus(home: Home, corpus: Path, tmp_path: Path) -> None:
    assert home.bound_corpus() is None
    home.check(corpus)
    assert not home.directory.exists()
    home.bind(corpus)
    home.bind(corpus)
    assert home.bound_corpus() == corpus
    other = tmp_path / "other"
    other.mkdir()
    for refusing in (home.check, home.bind):
        with pytest.raises(ConfigurationError, match="--rebind") as raised:
            refusing(other)
        assert str(corpus) in str(raised.value)
        assert str(other) in str(raised.value)
    home.bind(other, rebind=True)
    assert home.bound_corpus() == other
    assert [path.name for path in home.directory.iterdir()] == ["home.json"]


def test_a_corpus_that_is_not_there_is_not_bound(home: Home, corpus: Path) -> None:
    """Else the right one would be refused later."""
    with pytest.raises(ConfigurationError, match="no corpus folder"):
        home.bind(corpus.with_name("corpsu"))
    assert home.bound_corpus() is None
    home.bind(corpus)
    with pytest.raises(ConfigurationError, match="no corpus folder"):
        home.bind(corpus.with_name("corpsu"), rebind=True)
    assert home.bound_corpus() == corpus


def test_other_ways_to_say_the_same_folder_are_the_same_corpus(home: Home, corpus: Path, tmp_path: Path) -> None:
    link = tmp_path / "current"
    link.symlink_to(corpus)
    home.bind(link)
    for path in (corpus, link, tmp_path / "corpus" / ".." / "corpus", Path(f"{corpus}/")):
        home.bind(path)
    assert home.bound_corpus() == link
    # A link that is turned to the next release of a corpus still names the same corpus.
    newer = tmp_path / "newer"
    newer.mkdir()
    link.unlink()
    link.symlink_to(newer)
    home.check(link)
    with pytest.raises(ConfigurationError):
        home.check(corpus)


def test_a_corpus_may_be_inside_its_home_and_a_home_inside_its_corpus_but_they_are_not_one(tmp_path: Path) -> None:
    (tmp_path / "inner").mkdir()
    Home(tmp_path / "inner" / "state").bind(tmp_path / "inner")
    Home(tmp_path).bind(tmp_path / "inner")
    with pytest.raises(ConfigurationError, match="both the corpus and the home"):
        Home(tmp_path / "inner").bind(tmp_path / "inner")


def test_a_corpus_of_undecodable_name_stays_what_it_is(home: Home, tmp_path: Path) -> None:
    corpus = tmp_path / os.fsdecode(b"caf\xe9")
    corpus.mkdir()
    home.bind(corpus)
    assert Home(home.directory).bound_corpus() == corpus


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "delete it"),
        (b"[]", "delete it"),
        (b"{}", "delete it"),
        (b'{"format": "1", "corpus": "/x"}', "delete it"),
        (b'{"format": 1, "corpus": 5}', "delete it"),
        (b"\xff\xfe", "delete it"),
        (b'{"format": 2, "corpus": "/x"}', "newer Seedbank"),
    ],
)
def test_a_bond_that_cannot_be_read_says_what_to_do(home: Home, corpus: Path, content: bytes, message: str) -> None:
    home.directory.mkdir()
    (home.directory / "home.json").write_bytes(content)
    with pytest.raises(ConfigurationError, match=message):
        home.bind(corpus)


def test_a_home_that_is_a_file_is_refused(home: Home, corpus: Path) -> None:
    home.directory.write_text("")
    for refusing in (lambda: home.bind(corpus), home.bound_corpus):
        with pytest.raises(ConfigurationError, match="Set SEEDBANK_HOME"):
            refusing()


@pytest.mark.integration
@pytest.mark.parametrize("operation", ["home.bind(corpus)", "home.running().__enter__()"])
def test_a_home_that_cannot_be_written_is_refused(operation: str) -> None:
    program = f"""
import os, sys
from pathlib import Path
from resources.errors import ConfigurationError
from resources.home.home import Home
corpus, home = Path("/"), Home(Path(sys.argv[1]))
if os.getuid() == 0:
    os.setgid(65534); os.setuid(65534)
try:
    {operation}
except ConfigurationError as error:
    print(error)
"""
    with tempfile.TemporaryDirectory() as directory:
        Path(directory).chmod(0o555)
        done = subprocess.run(
            [sys.executable, "-c", program, directory], capture_output=True, text=True, cwd=ROOT, check=False
        )
    assert done.returncode == 0, done.stderr
    assert "cannot be written: Permission denied" in done.stdout


def test_a_run_leaves_a_mark_only_while_it_runs(home: Home) -> None:
    with home.running():
        assert not home.abandoned()
        (mark,) = (home.directory / "running").iterdir()
        assert mark.read_text().splitlines()[0] == this_process()
    assert list((home.directory / "running").iterdir()) == []


@pytest.mark.integration
def test_a_killed_run_is_noticed_until_another_has_run(home: Home) -> None:
    program = (
        "import os, sys\nfrom pathlib import Path\nfrom resources.home.home import Home\n"
        "with Home(Path(sys.argv[1])).running():\n    os.kill(os.getpid(), 9)\n"
    )
    done = subprocess.run([sys.executable, "-c", program, str(home.directory)], cwd=ROOT, check=False)
    assert done.returncode == -9
    assert home.abandoned()
    with home.running():
        assert home.abandoned()
    assert not home.abandoned()


@pytest.mark.parametrize("content", ["", "garbage", "host/12", "\0\0\0", f"{socket.gethostname()}/x/y", "a/b/c/x/y/z"])
def test_a_mark_that_a_power_failure_spoilt_is_that_of_a_dead_run(home: Home, content: str) -> None:
    mark = home.directory / "running" / "mark"
    mark.parent.mkdir(parents=True)
    mark.write_text(content)
    assert home.abandoned()


@pytest.mark.slow
def test_marks_of_other_runs_come_and_go_without_harm(home: Home) -> None:
    """Every seed looks at the marks of all others, which are being made and removed meanwhile."""
    errors: list[BaseException] = []
    seen: list[bool] = []
    (home.directory / "running").mkdir(parents=True)

    def run() -> None:
        try:
            for _ in range(100):
                with home.running():
                    seen.append(home.abandoned())
        except BaseException as error:  # noqa: BLE001 - reported by the test
            errors.append(error)

    threads = [threading.Thread(target=run) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert not any(seen)


HOLDING = """
import os, sys
from pathlib import Path
from io_managers.store import processes
from resources.home.home import Home
processes.place = lambda: sys.argv[2]
processes.HEARTBEAT_SECONDS = 0.05
with Home(Path(sys.argv[1])).running():
    print("running", flush=True)
    sys.stdin.readline()
"""


@pytest.fixture
def elsewhere(home: Home) -> Iterator[Callable[[str], subprocess.Popen[str]]]:
    """Starts a real process that is running in the home, as if in another place, such as another container."""
    children: list[subprocess.Popen[str]] = []

    def start(place: str) -> subprocess.Popen[str]:
        child = subprocess.Popen(
            [sys.executable, "-c", HOLDING, str(home.directory), place],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        children.append(child)
        assert child.stdout is not None
        assert child.stdout.readline() == "running\n"
        return child

    yield start
    for child in children:
        child.kill()
        child.communicate()


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The clock by which observers judge, to be put forward."""
    now = [1000.0]
    for module in (processes, running):
        monkeypatch.setattr(module, "time", SimpleNamespace(monotonic=lambda: now[0], time=time.time))
    return now


PLACES = {
    "another host": "other-host 0b1c pid:[4026531836]",
    "the same name, another namespace": f"{processes.place().rsplit(' ', 1)[0]} pid:[1]",
    "the same name, another start": f"{socket.gethostname()} 0b1c pid:[4026531836]",
}


@pytest.mark.integration
@pytest.mark.parametrize("place", PLACES.values(), ids=PLACES)
def test_a_run_that_was_killed_elsewhere_is_noticed_when_its_heartbeat_stands_still(
    home: Home, elsewhere: Callable[[str], subprocess.Popen[str]], clock: list[float], place: str
) -> None:
    """Each look is a home of its own, as each tick of a sensor is: a killed container blocks no sensor for ever."""
    child = elsewhere(place)
    (mark,) = (home.directory / "running").glob("[!.]*")
    assert Home(home.directory).others_running()
    before = mark.stat().st_mtime_ns
    while mark.stat().st_mtime_ns == before:
        time.sleep(0.01)
    clock[0] += processes.EXPIRY_SECONDS * 10
    assert Home(home.directory).others_running()
    assert not Home(home.directory).abandoned()
    child.kill()
    child.wait()
    assert Home(home.directory).others_running()
    clock[0] += processes.EXPIRY_SECONDS - 1
    assert not Home(home.directory).abandoned()
    clock[0] += 1
    assert Home(home.directory).abandoned()
    assert not Home(home.directory).others_running()
    home.clear_abandoned()
    assert not Home(home.directory).abandoned()


@pytest.mark.integration
def test_what_was_seen_before_this_machine_started_again_says_nothing(
    home: Home, elsewhere: Callable[[str], subprocess.Popen[str]], clock: list[float]
) -> None:
    elsewhere("other-host 0b1c pid:[1]")
    assert home.others_running()
    clock[0] = 5.0
    assert home.others_running()
    clock[0] += processes.EXPIRY_SECONDS / 2
    assert home.others_running()


@pytest.mark.integration
def test_a_step_of_the_wall_clock_changes_nothing(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    """A live run would be marked dead by another process."""
    with home.running():
        monkeypatch.setattr(time, "time", lambda: 9e9)
        psutil_clock = SimpleNamespace(Process=lambda *_: SimpleNamespace(create_time=lambda: 9e9, pid=os.getpid()))
        monkeypatch.setitem(sys.modules, "psutil", psutil_clock)
        program = (
            "import sys\nfrom pathlib import Path\nfrom resources.home.home import Home\n"
            "home = Home(Path(sys.argv[1]))\nprint(home.others_running(), home.abandoned(), home.is_alive(sys.argv[2]))"
        )
        arguments = [sys.executable, "-c", program, str(home.directory), this_process()]
        done = subprocess.run(arguments, cwd=ROOT, capture_output=True, text=True, check=True)
        assert done.stdout.split() == ["True", "False", "True"]
        assert home.is_alive(this_process())


def test_a_process_is_known_from_a_later_one_of_its_number(home: Home) -> None:
    host, boot, namespace, pid, started, nonce = this_process().split("/")
    with home.running():
        (mark,) = (home.directory / "running").glob("[!.]*")
        assert home.is_alive(this_process())
        for name in (f"{host}/{boot}/{namespace}/{pid}/{int(started) - 100}/{nonce}",):
            mark.with_name(name.replace("/", "_")).write_text(name)
            assert not home.is_alive(name)
    assert not home.is_alive(this_process())


def test_a_sandbox_that_always_starts_alike_does_not_keep_a_run_that_is_gone(home: Home, clock: list[float]) -> None:
    """Host, start, number and ticks are those of this process; the run is that of the sandbox before it."""
    name = f"{this_process().rpartition('/')[0]}/other"
    mark = home.directory / "running" / name.replace("/", "_")
    mark.parent.mkdir(parents=True)
    mark.write_text(name)
    assert home.others_running()
    clock[0] += processes.EXPIRY_SECONDS
    assert not home.others_running()
    assert home.abandoned()


def test_marks_of_earlier_versions_are_understood(home: Home, clock: list[float]) -> None:
    host, pid = socket.gethostname(), os.getpid()
    started = psutil.Process().create_time()
    assert home.is_alive(f"{host}/{pid}/{started:.0f}")
    assert not home.is_alive(f"{host}/{pid}/{started - 100:.0f}")
    mark = home.directory / "running" / "other-host_1_2"
    mark.parent.mkdir(parents=True)
    mark.write_text("other-host/1/2")
    assert home.others_running()
    assert home.is_alive("other-host/1/2")
    clock[0] += processes.EXPIRY_SECONDS
    assert not home.others_running()
    assert not home.is_alive("other-host/1/2")


@pytest.mark.integration
def test_a_stopped_run_is_named_with_how_to_go_on(home: Home) -> None:
    program = HOLDING.replace("processes.place = lambda: sys.argv[2]\n", "")
    child = subprocess.Popen(
        [sys.executable, "-c", program, str(home.directory)],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert child.stdout is not None
        assert child.stdout.readline() == "running\n"
        assert f"process {child.pid}" in home.running_elsewhere()
        assert "kill -CONT" not in home.running_elsewhere()
        os.kill(child.pid, signal.SIGSTOP)
        os.waitid(os.P_PID, child.pid, os.WSTOPPED | os.WNOWAIT)
        assert f"process {child.pid}" in home.running_elsewhere()
        assert f"kill -CONT {child.pid}" in home.running_elsewhere()
    finally:
        child.kill()
        child.communicate()


def test_a_digest_in_sync_does_not_replace_what_another_process_recorded(home: Home) -> None:
    """A process that was stopped between reading and recording must not hide what others have done since."""
    assert home.record_in_sync("a", instead_of="")
    assert home.synced_digest() == "a"
    assert home.record_in_sync("b", instead_of="a")
    assert not home.record_in_sync("c", instead_of="a")
    assert home.synced_digest() == "b"
    home.record_out_of_sync()
    assert not home.record_in_sync("c", instead_of="b")
    assert not home.record_in_sync("c", instead_of="")
    assert home.synced_digest() not in ("", "a", "b", "c")
    assert [path.name for path in home.dagster.iterdir()] == ["agreement"]


def test_the_bond_is_readable_by_people(home: Home, corpus: Path) -> None:
    home.bind(corpus)
    assert json.loads((home.directory / "home.json").read_text()) == {"format": 1, "corpus": str(corpus)}
