"""The distributed archives, and the installed wheel as its users run it: a seed, a search, and the page of the service."""

import subprocess
import tarfile
import tomllib
import urllib.request
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from packaging.metadata import Metadata

from tests.support.http_service import answers, free_port
from tests.support.installed import Archives, Installed
from tests.support.seed_process import PATIENCE_SECONDS, ROOT

pytestmark = [pytest.mark.integration, pytest.mark.long]

PACKAGES: list[str] = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["hatch"]["build"]["targets"][
    "wheel"
]["hooks"]["custom"]["packages"]


def data() -> set[str]:
    """The files that the packages read, which are no modules: prices, prompts, templates, scripts of pages and others."""
    files = (path for package in PACKAGES for path in (ROOT / package).rglob("*") if path.is_file())
    found = {str(path.relative_to(ROOT)) for path in files if path.suffix not in (".py", ".pyc")}
    assert {path.rpartition(".")[2] for path in found} >= {"toml", "json", "html", "js"}
    return found


def test_the_wheel_takes_one_name_and_brings_everything(archives: Archives) -> None:
    """Guards against modules such as `resources` at the top of a user's site-packages, and against a missing template."""
    with zipfile.ZipFile(archives.wheel) as wheel:
        names = wheel.namelist()
        (metadata,) = (name for name in names if name.endswith(".dist-info/METADATA"))
        said = Metadata.from_email(wheel.read(metadata), validate=True)
        folder = metadata.removesuffix("METADATA")
        assert {name.partition("/")[0] for name in names} == {"seedbank", folder.rstrip("/")}
        assert wheel.read(f"{folder}licenses/LICENSE") == (ROOT / "LICENSE").read_bytes()
        assert f"{folder}licenses/service/pages/static/htmx.LICENSE" in names
        assert wheel.read(f"{folder}entry_points.txt").decode().split() == [
            *("[console_scripts]", "seedbank", "=", "seedbank.__main__:main")
        ]
    assert str(said.license_expression) == "Apache-2.0"
    assert said.description_content_type == "text/markdown"
    assert {f"seedbank/{name}" for name in data()} <= {*names}
    assert {"seedbank/py.typed", "seedbank/dagster.yaml", "seedbank/workspace.yaml"} <= {*names}
    documents = [path for path in (ROOT / "sample_corpus").rglob("*") if path.is_file()]
    assert {f"seedbank/{path.relative_to(ROOT)}" for path in documents} <= {*names}


def test_the_source_archive_brings_what_a_wheel_is_built_from(archives: Archives) -> None:
    with tarfile.open(archives.source) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    assert {"LICENSE", "README.md", "pyproject.toml", "hatch_build.py", *data()} <= names


def test_every_module_is_imported_below_the_one_name(installed: Installed, tmp_path: Path) -> None:
    """Guards against an import that the build did not change: it would find a user's module, or none."""
    program = (
        "import importlib, pkgutil, sys, seedbank\n"
        "for module in pkgutil.walk_packages(seedbank.__path__, 'seedbank.'):\n"
        "    if not module.name.endswith(('.__main__', '.forking')):\n"
        "        importlib.import_module(module.name)\n"
        f"print(sorted({PACKAGES!r} & sys.modules.keys()))\n".replace(repr(PACKAGES), repr(set(PACKAGES)))
    )
    assert installed.run("python", "-W", "ignore", "-c", program, folder=tmp_path) == "[]\n"


@pytest.fixture(scope="module")
def folder(installed: Installed, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A user's folder with documents, seeded by the command of the wheel, without settings or variables."""
    found = tmp_path_factory.mktemp("user")
    (found / "letters").mkdir()
    (found / "letters" / "bees.md").write_text("# Bees\n\nBees gather nectar, and store honey in combs of wax.\n")
    (found / "letters" / "rails.md").write_text("# Points\n\nA signalman sets the points before a train may pass.\n")
    # A module of the user with the name of one of the packages, which must be left alone.
    (found / "resources.py").write_text("raise RuntimeError('the wheel imported the module of a user')\n")
    printed = installed.run("seedbank", "seed", "--corpus", "letters", folder=found)
    assert "2 documents, 2 added" in printed
    assert "  seedbank search" in printed
    return found


def test_the_home_is_in_the_working_directory(installed: Installed, folder: Path) -> None:
    assert (folder / ".seedbank" / "home.json").exists()
    assert "bees.md" in installed.run("seedbank", "search", "where is honey stored", folder=folder)
    assert "nothing to do" in installed.run("python", "-m", "seedbank", "seed", folder=folder)
    below = folder / "letters"
    (folder / "seedbank.toml").write_text('corpus = "letters"\n')
    assert "nothing to do" in installed.run("seedbank", "seed", folder=below), (
        "the settings of the folder above are used"
    )


def test_the_page_of_the_service_is_served(installed: Installed, folder: Path) -> None:
    port = free_port()
    with running(installed, folder, "serve", "--port", str(port)):
        for _ in range(PATIENCE_SECONDS):
            if answers(port):
                break
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=60) as reply:
            page = reply.read().decode()
    assert "Seedbank" in page
    assert "htmx" in page


def test_dagster_loads_the_project(installed: Installed, folder: Path) -> None:
    """Its own commands find the definitions by their public name, and the processes that `dev` starts find dagster.yaml."""
    program = (
        "from pathlib import Path\n"
        "from seedbank.resources.home.dagster_yaml import folder_for_processes\n"
        "print(folder_for_processes(Path.cwd(), Path('.seedbank').resolve()))\n"
    )
    home = installed.run("python", "-c", program, folder=folder).strip()
    assert home == str(folder / ".seedbank" / "dagster" / "instance")
    listed = installed.run(
        "dagster", "job", "list", "-m", "seedbank.definitions", folder=folder, variables={"DAGSTER_HOME": home}
    )
    assert "Job: seed_documents" in listed


@contextmanager
def running(installed: Installed, folder: Path, *arguments: str) -> Iterator[None]:
    """The command `seedbank` while the body runs."""
    command = installed.command("seedbank", *arguments)
    with subprocess.Popen(
        command, cwd=folder, env=installed.environment(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as process:
        try:
            yield
        finally:
            process.terminate()
