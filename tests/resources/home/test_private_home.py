"""A home is its user's alone: as it is made, and as it was left by a version or a mask that kept it open."""

import os
import stat
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from resources.home.home import Home
from resources.home.private_files import keep_new_files_private

ROOT = Path(__file__).resolve().parents[3]


def mode(path: Path) -> int:
    return stat.S_IMODE(path.lstat().st_mode)


def open_home(directory: Path) -> Home:
    """A home as one made under umask 000 lies there, with a link out of it."""
    outside = directory.parent / "outside.txt"
    outside.write_text("somebody's")
    outside.chmod(0o666)
    for name in ("store/values/ab/value", "lancedb/chunks.lance/data/x.lance", "dagster/history/runs.db", "home.json"):
        path = directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("{}")
    (directory / "dagster" / "link").symlink_to(outside)
    (directory / "store" / "folder").symlink_to(directory.parent)
    for path in (directory, *directory.rglob("*")):
        if not path.is_symlink():
            path.chmod(0o777 if path.is_dir() else 0o666)
    return Home(directory)


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    folder = tmp_path / "corpus"
    folder.mkdir()
    (folder / "a.md").write_text("text")
    (folder / "a.md").chmod(0o644)
    folder.chmod(0o755)
    return folder


def test_an_open_home_is_closed_with_all_that_is_in_it_but_nothing_that_links_lead_to(
    tmp_path: Path, corpus: Path
) -> None:
    home = open_home(tmp_path / "home")
    before = mode(tmp_path)
    assert home.keep_private(corpus) == ""
    paths = [home.directory, *home.directory.rglob("*")]
    assert {mode(path) for path in paths if path.is_dir() and not path.is_symlink()} == {0o700}
    assert {mode(path) for path in paths if path.is_file() and not path.is_symlink()} == {0o600}
    assert mode(tmp_path / "outside.txt") == 0o666
    assert mode(tmp_path) == before
    assert mode(corpus / "a.md") == 0o644


def test_a_closed_home_is_only_looked_at(tmp_path: Path, corpus: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ten thousand files must not be visited by every command."""
    home = open_home(tmp_path / "home")
    home.keep_private(corpus)

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("it was walked through")

    monkeypatch.setattr(os, "walk", refuse)
    assert home.keep_private(corpus) == ""
    assert Home(tmp_path / "none").keep_private(corpus) == ""


def test_a_home_that_holds_the_corpus_stays_a_folder_for_others(tmp_path: Path) -> None:
    """What is the project's in it is closed; the documents and the folder are somebody's own."""
    home = open_home(tmp_path / "all")
    corpus = home.directory / "documents"
    corpus.mkdir()
    (corpus / "a.md").write_text("text")
    (corpus / "a.md").chmod(0o644)
    home.directory.chmod(0o755)
    assert home.keep_private(corpus) == ""
    assert mode(home.directory) == 0o755
    assert mode(corpus / "a.md") == 0o644
    assert mode(home.store) == 0o700
    assert mode(home.directory / "dagster" / "history" / "runs.db") == 0o600


def test_a_folder_that_is_no_home_is_left_alone_until_it_is_bound(tmp_path: Path, corpus: Path) -> None:
    """`status --home` with a mistyped folder must not close that to others."""
    folder = tmp_path / "mistyped"
    folder.mkdir()
    folder.chmod(0o755)
    home = Home(folder)
    assert home.keep_private(corpus) == ""
    assert mode(folder) == 0o755
    home.bind(corpus)
    assert mode(folder) == 0o700
    assert mode(folder / "home.json") == 0o600


def test_a_folder_for_everybody_is_not_taken_from_them(tmp_path: Path, corpus: Path) -> None:
    """`--home /tmp` must not close /tmp."""
    home = open_home(tmp_path / "tmp")
    home.directory.chmod(0o1777)
    assert home.keep_private(corpus) == ""
    assert mode(home.directory) == 0o1777
    assert mode(home.store) == 0o700


def test_a_link_to_a_home_is_followed_once(tmp_path: Path, corpus: Path) -> None:
    home = open_home(tmp_path / "home")
    (tmp_path / "current").symlink_to(home.directory)
    assert Home(tmp_path / "current").keep_private(corpus) == ""
    assert mode(home.directory) == 0o700


@pytest.mark.integration
@pytest.mark.skipif(os.getuid() != 0, reason="only root can give files away")
def test_files_of_somebody_else_are_named() -> None:
    with tempfile.TemporaryDirectory() as above:
        # Pytest's own folders are closed to others.
        Path(above).chmod(0o755)
        corpus = Path(above) / "corpus"
        corpus.mkdir()
        said = _closed_by_nobody(open_home(Path(above) / "home"), corpus)
    assert "its permissions could not be changed (Operation not permitted)" in said
    assert "chmod -R go-rwx" in said


def _closed_by_nobody(home: Home, corpus: Path) -> str:
    """Return the message for a user to whom the home does not belong."""
    program = (
        "import os, sys\nfrom pathlib import Path\nfrom resources.home.home import Home\n"
        "os.setgid(65534); os.setuid(65534)\n"
        "print(Home(Path(sys.argv[1])).keep_private(Path(sys.argv[2])))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(home.directory), str(corpus)],
        capture_output=True,
        text=True,
        cwd=ROOT,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_new_files_are_private_and_a_stricter_mask_stays() -> None:
    before = os.umask(0o002)
    try:
        keep_new_files_private()
        assert os.umask(0o300) == 0o077
        keep_new_files_private()
        assert os.umask(0) == 0o377
    finally:
        os.umask(before)
