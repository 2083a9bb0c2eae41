"""Which dagster.yaml is in use, in the repository and by an installed Seedbank (tests/seedbank runs the installed one)."""

from pathlib import Path

import pytest

from resources.home import dagster_yaml
from resources.home.dagster_yaml import folder_for_processes, instance_folder


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of an installed Seedbank."""
    folder = tmp_path / "site-packages" / "seedbank"
    folder.mkdir(parents=True)
    (folder / "dagster.yaml").write_text("telemetry: {enabled: false}\n")
    monkeypatch.setattr(dagster_yaml, "IS_INSTALLED", True)
    monkeypatch.setattr(dagster_yaml, "PACKAGES_FOLDER", str(folder))
    return folder


def test_the_file_of_another_project_is_left_alone(package: Path, tmp_path: Path) -> None:
    """Guards against a seed that writes its runs into the records of whatever project is in the working directory."""
    project = tmp_path / "project"
    project.mkdir()
    (project / "dagster.yaml").write_text("storage: {}\n")
    assert instance_folder(project) == package
    (project / "seedbank.toml").touch()
    assert instance_folder(project) == project
    assert folder_for_processes(project, tmp_path / "home") == project


def test_processes_of_dagster_write_in_the_home(package: Path, tmp_path: Path) -> None:
    """Guards against folders that Dagster would make in site-packages, where a user may not write."""
    folder = folder_for_processes(tmp_path, tmp_path / "home")
    assert folder == tmp_path / "home" / "dagster" / "instance"
    assert (folder / "dagster.yaml").read_bytes() == (package / "dagster.yaml").read_bytes()


def test_the_repository_uses_its_own_file(tmp_path: Path) -> None:
    root = Path(dagster_yaml.PACKAGES_FOLDER)
    assert instance_folder(root) == folder_for_processes(root, tmp_path) == root
