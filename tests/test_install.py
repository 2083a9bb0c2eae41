"""Installing with uv, and with pip where uv cannot be had: real processes, but what they are asked is only written down."""

import os
import sys
from pathlib import Path

import pytest

import install

LOCK = Path("requirements.lock")


@pytest.fixture
def asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file with a line per call of pip and uv. No uv is there, and pip does as it is asked."""
    calls = tmp_path / "calls"
    calls.touch()
    pip = tmp_path / "pip.py"
    pip.write_text(f"import sys\nopen({str(calls)!r}, 'a').write(' '.join(['pip', *sys.argv[1:]]) + chr(10))\n")
    monkeypatch.setattr(install, "PIP", (sys.executable, str(pip)))
    monkeypatch.setattr(install, "OWN_UV", tmp_path / "own" / "uv")
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    return calls


def put_uv(asked: Path, body: str) -> None:
    """A program `uv` on PATH that writes down what it is asked, and then does that."""
    uv = asked.parent / "bin" / "uv"
    uv.parent.mkdir()
    uv.write_text(f'#!/bin/sh\n[ "$1" = --version ] && exit 0\necho "uv $*" >> {asked}\n{body}\n')
    uv.chmod(0o755)


@pytest.mark.integration
def test_uv_installs_the_lock_file_by_hash_and_then_the_project(asked: Path) -> None:
    put_uv(asked, "exit 0")
    assert install.main(LOCK) == 0
    config, lock, project = asked.read_text().splitlines()
    assert config == "pip config list"
    assert lock.startswith("uv pip install ")
    assert lock.endswith(" --no-deps --require-hashes -r requirements.lock")
    assert f"--python {sys.executable}" in lock
    assert project.endswith(f"--no-deps --no-build-isolation --editable {install.ROOT}")


@pytest.mark.integration
def test_where_uv_fails_pip_installs_the_same_and_a_sentence_says_so(
    asked: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """Guards a machine whose index pip reaches and uv does not."""
    put_uv(asked, "echo no route to the index >&2; exit 2")
    assert install.main(LOCK) == 0
    assert [line for line in asked.read_text().splitlines() if line.startswith("pip install")] == [
        "pip install --quiet --no-deps --require-hashes -r requirements.lock",
        f"pip install --quiet --no-deps --no-build-isolation --editable {install.ROOT}",
    ]
    said = capfd.readouterr()
    assert "no route to the index" in said.err
    assert "requirements.lock: uv could not install it" in said.out


@pytest.mark.integration
def test_where_uv_is_on_path_and_does_not_run_it_is_not_used(asked: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """The launcher of a tool that chooses versions of Python may be there without any uv behind it."""
    put_uv(asked, "exit 0")
    uv = asked.parent / "bin" / "uv"
    uv.write_text("#!/bin/sh\nexit 127\n")
    assert install.main(LOCK) == 0
    calls = asked.read_text().splitlines()
    assert calls[0].startswith("pip install --only-binary :all: --no-deps --require-hashes -r ")
    assert calls[1] == "pip install --quiet --no-deps --require-hashes -r requirements.lock"
    assert "pip cannot install uv" in capfd.readouterr().out


@pytest.mark.integration
def test_what_fails_with_pip_too_is_the_exit_status(asked: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(install, "PIP", (sys.executable, "-c", "import sys; sys.exit(3)"))
    assert install.main(LOCK) == 3


@pytest.mark.integration
def test_the_configuration_of_pip_is_read_as_pip_prints_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """With pip itself, which prints nothing where it is asked to be quiet."""
    monkeypatch.setenv("PIP_INDEX_URL", "https://index.example/simple")
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    assert install.uv_environment(install.pip_config(), {})["UV_DEFAULT_INDEX"] == "https://index.example/simple"


def test_uv_gets_the_indexes_of_pip_where_the_later_section_counts() -> None:
    config = "\n".join(
        [
            ":env:.index-url='https://second.example/simple'",
            "global.extra-index-url='file:///one/simple\\nfile:///two/simple'",
            "global.find-links='/wheels /more'",
            "global.index-url='https://first.example/simple'",
            "global.timeout='60'",
            "install.no-index='true'",
        ]
    )
    found = install.uv_environment(config, {"UV_FIND_LINKS": "/set/before", "HOME": "/root"})
    assert found == {
        "HOME": "/root",
        "UV_DEFAULT_INDEX": "https://second.example/simple",
        "UV_FIND_LINKS": "/set/before",
        "UV_INDEX": "file:///one/simple file:///two/simple",
        "UV_INDEX_STRATEGY": "unsafe-best-match",
        "UV_NO_INDEX": "true",
    }
    assert install.uv_environment("") == {"UV_INDEX_STRATEGY": "unsafe-best-match", **os.environ}


def test_the_release_of_uv_and_its_hashes_are_those_of_the_lock_file() -> None:
    lines = install.pinned_in(install.ROOT / "requirements-dev.lock", "uv").splitlines()
    assert lines[0].startswith("uv==")
    assert all("--hash=sha256:" in line for line in lines[1:])
    assert len(lines) > 5
