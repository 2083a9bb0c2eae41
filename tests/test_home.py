"""The bond between a home and its corpus, and the marks of runs that were killed."""

import json
import os
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

import pytest

from resources.errors import ConfigurationError
from resources.home import Home, is_alive, this_process

ROOT = Path(__file__).resolve().parent.parent


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
    ("content", "told"),
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
def test_a_bond_that_cannot_be_read_says_what_to_do(home: Home, corpus: Path, content: bytes, told: str) -> None:
    home.directory.mkdir()
    (home.directory / "home.json").write_bytes(content)
    with pytest.raises(ConfigurationError, match=told):
        home.bind(corpus)


def test_a_home_that_is_a_file_is_refused(home: Home, corpus: Path) -> None:
    home.directory.write_text("")
    for refusing in (lambda: home.bind(corpus), home.bound_corpus):
        with pytest.raises(ConfigurationError, match="Set SEEDBANK_HOME"):
            refusing()


@pytest.mark.parametrize("operation", ["home.bind(corpus)", "home.running().__enter__()"])
def test_a_home_that_cannot_be_written_is_refused(operation: str) -> None:
    program = f"""
import os, sys
from pathlib import Path
from resources.errors import ConfigurationError
from resources.home import Home
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
        assert mark.read_text() == this_process()
    assert list((home.directory / "running").iterdir()) == []


def test_a_killed_run_is_noticed_until_another_has_run(home: Home) -> None:
    program = (
        "import os, sys\nfrom pathlib import Path\nfrom resources.home import Home\n"
        "with Home(Path(sys.argv[1])).running():\n    os.kill(os.getpid(), 9)\n"
    )
    done = subprocess.run([sys.executable, "-c", program, str(home.directory)], cwd=ROOT, check=False)
    assert done.returncode == -9
    assert home.abandoned()
    with home.running():
        assert home.abandoned()
    assert not home.abandoned()


@pytest.mark.parametrize("content", ["", "garbage", "host/12", "\0\0\0", f"{this_process().rsplit('/', 2)[0]}/x/y"])
def test_a_mark_that_a_power_failure_spoilt_is_that_of_a_dead_run(home: Home, content: str) -> None:
    mark = home.directory / "running" / "mark"
    mark.parent.mkdir(parents=True)
    mark.write_text(content)
    assert home.abandoned()


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
        except BaseException as error:  # noqa: BLE001 - told by the test
            errors.append(error)

    threads = [threading.Thread(target=run) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert not any(seen)


def test_a_process_is_told_from_a_later_one_of_its_number() -> None:
    host, pid, started = this_process().rsplit("/", 2)
    assert is_alive(this_process())
    assert not is_alive(f"{host}/{pid}/{float(started) - 100:.0f}")
    assert is_alive(f"another-host/{pid}/0")


def test_the_bond_is_readable_by_people(home: Home, corpus: Path) -> None:
    home.bind(corpus)
    assert json.loads((home.directory / "home.json").read_text()) == {"format": 1, "corpus": str(corpus)}
