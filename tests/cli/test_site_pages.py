"""The pages of the documentation site as docs/build_site.py puts them together; `make docs` builds them and checks links."""

import importlib
import re
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import typer

from cli.main import app
from tests.support.seed_process import ROOT


@pytest.fixture(scope="module")
def build_site() -> Iterator[ModuleType]:
    """The module, which is in no package."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(ROOT / "docs")
        yield importlib.import_module("build_site")
        sys.modules.pop("build_site")


@pytest.fixture(scope="module")
def site(build_site: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the pages and their configuration."""
    folder = tmp_path_factory.mktemp("site")
    build_site.write_pages(folder)
    return folder


def listed(nav: Any) -> Iterator[str]:
    """Every page of a navigation, in its order."""
    if isinstance(nav, str):
        yield nav
    else:
        for item in nav.values() if isinstance(nav, dict) else nav:
            yield from listed(item)


@pytest.mark.slow
def test_every_page_is_in_the_navigation_once(site: Path) -> None:
    """Guards against a page that nobody can find, and one that the navigation names and that is gone."""
    nav = list(listed(tomllib.loads((site / "zensical.toml").read_text())["project"]["nav"]))
    pages = {str(path.relative_to(site / "pages")) for path in (site / "pages").rglob("*.md")}
    assert len(nav) == len(set(nav))
    assert set(nav) == pages
    assert {"index.md", "tutorial.md", "operating.md", "adr/0001-digest-before-compression.md"} <= pages


@pytest.mark.slow
def test_every_option_of_every_command_is_on_its_page(site: Path) -> None:
    page = (site / "pages" / "options.md").read_text()
    commands = typer.main.get_command(app)
    seed = commands.commands["seed"]  # pyright: ignore[reportAttributeAccessIssue] - a group
    for parameter in seed.params:
        assert f"`{parameter.opts[0]}" in page
    assert re.findall(r"^## seedbank (.*)", page, re.MULTILINE).count("cache stats") == 1


@pytest.mark.slow
def test_every_public_name_has_its_documentation(site: Path) -> None:
    for path in (site / "pages" / "api").glob("*.md"):
        module = importlib.import_module(f"seedbank.{path.stem}")
        shown = [line.rpartition(".")[2] for line in path.read_text().splitlines() if line.startswith("::: ")]
        assert shown == module.__all__
        for name in module.__all__:
            assert getattr(module, name).__doc__, f"seedbank.{path.stem}.{name} says nothing about itself"


@pytest.mark.slow
def test_links_lead_to_where_pages_are_on_the_site(site: Path) -> None:
    assert "](docs/" not in (site / "pages" / "index.md").read_text()
    assert "](contributing.md#how-a-stage-is-added)" in (site / "pages" / "architecture.md").read_text()


def test_what_a_browser_would_load_from_elsewhere_is_found(build_site: ModuleType, tmp_path: Path) -> None:
    (tmp_path / "bad.html").write_text('<script src="https://elsewhere.example/x.js"></script>')
    (tmp_path / "font.css").write_text("@font-face { src: url(//elsewhere.example/x.woff) }")
    (tmp_path / "good.html").write_text('<a href="https://elsewhere.example">there</a><img src="pictures/graph.png">')
    assert build_site.loads_from_elsewhere(tmp_path).keys() == {"bad.html", "font.css"}
    assert build_site.main("check", str(tmp_path)) == 1
