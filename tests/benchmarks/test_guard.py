"""The guard against slower commits: its arithmetic, its pairs, and what it refuses. Nothing is measured here."""

import subprocess
from pathlib import Path

import pytest

from benchmarks.dagster_scale_processes import Finished
from benchmarks.guard import Sides, find_peps, prepare, report
from benchmarks.guard_commit import Code, checked_out
from benchmarks.guard_verdict import Figure, needed


def figure(*ratios: float) -> Figure:
    return Figure("a figure", "s", tuple((2.0 * ratio, 2.0) for ratio in ratios))


def test_a_figure_is_the_median_of_its_pairs_with_their_spread() -> None:
    summary = figure(1.0, 1.3, 0.9).summary()

    assert summary == {
        "now": 2.0,
        "before": 2.0,
        "ratio": pytest.approx(1.0),
        "smallest_ratio": pytest.approx(0.9),
        "largest_ratio": pytest.approx(1.3),
        "failed": False,
    }


@pytest.mark.parametrize(
    ("ratios", "failed"),
    [
        ((1.0, 1.0, 1.0), False),
        ((1.2, 1.2, 1.2), True),
        ((1.11, 1.11), True),
        ((1.09, 1.09, 1.09), False),
        # One slow moment.
        ((1.0, 3.0, 1.0, 1.0), False),
        # The median is worse by a tenth, and the pairs do not agree.
        ((0.8, 0.9, 1.12, 1.3, 1.4), False),
        ((1.02, 1.06, 1.12, 1.3, 1.4), True),
        ((0.9, 1.2, 1.2, 1.2, 1.2, 1.2, 1.2, 1.2, 1.2), True),
        ((0.9, 0.9, 1.2, 1.2, 1.2, 1.2, 1.2, 1.2, 1.2), False),
        ((1.2,), False),
        ((0.5, 0.5, 0.5), False),
    ],
    ids=[
        "equal",
        "a fifth",
        "two pairs",
        "less than a tenth",
        "one pair",
        "spread",
        "all agree",
        "8 of 9",
        "7 of 9",
        "too few",
        "faster",
    ],
)
def test_a_tenth_beyond_the_spread_is_a_failure(ratios: tuple[float, ...], failed: bool) -> None:
    assert figure(*ratios).failed is failed
    assert str(figure(*ratios)).endswith("worse") is failed


def test_so_many_pairs_have_to_agree_that_chance_would_hardly_do_it() -> None:
    assert [needed(pairs) for pairs in (1, 2, 3, 5, 9, 18)] == [2, 2, 3, 5, 8, 13]


def test_both_codes_take_turns_and_memory_is_a_figure_too(tmp_path: Path) -> None:
    sides = Sides(Code("now", tmp_path), Code("abc", tmp_path))
    order: list[str] = []

    def measured(code: Code) -> Finished:
        order.append(code.name)
        return Finished(1.0 if code.name == "abc" else 1.5, 100.0, "")

    sides.compare("a seed", 3, measured)

    # A figure that fails is measured once more.
    assert order == ["now", "abc", "abc", "now", "now", "abc"] * 2
    assert {name: (found.median, found.failed) for name, found in sides.figures.items()} == {
        "a seed": (1.5, True),
        "a seed: peak memory": (1.0, False),
    }
    assert report(sides)["failed"] == ["a seed"]


def test_a_figure_that_fails_once_is_judged_by_all_its_pairs(tmp_path: Path) -> None:
    sides = Sides(Code("now", tmp_path), Code("abc", tmp_path))
    busy = iter([2.0, 2.0, *[1.0] * 10])

    def measured(code: Code) -> Finished:
        return Finished(next(busy) if code.name == "now" else 1.0, 100.0, "")

    sides.compare("a seed", 2, measured)

    assert sides.figures["a seed"].ratios == [2.0, 2.0, 1.0, 1.0]
    assert not report(sides)["failed"]


def test_what_the_other_commit_cannot_do_is_said_and_left_out(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sides = Sides(Code("now", tmp_path), Code("abc", tmp_path))

    def measured(code: Code) -> Finished:
        if code.name == unable:
            raise SystemExit("no such command")
        return Finished(1.0, 100.0, "")

    unable = "abc"
    sides.compare("something new", 3, measured)
    assert not sides.figures
    assert "something new: abc cannot do this" in capsys.readouterr().err
    unable = "now"
    with pytest.raises(SystemExit, match="no such command"):
        sides.compare("something broken", 3, measured)


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A repository of one commit, and a file that was changed since."""
    folder = tmp_path / "repository"
    folder.mkdir()
    (folder / "requirements.lock").write_text("one==1\n")
    for arguments in (
        ("init", "--quiet"),
        ("add", "."),
        ("-c", "user.name=a", "-c", "user.email=a@b", "commit", "--quiet", "-m", "one"),
    ):
        subprocess.run(["git", "-C", str(folder), *arguments], check=True)
    (folder / "requirements.lock").write_text("one==2\n")
    return folder


@pytest.mark.integration
def test_a_commit_is_checked_out_beside_changed_files_and_removed_again(repository: Path) -> None:
    with checked_out("HEAD", repository) as code:
        assert (code.folder / "requirements.lock").read_text() == "one==1\n"
        assert "differs" in code.requirements_differ(Code("now", repository))
        assert code.requirements_differ(code) == ""
        folder = code.folder
    assert not folder.exists()
    listed = subprocess.run(
        ["git", "-C", str(repository), "worktree", "list"], capture_output=True, text=True, check=True
    )
    assert len(listed.stdout.splitlines()) == 1
    assert (repository / "requirements.lock").read_text() == "one==2\n"


@pytest.mark.integration
@pytest.mark.parametrize("commit", ["0123456789abcdef", "no-such-branch", "--help", ""])
def test_an_unknown_commit_is_refused_by_name(repository: Path, commit: str) -> None:
    with pytest.raises(SystemExit, match=f"There is no commit {commit} in"), checked_out(commit, repository):
        pytest.fail("there is no such commit")


@pytest.mark.integration
def test_a_command_runs_the_code_of_its_folder_without_settings_of_the_shell(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SEEDBANK_HOME", "elsewhere")
    (tmp_path / "cli").mkdir()
    (tmp_path / "cli" / "__init__.py").touch()
    (tmp_path / "cli" / "main.py").write_text("import os, sys\nprint(os.environ.get('SEEDBANK_HOME'), sys.argv[1:])\n")
    code = Code("abc", tmp_path)

    assert code.seedbank("seed", "--json").output == "None ['seed', '--json']\n"

    (tmp_path / "cli" / "start.py").write_text("print('started')\n")
    assert code.seedbank("seed").output == "started\n"


def test_without_corpora_documents_are_generated_and_it_says_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert find_peps(tmp_path) is None
    assert "212 documents are generated" in capsys.readouterr().err
    (tmp_path / "peps").mkdir()
    (tmp_path / "peps" / "subset_212.txt").write_text("")
    assert find_peps(tmp_path) == tmp_path / "peps"


def test_a_prepared_home_is_found_again(tmp_path: Path) -> None:
    (tmp_path / "corpus-10000").mkdir()
    (tmp_path / "home-10000").mkdir()
    (tmp_path / "home-10000" / "home.json").write_text("{}")

    prepare(tmp_path, Code("now", tmp_path / "no code here"))  # nothing is run: there is nothing to run
