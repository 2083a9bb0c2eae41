"""What a wheel and a source archive of the project hold, built as an installer builds them."""

import tarfile
import tomllib
import zipfile
from email.parser import Parser
from pathlib import Path

import pytest
from hatchling import build

from tests.support.seed_process import ROOT


def data() -> set[str]:
    """The files that the packages read: all that are no modules, prices and prompts among them."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    packages = project["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]
    files = (path for package in packages for path in (ROOT / package).rglob("*") if path.is_file())
    found = {str(path.relative_to(ROOT)) for path in files if path.suffix not in (".py", ".pyc")}
    assert {path.rpartition(".")[2] for path in found} >= {"toml", "json"}
    return found


@pytest.fixture(autouse=True)
def in_the_project(monkeypatch: pytest.MonkeyPatch) -> None:
    """A build backend works in the directory that it is started in."""
    monkeypatch.chdir(ROOT)


def test_a_wheel_says_its_licence_and_brings_it(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / build.build_wheel(str(tmp_path))) as wheel:
        names = wheel.namelist()
        (metadata,) = (name for name in names if name.endswith(".dist-info/METADATA"))
        said = Parser().parsestr(wheel.read(metadata).decode())
        folder = metadata.removesuffix("METADATA")
        assert said["License-Expression"] == "Apache-2.0"
        assert said.get_all("License-File") == ["LICENSE"]
        assert wheel.read(f"{folder}licenses/LICENSE") == (ROOT / "LICENSE").read_bytes()
    assert data() <= {*names}
    assert not [name for name in names if name.startswith(("tests/", "benchmarks/"))]


@pytest.mark.slow
def test_a_source_archive_brings_the_licence(tmp_path: Path) -> None:
    with tarfile.open(tmp_path / build.build_sdist(str(tmp_path))) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    assert {"LICENSE", "README.md", "pyproject.toml", *data()} <= names
